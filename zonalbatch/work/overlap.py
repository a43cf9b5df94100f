"""Overlap: the cells of a sheet under those of a lattice with the same CRS that need not nest.

What a sheet says of a cell of the lattice is the mean of the sheet's cells in it, weighted by the
area that each of them has there. A fold tile is worked on in *patches* of so few cells that what
lies under one fits into memory, however fine the sheet is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import NODATA, UNREAD, VALID, Layout
from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE, TOLERANCE, Grid, Lattice, Window
from zonalbatch.work.schedule import Schedule, blocks_along, mark

__all__ = ["Overlap", "Patch"]

UNDER = 1 << 21
"""About how many cells of the sheet lie under a patch, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Some cells of a fold tile that are worked on together."""

    layout: int
    """Which of the layouts."""
    rows: slice
    """Rows of the tile."""
    cols: slice
    """Columns of the tile."""
    row_edges: NDArray[np.float64]
    """(row + 1,) where the rows begin and end, in rows of the sheet."""
    col_edges: NDArray[np.float64]
    """(column + 1,) where the columns begin and end, in columns of the sheet."""

    @property
    def under(self) -> Window:
        """The cells of the sheet that lie under it, also beyond the sheet's sides."""
        (top, bottom), (left, right) = _outer(self.row_edges), _outer(self.col_edges)
        return Window(top, left, bottom, right)

    def averaged(
        self, values: NDArray[np.float64], reasons: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """(row, col) means of the sheet's valid cells, and why there is none; any unread one tells.

        Args:
            values: (row, col) what the sheet says under the patch.
            reasons: (row, col) why it says nothing there, as in `cells`.
        """
        under = self.under
        out = np.empty((len(self.row_edges) - 1, len(self.col_edges) - 1))
        lacking = np.empty(out.shape, np.uint8)
        _average(values, reasons, self.row_edges - under.top, self.col_edges - under.left,
                 out, lacking)  # fmt: skip
        return out, lacking


@dataclass(frozen=True, slots=True)
class Overlap:
    """How a sheet's cells lie under those of a lattice."""

    grid: Grid
    """Of the sheet."""
    lattice: Lattice
    """Of the same CRS."""

    @property
    def side(self) -> int:
        """Rows and columns of a patch: a power of two, so that patches fill a tile."""
        own = self.grid.lattice
        most = math.sqrt(UNDER * own.dx * own.dy / (self.lattice.dx * self.lattice.dy))
        return min(TILE, 1 << max(0, int(math.log2(max(1.0, most)))))

    def edges(self, layout: Layout) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(513,) edges of a tile's rows in rows of the sheet, and of its columns in columns."""
        own, lattice, window = self.grid.lattice, self.lattice, self.grid.window
        rows = layout.tile_row * TILE + np.arange(TILE + 1.0)
        cols = layout.tile_col * TILE + np.arange(TILE + 1.0)
        rows = (rows * lattice.dy + (own.y0 - lattice.y0)) / own.dy
        cols = (cols * lattice.dx + (lattice.x0 - own.x0)) / own.dx
        return (
            _snapped(rows, lattice.dy / own.dy) - window.top,
            _snapped(cols, lattice.dx / own.dx) - window.left,
        )

    def planned(
        self, layouts: Sequence[Layout], block: tuple[int, int]
    ) -> tuple[list[Patch], Schedule]:
        """The patches in which any cell of some layouts lies, and when they need which blocks."""
        height, width = self.grid.shape
        blocks = (-(-height // block[0]), -(-width // block[1]))
        first, last = np.full(blocks, -1, np.int32), np.full(blocks, -1, np.int32)
        patches: list[Patch] = []
        side = self.side
        for i, layout in enumerate(layouts):
            windows = layout.coverage.window[layout.pieces]
            rows, cols = self.edges(layout)
            steps = np.full((TILE // side, TILE // side), -1)
            _touch(windows, side, steps)
            for row, col in np.argwhere(steps == 0) * side:
                steps[row // side, col // side] = len(patches)
                here = slice(int(row), int(row) + side), slice(int(col), int(col) + side)
                patches.append(
                    Patch(i, *here, rows[row : row + side + 1], cols[col : col + side + 1])
                )
            _mark_patches(windows, side, steps, *self._blocks(rows, cols, block), first, last)
        return patches, Schedule((height, width), block, self.grid.south_up, first, last)

    def _blocks(
        self, rows: NDArray[np.float64], cols: NDArray[np.float64], block: tuple[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(512, 2) the first and the last block row under each row of a tile; likewise columns."""
        height, width = self.grid.shape
        cells = _under(rows)
        if self.grid.south_up:
            cells = height - 1 - cells[:, ::-1]
        return blocks_along(cells, block[0], height), blocks_along(_under(cols), block[1], width)


def _outer(edges: NDArray[np.float64]) -> tuple[int, int]:
    return math.floor(edges[0]), math.ceil(edges[-1])


def _under(edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """(cell, 2) the first and the last cell of the sheet between neighbouring edges."""
    ends = np.column_stack([np.floor(edges[:-1]), np.ceil(edges[1:]) - 1])
    return ends.astype(np.int64)


def _snapped(edges: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Edges that are those of the sheet's cells but for rounding made so."""
    near = np.rint(edges)
    return np.where(np.abs(edges - near) < TOLERANCE * min(1.0, size), near, edges)


@kernel()
def _touch(windows, side, steps):
    """Set to 0 the patches that a window of the tile lies in."""
    for window in range(len(windows)):
        top, left, bottom, right = windows[window]
        for row in range(top // side, (bottom - 1) // side + 1):
            for col in range(left // side, (right - 1) // side + 1):
                steps[row, col] = 0


@kernel()
def _mark_patches(windows, side, steps, rows, cols, first, last):
    """Note which blocks the patches need for the cells within some windows."""
    for window in range(len(windows)):
        top, left, bottom, right = windows[window]
        for r in range(top // side, (bottom - 1) // side + 1):
            t, b = max(top, r * side), min(bottom, (r + 1) * side) - 1
            for c in range(left // side, (right - 1) // side + 1):
                l, e = max(left, c * side), min(right, (c + 1) * side) - 1  # noqa: E741
                low, high = min(rows[t, 0], rows[b, 0]), max(rows[t, 1], rows[b, 1])
                for row in range(low, high + 1):
                    mark(row, cols[l, 0], cols[e, 1], steps[r, c], first, last)


@kernel()
def _average(values, reasons, rows, cols, out, lacking):
    for r in range(len(rows) - 1):
        first, last = int(np.floor(rows[r])), int(np.ceil(rows[r + 1]))
        for c in range(len(cols) - 1):
            total = area = 0.0
            reason = NODATA
            for i in range(first, last):
                high = min(rows[r + 1], i + 1.0) - max(rows[r], np.float64(i))
                for k in range(int(np.floor(cols[c])), int(np.ceil(cols[c + 1]))):
                    if reasons[i, k] == VALID:
                        share = high * (min(cols[c + 1], k + 1.0) - max(cols[c], np.float64(k)))
                        total += share * values[i, k]
                        area += share
                    elif reasons[i, k] == UNREAD:
                        reason = UNREAD
            valid = area > 0.0 and reason != UNREAD
            out[r, c] = total / area if valid else 0.0
            lacking[r, c] = VALID if valid else reason
