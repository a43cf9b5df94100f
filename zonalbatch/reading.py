"""Reading: which blocks of which files are needed, and in what order they are read.

Tiles are visited in row-major order, a few at a time (a *step*). Each block that holds a covered
cell is read in the first step that needs it and kept until the last that does, so that no block is
read twice, whatever the block's shape. Reads run ahead of the reductions in a pool of threads.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zonalbatch.cells import OUTSIDE, UNREAD, Covered, Layout
from zonalbatch.errors import PassingReadError, ReadError, SourceError
from zonalbatch.lattice import TILE, Grid, Lattice, nesting_factor
from zonalbatch.sources.protocol import Header, Pixels

__all__ = ["Handles", "Pass", "Sheet", "SheetReader", "Step", "read_ahead", "steps_of"]

ATTEMPTS = 3
"""How often a passing failure is met before it is recorded."""


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


class Handles:
    """Open files, lent to one thread at a time."""

    def __init__(self, open_pixels: Callable[[str], Pixels]) -> None:
        self._open = open_pixels
        self._idle: dict[str, list[Pixels]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self, href: str) -> Iterator[Pixels]:
        """An open file that nobody else uses meanwhile."""
        with self._lock:
            idle = self._idle.setdefault(href, [])
            pixels = idle.pop() if idle else None
        if pixels is None:
            pixels = self._open(href)
        try:
            yield pixels
        except ReadError:
            pixels.close()  # what failed may have left the handle in a bad state
            raise
        with self._lock:
            self._idle.setdefault(href, []).append(pixels)

    def header(self, href: str) -> Header | ReadError:
        """What a file says of itself, or why it cannot be read."""
        return _trying(lambda: self._header(href))

    def _header(self, href: str) -> Header:
        with self.borrow(href) as pixels:
            return pixels.header

    def close(self, href: str | None = None) -> None:
        """Let go of one file, or of all."""
        with self._lock:
            hrefs = list(self._idle) if href is None else [href]
            idle = [pixels for h in hrefs for pixels in self._idle.pop(h, [])]
        for pixels in idle:
            pixels.close()


@dataclass(slots=True, eq=False)
class _Rect:
    """Decoded pixels of a window of a sheet, in the order of the lattice's rows."""

    top: int
    left: int
    bottom: int
    right: int
    last: int
    """The last step that needs it."""
    pixels: NDArray[Any] | None = None
    """(band, row, col); None if they could not be read."""
    valid: NDArray[np.bool_] | None = None
    """(row, col) the file's own mask."""


@dataclass(slots=True, eq=False)
class SheetReader:
    """Reads the blocks of one sheet step by step and lays them out as tiles."""

    sheet: Sheet
    header: Header | ReadError
    schedule: Schedule
    handles: Handles
    failures: list[ReadError] = field(default_factory=list)
    _kept: list[_Rect] = field(default_factory=list)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The pixels' type (uint8 if the file is unreadable)."""
        if isinstance(self.header, ReadError):
            return np.dtype(np.uint8)
        return np.result_type(*(self.header.dtypes[b - 1] for b in self.sheet.bands))

    def reads(self, step: int) -> list[Callable[[], _Rect]]:
        """The reads that a step needs and no earlier one did."""
        return [self._read_of(rect) for rect in self.schedule.rects(step)]

    def keep(self, rects: Sequence[_Rect], step: int) -> None:
        """Take in what was read and drop what no step from this one on needs."""
        self._kept = [r for r in self._kept if r.last >= step]
        self._kept += rects

    def tile(
        self, lattice: Lattice, layout: Layout
    ) -> tuple[NDArray[Any], NDArray[np.uint8] | None, NDArray[np.bool_] | None]:
        """A fold tile of a measuring lattice: (band, 512, 512) pixels, what is absent, the mask."""
        factor, row_off, col_off = nesting(self.sheet.grid.lattice, lattice)
        window = self.sheet.grid.window
        rows = (layout.tile_row * TILE + np.arange(TILE) - row_off) // factor - window.top
        cols = (layout.tile_col * TILE + np.arange(TILE) - col_off) // factor - window.left
        pixels, absent, valid = self._assemble(
            int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1
        )
        if factor == 1:
            return pixels, absent, valid
        index = np.ix_(rows - rows[0], cols - cols[0])
        return (
            pixels[:, index[0], index[1]],
            None if absent is None else absent[index],
            None if valid is None else valid[index],
        )

    def _assemble(
        self, top: int, left: int, bottom: int, right: int
    ) -> tuple[NDArray[Any], NDArray[np.uint8] | None, NDArray[np.bool_] | None]:
        """Pixels of a box of the sheet, which may hang over its sides."""
        shape = (bottom - top, right - left)
        pixels = np.zeros((len(self.sheet.bands), *shape), self.dtype)
        valid = None
        absent = self._hanging_over(top, left, bottom, right)
        for rect in self._kept:
            t, b = max(top, rect.top), min(bottom, rect.bottom)
            l, r = max(left, rect.left), min(right, rect.right)  # noqa: E741
            if t >= b or l >= r:
                continue
            here = (slice(t - top, b - top), slice(l - left, r - left))
            there = (slice(t - rect.top, b - rect.top), slice(l - rect.left, r - rect.left))
            if rect.pixels is None:
                absent = np.zeros(shape, np.uint8) if absent is None else absent
                absent[here] = UNREAD
                continue
            pixels[:, *here] = rect.pixels[:, *there]
            if rect.valid is not None:
                valid = np.ones(shape, bool) if valid is None else valid
                valid[here] = rect.valid[there]
        return pixels, absent, valid

    def _hanging_over(
        self, top: int, left: int, bottom: int, right: int
    ) -> NDArray[np.uint8] | None:
        height, width = self.sheet.grid.shape
        if top >= 0 and left >= 0 and bottom <= height and right <= width:
            return None
        absent = np.full((bottom - top, right - left), OUTSIDE, np.uint8)
        absent[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)] = 0
        return absent

    def _read_of(self, rect: _Rect) -> Callable[[], _Rect]:
        def read() -> _Rect:
            if isinstance(self.header, ReadError):
                return rect
            found = _trying(lambda: self._read(rect))
            if isinstance(found, ReadError):
                self.failures.append(found)
                return rect
            return found

        return read

    def _read(self, rect: _Rect) -> _Rect:
        height = self.sheet.grid.shape[0]
        flip = self.sheet.grid.south_up
        top, bottom = (height - rect.bottom, height - rect.top) if flip else (rect.top, rect.bottom)
        window = (top, rect.left, bottom, rect.right)
        masked = not isinstance(self.header, ReadError) and self.header.masked
        with self.handles.borrow(self.sheet.href) as pixels:
            values = pixels.read(self.sheet.bands, window)
            valid = pixels.read_mask(window) if masked else None
        if flip:
            values, valid = values[:, ::-1], None if valid is None else valid[::-1]
        return _Rect(*rect_bounds(rect), rect.last, values, valid)


def rect_bounds(rect: _Rect) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of a rectangle of a sheet."""
    return rect.top, rect.left, rect.bottom, rect.right


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

    def rects(self, step: int) -> list[_Rect]:
        """Rectangles of blocks that are read in a step: each needed block once."""
        new = self.first == step
        if not new.any():
            return []
        return [
            self._rect(rows, cols, int(self.last[rows, cols].max())) for rows, cols in _cut(new)
        ]

    def cells(self, step: int) -> int:
        """Number of cells that are read in a step, blocks that hang over counted whole."""
        return int((self.first == step).sum()) * self.block[0] * self.block[1]

    def _rect(self, rows: slice, cols: slice, last: int) -> _Rect:
        height, width = self.shape
        top, bottom = rows.start * self.block[0], min(rows.stop * self.block[0], height)
        left, right = cols.start * self.block[1], min(cols.stop * self.block[1], width)
        if self.south_up:
            top, bottom = height - bottom, height - top
        return _Rect(top, left, bottom, right, last)


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


def read_ahead(
    steps: Iterator[tuple[Any, Sequence[Callable[[], Any]], int]],
    pool: ThreadPoolExecutor,
    bytes_ahead: int,
) -> Iterator[tuple[Any, list[Any]]]:
    """Give each step with the results of its reads, while the reads of later steps go on.

    Args:
        steps: (what it is, its reads, their bytes), in order.
        pool: where reads run.
        bytes_ahead: how much may be decoded or on its way before it is asked for.
    """
    waiting: deque[tuple[Any, list[Future[Any]], int]] = deque()
    on_the_way = 0
    for what, reads, size in steps:
        waiting.append((what, [pool.submit(read) for read in reads], size))
        on_the_way += size
        while waiting and on_the_way > bytes_ahead:
            done, futures, size = waiting.popleft()
            on_the_way -= size
            yield done, [future.result() for future in futures]
    while waiting:
        done, futures, _ = waiting.popleft()
        yield done, [future.result() for future in futures]


def processors() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _trying(read: Callable[[], Any]) -> Any:
    """What a read gives, or the error it ends with; passing failures are tried again."""
    for attempt in range(ATTEMPTS):
        try:
            return read()
        except PassingReadError as error:
            if attempt == ATTEMPTS - 1:
                return error
            time.sleep(0.5 * 2**attempt)
        except ReadError as error:
            return error
    return None


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
def _mark(row, col_a, col_b, height, width, south_up, block_h, block_w, step, first, last):
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
                _mark(t, l, l, height, width, south_up, block_h, block_w, step, first, last)
                continue
        for run in range(run_span[piece, 0], run_span[piece, 1]):
            at = run_at[run]
            row = (row0 + at // TILE) // factor - top
            col = col0 + at % TILE
            _mark(row, col // factor - left, (col + run_length[run] - 1) // factor - left,
                  height, width, south_up, block_h, block_w, step, first, last)  # fmt: skip
        for cell in range(cell_span[piece, 0], cell_span[piece, 1]):
            at = cell_at[cell]
            row = (row0 + at // TILE) // factor - top
            col = (col0 + at % TILE) // factor - left
            _mark(row, col, col, height, width, south_up, block_h, block_w, step, first, last)
