"""Outlines: zones in few bytes, close to what they were."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from tests.made.outputs import fields
from tests.unit.pages.test_packed import unpacked
from zonalbatch.pages import outlines as module
from zonalbatch.pages.outlines import AREA, LINE, NOTHING, POINT, outlines


def drawn(document: dict[str, Any]) -> list[list[NDArray[np.float64]]]:
    """Corners of each part of each zone, in the CRS, as a page has them."""
    names = ("parts", "sizes", "x", "y")
    parts, sizes, x, y = (unpacked(document[name]).astype(np.int64) for name in names)
    steps = np.column_stack([x, y])
    steps = np.where(steps % 2, -(steps + 1) // 2, steps // 2)
    places = np.cumsum(steps, axis=0) * document["step"] + document["origin"]
    pieces = np.split(places, np.cumsum(sizes)[:-1]) if len(sizes) else []
    ends = np.cumsum(parts)
    return [pieces[end - count : end] for end, count in zip(ends, parts, strict=True)]


@pytest.mark.parametrize("crs", ["EPSG:32631", "EPSG:4326"])
def test_areas_stay_what_they_are(crs: str) -> None:
    """Each zone is the area that it was, but for a hundredth."""
    zones = fields(50)
    shapes = zones.to_crs(crs)
    document = outlines(shapes).document
    for shape, (ring,) in zip(shapes.geometry, drawn(document), strict=True):
        made = shapely.Polygon(ring)
        assert shape.symmetric_difference(made).area < 0.02 * shape.area
    assert document["degrees"] == (crs == "EPSG:4326")
    assert document["crs"] == crs


def test_shells_and_holes_turn_against_each_other() -> None:
    """So that a canvas which fills by turns leaves holes out and overlaps in."""
    hole = shapely.Polygon(shapely.box(0, 0, 100, 100).exterior,
                           [shapely.box(20, 20, 60, 60, ccw=False).exterior])  # fmt: skip
    for shape in (hole, hole.reverse()):
        (rings,) = drawn(outlines(geopandas.GeoDataFrame(geometry=[shape], crs=32631)).document)
        turns = [shapely.is_ccw(shapely.LinearRing(ring)) for ring in rings]
        assert turns == [False, True]


def test_each_kind_is_told() -> None:
    """Areas, lines, points, nothing; of a collection what is highest."""
    point, line = shapely.Point(5, 5), shapely.LineString([(0, 0), (9, 9)])
    shapes = [
        shapely.box(0, 0, 1, 1), line, shapely.MultiPoint([(1, 1), (2, 2)]), None,
        shapely.Polygon(), shapely.GeometryCollection([point, shapely.box(0, 0, 5, 5), line]),
    ]  # fmt: skip
    made = outlines(geopandas.GeoDataFrame(geometry=shapes, crs=32631)).document
    assert unpacked(made["kinds"]).tolist() == [AREA, LINE, POINT, NOTHING, NOTHING, AREA]
    assert [len(parts) for parts in drawn(made)] == [1, 1, 2, 0, 0, 1]


@pytest.mark.parametrize("shapes", [[], [None], [shapely.Point(3, 4)], [shapely.Polygon()]])
def test_there_may_be_nothing_to_draw(shapes: list[Any]) -> None:
    """No zones, none with a place, a single point."""
    made = outlines(geopandas.GeoDataFrame(geometry=shapes, crs=4326))
    assert len(unpacked(made.document["kinds"])) == len(shapes)


def test_too_many_corners_are_simplified_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outlines keep to their budget; where they cannot, zones are points, and that is said."""
    zones = fields(400)
    usual = module._size(outlines(zones).document)
    monkeypatch.setattr(module, "BUDGET", usual * 0.8)
    coarser = outlines(zones)
    assert module._size(coarser.document) <= usual * 0.8
    monkeypatch.setattr(module, "BUDGET", 100)
    points = outlines(zones)
    assert set(unpacked(points.document["kinds"])) == {POINT}
    assert "each is a point" in points.note
