"""Loops: corners joined to rings, and rings to polygons.

On every line of a grid the corners of a part are joined two by two, the first with the second, the
third with the fourth: so rings follow from sorting. Where two cells of a part touch in a point
only, two corners lie there; a walk that comes to such a point again has closed a loop, which is cut
off. So every ring is simple, and the polygons are valid.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from zonalbatch.kernels import kernel
from zonalbatch.lattice import Grid
from zonalbatch.zones.shapes import Objects

__all__ = ["in_order_of", "polygons_of"]

Ints = NDArray[np.int32]
Places = NDArray[np.int64]

DONE = -2
"""Marks a corner whose ring is complete."""


def polygons_of(parts: Ints, rows: Ints, cols: Ints, n_parts: int, grid: Grid) -> Objects:
    """(part,) the polygon of each part, with its holes, in the CRS of a grid.

    Args:
        parts: (corner,) ascending.
        rows: (corner,) row edge from the grid's top, ascending in each part.
        cols: (corner,) column edge from its left, ascending in each row of a part.
        n_parts: how many there are; each has a corner.
        grid: where the cells lie.
    """
    across = in_order_of(cols, int(cols.max()) + 1, np.arange(len(cols)))
    by_column = in_order_of(parts, n_parts, across)
    offsets = np.searchsorted(parts, np.arange(n_parts + 1)).astype(np.int64)
    corner, rings, part = _exteriors_first(*_loops(offsets, rows, cols, by_column))
    lattice, window = grid.lattice, grid.window
    x = lattice.x0 + lattice.dx * (cols[corner] + window.left)
    y = lattice.y0 - lattice.dy * (rows[corner] + window.top)
    kind, polygons = shapely.GeometryType.POLYGON, np.searchsorted(part, np.arange(n_parts + 1))
    shapes = shapely.from_ragged_array(kind, np.column_stack([x, y]), (rings, polygons))
    return np.asarray(shapes, dtype=object)


def _exteriors_first(
    turns: Places, rings: Places, part: Places, outer: NDArray[np.bool_]
) -> tuple[Places, Places, Places]:
    """Rings in the order of polygons: (turn,) corners, (ring + 1,) offsets, (ring,) part."""
    order = np.lexsort((~outer, part))
    starts, lengths = rings[:-1][order], np.diff(rings)[order]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    at = np.repeat(starts - ends[:-1], lengths) + np.arange(ends[-1])
    return turns[at], ends, part[order]


@kernel()
def in_order_of(keys: Ints, n_keys: int, items: Places) -> Places:
    """Items in ascending order of their keys, 0 to n_keys - 1; of equal ones as they came."""
    start = np.zeros(n_keys + 1, np.int64)
    for key in keys:
        start[key + 1] += 1
    start = np.cumsum(start)
    out = np.empty(len(items), np.int64)
    for item in items:
        key = keys[item]
        out[start[key]] = item
        start[key] += 1
    return out


@kernel()
def _loops(offsets, rows, cols, by_column):
    """The rings of all parts: (turn,) corners, closed; (ring + 1,) offsets; part; exterior or not.

    The first corner of a part, the upper left one, lies on its exterior.
    """
    n = len(rows)
    below = np.empty(n, np.int64)
    for i in range(0, n, 2):  # every part has an even number of corners, on every line
        below[by_column[i]], below[by_column[i + 1]] = by_column[i + 1], by_column[i]
    turns, rings = np.empty(n + n // 4, np.int64), np.zeros(n // 4 + 1, np.int64)
    part, outer = np.empty(n // 4, np.int64), np.zeros(n // 4, np.bool_)
    at, path = np.full(n, -1), np.empty(np.diff(offsets).max(), np.int64)
    count = 0
    for one in range(len(offsets) - 1):
        first, last = offsets[one], offsets[one + 1]
        for seed in range(first, last):
            if at[seed] != -1:
                continue
            depth, i, across = 0, seed, True
            while True:
                twin = _twin(i, first, last, rows, cols)
                if twin >= 0 and at[twin] >= 0:
                    start = at[twin]
                    _close(path[start:depth], at, turns, rings, count)
                    part[count], count, depth = one, count + 1, start
                at[i], path[depth], depth = depth, i, depth + 1
                i = i ^ 1 if across else below[i]
                across = not across
                if i == seed:
                    break
            _close(path[:depth], at, turns, rings, count)
            part[count], outer[count], count = one, seed == first, count + 1
    return turns[: rings[count]], rings[: count + 1], part[:count], outer[:count]


@kernel()
def _twin(i, first, last, rows, cols):
    """The other corner of a part at the same point, -1 if there is none."""
    if i > first and rows[i - 1] == rows[i] and cols[i - 1] == cols[i]:
        return i - 1
    if i + 1 < last and rows[i + 1] == rows[i] and cols[i + 1] == cols[i]:
        return i + 1
    return -1


@kernel()
def _close(path, at, turns, rings, count):
    """Write down a path of corners as the next ring."""
    start = rings[count]
    turns[start : start + len(path)] = path
    turns[start + len(path)] = path[0]
    rings[count + 1] = start + len(path) + 1
    at[path] = DONE
