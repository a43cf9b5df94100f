"""Schedule: which blocks of which files are needed, and in which step.

Tiles are visited in row-major order, a few at a time (a *step*). Each block that holds a covered
cell is read in the first step that needs it and kept until the last that does, so that no block is
read twice, whatever the block's shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zonalbatch.cover.cells import Covered, Layout
from zonalbatch.errors import SourceError
from zonalbatch.lattice import TILE, Grid, Lattice, nesting_factor

__all__ = ["Pass", "Rect", "Schedule", "Sheet", "Step", "mark", "nesting", "steps_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """The covered cells of one measuring lattice."""

    lattice: Lattice
    covered: Covered


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Some tiles of one pass that are worked on together."""

    index: int
    of: int
    """Which pass."""
    layouts: tuple[Layout, ...]


def steps_of(passes: Sequence[Pass], cells_at_once: int) -> tuple[Step, ...]:
    """All tiles of all passes, from north to south, in steps of at most so many cells.

    The passes of one layer go down together, so that a block which two of them need is read once
    and soon forgotten.
    """
    most = max(1, cells_at_once // (TILE * TILE))
    groups: list[tuple[float, int, int, tuple[Layout, ...]]] = []
    for of, one in enumerate(passes):
        rows: dict[int, list[Layout]] = {}
        for layout in one.covered.layouts:
            rows.setdefault(layout.tile_row, []).append(layout)
        for row, layouts in rows.items():
            depth = one.lattice.dy * TILE * (row + 1) - one.lattice.y0
            groups += [
                (depth, of, start, tuple(layouts[start : start + most]))
                for start in range(0, len(layouts), most)
            ]
    groups.sort(key=lambda g: g[:3])
    return tuple(Step(i, of, layouts) for i, (_, of, _, layouts) in enumerate(groups))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file of a layer with the bands that are wanted of it."""

    href: str
    """Empty for a band that the layer lacks: all of it is unread."""
    bands: tuple[int, ...]
    """1-based, ascending."""
    grid: Grid


@dataclass(slots=True, eq=False)
class Rect:
    """Decoded pixels of a window of a sheet, in the order of the lattice's rows."""

    top: int
    left: int
    bottom: int
    right: int
    rows: slice
    """Block rows."""
    cols: slice
    """Block columns."""
    last: int
    """The last step that needs it."""
    pixels: NDArray[Any] | None = None
    """(band, row, col); None if they could not be read."""
    valid: NDArray[np.bool_] | None = None
    """(row, col) the file's own mask."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """In which steps the blocks of a sheet are needed."""

    shape: tuple[int, int]
    """Height and width of the sheet, cells."""
    block: tuple[int, int]
    """Height and width of a block, cells."""
    south_up: bool
    first: NDArray[np.int32]
    """(block row, block col) the first step that needs a block, -1 if none does."""
    last: NDArray[np.int32]
    """(block row, block col) the last step that does."""

    @classmethod
    def of(
        cls, grid: Grid, block: tuple[int, int], passes: Sequence[Pass], steps: Sequence[Step]
    ) -> Schedule:
        """When a file with this grid and block is needed by passes over it."""
        height, width = grid.shape
        blocks = (-(-height // block[0]), -(-width // block[1]))
        first, last = np.full(blocks, -1, np.int32), np.full(blocks, -1, np.int32)
        for step in steps:
            one = passes[step.of]
            factor, row_off, col_off = nesting(grid.lattice, one.lattice)
            for layout in step.layouts:
                coverage = layout.coverage
                _mark_blocks(
                    coverage.window[layout.pieces], coverage.run_span[layout.pieces],
                    coverage.run_at, coverage.run_length,
                    layout.cell_span, coverage.cell_at,
                    layout.tile_row * TILE - row_off, layout.tile_col * TILE - col_off, factor,
                    grid.window.top, grid.window.left, height, width, grid.south_up,
                    block[0], block[1], step.index, first, last,
                )  # fmt: skip
        return cls((height, width), block, grid.south_up, first, last)

    def rects(self, step: int) -> list[Rect]:
        """Rectangles of blocks that are read in a step: each needed block once."""
        new = self.first == step
        if not new.any():
            return []
        return [
            self._rect(rows, cols, int(self.last[rows, cols].max())) for rows, cols in _cut(new)
        ]

    def blocks(self, rect: Rect) -> list[Rect]:
        """A rectangle cut into its blocks."""
        return [
            self._rect(slice(row, row + 1), slice(col, col + 1), rect.last)
            for row in range(rect.rows.start, rect.rows.stop)
            for col in range(rect.cols.start, rect.cols.stop)
        ]

    def cells(self, step: int) -> int:
        """Number of cells that are read in a step, blocks that hang over counted whole."""
        return int((self.first == step).sum()) * self.block[0] * self.block[1]

    def _rect(self, rows: slice, cols: slice, last: int) -> Rect:
        height, width = self.shape
        top, bottom = rows.start * self.block[0], min(rows.stop * self.block[0], height)
        left, right = cols.start * self.block[1], min(cols.stop * self.block[1], width)
        if self.south_up:
            top, bottom = height - bottom, height - top
        return Rect(top, left, bottom, right, rows, cols, last)


def nesting(coarse: Lattice, fine: Lattice) -> tuple[int, int, int]:
    """(factor, row, col): cells of ``fine`` to a side of a cell of ``coarse``, and its zero there.

    The cell (r, c) of ``fine`` lies in the cell ((r - row) // factor, (c - col) // factor).
    """
    factor = nesting_factor(coarse, fine)
    if factor is None:
        raise SourceError(f"cells of {coarse} are no whole number of cells of {fine}")
    row = round((fine.y0 - coarse.y0) / fine.dy)
    col = round((coarse.x0 - fine.x0) / fine.dx)
    return factor, row, col


def _cut(wanted: NDArray[np.bool_]) -> Iterator[tuple[slice, slice]]:
    """Cut a set of blocks into rectangles: runs of each row, joined with equal runs below."""
    growing: dict[tuple[int, int], int] = {}
    for row in range(wanted.shape[0] + 1):
        here: set[tuple[int, int]] = set()
        if row < wanted.shape[0] and wanted[row].any():
            edges = np.flatnonzero(np.diff(np.concatenate([[0], wanted[row].view(np.int8), [0]])))
            here = set(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
        for run in [r for r in growing if r not in here]:
            yield slice(growing.pop(run), row), slice(*run)
        for run in here:
            growing.setdefault(run, row)


@njit(nogil=True, cache=True)
def mark(row, col_a, col_b, height, width, south_up, block_h, block_w, step, first, last):
    """Note that a step needs the blocks that hold some cells of a row, as far as there are any."""
    if row < 0 or row >= height or col_b < 0 or col_a >= width:
        return
    if south_up:
        row = height - 1 - row
    r = row // block_h
    for c in range(max(col_a, 0) // block_w, min(col_b, width - 1) // block_w + 1):
        if first[r, c] < 0:
            first[r, c] = step
        last[r, c] = step


@njit(nogil=True, cache=True)
def _mark_blocks(windows, run_span, run_at, run_length, cell_span, cell_at, row0, col0,
                 factor, top, left, height, width, south_up, block_h, block_w, step,
                 first, last):  # fmt: skip
    """Note that a step needs the blocks that hold the covered cells of some pieces."""
    for piece in range(len(run_span)):
        t = (row0 + windows[piece, 0]) // factor - top
        b = (row0 + windows[piece, 2] - 1) // factor - top
        l = (col0 + windows[piece, 1]) // factor - left  # noqa: E741
        r = (col0 + windows[piece, 3] - 1) // factor - left
        if t >= 0 and l >= 0 and b < height and r < width and l // block_w == r // block_w:
            f_t, f_b = (height - 1 - b, height - 1 - t) if south_up else (t, b)
            if f_t // block_h == f_b // block_h:  # most zones: no need to look at their cells
                mark(t, l, l, height, width, south_up, block_h, block_w, step, first, last)
                continue
        for run in range(run_span[piece, 0], run_span[piece, 1]):
            at = run_at[run]
            row = (row0 + at // TILE) // factor - top
            col = col0 + at % TILE
            mark(row, col // factor - left, (col + run_length[run] - 1) // factor - left,
                 height, width, south_up, block_h, block_w, step, first, last)  # fmt: skip
        for cell in range(cell_span[piece, 0], cell_span[piece, 1]):
            at = cell_at[cell]
            row = (row0 + at // TILE) // factor - top
            col = (col0 + at % TILE) // factor - left
            mark(row, col, col, height, width, south_up, block_h, block_w, step, first, last)
