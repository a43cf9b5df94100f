"""Shares: how much of each zone lies within the footprint of some scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from zonalbatch.cover.figures import AREA, KINDS, LINE
from zonalbatch.cover.outlines import shapes_of
from zonalbatch.layers import Scene
from zonalbatch.sources.footprints import DEGREES, extent_in_degrees, footprint_of
from zonalbatch.work.ground import Shapes

__all__ = ["first_within", "in_degrees", "shares_within"]


def in_degrees(shapes: Shapes) -> Any:
    """(zone,) the zones as their vertices lie in degrees, made valid."""
    change = Transformer.from_crs(shapes.crs, DEGREES, always_xy=True)
    zones = shapely.transform(
        shapes_of(shapes.wkb), lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1]))
    )
    broken = ~shapely.is_valid(zones) & ~shapely.is_missing(zones)
    return np.where(broken, shapely.make_valid(zones), zones) if broken.any() else zones


def shares_within(scenes: Sequence[Scene], zones: Any) -> NDArray[np.float64]:
    """(zone,) the share of each zone within the footprints of some scenes.

    Of its area, its length or its points, in degrees, as items say their footprints: a number to
    compare the footprints of one zone by rather than a share of square metres.

    Args:
        scenes: which lie together.
        zones: (zone,) shapes in degrees.
    """
    footprint = shapely.union_all([footprint_of(scene) for scene in scenes])
    shapely.prepare(footprint)
    shares = np.asarray(shapely.covers(footprint, zones), np.float64)
    cut = np.flatnonzero((shares == 0) & shapely.intersects(footprint, zones))
    kinds = KINDS[shapely.get_type_id(zones[cut])]
    within = _extent(shapely.intersection(zones[cut], footprint), kinds)
    whole = _extent(zones[cut], kinds)
    shares[cut] = np.divide(within, whole, out=np.zeros_like(whole), where=whole > 0)
    return shares


def first_within(scenes: Sequence[Scene], zones: Any) -> NDArray[np.int64]:
    """(zone,) which of some scenes is the first whose files reach it; their number if none does.

    Args:
        scenes: in the order in which they are asked.
        zones: (zone,) shapes in degrees.
    """
    first = np.full(len(zones), len(scenes), np.int64)
    for number, scene in reversed(list(enumerate(scenes))):
        extent = extent_in_degrees(scene)
        shapely.prepare(extent)
        first[shapely.intersects(extent, zones)] = number
    return first


def _extent(shapes: Any, kinds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Area, length or number of points, by the kind of the zone."""
    points = shapely.get_num_coordinates(shapes).astype(np.float64)
    areas = np.where(kinds == AREA, shapely.area(shapes), points)
    return np.where(kinds == LINE, shapely.length(shapes), areas)
