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
from numpy.typing import NDArray

from zonalbatch.cover.cells import Covered, Layout
from zonalbatch.errors import SourceError
from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE, Grid, Lattice, Window, nesting_factor
from zonalbatch.masks.dilation import reach

__all__ = [
    "Pass",
    "Rect",
    "Schedule",
    "Sheet",
    "Step",
    "blocks_along",
    "mark",
    "nesting",
    "steps_of",
]


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
    dilate: float = 0.0
    """Metres around covered cells within which values are wanted too, for masks that grow."""


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

    @property
    def window(self) -> Window:
        """The cells of the sheet that it holds."""
        return Window(self.top, self.left, self.bottom, self.right)


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
        cls, sheet: Sheet, block: tuple[int, int], passes: Sequence[Pass], steps: Sequence[Step]
    ) -> Schedule:
        """When a sheet with such blocks is needed by passes over it."""
        grid = sheet.grid
        height, width = grid.shape
        shape = (-(-height // block[0]), -(-width // block[1]))
        first, last = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
        for step in steps:
            lattice = passes[step.of].lattice
            nested = nesting(grid.lattice, lattice)
            for layout in step.layouts:
                halo = reach(lattice, sheet.dilate, layout.tile_row)
                coverage, blocks = layout.coverage, _blocks_of(layout, grid, block, nested, halo)
                _mark_blocks(
                    coverage.window[layout.pieces], coverage.run_span[layout.pieces],
                    coverage.run_at, coverage.run_length, layout.cell_span, coverage.cell_at,
                    *blocks, *halo, step.index, first, last,
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


def _blocks_of(
    layout: Layout,
    grid: Grid,
    block: tuple[int, int],
    nested: tuple[int, int, int],
    halo: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In which block row of a sheet each row of a tile and its halo lies, and likewise columns.

    Outside of the sheet it is -1 or the number of blocks, whichever side is nearer.
    """
    factor, row_off, col_off = nested
    height, width = grid.shape
    rows, cols = (np.arange(-some, TILE + some) for some in halo)
    row = (layout.tile_row * TILE + rows - row_off) // factor - grid.window.top
    col = (layout.tile_col * TILE + cols - col_off) // factor - grid.window.left
    if grid.south_up:
        row = height - 1 - row
    return blocks_along(row, block[0], height), blocks_along(col, block[1], width)


def blocks_along(cell: NDArray[np.int64], block: int, size: int) -> NDArray[np.int64]:
    """In which block along one side of a sheet each cell lies; beyond it -1 or their number."""
    beyond = -(-size // block)
    return np.where(cell < 0, -1, np.where(cell < size, cell // block, beyond))


@kernel()
def mark(row, col_a, col_b, step, first, last):
    """Note that a step needs the blocks of a row from one column of blocks to another."""
    if 0 <= row < first.shape[0]:
        for col in range(max(col_a, 0), min(col_b, first.shape[1] - 1) + 1):
            if first[row, col] < 0:
                first[row, col] = step
            last[row, col] = step


@kernel()
def _mark_rows(row_a, row_b, col_a, col_b, step, first, last):
    """Note that a step needs the blocks of some rows, in either order, and columns."""
    for row in range(min(row_a, row_b), max(row_a, row_b) + 1):
        mark(row, col_a, col_b, step, first, last)


@kernel()
def _mark_blocks(windows, run_span, run_at, run_length, cell_span, cell_at, rows, cols, up, aside,
                 step, first, last):  # fmt: skip
    """Note that a step needs the blocks that hold the covered cells of some pieces.

    And those up to ``up`` rows and ``aside`` columns from one; ``rows`` and ``cols`` begin there.
    """
    for piece in range(len(run_span)):
        top, bottom = rows[windows[piece, 0]], rows[windows[piece, 2] - 1 + 2 * up]
        left, right = cols[windows[piece, 1]], cols[windows[piece, 3] - 1 + 2 * aside]
        if top == bottom and left == right:  # most zones: no need to look at their cells
            mark(top, left, right, step, first, last)
            continue
        for run in range(run_span[piece, 0], run_span[piece, 1]):
            at = run_at[run]
            end = at + run_length[run] - 1
            row, to = at // TILE, end % TILE + 2 * aside
            _mark_rows(rows[row], rows[row + 2 * up], cols[at % TILE], cols[to], step, first, last)
        for cell in range(cell_span[piece, 0], cell_span[piece, 1]):
            at = cell_at[cell]
            row, to = at // TILE, at % TILE + 2 * aside
            _mark_rows(rows[row], rows[row + 2 * up], cols[at % TILE], cols[to], step, first, last)
