"""Reading: the blocks of a layer's files, once each, ahead of the reductions, in many threads."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import OUTSIDE, UNREAD, Layout
from zonalbatch.errors import PassingReadError, PermanentReadError, ReadError, SourceError
from zonalbatch.hosts import ANSWERED, FAILED, Hosts
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.sources.protocol import Header, Pixels
from zonalbatch.sources.retries import tried
from zonalbatch.sources.secrets import shown
from zonalbatch.sources.servers import server_of
from zonalbatch.work.schedule import Rect, Schedule, Sheet, nesting

__all__ = ["Handles", "SheetReader", "processors", "read_ahead"]

T = TypeVar("T")


class Handles:
    """Open files, lent to one thread at a time, and what becomes of reads of them."""

    def __init__(self, open_pixels: Callable[[str], Pixels], hosts: Hosts | None = None) -> None:
        self._open = open_pixels
        self._hosts = hosts or Hosts()
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
        return self.tried(href, lambda: self._header(href))

    def tried(self, href: str, read: Callable[[], T]) -> T | ReadError:
        """What a read of a file gives, or the error it ends with; how it went is noted.

        A file whose host is down is not asked for: all of the part's reads would be waited for,
        each to its end, and the part is done again as soon as the host is well.
        """
        host = server_of(href)
        if not host:
            return tried(read)
        if self._hosts.down(host):
            return PassingReadError(
                f"{shown(href)} was not asked for, as half of the reads of {host} fail; run again "
                "to retry it"
            )
        found = tried(read)
        self._hosts.add(host, FAILED if isinstance(found, PassingReadError) else ANSWERED)
        return found

    def _header(self, href: str) -> Header:
        with self.borrow(href) as pixels:
            try:
                return pixels.header
            except SourceError as error:  # a file of no use must not end the run
                raise PermanentReadError(str(error)) from error

    def close(self, href: str | None = None) -> None:
        """Let go of one file, or of all."""
        with self._lock:
            hrefs = list(self._idle) if href is None else [href]
            idle = [pixels for h in hrefs for pixels in self._idle.pop(h, [])]
        for pixels in idle:
            pixels.close()


@dataclass(slots=True, eq=False)
class SheetReader:
    """Reads the blocks of one sheet step by step and lays them out as tiles."""

    sheet: Sheet
    header: Header | ReadError
    schedule: Schedule
    handles: Handles
    failures: list[ReadError] = field(default_factory=list)
    dtype: np.dtype[Any] = field(init=False)
    """The pixels' type (uint8 if the file is unreadable)."""
    _kept: list[Rect] = field(default_factory=list)
    _nesting: dict[Lattice, tuple[int, int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work out what every tile asks for."""
        self.dtype = self._dtype()

    def _dtype(self) -> np.dtype[Any]:
        if isinstance(self.header, ReadError):
            return np.dtype(np.uint8)
        dtype = np.result_type(*(self.header.dtypes[b - 1] for b in self.sheet.bands))
        return np.dtype(np.float32) if dtype == np.float16 else dtype  # numba has no float16

    def reads(self, step: int) -> list[Callable[[], list[Rect]]]:
        """The reads that a step needs and no earlier one did."""
        return [self._read_of(rect) for rect in self.schedule.rects(step)]

    def keep(self, rects: Sequence[Rect], step: int) -> None:
        """Take in what was read and drop what no step from this one on needs."""
        self._kept = [r for r in self._kept if r.last >= step]
        self._kept += rects

    def tile(
        self, lattice: Lattice, layout: Layout
    ) -> tuple[NDArray[Any], NDArray[np.uint8] | None, NDArray[np.bool_] | None]:
        """A fold tile of a measuring lattice: (band, 512, 512) pixels, what is absent, the mask."""
        top, left = layout.tile_row * TILE, layout.tile_col * TILE
        return self.cells(lattice, Window(top, left, top + TILE, left + TILE))

    def cells(
        self, lattice: Lattice, wanted: Window
    ) -> tuple[NDArray[Any], NDArray[np.uint8] | None, NDArray[np.bool_] | None]:
        """As a tile's, of any window of a measuring lattice; arbitrary where nothing was read."""
        factor, row_off, col_off = self._nested(lattice)
        window = self.sheet.grid.window
        row, col = wanted.top - row_off, wanted.left - col_off
        last_row, last_col = (wanted.bottom - row_off - 1, wanted.right - col_off - 1)
        box = Window(row // factor, col // factor, last_row // factor + 1, last_col // factor + 1)
        pixels, absent, valid = self.pixels_in(box.shift(-window.top, -window.left))
        if factor == 1:
            return pixels, absent, valid
        rows, cols = (np.arange(size) for size in wanted.shape)
        here = np.ix_((row + rows) // factor - box.top, (col + cols) // factor - box.left)
        return (
            pixels[:, here[0], here[1]],
            None if absent is None else absent[here],
            None if valid is None else valid[here],
        )

    def _nested(self, lattice: Lattice) -> tuple[int, int, int]:
        """How the sheet's lattice lies in a measuring one, worked out once."""
        if lattice not in self._nesting:
            self._nesting[lattice] = nesting(self.sheet.grid.lattice, lattice)
        return self._nesting[lattice]

    def pixels_in(
        self, box: Window
    ) -> tuple[NDArray[Any], NDArray[np.uint8] | None, NDArray[np.bool_] | None]:
        """As a tile's, of a box of the sheet, which may hang over its sides."""
        parts = [(rect, box.intersect(rect.window)) for rect in self._kept]
        parts = [(rect, common) for rect, common in parts if not common.empty]
        full = sum(math.prod(common.shape) for rect, common in parts if rect.pixels is not None)
        # What rectangles fill to the last cell (none overlaps another) needs no zeros before.
        make = np.empty if full == math.prod(box.shape) else np.zeros
        pixels = make((len(self.sheet.bands), *box.shape), self.dtype)
        valid, absent = None, self._hanging_over(box)
        for rect, common in parts:
            here, there = _within(common, box), _within(common, rect.window)
            if rect.pixels is None:
                absent = np.zeros(box.shape, np.uint8) if absent is None else absent
                absent[here] = UNREAD
                continue
            pixels[:, *here] = rect.pixels[:, *there]
            if rect.valid is not None:
                valid = np.ones(box.shape, bool) if valid is None else valid
                valid[here] = rect.valid[there]
        return pixels, absent, valid

    def _hanging_over(self, box: Window) -> NDArray[np.uint8] | None:
        height, width = self.schedule.shape
        sheet = Window(0, 0, height, width)
        if box.intersect(sheet) == box:
            return None
        absent = np.full(box.shape, OUTSIDE, np.uint8)
        absent[_within(box.intersect(sheet), box)] = 0
        return absent

    def _read_of(self, rect: Rect) -> Callable[[], list[Rect]]:
        def read() -> list[Rect]:
            if isinstance(self.header, ReadError):
                return [rect]
            return self._read_or_cut(rect)

        return read

    def _read_or_cut(self, rect: Rect) -> list[Rect]:
        """A rectangle's pixels; if they are broken, those of each of its blocks that is whole."""
        found = self.handles.tried(self.sheet.href, lambda: self._read(rect))
        if not isinstance(found, ReadError):
            return [found]
        blocks = self.schedule.blocks(rect)
        if isinstance(found, PermanentReadError) and len(blocks) > 1:
            return [part for block in blocks for part in self._read_or_cut(block)]
        self.failures.append(found)
        return [rect]

    def _read(self, rect: Rect) -> Rect:
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
        return replace(rect, pixels=values, valid=valid)


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


def _within(part: Window, whole: Window) -> tuple[slice, slice]:
    """Where a window lies in an array of another one that holds it; empty if it is empty."""
    top, left, bottom, right = part
    return (
        slice(top - whole.top, max(top, bottom) - whole.top),
        slice(left - whole.left, max(left, right) - whole.left),
    )


def processors() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
