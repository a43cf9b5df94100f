"""Memory: what parts take is what was foreseen, and what a process takes does not grow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely

import zonalbatch as zb
from benchmarks.measured import taken_by
from benchmarks.steady import steady
from tests.made.jobs import job_over
from tests.made.places import CRS, LEFT, TOP
from tests.made.rasters import noise, write_tif
from tests.made.scenes import asset, item, write_items
from tests.made.zones import squares

SIDE = 3_000
"""Rows and columns of a scene."""
BLOCKS: dict[str, Any] = {"tiled": True, "blockxsize": 512, "blockysize": 512}
Case = Callable[[Path], zb.Job]


def scene(path: Path, *, floats: bool = False) -> str:
    """A scene of noise; its path."""
    values = noise(SIDE, SIDE)
    return write_tif(path, values.astype("float32") / 7 if floats else values, **BLOCKS)


def discs(count: int, cells: float) -> geopandas.GeoDataFrame:
    """Discs of a radius in cells, anywhere on a scene."""
    at = np.random.default_rng(5).uniform(cells, SIDE - cells, (count, 2)) * 10
    shapes = shapely.buffer(shapely.points(LEFT + at[:, 0], TOP - at[:, 1]), cells * 10)
    return geopandas.GeoDataFrame({"id": range(count)}, geometry=shapes, crs=CRS)


def many_columns(folder: Path) -> zb.Job:
    """10,000 small zones, 12 layers, 21 columns."""
    first = scene(folder / "a.tif")
    return job_over(
        squares(100, side=300), [first] * 1 + [scene(folder / f"{i}.tif") for i in range(11)],
        folder / "out", statistics=["count", "mean", *(f"p{5 * i}" for i in range(1, 20))],
    )  # fmt: skip


def huge(folder: Path) -> zb.Job:
    """One zone of 100,000 vertices as large as the scene, floats, its median."""
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    radius = 14_000 + 400 * np.sin(angle * 997)
    ring = np.column_stack(
        [LEFT + 15_000 + radius * np.cos(angle), TOP - 15_000 + radius * np.sin(angle)]
    )
    zones = geopandas.GeoDataFrame({"id": [1]}, geometry=[shapely.Polygon(ring)], crs=CRS)
    files = [scene(folder / "a.tif", floats=True)]
    return job_over(zones, files, folder / "out", statistics=["median", "p10"])


def expressions(folder: Path) -> zb.Job:
    """Medians of an expression over discs in several fold tiles."""
    files = [scene(folder / "a.tif", floats=True)]
    return job_over(
        discs(200, 250), files, folder / "out", measurements={"x": "red * 2 + 1"},
        statistics=["median", "std"],
    )  # fmt: skip


def classes(folder: Path) -> zb.Job:
    """Lists of classes."""
    files = [scene(folder / f"{i}.tif") for i in range(3)]
    return job_over(discs(500, 60), files, folder / "out", statistics=["unique", "frac", "mode"])


def lists(folder: Path) -> zb.Job:
    """Lists of cells."""
    files = [scene(folder / f"{i}.tif") for i in range(3)]
    return job_over(discs(500, 60), files, folder / "out", statistics=["values", "coverage"])


def on_top(folder: Path) -> zb.Job:
    """Zones that overlap many times over."""
    zones = discs(1_500, 150)
    return job_over(zones, [scene(folder / "a.tif")], folder / "out", statistics=["mean", "p90"])


def common_grid(folder: Path) -> zb.Job:
    """Files put on a common grid in another CRS."""
    items = [
        item(name, date=f"2024-05-0{i + 1}", red=asset(scene(folder / f"{i}.tif"), (SIDE, SIDE)))
        for i, name in enumerate("ab")
    ]
    source: dict[str, Any] = {
        "kind": "stack",
        "items": str(write_items(folder / "items.json", items)),
    }
    source |= {"epsg": 3035, "resolution": 20, "resampling": "bilinear"}
    return job_over(
        squares(50, side=600), [], folder / "out", source=source, bands={"red": "red"},
        statistics=["mean", "median"],
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    many_columns, huge, expressions, classes, lists, on_top, common_grid,
)  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_parts_take_is_what_was_foreseen(case: Case, tmp_path: Path) -> None:
    """No more than the plan says, and more than two fifths of it."""
    job = case(tmp_path)
    plan = zb.plan(job)
    taken = taken_by(job, plan, [part.id for part in plan.parts])
    foreseen = plan.estimate.memory / 2**20
    assert taken.peak <= foreseen <= 2.5 * taken.peak


@pytest.mark.long
@pytest.mark.alone
def test_memory_is_steady(tmp_path: Path) -> None:
    """After 2,000 small parts a worker takes at most 50 MB more than after 100.

    What its parts take of a processor is a measurement: `python -m benchmarks.steady`.
    """
    resident = steady(tmp_path).resident
    assert resident[-1] - resident[100] <= 50e6 / 2**20
