"""Rings: the polygons of many zones as ragged arrays, to work on all vertices at once.

The sense of a ring says on which side the zone lies: on the left, once rings are oriented. That
outlives a projection, where a hole about an antipode becomes the outer border.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from zonalbatch.kernels import kernel

__all__ = [
    "Floats",
    "Ints",
    "Objects",
    "Rings",
    "oriented",
    "patched",
    "ragged",
    "replaced",
    "spans",
    "unragged",
    "upright",
    "without",
    "zone_bounds",
    "zone_of_vertex",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Objects = np.ndarray[Any, np.dtype[np.object_]]


POLYGON = 3  # shapely's type id

BLOCK = 1 << 15
"""About how many vertices are worked on at once where more than a line is kept of each."""


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
    """The rings of polygons and multipolygons; missing shapes get none.

    Most zones are one ring, which needs no look inside: its vertices are those of the shape.
    """
    vertices = shapely.get_num_coordinates(shapes)
    polygons = (vertices > 0).astype(np.int64)
    alone = (shapely.get_type_id(shapes) == POLYGON) & (shapely.get_num_interior_rings(shapes) == 0)
    several = np.flatnonzero(~alone & (vertices > 0))
    parts, row = shapely.get_parts(shapes[several], return_index=True)
    parts, row = parts[~shapely.is_empty(parts)], row[~shapely.is_empty(parts)]
    polygons[several] = np.bincount(row, minlength=several.size)
    inner = np.repeat(~alone, polygons)
    rings = np.ones(inner.size, np.int64)
    rings[inner] = 1 + shapely.get_num_interior_rings(parts)
    inner = np.repeat(inner, rings)
    length = np.empty(inner.size, np.int64)
    length[~inner] = vertices[alone & (vertices > 0)]
    length[inner] = shapely.get_num_coordinates(shapely.get_rings(parts))
    return Rings(shapely.get_coordinates(shapes), *map(_offsets, (length, rings, polygons)))


def _offsets(sizes: Ints) -> Ints:
    """Where each of several runs begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(sizes)])


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


def _taken(rings: Rings, zones: Ints) -> Rings:
    """The rings of some zones, in the order in which they are asked for."""
    shapes, polygons = _picked(rings.shapes, zones)
    polygon_offsets, some = _picked(rings.polygons, polygons)
    ring_offsets, vertices = _picked(rings.rings, some)
    return Rings(rings.xy[vertices], ring_offsets, polygon_offsets, shapes)


def _picked(offsets: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Offsets of some rows alone, and the items that they hold."""
    first, stop = offsets[rows], offsets[rows + 1]
    return np.concatenate([[0], np.cumsum(stop - first)]), spans(first, stop)


def replaced(rings: Rings, zones: Ints, others: Rings) -> Rings:
    """The rings with some zones in place of which there are others, one for one."""
    both = Rings(
        np.concatenate([rings.xy, others.xy]),
        *(
            np.concatenate([a, a[-1] + b[1:]])
            for a, b in (
                (rings.rings, others.rings),
                (rings.polygons, others.polygons),
                (rings.shapes, others.shapes),
            )
        ),
    )
    order = np.arange(len(rings.shapes) - 1)
    order[zones] = len(order) + np.arange(len(zones))
    return _taken(both, order)


def without(rings: Rings, zones: Ints) -> Rings:
    """The rings with none for some zones."""
    if not zones.size:
        return rings
    return replaced(rings, zones, ragged(np.full(len(zones), None)))


def patched(rings: Rings) -> Rings:
    """Rings in which each vertex that is NaN has the place of another one nearby.

    A few are, where the border of what a projection shows grazes what it does not. Zones of which
    nothing has a place get no rings.
    """
    lost = np.isnan(rings.xy[:, 0])
    if not lost.any():
        return rings
    zone, ring, at = zone_of_vertex(rings), _row(rings.rings), np.arange(len(lost))
    before = np.maximum.accumulate(np.where(lost, 0, at))
    after = np.minimum.accumulate(np.where(lost, len(at) - 1, at)[::-1])[::-1]
    near = at
    for group in (zone, ring):  # the last that is found wins
        for other in (after, before):
            near = np.where(lost & ~lost[other] & (group[other] == group), other, near)
    near[rings.rings[1:] - 1] = near[rings.rings[:-1]]  # a ring ends where it begins
    return without(replace(rings, xy=rings.xy[near]), np.unique(zone[lost[near]]))


def oriented(rings: Rings) -> Rings:
    """Exteriors counter-clockwise and holes clockwise; rings that are so already are kept."""
    exterior = np.zeros(len(rings.rings) - 1, dtype=bool)
    exterior[rings.polygons[:-1]] = True
    area = _twice_area(rings)
    return _turned(rings, np.flatnonzero(np.where(exterior, area < 0, area > 0)))


def upright(rings: Rings) -> Rings:
    """Oriented rings after a projection: turned where it mirrors, so that areas are positive."""
    zone = _row(rings.polygons[rings.shapes])
    area = np.bincount(zone, weights=_twice_area(rings), minlength=len(rings.shapes) - 1)
    return _turned(rings, np.flatnonzero(area[zone] < 0))


def _turned(rings: Rings, wrong: Ints) -> Rings:
    """Some rings run through in the other sense."""
    if not wrong.size:
        return rings
    first, stop = rings.rings[wrong], rings.rings[wrong + 1]
    at = spans(first, stop)
    xy = rings.xy.copy()
    xy[at] = rings.xy[(first + stop - 1).repeat(stop - first) - at]
    return replace(rings, xy=xy)


def _twice_area(rings: Rings) -> Floats:
    """Twice the signed area of each ring, by the shoelace formula about its first vertex."""
    area = np.zeros(len(rings.rings) - 1)
    # A block at a time: what is between vertices and areas stays in the cache.
    ends = np.searchsorted(rings.rings, np.arange(BLOCK, len(rings.xy) + BLOCK, BLOCK))
    for first, stop in pairwise(np.unique([0, *np.minimum(ends, len(area))])):
        offsets = rings.rings[first : stop + 1]
        cross = np.empty(offsets[-1] - offsets[0])
        _cross(rings.xy, offsets, cross)
        area[first:stop] = np.add.reduceat(cross, offsets[:-1] - offsets[0])
    return area


@kernel()
def _cross(xy: Floats, rings: Ints, cross: Floats) -> None:
    """Of each vertex with the one after it, seen from the first of its ring; 0 for the last."""
    for ring in range(len(rings) - 1):
        x_0, y_0 = xy[rings[ring], 0], xy[rings[ring], 1]
        x_a = y_a = 0.0
        for vertex in range(rings[ring] + 1, rings[ring + 1]):
            x_b, y_b = xy[vertex, 0] - x_0, xy[vertex, 1] - y_0
            cross[vertex - 1 - rings[0]] = x_a * y_b - x_b * y_a
            x_a, y_a = x_b, y_b
        cross[rings[ring + 1] - 1 - rings[0]] = 0.0
