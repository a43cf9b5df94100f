"""Marks: points and lines as the areas of the cells that GDAL burns for them."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from zonalbatch.lattice import Lattice

__all__ = ["marked"]

LINES, POINTS = (1, 2, 5), (0, 4)  # shapely's type ids

INSET = 0.25
"""How far within its cell an area ends, cells: clear of the edges, the centre inside."""

Objects = NDArray[np.object_]
Ints = NDArray[np.int64]


def marked(shapes: Objects, lattice: Lattice, *, lines: bool) -> Objects:
    """The shapes, with points as their cells, and lines too if they are to be walked.

    A line takes the cells of Bresenham's walk between the cells of its vertices, which is what
    GDAL does where it is not asked for all touched ones (``GDALdllImageLine``).

    Args:
        shapes: (zone,) geometries.
        lattice: where the cells lie; shapes are in its CRS.
        lines: True walks lines; False leaves them as they are.
    """
    kinds = shapely.get_type_id(shapes)
    of_points = np.flatnonzero(np.isin(kinds, POINTS))
    of_lines = np.flatnonzero(np.isin(kinds, LINES) & lines)
    if not of_points.size and not of_lines.size:
        return shapes
    made = shapes.copy()
    for some, walk in ((of_points, _spots), (of_lines, _walked)):
        if some.size:
            made[some] = _areas(*walk(shapes[some], lattice), len(some), lattice)
    return made


def _cells(xy: NDArray[np.float64], lattice: Lattice) -> tuple[Ints, Ints]:
    col = np.floor((xy[:, 0] - lattice.x0) / lattice.dx).astype(np.int64)
    row = np.floor((lattice.y0 - xy[:, 1]) / lattice.dy).astype(np.int64)
    return row, col


def _spots(shapes: Objects, lattice: Lattice) -> tuple[Ints, Ints, Ints]:
    """Zone, row and column of the cell of each point."""
    xy, zone = shapely.get_coordinates(shapes, return_index=True)
    return zone, *_cells(xy, lattice)


def _walked(shapes: Objects, lattice: Lattice) -> tuple[Ints, Ints, Ints]:
    """Zone, row and column of the cells on the way between the vertices of lines."""
    parts, zone_of = shapely.get_parts(shapes, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    row, col = _cells(xy, lattice)
    start = np.flatnonzero(part[1:] == part[:-1])
    rows, cols = row[start + 1] - row[start], col[start + 1] - col[start]
    major = np.maximum(abs(rows), abs(cols))
    segment = np.repeat(np.arange(len(start)), major + 1)
    step = np.arange(len(segment)) - np.repeat(np.cumsum(major + 1) - (major + 1), major + 1)
    at = start[segment]
    return (
        zone_of[part[at]],
        row[at] + _gone(rows[segment], major[segment], step),
        col[at] + _gone(cols[segment], major[segment], step),
    )


def _gone(way: Ints, major: Ints, step: Ints) -> Ints:
    """How far a walk has come on one axis after some steps; halves are rounded away."""
    size = np.maximum(major, 1)
    gone: Ints = np.sign(way) * ((2 * abs(way) * step + size) // (2 * size))
    return gone


def _areas(zone: Ints, row: Ints, col: Ints, n_zones: int, lattice: Lattice) -> Objects:
    """(zone,) multipolygons of boxes within cells; each cell once, or its boxes would cancel."""
    zone, row, col = np.unique(np.stack([zone, row, col], axis=1), axis=0).T
    left, top = lattice.x0 + lattice.dx * (col + INSET), lattice.y0 - lattice.dy * (row + INSET)
    size = 1 - 2 * INSET
    boxes = shapely.box(left, top - lattice.dy * size, left + lattice.dx * size, top)
    made = np.full(n_zones, shapely.MultiPolygon(), dtype=object)
    return np.asarray(shapely.multipolygons(boxes, indices=zone, out=made), dtype=object)
