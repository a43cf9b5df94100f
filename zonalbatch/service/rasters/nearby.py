"""Nearby: what of an area lies about a raster, as the rest of it says nothing of its pixels.

The engine follows an area's edges to a twentieth of a cell wherever they lead. Of a continent over
a raster of a few kilometres that is millions of places of which none is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import ProjError

from zonalbatch.cover.areas import zone_areas
from zonalbatch.lattice import Grid
from zonalbatch.projections import transformer
from zonalbatch.service.areas import WGS84, Area

__all__ = ["nearby"]

MARGIN = 0.25
"""How far around a raster areas are left as they are, in parts of its size."""


def nearby(areas: Sequence[Area], grid: Grid | None) -> Sequence[Area]:
    """What of each of some areas lies about a raster; most are as they were.

    Args:
        areas: what is measured.
        grid: of the raster; None where it is not known.
    """
    around = None if grid is None else _around(grid)
    if around is None:
        return areas
    west, south, east, north = around.bounds
    bounds = shapely.bounds(np.array([area.shape for area in areas]))
    beyond = (bounds[:, :2] < (west, south)) | (bounds[:, 2:] > (east, north))
    far = set(np.flatnonzero(np.any(beyond, axis=1)))
    return [_cut(area, around) if i in far else area for i, area in enumerate(areas)]


def _cut(area: Area, around: shapely.Polygon) -> Area:
    shape = shapely.intersection(area.shape, around)
    return Area(shape, float(zone_areas(np.array([shape]), WGS84)[0]))


@lru_cache(64)
def _around(grid: Grid) -> shapely.Polygon | None:
    """A box around a raster; None of one in degrees, or about which there is none."""
    crs = CRS.from_user_input(grid.lattice.crs)
    if crs.is_geographic:
        return None
    left, bottom, right, top = grid.lattice.bounds(grid.window)
    dx, dy = MARGIN * (right - left), MARGIN * (top - bottom)
    try:
        onto = transformer(crs, WGS84)
        found = onto.transform_bounds(left - dx, bottom - dy, right + dx, top + dy, densify_pts=21)
    except ProjError:
        return None
    whole = np.isfinite(found).all() and found[0] < found[2] and found[1] < found[3]
    # Its edges are parallels, and areas have geodesics for edges: short ones are both.
    return shapely.segmentize(shapely.box(*found), 1.0) if whole else None
