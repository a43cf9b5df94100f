"""Longitudes: zones that a projection leaves nothing of do not stand in the way of others."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from zonalbatch.cover.outlines import outline

FRANCE = shapely.MultiPolygon([shapely.box(-5, 42, 8, 51), shapely.box(-55, 2, -52, 6)])
RUSSIA = shapely.MultiPolygon([shapely.box(27, 42, 180, 77), shapely.box(-180, 62, -170, 70)])
HIDDEN = {"EPSG:2056": shapely.box(-173, -48, -172, -46), "EPSG:3031": shapely.box(5, 88, 9, 89)}
"""Places that each of the CRSs shows far too large, if at all."""


@pytest.mark.parametrize("crs", ["EPSG:2056", "EPSG:3031"])
@pytest.mark.parametrize("order", [(0, 2), (2, 0), (2, 1), (1, 2), (0, 1, 2), (2, 2)])
def test_a_zone_of_which_nothing_is_shown_may_be_the_last(crs: str, order: tuple) -> None:
    """Each zone's outline is its own, wherever it stands and whatever is left of its neighbours."""
    zones = [shapely.orient_polygons(zone) for zone in (FRANCE, RUSSIA, HIDDEN[crs])]
    cell = (10_000.0, 10_000.0)
    alone = [outline(np.array([zone.wkb], object), "EPSG:4326", crs, cell=cell) for zone in zones]
    assert not len(alone[2].xy)
    some = np.array([zones[i].wkb for i in order], object)
    got = outline(some, "EPSG:4326", crs, cell=cell)
    np.testing.assert_array_equal(got.xy, np.concatenate([alone[i].xy for i in order]))
    assert len(got.zones) == len(order) + 1
