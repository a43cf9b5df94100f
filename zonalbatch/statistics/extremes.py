"""Extremes: where the smallest and the largest value of each zone lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells, Covered
from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE

__all__ = ["Extremes"]


class Extremes:
    """The first cell, in row-major order, of each zone's least and of its largest value."""

    def __init__(self, covered: Covered) -> None:
        n_zones = covered.coverage.n_zones
        self._lattice = covered.coverage.lattice
        self._values = np.full((n_zones, 2), np.nan)
        self._cells = np.zeros((n_zones, 4), np.int64)

    def add(self, cells: Cells) -> None:
        """Fold in the cells of one tile."""
        layout, coverage = cells.layout, cells.layout.coverage
        _add(
            cells.values, cells.reasons, layout.zone, layout.offsets,
            coverage.run_span[layout.pieces], coverage.run_at, coverage.run_length,
            layout.cell_span, coverage.cell_at, layout.tile_row * TILE, layout.tile_col * TILE,
            self._values, self._cells,
        )  # fmt: skip

    def finish(self, scale: float, offset: float) -> None:
        """Nothing to do: a positive scale moves no extreme."""

    def x(self, of: int) -> NDArray[np.float64]:
        """(zone,) x of the centre of the least (0) or largest (1) value's cell, NaN without one."""
        return self._where(
            of, self._lattice.x0 + (self._cells[:, 2 * of + 1] + 0.5) * self._lattice.dx
        )

    def y(self, of: int) -> NDArray[np.float64]:
        """(zone,) y of the centre of the least (0) or largest (1) value's cell, NaN without one."""
        return self._where(of, self._lattice.y0 - (self._cells[:, 2 * of] + 0.5) * self._lattice.dy)

    def _where(self, of: int, place: Any) -> NDArray[np.float64]:
        return np.where(np.isnan(self._values[:, of]), np.nan, place)


@kernel()
def _take(values, cells, zone, value, row, col):
    """Keep a cell if it is more extreme than the one kept, or as extreme and before it."""
    for of in range(2):
        kept = values[zone, of]
        r, c = cells[zone, 2 * of], cells[zone, 2 * of + 1]
        further = value < kept if of == 0 else value > kept
        before = value == kept and (row < r or (row == r and col < c))
        if np.isnan(kept) or further or before:
            values[zone, of] = value
            cells[zone, 2 * of], cells[zone, 2 * of + 1] = row, col


@kernel()
def _add(values, reasons, zones, offsets, run_span, run_at, run_length, cell_span, cell_at,
         row0, col0, kept, cells):  # fmt: skip
    for piece in range(len(zones)):
        i = offsets[piece]
        for run in range(run_span[piece, 0], run_span[piece, 1]):
            for at in range(run_at[run], run_at[run] + run_length[run]):
                if len(reasons) == 0 or reasons[i] == 0:
                    _take(kept, cells, zones[piece], np.float64(values[i]),
                          row0 + at // TILE, col0 + at % TILE)  # fmt: skip
                i += 1
        for cell in range(cell_span[piece, 0], cell_span[piece, 1]):
            if len(reasons) == 0 or reasons[i] == 0:
                at = cell_at[cell]
                _take(kept, cells, zones[piece], np.float64(values[i]),
                      row0 + at // TILE, col0 + at % TILE)  # fmt: skip
            i += 1
