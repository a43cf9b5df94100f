"""Footprints: where scenes lie, in degrees."""

from __future__ import annotations

import numpy as np
import shapely
from pyproj import Transformer

from zonalbatch.layers import Scene

__all__ = ["DEGREES", "extent_in_degrees", "footprint_of"]

DEGREES = "OGC:CRS84"
SIDES = 32
"""Pieces that each side of an extent is cut into before it is bent."""


def footprint_of(scene: Scene) -> shapely.Geometry:
    """Where pixels of a scene lie: as its item says, else the extent of its files."""
    if scene.footprint is None:
        return extent_in_degrees(scene)
    found = shapely.from_wkb(scene.footprint)
    return found if shapely.is_valid(found) else shapely.make_valid(found)


def extent_in_degrees(scene: Scene) -> shapely.Geometry:
    """The extent of a scene's largest file."""
    every = [(asset.grid.lattice, asset.grid.window) for asset in scene.assets.values()]
    boxes = [(shapely.box(*lattice.bounds(window)), lattice.crs) for lattice, window in every]
    box, crs = max(boxes, key=lambda one: float(shapely.area(one[0])))
    left, bottom, right, top = shapely.bounds(box)
    cut = shapely.segmentize(box, max(right - left, top - bottom) / SIDES)
    change = Transformer.from_crs(crs, DEGREES, always_xy=True)
    found = shapely.transform(cut, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1])))
    return found if shapely.is_valid(found) else shapely.make_valid(found)
