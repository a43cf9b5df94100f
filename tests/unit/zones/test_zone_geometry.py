"""Geometry is made fit to be measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely

from tests.made.read_zones import SQUARE, frame_of, read
from zonalbatch.zones import open_zones


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", 2),
        ("MULTIPOLYGON (((0 0,2 0,2 2,0 2,0 0)), ((1 1,1 3,3 3,3 1,1 1)))", 6),
        ("MULTIPOLYGON (((0 0,4 0,4 4,0 4,0 0)), ((1 1,1 2,2 2,2 1,1 1)))", 15),
        ("POLYGON ((0 0,9 0,9 9,0 9,0 0), (2 2,4 2,4 4,2 4,2 2))", 77),
        ("POLYGON ((0 0,9 0,9 9,0 9,0 0), (2 2,6 2,6 6,2 6,2 2), (4 4,8 4,8 8,4 8,4 4))", 57),
        ("POLYGON Z ((0 0 1,2 0 1,2 2 1,0 2 5,0 0 1))", 4),
        ("GEOMETRYCOLLECTION (POINT (9 9), POLYGON ((0 0,1 0,1 1,0 1,0 0)))", 1),
        ("POLYGON ((0 0, 1 1, 0 0))", 0),
        ("POLYGON EMPTY", 0),
        (None, 0),
    ],
)
def test_geometry_is_repaired(text: str | None, area: float) -> None:
    """What rings enclose an odd number of times stays; valid 2-D polygons come out."""
    shape = None if text is None else shapely.from_wkt(text)
    (got,), _ = read(frame_of([shape]))
    assert got.is_valid
    assert not got.has_z
    assert got.geom_type in ("Polygon", "MultiPolygon")
    assert got.area == pytest.approx(area)


def test_rings_are_oriented() -> None:
    """Parts that were wound in opposite senses all come out counter-clockwise."""
    parts = shapely.MultiPolygon([SQUARE, shapely.reverse(shapely.box(5, 5, 6, 6))])
    (got,), reader = read(frame_of([parts]))
    assert all(part.exterior.is_ccw for part in got.geoms)
    assert reader.notes == ()


def test_empty_zones_stay_with_no_bounds_and_are_noted() -> None:
    """An empty, missing or infinite geometry keeps its row, with NaN bounds."""
    lost = shapely.Polygon([(0, 0), (math.inf, 0), (1, 1)])
    reader = open_zones(frame_of([SQUARE, None, shapely.Polygon(), lost]))
    got = next(reader.batches())
    assert np.isnan(got["left"]).tolist() == [False, True, True, True]
    assert shapely.is_empty(shapely.from_wkb(got["geometry"].to_numpy()))[1:].all()
    assert "1 geometry with coordinates that are not finite, taken as empty" in reader.notes
    assert "3 geometries empty, kept without cells" in reader.notes


@pytest.mark.parametrize("shape", [shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)])])
def test_points_and_lines_stay_what_they_are(shape: Any) -> None:
    """A zone may be a point or a line; beside them areas are what they were."""
    high = shapely.force_3d(shape)
    (square, got, bare), reader = read(frame_of([SQUARE, high, high.__class__()]))
    assert square.equals(SQUARE)
    assert shapely.equals_identical(got, shape)
    assert shapely.equals_identical(bare, shapely.Polygon())
    assert reader.notes == ("1 geometry empty, kept without cells",)
