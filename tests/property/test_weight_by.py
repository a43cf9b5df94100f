"""Averages by the area of cells: on grids in degrees a cell counts by its area on the ground.

The oracle takes the area of each cell from GeographicLib, by pyproj, its parallels cut into many
short edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import CRS, Geod

from tests.oracles import areas, bits, measured, placed, quantile, raster
from zonalbatch.cover.areas import row_areas
from zonalbatch.lattice import TILE, Lattice, Window

WORLD = Lattice("EPSG:4326", 0.25, 0.25, 0.0, 0.0)
STATISTICS = (
    "count", "sum", "mean", "variance", "std", "cv", "skew", "kurtosis", "min", "max", "p10",
    "median", "p90", "mode", "variety", "min_x", "max_y", "n_nodata", "frac", "area",
)  # fmt: skip
KEPT = ("count", "sum", "min", "max", "variety", "min_x", "max_y", "n_nodata", "area")

Floats = NDArray[np.float64]


def cell_area(lattice: Lattice, row: int, pieces: int = 64) -> float:
    """Area of a cell of a row, m², by GeographicLib."""
    geod = CRS(lattice.crs).get_geod() or Geod(ellps="WGS84")
    top, bottom = lattice.y0 - lattice.dy * row, lattice.y0 - lattice.dy * (row + 1)
    lon = np.linspace(0.0, lattice.dx, pieces + 1)
    lons = np.concatenate([lon, lon[::-1]])
    lats = np.concatenate([np.full(pieces + 1, bottom), np.full(pieces + 1, top)])
    area: float = geod.polygon_area_perimeter(lons, lats)[0]
    return abs(area)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4277", "+proj=longlat +R=6371000 +type=crs"])
@pytest.mark.parametrize("cell", [5.0, 0.25, 1 / 1200])
def test_rows_are_as_large_as_on_the_ground(crs: str, cell: float) -> None:
    """Areas of cells of any size and ellipsoid are in proportion to GeographicLib's."""
    lattice = Lattice(crs, cell, cell, 0.0, 0.0)
    rows = [round(-latitude / cell) for latitude in (84.0, 60.0, 35.5, 0.0, -20.0, -75.0)]
    found = np.array([row_areas(lattice, row, 1)[0] for row in rows])
    expected = np.array([cell_area(lattice, row, 2048 if cell > 1 else 64) for row in rows])
    # GeographicLib's area of a tiny cell is good to about 1e-8 of it.
    assert found / found[3] == pytest.approx(
        expected / expected[3], rel=3e-8 if cell < 0.1 else 2e-9
    )


def test_all_rows_make_the_earth() -> None:
    """The rows of the world sum up to its surface, and what lies beyond the poles is nothing."""
    rows = row_areas(WORLD, -400, 800)
    geod = Geod(ellps="WGS84")
    equator = geod.a**2 * (1 - geod.es) * np.radians(0.25) ** 2
    surface = 5.10065621724089e14
    assert rows.sum() * equator * 360 / 0.25 == pytest.approx(surface, rel=1e-12)
    assert not rows[:40].any()
    assert not rows[-40:].any()


def by_hand(values: Floats, shares: Floats, area: Floats) -> dict[str, Any]:
    """The statistics of one zone whose averages weigh (row,) cells by their area."""
    good = shares > 0
    v, c, w = values[good], shares[good], (shares * area[:, None])[good]
    mean = (v * w).sum() / w.sum()
    m2, m3, m4 = (((v - mean) ** k * w).sum() / w.sum() for k in (2, 3, 4))
    classes = {float(k): float(w[v == k].sum()) for k in np.unique(v)}
    return {
        "count": c.sum(), "sum": (v * c).sum(), "mean": mean, "variance": m2, "std": m2**0.5,
        "cv": m2**0.5 / mean, "skew": m3 / m2**1.5, "kurtosis": m4 / m2**2 - 3,
        "p10": quantile(v, w, 0.1), "median": quantile(v, w, 0.5), "p90": quantile(v, w, 0.9),
        "mode": max(classes, key=lambda k: (round(classes[k], 9), k)),
        "frac": {k: s / w.sum() for k, s in classes.items()},
    }  # fmt: skip


def agree(columns: Any, expected: dict[str, Any]) -> None:
    """Assert that what the package says of the first zone is this."""
    for name, number in expected.items():
        found = columns["value", name]
        if name == "frac":
            told = {e["class"]: e["value"] for e in found[0].as_py()}
            assert told == pytest.approx(number, rel=1e-7)
        else:
            assert found[0] == pytest.approx(number, rel=1e-7, abs=1e-7), name


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(["uint8", "int32", "float32", "float64"]),
    corner=st.sampled_from([(-300, 20), (-20, TILE - 30), (-TILE + 190, -TILE - 20)]),
    zone=st.sampled_from(
        [shapely.Point(20, 22).buffer(17.3), shapely.box(2.25, 1.5, 44.125, 46.7)]
    ),
)
def test_averages_by_area(
    seed: int, dtype: str, corner: tuple[int, int], zone: shapely.Geometry
) -> None:
    """Means, variances, quantiles and classes follow areas; counts, sums and places do not."""
    rng, (row, col) = np.random.default_rng(seed), corner
    values = rng.integers(1, 30, (48, 48)).astype(dtype)
    values[rng.random(values.shape) < 0.1] = 0
    there = placed(zone, WORLD, row, col)
    shares = areas(there, WORLD, Window(row, col, row + 48, col + 48))
    area = np.array([cell_area(WORLD, row + i) for i in range(48)])
    given_ = {"a": raster(values, WORLD, row, col, nodata=0)}
    (found,) = measured([there], given_, statistics=STATISTICS, weight_by="area")
    agree(found.columns, by_hand(values.astype(float), np.where(values, shares, 0.0), area))
    (plain,) = measured([there], given_, statistics=STATISTICS)
    for name in KEPT:
        assert bits(found)[f"value_{name}"] == bits(plain)[f"value_{name}"], name


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_zone_over_many_tiles(dtype: str) -> None:
    """Zones in a few tiles, and in more than are buffered, are ranked by area too."""
    lattice = Lattice("EPSG:4326", 0.01, 0.01, 0.0, 0.0)
    rng, height, width = np.random.default_rng(1), 17 * TILE + 100, 24
    values = rng.integers(0, 250, (height, width)).astype(dtype)
    row, col = -height + 100, -700
    given_ = {"a": raster(values, lattice, row, col)}
    area = np.array([cell_area(lattice, row + i, 8) for i in range(height)])
    across = np.ones(width)
    across[[0, -1]] = 0.5
    for low, high in ((20.5, 1800.25), (4.75, height - 3.5)):
        zone = placed(shapely.box(0.5, low, width - 0.5, high), lattice, row, col)
        ends = np.minimum(np.arange(height) + 1, high) - np.maximum(np.arange(height), low)
        statistics = ("count", "mean", "std", "p10", "median", "p90", "mode")
        (found,) = measured([zone], given_, statistics=statistics, weight_by="area")
        shares = np.outer(np.clip(ends, 0, 1), across)
        expected = by_hand(values.astype(float), shares, area)
        agree(found.columns, {name: expected[name] for name in statistics})


def test_a_projected_grid_stays_as_it_is() -> None:
    """On a projected grid all cells count alike."""
    lattice = Lattice("EPSG:3857", 10_000.0, 10_000.0, 0.0, 0.0)
    values = np.random.default_rng(2).random((60, 60))
    given_ = {"a": raster(values, lattice, -900, 0)}
    zone = placed(shapely.Point(30, 30).buffer(25), lattice, -900, 0)
    (found,) = measured([zone], given_, statistics=STATISTICS, weight_by="area")
    (plain,) = measured([zone], given_, statistics=STATISTICS)
    assert bits(found) == bits(plain)


def test_lines_and_points_weigh_as_they_do() -> None:
    """A metre of a line is a metre anywhere, and a point is a point; areas beside them follow."""
    values = np.random.default_rng(5).random((48, 48))
    given_ = {"a": raster(values, WORLD, -300, 0)}
    shapes = [
        shapely.LineString([(3, 3), (40, 44)]),
        shapely.MultiPoint([(5.5, 3.2), (9, 40), (30, 22)]),
        shapely.box(2, 2, 40, 40),
    ]
    zones = [placed(shape, WORLD, -300, 0) for shape in shapes]
    (found,) = measured(zones, given_, statistics=("mean", "std"), weight_by="area")
    (plain,) = measured(zones, given_, statistics=("mean", "std"))
    same = [
        found.columns["value", "mean"][i] == plain.columns["value", "mean"][i] for i in range(3)
    ]
    assert same == [True, True, False]


def test_weights_of_a_raster_stay_as_they_are() -> None:
    """``weighted_*`` weigh by share and weight alone, whatever averages do."""
    rng = np.random.default_rng(8)
    given_ = {
        "a": raster(rng.random((48, 48)), WORLD, -300, 0),
        "w": raster(rng.random((48, 48)), WORLD, -300, 0),
    }
    zone = placed(shapely.Point(20, 22).buffer(17.3), WORLD, -300, 0)
    names = ("weighted_sum", "weighted_mean", "weighted_std", "weighted_frac")
    (found,) = measured([zone], given_, statistics=names, weights="w", weight_by="area")
    (plain,) = measured([zone], given_, statistics=names, weights="w")
    assert bits(found) == bits(plain)
