"""Simple rings: polygons that need no repair, told from their vertices alone.

GEOS builds an index of the edges of every polygon that it is asked about. Most zones are one small
ring whose edges are plainly apart, and comparing them pair by pair takes a tenth of the time. What
is not plain is left to GEOS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from zonalbatch.kernels import kernel
from zonalbatch.zones.shapes import MULTIPOLYGON, POLYGON, Floats, Ints, Objects

__all__ = ["Senses", "ring_senses"]

Senses = np.ndarray[Any, np.dtype[np.int8]]

MOST_EDGES = 256
"""Rings of more edges are left to GEOS: the number of pairs grows with the square."""

ROUNDING = 3.3306690738754716e-16
"""A sum of two products of differences is off by no more than this share of the products' sizes.

Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates,
Discrete & Computational Geometry 18 (1997), ``ccwerrboundA`` = (3 + 16 ε) ε with ε = 2⁻⁵³.
"""

SMALLEST, LARGEST = 1e-250, 1e150
"""Smallest sum of products and largest coordinate for which neither under- nor overflows, also
not in the doubled precision of GEOS."""


def ring_senses(shapes: Objects) -> Senses:
    """Which shapes are surely one valid ring, and in which sense it runs.

    Returns:
        (shape,) 1 for a polygon whose ring runs counter-clockwise, -1 for clockwise, 0 for what
        GEOS must look at: holes, several parts, many vertices, repeated vertices, edges that touch
        or nearly do, coordinates that are not finite, what is missing, empty or no polygon.
    """
    first = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(shapes))])
    senses = np.zeros(len(shapes), np.int8)
    _find_senses(shapely.get_coordinates(shapes), first, senses)
    senses[~np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON))] = 0
    return senses


@kernel()
def _find_senses(xy: Floats, first: Ints, senses: Senses) -> None:
    """Fill in the sense of each run of vertices.

    The vertices of several rings follow each other. They are never taken for one ring: where the
    last is the first again, the first also ends a ring in between and touches its neighbours.
    """
    boxes = np.empty((4, MOST_EDGES))
    for shape in range(len(first) - 1):
        edges = first[shape + 1] - first[shape] - 1
        if 3 <= edges <= MOST_EDGES:
            senses[shape] = _sense(xy[first[shape] : first[shape + 1]], edges, boxes)


@kernel()
def _sense(ring: Floats, edges: int, boxes: Floats) -> int:
    """1 or -1 for a ring whose edges surely share nothing but vertices with their neighbours."""
    if ring[0, 0] != ring[edges, 0] or ring[0, 1] != ring[edges, 1]:
        return 0
    for edge in range(edges):
        boxes[0, edge] = min(ring[edge, 0], ring[edge + 1, 0])
        boxes[1, edge] = max(ring[edge, 0], ring[edge + 1, 0])
        boxes[2, edge] = min(ring[edge, 1], ring[edge + 1, 1])
        boxes[3, edge] = max(ring[edge, 1], ring[edge + 1, 1])
    for edge in range(edges - 2):
        stop = edges if edge else edges - 1  # the last edge is the neighbour of the first
        if _meets(boxes, edge, stop) and not _is_apart(ring, boxes, edge, stop):
            return 0
    return _turning(ring, edges)


@kernel()
def _meets(boxes: Floats, edge: int, stop: int) -> bool:
    """Whether the box of an edge meets that of a later one that is not its neighbour."""
    left, right, bottom, top = boxes[0, edge], boxes[1, edge], boxes[2, edge], boxes[3, edge]
    lefts, rights = boxes[0, edge + 2 : stop], boxes[1, edge + 2 : stop]
    bottoms, tops = boxes[2, edge + 2 : stop], boxes[3, edge + 2 : stop]
    meets = 0
    for k in range(len(lefts)):  # no way out: the processor does several at once
        beside = (lefts[k] <= right) & (rights[k] >= left)
        meets += beside & (bottoms[k] <= top) & (tops[k] >= bottom)
    return meets > 0


@kernel()
def _is_apart(ring: Floats, boxes: Floats, edge: int, stop: int) -> bool:
    """Whether an edge surely does not touch any later one that is not its neighbour."""
    for other in range(edge + 2, stop):
        if (
            boxes[0, other] > boxes[1, edge] or boxes[1, other] < boxes[0, edge]
            or boxes[2, other] > boxes[3, edge] or boxes[3, other] < boxes[2, edge]
        ):  # fmt: skip
            continue
        side = _turn(ring, edge, edge + 1, other)
        if side != 0 and side == _turn(ring, edge, edge + 1, other + 1):
            continue
        side = _turn(ring, other, other + 1, edge)
        if side == 0 or side != _turn(ring, other, other + 1, edge + 1):
            return False
    return True


@kernel()
def _turning(ring: Floats, edges: int) -> int:
    """The turn at the leftmost vertex, 0 if at any vertex the ring may turn back on itself."""
    leftmost, sense = 0, 0
    for vertex in range(edges):
        if not (abs(ring[vertex, 0]) < LARGEST and abs(ring[vertex, 1]) < LARGEST):
            return 0
        before = vertex - 1 if vertex else edges - 1
        turn = _turn(ring, before, vertex, vertex + 1)
        if turn == 0 and not _goes_on(ring, before, vertex, vertex + 1):
            return 0
        lower = ring[vertex, 0] == ring[leftmost, 0] and ring[vertex, 1] < ring[leftmost, 1]
        if vertex == 0 or lower or ring[vertex, 0] < ring[leftmost, 0]:
            leftmost, sense = vertex, turn
    return sense


@kernel()
def _turn(ring: Floats, a: int, b: int, c: int) -> int:
    """1 if c is surely left of the line from a to b, -1 if it is surely right of it, else 0."""
    one = (ring[a, 0] - ring[c, 0]) * (ring[b, 1] - ring[c, 1])
    other = (ring[a, 1] - ring[c, 1]) * (ring[b, 0] - ring[c, 0])
    return _sure_sign(one, -other)


@kernel()
def _goes_on(ring: Floats, a: int, b: int, c: int) -> bool:
    """Whether the way from b to c surely goes on in the direction of that from a to b."""
    along = (ring[b, 0] - ring[a, 0]) * (ring[c, 0] - ring[b, 0])
    up = (ring[b, 1] - ring[a, 1]) * (ring[c, 1] - ring[b, 1])
    return _sure_sign(along, up) == 1


@kernel()
def _sure_sign(one: float, other: float) -> int:
    """The sign of the sum of two rounded products, 0 if rounding could have changed it."""
    total = one + other
    if abs(total) > ROUNDING * (abs(one) + abs(other)) + SMALLEST:
        return 1 if total > 0 else -1
    return 0
