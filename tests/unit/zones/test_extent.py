"""Zones that lie farther out than any place on Earth."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

import zonalbatch as zb
from tests.made.places import CRS
from tests.made.rasters import noise, write_tif
from tests.made.read_zones import SQUARE, frame_of, read
from zonalbatch.errors import ZonesError
from zonalbatch.zones.extent import FARTHEST

LARGE = (1e12, 1e20, 1e160, 1e300)


@pytest.mark.parametrize("side", LARGE)
def test_absurd_coordinates_are_refused(side: float) -> None:
    """Finite as they are, the zone is named, and the coordinate."""
    zones = frame_of([SQUARE, shapely.box(-side, -side, side, side)], name=["a", "b"])
    with pytest.raises(ZonesError, match=r"zone 'b' has a coordinate of -1e\+\d+, and .* no place"):
        read(zones, id="name")


@pytest.mark.parametrize("side", LARGE)
def test_absurd_coordinates_at_once(tmp_path: Path, side: float) -> None:
    """The tables that are made here and now refuse them, too."""
    raster = write_tif(tmp_path / "a.tif", noise(8, 8))
    with pytest.raises(ZonesError, match="no place beyond"):
        zb.zonal_stats(frame_of([shapely.box(0, 0, side, side)], CRS), raster, "mean")


def test_a_buffer_that_leaves_the_earth() -> None:
    """What a zone becomes counts, not what it was."""
    with pytest.raises(ZonesError, match="zone 0 has a coordinate"):
        read(frame_of([SQUARE]), buffer=2 * FARTHEST)


def test_units_other_than_metres() -> None:
    """As many feet as a CRS in feet has metres are no farther out."""
    box = shapely.box(0, 0, 2 * FARTHEST, 1)
    assert read(frame_of([box], "EPSG:2263"))[0][0].equals(box)
    with pytest.raises(ZonesError, match="no place beyond"):
        read(frame_of([box]))


def test_poles_of_web_mercator() -> None:
    """They lie far out by rounding, and what reaches there is measured."""
    box = shapely.box(-2e7, -2.43e8, 2e7, 2.43e8)
    assert read(frame_of([box, shapely.Polygon()], "EPSG:3857"))[0][0].equals(box)
