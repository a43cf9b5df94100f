"""Extent: how far out zones may lie, so that every count of cells is a number that can be held."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from zonalbatch.errors import ZonesError
from zonalbatch.zones.shapes import Objects

__all__ = ["FARTHEST", "refuse_far"]

FARTHEST = 1e9
"""Metres from the origin of a CRS: 25 times around the Earth, and four times as far as Web Mercator
puts the poles where these are clipped by rounding alone."""


def refuse_far(shapes: Objects, ids: Any, crs: CRS) -> None:
    """Raise if a shape of a projected CRS lies where no place on Earth does.

    Args:
        shapes: which; those in degrees are known to be on Earth already.
        ids: (shape,) an Arrow array of what they are called.
        crs: of the shapes.

    Raises:
        ZonesError: naming the first such zone.
    """
    if crs.is_geographic:
        return
    most = FARTHEST / (crs.axis_info[0].unit_conversion_factor or 1.0 if crs.axis_info else 1.0)
    bounds = shapely.bounds(shapes)
    far = np.flatnonzero((np.abs(bounds) > most).any(axis=1))  # of empty ones they are NaN
    if far.size:
        worst = max(bounds[far[0]], key=abs)
        raise ZonesError(
            f"zone {ids[int(far[0])].as_py()!r} has a coordinate of {worst:g}, and {crs.name} has "
            f"no place beyond {most:g}; correct or leave out the zone, or say which CRS it is in"
        )
