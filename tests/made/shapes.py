"""Shapes of all kinds, lattices to lay them on, and places on those."""

from __future__ import annotations

import math

import numpy as np
import shapely
import shapely.affinity
from hypothesis import assume
from hypothesis import strategies as st

from tests.oracles import covered, placed, shares
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.lattice import Lattice

LATTICES = (
    Lattice.through("EPSG:32631", 500000.0, 5600000.0, 10.0, 10.0),
    Lattice.through("EPSG:32617", 207585.0, 3942915.0, 464.1210938, 435.9960938),
    Lattice.through("EPSG:32618", 583425.0, 4532595.0, 30.0, 30.0),
    Lattice.through("EPSG:4326", 6.0, 3.0, 1 / 12000, 1 / 12000),
    Lattice.through("EPSG:4326", -180.125, 90.125, 0.25, 0.25),
)
CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, so that edges can lie exactly where a test wants them."""
PLACES = (0, 3, 500, 505, 511, 1019, -3, -515, -1030, 43_200)
"""First rows and columns of zones: about the borders of fold tiles, and far from zero."""
lattices = st.sampled_from(LATTICES)
places = st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES))


def tolerance(shape: shapely.Geometry, lattice: Lattice) -> float:
    """1e-9 of a cell, and what float64 coordinates can tell apart, cells."""
    largest = np.abs(shapely.bounds(shape)).max()
    return 1e-9 + 4 * float(np.spacing(largest)) / min(lattice.dx, lattice.dy)


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of six decimals."""
    return st.integers(math.ceil(low * 1e6), math.floor(high * 1e6)).map(lambda i: i / 1e6)


@st.composite
def stars(draw: st.DrawFn, reach: float = 12.0) -> shapely.Polygon:
    """A polygon that its middle sees all of, perhaps with a hole of the same form."""
    n = draw(st.integers(3, 14))
    radii = np.array(draw(st.lists(floats(0.05, 1.0), min_size=n, max_size=n)))
    turns = np.array(draw(st.lists(floats(0.1, 1.0), min_size=n, max_size=n)))
    assume(turns.max() < 0.45 * turns.sum())
    angle = 2 * math.pi * np.cumsum(turns) / turns.sum()
    x, y = draw(floats(0, 10)), draw(floats(0, 10))
    middle = np.array([x, y])
    ring = reach * radii[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    hole = draw(st.sampled_from((None, 0.2, 0.7, 0.98)))
    holes = [] if hole is None else [ring * hole + middle]
    return shapely.Polygon(ring + middle, holes)


@st.composite
def slivers(draw: st.DrawFn) -> shapely.Polygon:
    """A thin rectangle in any direction, as thin as a millionth of a cell."""
    x, y, angle = draw(floats(0, 10)), draw(floats(0, 10)), draw(floats(0, math.pi))
    length, width = draw(floats(0.5, 40)), 10.0 ** draw(floats(-6, -1))
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]]) * width
    a, b = np.array([x, y]), np.array([x, y]) + along * length
    return shapely.Polygon([a, b, b + across, a + across])


@st.composite
def blocks_of_cells(draw: st.DrawFn) -> shapely.Geometry:
    """Edges on the edges of cells: a union of boxes, with holes and parts that touch in corners."""
    corner = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 6), st.integers(1, 6))
    boxes = draw(st.lists(corner, min_size=1, max_size=6))
    cut = draw(st.lists(corner, max_size=2))
    shape = shapely.unary_union([shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes])
    shape = shape.difference(shapely.unary_union([shapely.box(x, y, x + 1, y + h)
                                                  for x, y, _, h in cut]))  # fmt: skip
    assume(not shape.is_empty and shape.geom_type in ("Polygon", "MultiPolygon"))
    return shape


@st.composite
def multiparts(draw: st.DrawFn) -> shapely.MultiPolygon:
    """Parts side by side, some of them wound the other way."""
    parts = draw(st.lists(stars(4.0), min_size=2, max_size=4))
    turned = draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    moved = [shapely.affinity.translate(part, 20.0 * i, 3.0 * i) for i, part in enumerate(parts)]
    wound = [shapely.reverse(p) if t else p for p, t in zip(moved, turned, strict=True)]
    return shapely.MultiPolygon(wound)


@st.composite
def tiny(draw: st.DrawFn) -> shapely.Polygon:
    """A zone smaller than a cell, wherever it lies in or across cells."""
    origin = draw(st.sampled_from(((0.0, 0.0), (5.0, 5.0), (4.5, 5.0))))
    size = 10.0 ** draw(floats(-4, -1.2))
    return shapely.affinity.scale(draw(stars()), size, size, origin=origin)


@st.composite
def steep(draw: st.DrawFn) -> shapely.Polygon:
    """Sides that lean over the border between two columns by next to nothing."""
    lean = st.integers(4, 15).flatmap(
        lambda digits: st.sampled_from((10.0**-digits, -(10.0**-digits), 3 * 10.0**-digits))
    )
    left, right = draw(st.integers(0, 4)), draw(st.integers(5, 9))
    top, bottom = draw(floats(0, 2)), draw(floats(2.5, 6))
    a, b, c, d = (draw(lean) for _ in range(4))
    return shapely.Polygon(
        [(left + a, top), (right + b, top), (right + c, bottom), (left + d, bottom)]
    )


shapes = st.one_of(stars(), slivers(), steep(), blocks_of_cells(), multiparts(), tiny())


def taken_by(shape: shapely.Geometry, rule: CoverageRule = "center") -> set[tuple[int, int]]:
    """(row, col) of the cells of a zone given in columns and rows."""
    return set(shares(covered([placed(shape, CELLS, 0, 0)], CELLS, rule), 0))
