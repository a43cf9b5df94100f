"""Buffers and circles in metres: what grows, what shrinks, what vanishes; kinds of geometry."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import geopandas
import numpy as np
import pyproj
import pytest
import shapely

from tests.made.read_zones import SQUARE, frame_of, read
from tests.made.zones import frame
from zonalbatch.errors import ZonesError
from zonalbatch.zones import open_zones
from zonalbatch.zones.buffers import buffered, circles
from zonalbatch.zones.kinds import are_thin, of_one_kind

METRIC, DEGREES = pyproj.CRS("EPSG:32631"), pyproj.CRS("OGC:CRS84")
GEOD = pyproj.Geod(ellps="WGS84")


def objects(*shapes: Any) -> Any:
    """Shapes as the reader has them."""
    return np.array(shapes, dtype=object)


def on_earth(shape: shapely.Geometry) -> float:
    """Square metres on the ellipsoid."""
    return abs(float(GEOD.geometry_area_perimeter(shape)[0]))


def in_degrees(shape: Any, crs: pyproj.CRS = METRIC) -> Any:
    """A shape in degrees, by default of UTM zone 31."""
    return geopandas.GeoSeries([shape], crs=crs).to_crs(DEGREES)[0]


BOX = shapely.box(500_000, 5_600_000, 500_100, 5_600_040)


@pytest.mark.parametrize("crs", [METRIC, DEGREES])
def test_what_vanishes_is_counted(crs: pyproj.CRS) -> None:
    """Areas narrower than twice the buffer vanish, and all lines and points."""
    shapes = objects(
        BOX, shapely.box(500_000, 5_600_000, 500_100, 5_600_019), BOX.exterior, BOX.centroid,
        shapely.Polygon(),
    )  # fmt: skip
    shapes = shapes if crs is METRIC else objects(*map(in_degrees, shapes))
    tally: Counter[str] = Counter()
    got = buffered(shapes, crs, -10, tally)
    assert shapely.is_empty(got).tolist() == [False, True, True, True, True]
    assert tally == {"vanished": 3}
    area = got[0].area if crs is METRIC else on_earth(got[0])
    assert area == pytest.approx(80 * 20, rel=1e-3)


def test_the_reader_notes_the_loss() -> None:
    """The note tells what the buffer left nothing of, apart from what was empty before."""
    reader = open_zones(frame(BOX, BOX, shapely.Polygon(), crs=METRIC), buffer=-20)
    reader.whole()
    assert reader.notes == (
        "1 geometry empty, kept without cells",
        "2 geometries of which the buffer left nothing, kept without cells",
    )


@pytest.mark.parametrize("crs", [METRIC, DEGREES])
def test_lines_and_points_grow_into_areas(crs: pyproj.CRS) -> None:
    """A buffered line is a strip with round ends, a buffered point a disc."""
    line = shapely.LineString([(500_000, 5_600_000), (500_300, 5_600_400)])
    shapes = [line, line.centroid]
    zones = frame(*shapes, crs=METRIC).to_crs(crs)
    _, grown = open_zones(zones, buffer=10).whole()
    area = [shape.area if crs is METRIC else on_earth(shape) for shape in grown]
    assert area[0] == pytest.approx(500 * 20 + math.pi * 100, rel=2e-3)
    assert area[1] == pytest.approx(math.pi * 100, rel=1e-2)
    assert all(shape.exterior.is_ccw for shape in grown)


def test_parts_that_grow_into_each_other_are_united() -> None:
    """What two parts of a zone both grow over counts once, in metres and in degrees."""
    pair = shapely.MultiPolygon([BOX, shapely.box(500_110, 5_600_000, 500_200, 5_600_040)])
    expected = shapely.union_all(shapely.buffer(shapely.get_parts(pair), 10)).area
    (metric,) = buffered(objects(pair), METRIC, 10)
    (degrees,) = buffered(objects(in_degrees(pair)), DEGREES, 10)
    assert metric.area == pytest.approx(expected)
    assert on_earth(degrees) == pytest.approx(expected, rel=1e-3)
    assert degrees.geom_type == "Polygon"


def test_nothing_shrinks_from_the_antimeridian() -> None:
    """A zone that is split there loses nothing along the line that splits it."""
    halves = [shapely.box(179.99, 0, 180, 0.01), shapely.box(-180, 0, -179.99, 0.01)]
    (got,) = buffered(objects(shapely.MultiPolygon(halves)), DEGREES, -100)
    assert (got.bounds[0], got.bounds[2]) == (-180, 180)
    assert on_earth(got) == pytest.approx((2226.4 - 200) * (1105.7 - 200), rel=1e-3)


@pytest.mark.parametrize("crs", [METRIC, DEGREES])
def test_nothing_grows_out_of_nothing(crs: pyproj.CRS) -> None:
    """Where there is no shape there is none afterwards, and no circle."""
    nothing = objects(shapely.Polygon(), shapely.Polygon())
    assert shapely.is_empty(buffered(nothing, crs, 10)).all()
    assert shapely.is_empty(circles(nothing, crs, 10)).all()
    assert len(buffered(nothing[:0], crs, 10)) == 0


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32631", "EPSG:2154"])
def test_circles_are_metres_in_the_local_utm(crs: str) -> None:
    """A circle has the area of its radius, whatever the CRS that it is asked for in."""
    places = [(3.1, 47.9), (6.7, 44.2)]
    there = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True)
    points = objects(*(shapely.Point(there.transform(*place)) for place in places))
    got = circles(points, pyproj.CRS(crs), 500)
    for point, circle in zip(points, got, strict=True):
        area = on_earth(in_degrees(circle, pyproj.CRS(crs)))
        assert area == pytest.approx(math.pi * 500**2, rel=1.5e-3)
        assert circle.centroid.distance(point) < 1e-3 * math.sqrt(circle.area)


def test_circles_over_the_antimeridian_and_at_the_pole() -> None:
    """A circle is split where it crosses 180 degrees; none is drawn where there is no point."""
    points = objects(shapely.Point(179.999, 10), shapely.Point(30, 89.9), None, shapely.Point())
    got = circles(points, DEGREES, 1000)
    assert (got[0].bounds[0], got[0].bounds[2]) == (-180, 180)
    assert shapely.is_empty(got).tolist() == [False, False, True, True]
    for circle in got[:2]:
        assert on_earth(circle) == pytest.approx(math.pi * 1e6, rel=1.5e-2)


@pytest.mark.parametrize(
    ("text", "kept", "thin"),
    [
        ("POINT (1 2)", "POINT (1 2)", True),
        ("LINESTRING (0 0, 1 1)", "LINESTRING (0 0, 1 1)", True),
        ("POINT EMPTY", "POINT EMPTY", False),
        ("GEOMETRYCOLLECTION (LINESTRING (0 0, 1 1), POINT (5 5))", "MULTILINESTRING ((0 0, 1 1))",
         True),
        ("GEOMETRYCOLLECTION (POINT (5 5), GEOMETRYCOLLECTION (MULTIPOINT (1 1, 2 2)))",
         "MULTIPOINT (5 5, 1 1, 2 2)", True),
        ("GEOMETRYCOLLECTION (LINESTRING (0 0, 1 1), POLYGON ((0 0, 1 0, 1 1, 0 0)))",
         "GEOMETRYCOLLECTION (LINESTRING (0 0, 1 1), POLYGON ((0 0, 1 0, 1 1, 0 0)))", False),
        ("GEOMETRYCOLLECTION EMPTY", "POLYGON EMPTY", False),
    ],
)  # fmt: skip
def test_a_zone_is_of_one_kind(text: str, kept: str, thin: bool) -> None:
    """Of a collection the parts of the highest dimension are kept; polygons when it is repaired."""
    tally: Counter[str] = Counter()
    got = of_one_kind(objects(shapely.from_wkt(text), None), tally)
    assert shapely.equals_identical(got[0], shapely.from_wkt(kept))
    assert are_thin(got).tolist() == [thin, False]
    assert tally.get("parts", 0) == (text != kept)


def test_buffers_are_metres_in_any_unit() -> None:
    """10 m is 10 m in metres, in feet and in degrees."""
    metric = frame_of([shapely.box(5e5, 5e6, 5.001e5, 5.0001e6)])
    (grown,), _ = read(metric, buffer=10)
    assert grown.bounds == (499_990, 4_999_990, 500_110, 5_000_110)
    (feet,), _ = read(frame_of([shapely.box(0, 0, 100, 100)], "EPSG:2263"), buffer=10)
    assert feet.bounds[0] == pytest.approx(-10 / 0.3048006096)
    (degrees,), _ = read(metric.to_crs("EPSG:4326"), buffer=10)
    back = geopandas.GeoSeries([degrees], crs="EPSG:4326").to_crs("EPSG:32633")
    assert back.area[0] == pytest.approx(grown.area, rel=1e-4)


def test_a_buffer_in_degrees_crosses_the_antimeridian() -> None:
    """A zone that ends at 180 grows into the other side; its two halves stay one zone."""
    halves = [shapely.box(179.99, 0, 180, 0.01), shapely.box(-180, 0, -179.99, 0.01)]
    (got,), _ = read(frame_of([shapely.MultiPolygon(halves)], "EPSG:4326"), buffer=100)
    assert got.bounds[0] == -180
    assert got.bounds[2] == 180
    metres = pyproj.Geod(ellps="WGS84").geometry_area_perimeter(got)[0]
    assert metres == pytest.approx((2226.4 + 200) * (1105.7 + 200), rel=0.01)


def test_a_negative_buffer_can_leave_nothing() -> None:
    """A field narrower than twice the shrinking is empty, and noted."""
    (got,), reader = read(frame_of([SQUARE]), buffer=-5)
    assert got.is_empty
    assert reader.notes == ("1 geometry of which the buffer left nothing, kept without cells",)
    with pytest.raises(ZonesError, match="number of metres"):
        open_zones(frame_of([SQUARE]), buffer=math.nan)
