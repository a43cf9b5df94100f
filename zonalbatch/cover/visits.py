"""Visits: cells that zones meet one by one, each time with a weight.

A line visits the cells that it runs through, a point the cell that it lies in. What they weigh
there (metres, a share, a number of points) is summed for each cell; it need not end at 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.coverage import Coverage
from zonalbatch.lattice import TILE, Lattice, Window

__all__ = ["Visits", "coverage_of", "in_cells"]

ON_EDGE = 1e-9
"""A place within this of the edge or the middle of a cell lies there, cells: decimal degrees and
their cells are both rounded."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Cells that zones meet; a zone may meet a cell several times."""

    zone: Ints
    """(visit,) index of the zone."""
    row: Ints
    """(visit,) row of the cell in the lattice."""
    col: Ints
    """(visit,) column of the cell in the lattice."""
    weight: Floats
    """(visit,) what is added to the cell, > 0."""


def in_cells(xy: Floats, lattice: Lattice) -> Floats:
    """(..., 2) columns and rows, with their fractions, of (..., 2) coordinates in the CRS."""
    origin, size = np.array([lattice.x0, lattice.y0]), np.array([lattice.dx, -lattice.dy])
    halves = 2 * ((xy - origin) / size)
    whole = np.round(halves)
    return np.where(np.abs(halves - whole) < 2 * ON_EDGE, whole, halves) / 2


def coverage_of(
    visits: Visits, lattice: Lattice, n_zones: int, *, extent: Window | None, once: bool = False
) -> Coverage:
    """The cells that were visited, each with the sum of its weights.

    The sum runs in the order of the visits, so that it depends on the zone alone. A cell of
    weight 1 counts as inner.

    Args:
        visits: cells met.
        lattice: where the cells lie.
        n_zones: how many zones there are, visited or not.
        extent: fold tiles outside of this window are left out (but for the zones' totals).
        once: True gives every cell the weight 1, however often it was met.
    """
    order = _by_tile(visits)
    zone, row, col = visits.zone[order], visits.row[order], visits.col[order]
    new_piece = _changes(zone, row // TILE, col // TILE)
    new_cell = new_piece | _changes(row, col)
    weight = _sums(np.cumsum(new_cell) - 1, visits.weight[order], int(new_cell.sum()))
    if once:
        weight[:] = 1.0
    cell, start = np.flatnonzero(new_cell), np.flatnonzero(new_piece)
    piece_of_cell = (np.cumsum(new_piece) - 1)[cell]
    total = _sums(piece_of_cell, weight, len(start))
    zone_total = _sums(zone[start], total, n_zones)
    tile_row, tile_col = row[start] // TILE, col[start] // TILE
    wanted = _within(tile_row, tile_col, extent)
    beyond = np.zeros(n_zones, np.bool_)
    beyond[zone[start[~wanted]]] = True
    kept = wanted[piece_of_cell]
    at = ((row % TILE) * TILE + col % TILE)[cell[kept]]
    size = np.bincount(piece_of_cell[kept], minlength=len(start))[wanted]
    return Coverage(
        lattice=lattice,
        n_zones=n_zones,
        zone=zone[start[wanted]].astype(np.int32),
        tile_row=tile_row[wanted].astype(np.int32),
        tile_col=tile_col[wanted].astype(np.int32),
        total=total[wanted],
        zone_total=zone_total,
        beyond=beyond,
        **_cells(at, weight[kept], size),
    )


def _by_tile(visits: Visits) -> Ints:
    """The order by tile, zone and cell; equal ones stay in theirs."""
    (tile_row, row), (tile_col, col) = np.divmod(visits.row, TILE), np.divmod(visits.col, TILE)
    tile = tile_row * (np.ptp(tile_col) + 1 if len(tile_col) else 1) + tile_col
    return np.lexsort(((visits.zone * TILE + row) * TILE + col, tile))


def _changes(*columns: Ints) -> NDArray[np.bool_]:
    """(row,) True where any of some sorted columns is not what it was in the row before."""
    new = np.ones(len(columns[0]), np.bool_)
    new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return new


def _sums(group: Ints, weight: Floats, count: int) -> Floats:
    """(group,) sums of weights, one after the other in their order."""
    return np.asarray(np.bincount(group, weight, minlength=count), np.float64)


def _within(tile_row: Ints, tile_col: Ints, extent: Window | None) -> NDArray[np.bool_]:
    """(piece,) True if the piece's tile reaches into a window; all are for None."""
    if extent is None:
        return np.ones(len(tile_row), np.bool_)
    rows = (tile_row >= extent.top // TILE) & (tile_row < -(-extent.bottom // TILE))
    return rows & (tile_col >= extent.left // TILE) & (tile_col < -(-extent.right // TILE))


def _cells(at: Ints, weight: Floats, size: Ints) -> dict[str, Any]:
    """The parts of a coverage that tell of cells, from pieces of so many cells each."""
    last = np.cumsum(size)
    whole = weight == 1.0
    runs = np.concatenate([[0], np.cumsum(whole)])
    ends = np.column_stack([last - size, last])
    run_span = runs[ends]
    return {
        "window": _windows(at, ends),
        "run_span": run_span,
        "cell_span": ends - run_span,
        "inner": run_span[:, 1] - run_span[:, 0],
        "run_at": at[whole].astype(np.int32),
        "run_length": np.ones(int(whole.sum()), np.int32),
        "cell_at": at[~whole].astype(np.int32),
        "cell_fraction": weight[~whole],
    }


def _windows(at: Ints, ends: Ints) -> NDArray[np.int32]:
    """(piece, 4) top, left, bottom, right of the cells of each piece, half-open."""
    if not len(ends):
        return np.empty((0, 4), np.int32)
    row, col = np.divmod(at, TILE)
    bounds = [
        row[ends[:, 0]],
        np.minimum.reduceat(col, ends[:, 0]),
        row[ends[:, 1] - 1] + 1,
        np.maximum.reduceat(col, ends[:, 0]) + 1,
    ]
    return np.column_stack(bounds).astype(np.int32)
