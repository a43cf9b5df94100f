"""Areas of zones: those of GeographicLib, which pyproj gives one polygon at a time."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Geod

from zonalbatch.cover.areas import zone_areas

GEOD = Geod(ellps="WGS84")
DEGREES = "OGC:CRS84"


def star(rng: np.random.Generator, size: float) -> shapely.Polygon:
    """A star of 12 corners anywhere but near the poles, ``size`` degrees across."""
    lon, lat = rng.uniform(-170, 170), rng.uniform(-70, 70)
    angle = np.sort(rng.random(12)) * 2 * np.pi
    radius = size / 2 * rng.uniform(0.5, 1, 12)
    x = lon + radius * np.cos(angle) / np.cos(np.radians(lat))
    return shapely.Polygon(np.column_stack([x, lat + radius * np.sin(angle)]))


def geographiclib(shape: shapely.Geometry) -> float:
    """Area of a polygon, m²."""
    area: float = abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(shape))[0])
    return area


@pytest.mark.parametrize("size", [0.002, 0.02, 0.1, 0.6, 4.0, 16.0])
def test_areas_are_those_of_geographiclib(size: float) -> None:
    """From fields to countries; the smallest are limited by the digits of degrees."""
    rng = np.random.default_rng(3)
    shapes = np.array([star(rng, size) for _ in range(200)], object)
    expected = [geographiclib(one) for one in shapes]
    np.testing.assert_allclose(zone_areas(shapes, DEGREES), expected, rtol=1e-8, atol=2e-4)


def test_the_area_of_a_box_in_london() -> None:
    """7,724,123.36 m² between geodesics (GeographicLib)."""
    box = np.array([shapely.box(-0.16, 51.5, -0.11, 51.52)], object)
    assert zone_areas(box, DEGREES)[0] == pytest.approx(7_724_123.359, abs=1e-2)


def test_holes_parts_and_nothing() -> None:
    """Holes are taken off, parts added; what is missing or empty has no area."""
    square = shapely.box(0, 0, 1, 1)
    holed = square.difference(shapely.box(0.2, 0.2, 0.4, 0.4))
    parts = shapely.union_all([holed, shapely.box(3, 3, 4, 4)])
    areas = zone_areas(np.array([square, holed, parts, None, shapely.Polygon()], object), DEGREES)
    assert areas[:2] == pytest.approx([geographiclib(square), geographiclib(holed)], rel=1e-9)
    assert areas[2] == pytest.approx(areas[1] + geographiclib(shapely.box(3, 3, 4, 4)), rel=1e-9)
    assert areas[3:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("crs", ["EPSG:3413", "EPSG:3031"])
def test_a_zone_around_a_pole(crs: str) -> None:
    """A square about the pole of a polar projection, cut finely, has the cap's area."""
    square = shapely.segmentize(shapely.box(-1e6, -1e6, 1e6, 1e6), 20_000.0)
    (area,) = zone_areas(np.array([square], object), crs)
    quarters = [shapely.box(*b) for b in ((-1e6, -1e6, 0, 0), (-1e6, 0, 0, 1e6), (0, -1e6, 1e6, 0),
                                          (0, 0, 1e6, 1e6))]  # fmt: skip
    four = np.array([shapely.segmentize(q, 20_000.0) for q in quarters], object)
    assert area == pytest.approx(zone_areas(four, crs).sum(), rel=1e-6)


def test_bands_around_the_earth() -> None:
    """Between two parallels that go all around lies what lies there, not nothing."""
    bands = [(-180, -90, 180, 90), (-180, 0, 180, 90), (-180, -30, 180, 30), (-180, 30, 180, 90)]
    whole, half, low, high = zone_areas(np.array([shapely.box(*b) for b in bands], object), DEGREES)
    assert whole == pytest.approx(510_065_621_724_088, rel=1e-9)
    assert half == pytest.approx(whole / 2, rel=1e-9)
    assert low / 2 + high == pytest.approx(half, rel=1e-9)


def test_zones_beside_change_no_bit() -> None:
    """The area of a zone is the same alone and among others."""
    rng = np.random.default_rng(5)
    shapes = np.array([star(rng, 0.05) for _ in range(50)], object)
    alone = [zone_areas(shapes[i : i + 1], DEGREES)[0] for i in range(50)]
    assert zone_areas(shapes, DEGREES).tolist() == alone
