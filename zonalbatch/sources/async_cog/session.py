"""Session: what one process keeps of the files that it reads by ranges."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from zonalbatch.sources.access import Grant, Reader
from zonalbatch.sources.async_cog.blocks import Blocks
from zonalbatch.sources.async_cog.head import Heads, Sheet
from zonalbatch.sources.async_cog.loop import begun
from zonalbatch.sources.async_cog.tiff import TiffDirectory, directories_in
from zonalbatch.sources.async_cog.traffic import Bounds, Tally, Traffic
from zonalbatch.sources.view import View

__all__ = ["Session", "limit_requests", "session_by"]

T = TypeVar("T")

_BOUNDS = Bounds(requests=64, bytes=32 * 1024**2)
"""On all that is under way in this process."""
_TRAFFIC = Traffic(_BOUNDS)

_blocks_of = functools.lru_cache(4)(Blocks)
"""Decoded blocks are the process's, however many runs and open files it has."""


class Session:
    """Requests made, heads and blocks of one run; all threads of a process share it."""

    def __init__(self, reader: Reader) -> None:
        self.traffic = Tally(_TRAFFIC)
        self.blocks = _blocks_of(reader.block_cache)
        self._heads = Heads(self.traffic, reader)

    def sheet(self, view: View, grant: Grant) -> Future[Sheet]:
        """What a view of a file says of itself, and where its blocks lie; it is under way."""
        return begun(self._sheet(view, grant))

    def blocks_of(
        self, view: View, grant: Grant, places: Sequence[tuple[int, int]]
    ) -> Future[list[memoryview | None]]:
        """Blocks by (column, row) as they lie in the file; None for those that it leaves out."""
        return begun(self._blocks(view, grant, places))

    def asked(self, view: View, grant: Grant, ask: Callable[[Any], T]) -> Future[T]:
        """What is asked of the rasterio dataset of a file's head; it is under way."""
        return begun(self._heads.asked(view, grant, ask))

    def directories(self, href: str, grant: Grant) -> list[TiffDirectory]:
        """The directories of a TIFF, wherever they lie in it; fetched as they are asked for."""
        ranges = begun(self._heads.ranges(href, grant)).result()

        def at(start: int, stop: int) -> bytes:
            return bytes(begun(ranges.fetch([(start, stop)])).result()[0])

        return directories_in(at)

    def ping(self, view: View, grant: Grant) -> Future[None]:
        """Ask for the first bytes of a file, whose head is known; it is under way."""
        return begun(self._heads.ping(view.href, grant))

    def forget(self, view: View) -> None:
        """Have a file asked anew: what is known of it may be old."""
        begun(self._heads.forget(view.href)).result()

    async def _sheet(self, view: View, grant: Grant) -> Sheet:
        return (await self._heads.sheet(view, grant))[1]

    async def _blocks(
        self, view: View, grant: Grant, places: Sequence[tuple[int, int]]
    ) -> list[memoryview | None]:
        head, sheet = await self._heads.sheet(view, grant)
        wanted = [sheet.places[row * sheet.shape[1] + col].tolist() for col, row in places]
        spans = [(start, start + size) for start, size in wanted]
        there = [span for span in spans if span[1] != span[0]]  # a size of 0 says: left out
        found = dict(zip(there, await head.ranges.fetch(there), strict=True))
        return [found.get(span) for span in spans]


def limit_requests(requests: int) -> None:
    """Say how many requests this process may have under way from now on; 64 until it is said."""
    _BOUNDS.requests = requests


def session_by(reader: Reader) -> Session:
    """The process's session of a run, with its settings; kept while it is held, or in use."""
    with _ONE:
        return _session(reader)


_HELD: WeakValueDictionary[Reader, Session] = WeakValueDictionary()
"""Sessions that somebody has, such as an open COG."""


@functools.lru_cache(4)
def _session(reader: Reader) -> Session:
    found = _HELD.get(reader)
    if found is None:
        found = _HELD[reader] = Session(reader)
    return found


_ONE = threading.Lock()
"""Many threads may ask for the first time."""
