"""Many areas on one raster: each has the answer that it has alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from tests.made.service import AREA, write_fact
from zonalbatch.service.desk import Desk
from zonalbatch.service.rasters import together
from zonalbatch.service.rasters.measuring import Measure
from zonalbatch.service.rasters.together import raster_answers
from zonalbatch.service.settings import Settings

MEASURE = Measure(
    bands=(1,), stats=("min", "max", "mean", "count", "median"), coverage="all_touched",
    approximate=False,
)  # fmt: skip


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A polygon of GeoJSON."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


AREAS: Mapping[str, Mapping[str, Any]] = {
    "the fact": AREA,
    "a part": box(-0.145, 51.51, -0.13, 51.52),
    "a point": {"type": "Point", "coordinates": [-0.1409, 51.5195]},
    "a point on the edge of cells": {"type": "Point", "coordinates": [-0.142, 51.521]},
    "a circle": {"type": "Point", "coordinates": [-0.1409, 51.5195], "radius": 300},
    "outside": box(10.0, 10.0, 10.1, 10.1),
    "beyond the Earth": box(170.0, 0.0, 190.0, 1.0),
    "no polygon": {"type": "Polygon", "coordinates": [[0, 1], 2]},
    "no inside": box(0.0, 0.0, 0.0, 1.0),
    "too large": box(-100.0, 0.0, 100.0, 80.0),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Of a process that answers."""
    folder = tmp_path_factory.mktemp("root")
    write_fact(folder / "fact.tif")
    return Desk(Settings(root=folder))


def test_each_has_its_own_answer(desk: Desk) -> None:
    """Figures and refusals alike, whatever the others are."""
    url = "file:///fact.tif"
    alone = [raster_answers(desk, MEASURE, url, [area])[0] for area in AREAS.values()]
    assert raster_answers(desk, MEASURE, url, list(AREAS.values())) == alone
    assert {said.status for said in alone if said} == {0, 400, 413}


def test_points_among_areas(desk: Desk) -> None:
    """A point where four cells meet is in one of them, whatever rule holds for areas beside it."""
    folder = desk.settings.root
    assert folder is not None
    with rasterio.open(
        folder / "quarters.tif", "w", driver="GTiff", width=8, height=8, count=1, dtype="uint8",
        crs="EPSG:4326", transform=from_origin(0, 2, 0.25, 0.25),
    ) as file:  # fmt: skip
        file.write(np.arange(64, dtype="uint8").reshape(1, 8, 8))
    corner = {"type": "Point", "coordinates": [1.0, 1.0]}
    said = raster_answers(desk, MEASURE, "file:///quarters.tif", [box(0.1, 0.1, 0.9, 0.9), corner])
    assert [one.answer["band_1"]["count"] for one in said if one] == [16, 1]


def test_a_raster_that_is_none(desk: Desk) -> None:
    """Who asks for a wrong area hears of it, the others of the raster."""
    said = raster_answers(desk, MEASURE, "file:///none.tif", list(AREAS.values()))
    none = "there is no such file"
    told = {name: one.detail.startswith(none) for name, one in zip(AREAS, said, strict=True) if one}
    wrong = {"beyond the Earth", "no polygon", "no inside", "too large"}
    assert {name for name, by_raster in told.items() if not by_raster} == wrong


def test_what_is_large_goes_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An area of many pixels keeps no others waiting, and is answered where there are none."""
    monkeypatch.setattr(together, "SMALL", 10)
    areas = [AREAS["the fact"], AREAS["a point"]]
    large, point = raster_answers(desk, MEASURE, "file:///fact.tif", areas)
    assert large is None
    assert point is not None
    assert point.answer["band_1"]["mean"] == 4
    (large,) = raster_answers(desk, MEASURE, "file:///fact.tif", areas[:1])
    assert large is not None
    assert large.answer["band_1"]["count"] == 10


def test_one_at_fault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine fails with one among many, the others have their answers."""
    measured = together.measured

    def failing(desk: Any, measure: Any, areas: Any, raster: Any) -> Any:
        if any(area.metres < 1e6 for area in areas):
            raise RuntimeError("of this area")
        return measured(desk, measure, areas, raster)

    monkeypatch.setattr(together, "measured", failing)
    areas = [AREAS["the fact"], AREAS["a circle"], AREAS["a part"]]
    said = raster_answers(desk, MEASURE, "file:///fact.tif", areas)
    assert [one.status for one in said if one] == [0, 500, 0]
