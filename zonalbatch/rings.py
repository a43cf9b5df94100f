"""Rings: the polygons of many zones as ragged arrays, to work on all vertices at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

__all__ = [
    "Bounds",
    "Floats",
    "Ints",
    "Objects",
    "Rings",
    "ragged",
    "spans",
    "unragged",
    "zone_bounds",
    "zone_of_vertex",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Objects = np.ndarray[Any, np.dtype[np.object_]]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """Polygons as ragged arrays: what outlines are made from."""

    xy: Floats
    """(vertices, 2), units of the CRS."""
    rings: Ints
    """Offsets of rings into ``xy``."""
    polygons: Ints
    """Offsets of polygons into ``rings``; the first ring of a polygon is its exterior."""
    shapes: Ints
    """Offsets of zones into ``polygons``."""


def ragged(shapes: Objects) -> Rings:
    """The rings of polygons and multipolygons; missing shapes get none."""
    kinds = shapely.get_type_id(shapes)
    if not np.any(kinds >= 0):  # shapely refuses an array of nothing but None
        none = np.zeros(1, np.int64)
        return Rings(np.empty((0, 2)), none, none, np.zeros(len(shapes) + 1, np.int64))
    _, xy, offsets = shapely.to_ragged_array(shapes, include_z=False)
    rings, *rest = (np.asarray(each, dtype=np.int64) for each in offsets)
    xy = np.ascontiguousarray(xy.reshape(-1, 2))
    if len(rest) == 2:
        return Rings(xy, rings, *rest)
    zones = rest[0]  # polygons only: a zone is one polygon, or none
    filled = np.concatenate([[0], np.cumsum(np.diff(zones) > 0)])
    polygons = np.concatenate([zones[:1], zones[1:][np.diff(zones) > 0]])
    return Rings(xy, rings, polygons, filled)


def unragged(rings: Rings) -> Objects:
    """The multipolygons that rings make."""
    offsets = (rings.rings, rings.polygons, rings.shapes)
    made = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, rings.xy, offsets)
    return np.asarray(made, dtype=object)


def _row(offsets: Ints) -> Ints:
    """For each item, which of the rows that the offsets delimit holds it."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def zone_of_vertex(rings: Rings) -> Ints:
    """For each vertex, which zone it belongs to."""
    return _row(rings.rings[rings.polygons[rings.shapes]])


def spans(start: Ints, stop: Ints) -> Ints:
    """All indices of several half-open ranges, one after the other."""
    size = stop - start
    shift = np.concatenate([[0], np.cumsum(size)[:-1]])
    return np.arange(size.sum()) + (start - shift).repeat(size)


def zone_bounds(xy: Floats, rings: Ints, zones: Ints) -> Floats:
    """(n_zones, 4): left, bottom, right, top; NaN where a zone has no rings."""
    first, stop = rings[zones[:-1]], rings[zones[1:]]
    out = np.full((len(first), 4), np.nan)
    some = stop > first
    if some.any():
        out[some, :2] = np.minimum.reduceat(xy, first[some])
        out[some, 2:] = np.maximum.reduceat(xy, first[some])
    return out
