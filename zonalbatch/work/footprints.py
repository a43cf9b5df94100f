"""Footprints: where the scenes of a layer lie, and how much of each zone that holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from zonalbatch.cover.figures import AREA, KINDS, LINE
from zonalbatch.cover.outlines import shapes_of
from zonalbatch.layers import Layer, Scene
from zonalbatch.recipe import cell_area
from zonalbatch.work.ground import Shapes

__all__ = ["footprint_of", "shares_within"]

DEGREES = "OGC:CRS84"
SIDES = 32
"""Pieces that each side of an extent is cut into before it is bent."""


def footprint_of(layer: Layer) -> shapely.Geometry:
    """Where the pixels of a layer lie, degrees: as its items say, else the extents of its files."""
    every = np.array([_footprint(scene) for scene in layer.scenes], dtype=object)
    return shapely.union_all(_valid(every))


def _footprint(scene: Scene) -> shapely.Geometry:
    if scene.footprint is not None:
        return shapely.from_wkb(scene.footprint)
    grid = min(scene.assets.values(), key=cell_area).grid
    box = shapely.box(*grid.lattice.bounds(grid.window))
    longest = max(box.bounds[2] - box.bounds[0], box.bounds[3] - box.bounds[1])
    return _in_degrees(shapely.segmentize(box, longest / SIDES), grid.lattice.crs)


def shares_within(footprint: shapely.Geometry, shapes: Shapes) -> NDArray[np.float64]:
    """(zone,) the share of each zone within a footprint: of its area, length or points.

    Measured in degrees, as items say their footprints, so that it is a number to compare zones'
    footprints by rather than a share of square metres.
    """
    zones = _valid(_in_degrees(shapes_of(shapes.wkb), shapes.crs))
    shapely.prepare(footprint)
    shares = shapely.covers(footprint, zones).astype(np.float64)
    cut = np.flatnonzero((shares == 0) & shapely.intersects(footprint, zones))
    kinds = KINDS[shapely.get_type_id(zones[cut])]
    parts = shapely.intersection(zones[cut], footprint)
    shares[cut] = _extent(parts, kinds) / _extent(zones[cut], kinds)
    return shares


def _extent(shapes: Any, kinds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Area, length or number of points, by the kind of the zone."""
    points = shapely.get_num_coordinates(shapes)
    return np.where(
        kinds == AREA,
        shapely.area(shapes),
        np.where(kinds == LINE, shapely.length(shapes), points),
    )


def _valid(shapes: Any) -> Any:
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if not broken.any():
        return shapes
    return np.where(broken, shapely.make_valid(shapes), shapes)


def _in_degrees(shapes: Any, crs: str) -> Any:
    change = Transformer.from_crs(crs, DEGREES, always_xy=True)
    return shapely.transform(
        shapes, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1]))
    )
