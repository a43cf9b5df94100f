"""Zones at the antimeridian and around the poles."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from tests.made.read_zones import SQUARE, frame_of, read


@pytest.mark.parametrize("clockwise", [False, True])
def test_a_zone_across_the_antimeridian_is_split(clockwise: bool) -> None:
    """An edge from 178 to -178 goes the short way round, whichever way the ring is wound."""
    ring = [(178, -20), (-178, -20), (-178, -15), (178, -15)]
    shape = shapely.Polygon(ring[::-1] if clockwise else ring)
    (got,), reader = read(frame_of([shape], "EPSG:4326"))
    halves = [shapely.box(178, -20, 180, -15), shapely.box(-180, -20, -178, -15)]
    assert got.equals(shapely.MultiPolygon(halves))
    assert reader.notes == ("1 geometry crossing the antimeridian, split there",)


@pytest.mark.parametrize(
    ("west", "east"), [(-133, 133), (-180, 5), (-10, 180), (-120, 100), (-135, 135)]
)
def test_a_wide_zone_is_as_wide_as_drawn(west: float, east: float) -> None:
    """An edge whose short way is no shorter than 90 degrees does not cross the antimeridian."""
    (got,), reader = read(frame_of([shapely.box(west, 0, east, 10)], "EPSG:4326"))
    assert got.equals(shapely.box(west, 0, east, 10))
    assert np.abs(np.diff(shapely.get_coordinates(got)[:, 0])).max() <= 90
    assert reader.notes == (
        "1 geometry with an edge of more than 180 degrees of longitude, taken as drawn",
    )


@pytest.mark.parametrize(("west", "east"), [(-136, 135), (-170, 110), (-179, 179)])
def test_a_leap_of_more_than_270_degrees_crosses(west: float, east: float) -> None:
    """An edge whose short way is shorter than 90 degrees goes it."""
    (got,), reader = read(frame_of([shapely.box(west, 0, east, 10)], "EPSG:4326"))
    assert got.equals(
        shapely.MultiPolygon([shapely.box(-180, 0, west, 10), shapely.box(east, 0, 180, 10)])
    )
    assert reader.notes == ("1 geometry crossing the antimeridian, split there",)


def test_a_triangle_at_the_equator_goes_around_no_pole() -> None:
    """What would be a cap near a pole is a triangle elsewhere."""
    triangle = shapely.Polygon([(-100, 0), (100, 0), (0, 50)])
    (got,), _ = read(frame_of([triangle], "EPSG:4326"))
    assert got.area == pytest.approx(triangle.area)


def test_each_part_of_a_zone_is_drawn_or_crosses_by_itself() -> None:
    """A part that crosses the antimeridian does not turn the others round."""
    parts = [
        shapely.box(-133, 0, 133, 10),
        shapely.box(-179, 20, 179, 25),
        shapely.box(0, 40, 1, 41),
    ]
    (got, other), reader = read(frame_of([shapely.MultiPolygon(parts), SQUARE], "EPSG:4326"))
    assert got.area == pytest.approx(266 * 10 + 2 * 5 + 1)
    assert other.equals(SQUARE)
    assert len(reader.notes) == 2


def test_a_country_that_crosses_is_wide_and_split() -> None:
    """What decides is the edge, not the width: unsplit, Russia is 163 degrees wide."""
    country = shapely.Polygon([(27, 50), (100, 45), (179, 60), (-170, 65), (179, 70), (27, 70)])
    (got,), reader = read(frame_of([country], "EPSG:4326"))
    turned = shapely.Polygon([(27, 50), (100, 45), (179, 60), (190, 65), (179, 70), (27, 70)])
    assert got.area == pytest.approx(turned.area)
    assert reader.notes == ("1 geometry crossing the antimeridian, split there",)


@pytest.mark.parametrize(
    ("box", "bounds", "area"),
    [
        ((190, 0, 200, 5), (-170, 0, -160, 5), 50),
        ((170, 0, 190, 5), (-180, 0, 180, 5), 100),
        ((180, 0, 190, 5), (-180, 0, -170, 5), 50),
        ((0, -90, 360, 90), (-180, -90, 180, 90), 64_800),
        ((-200, 0, -190, 5), (160, 0, 170, 5), 50),
    ],
)
def test_longitudes_beyond_180_are_brought_back(box: tuple, bounds: tuple, area: float) -> None:
    """0..360 becomes -180..180, split where it must be."""
    (got,), _ = read(frame_of([shapely.box(*box)], "EPSG:4326"))
    assert got.bounds == bounds
    assert got.area == pytest.approx(area)


def test_a_frame_at_180_is_no_crossing() -> None:
    """An edge of 360 degrees along the frame crosses nothing, nor does an edge at +-180."""
    world = shapely.box(-180, -90, 180, -60)
    (got,), reader = read(frame_of([world], "EPSG:4326"))
    assert got.area == pytest.approx(360 * 30)
    assert reader.notes == ()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("turn", [1, -1])
def test_a_cap_around_a_pole_is_the_small_one(sign: int, turn: int) -> None:
    """A ring around a pole encloses the pole it is near, whichever way it is wound."""
    ring = [(lon * turn, 80 * sign) for lon in (0, 90, 179, -90)]
    (got,), _ = read(frame_of([shapely.Polygon(ring)], "EPSG:4326"))
    assert got.area == pytest.approx(3600)
    assert got.intersects(shapely.Point(0, 90 * sign))
