"""Heads: what the first bytes of files say; fetched once each, kept for the parts that follow."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zonalbatch.sources.access import Grant, Reader
from zonalbatch.sources.async_cog.fitness import CODECS, UnfitError, checked
from zonalbatch.sources.async_cog.front import length_of_directories, within
from zonalbatch.sources.async_cog.ranges import Ranges
from zonalbatch.sources.async_cog.stores import store_of
from zonalbatch.sources.async_cog.tiff import FILL_ORDER, TiffDirectory, directories_in
from zonalbatch.sources.async_cog.traffic import Tally
from zonalbatch.sources.causes import reading
from zonalbatch.sources.gdal import opened
from zonalbatch.sources.inflate import Inflation
from zonalbatch.sources.protocol import Header
from zonalbatch.sources.raster_header import file_header
from zonalbatch.sources.view import View

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["Head", "Heads", "Sheet"]


K = TypeVar("K")
T = TypeVar("T")

FOUND = 10_000
"""Links whose stores are remembered."""

_READINGS = count()
"""Numbers for readings of heads, of all sessions: blocks that are kept are told apart by them."""

_GDAL = ThreadPoolExecutor(1, thread_name_prefix="headers")
"""Each thread that has GDAL open its first file pays for PROJ's tables: so it is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A file, or one of its overviews, as its blocks are read."""

    header: Header
    shape: tuple[int, int]
    """Rows and columns of blocks."""
    places: NDArray[np.int64]
    """(block, 2) first byte of each and its size, row by row; 0 of one that is left out."""
    inflation: Inflation
    """How they are decoded."""
    reading: int
    """Which reading of the file's head this follows from; another may find another content."""


@dataclass(slots=True, eq=False)
class Head:
    """The directories of one file."""

    ranges: Ranges
    directories: list[TiffDirectory]
    reading: int
    sheets: dict[int | None, asyncio.Task[Sheet]] = field(default_factory=dict)
    """By level of overview; None is the file itself."""

    def directory(self, overview: int | None) -> TiffDirectory:
        """That of the pixels, or of an overview in the order of GDAL, which passes over masks."""
        if overview is None:
            return self.directories[0]
        smaller = [one for one in self.directories[1:] if not one.is_mask]
        if overview >= len(smaller):
            raise UnfitError("its overviews do not all lie in it")
        return smaller[overview]


class Heads:
    """The heads of the files that were read last. Belongs to one event loop."""

    def __init__(self, traffic: Tally, reader: Reader) -> None:
        self._traffic = traffic
        self._reader = reader
        self._kept: OrderedDict[str, asyncio.Task[Head]] = OrderedDict()
        self._found: dict[Any, tuple[ObjectStore, str]] = {}

    async def sheet(self, view: View, grant: Grant) -> tuple[Head, Sheet]:
        """The head of a file; what the file, or an overview of it, says, and where its blocks lie.

        Raises:
            UnfitError: it is left to GDAL.
            SourceError: it has no CRS, a rotated grid, or pixels of an unusable kind.
            ReadError: GDAL cannot open it.
        """
        head = await self._head(view.href, grant)
        return head, await _once(head.sheets, view.overview, lambda: _sheet(head, view, grant))

    async def asked(self, view: View, grant: Grant, ask: Callable[[Any], T]) -> T:
        """What is asked of the rasterio dataset of a file's head.

        Raises:
            UnfitError: its directories do not lie in its head.
        """
        head = await self._head(view.href, grant)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_GDAL, _asked, head.ranges.head, view, grant, ask)

    async def ranges(self, href: str, grant: Grant) -> Ranges:
        """The bytes of a file, whatever it is; its first are there."""
        with suppress(UnfitError):
            return (await self._head(href, grant)).ranges
        ranges = Ranges(*self._stores(grant), self._traffic, self._reader.merge_gap)
        await ranges.fetch_head(self._reader.open_bytes)
        return ranges

    async def ping(self, href: str, grant: Grant) -> None:
        """Ask for the first bytes of a file, for nothing but the time that it takes."""
        ranges = (await self._head(href, grant)).ranges
        await ranges.store.get_range_async(ranges.path, start=0, end=8)

    async def forget(self, href: str) -> None:
        """Have the file asked anew: what is known of it may be old."""
        self._kept.pop(href, None)

    async def _head(self, href: str, grant: Grant) -> Head:
        """That of a file, which is fetched once, whoever asks for it meanwhile."""
        store, path = self._stores(grant)
        head = await _once(self._kept, href, lambda: self._fetched(store, path))
        head.ranges.store = store  # the right to read it may be another by now
        if href in self._kept:  # another may have let it go meanwhile
            self._kept.move_to_end(href)
        self._drop_old()
        return head

    def _stores(self, grant: Grant) -> tuple[ObjectStore, str]:
        """`store_of` a grant, for a while: the environment is not asked for each block."""
        key = grant.href, *grant.options.items()
        if key not in self._found:
            if len(self._found) > FOUND:
                self._found.clear()
            self._found[key] = store_of(grant)
        return self._found[key]

    async def _fetched(self, store: ObjectStore, path: str) -> Head:
        ranges = Ranges(store, path, self._traffic, self._reader.merge_gap)
        await ranges.fetch_head(self._reader.open_bytes)
        await ranges.fetch_head(length_of_directories(ranges.head))
        return Head(ranges, directories_in(within(ranges.head)), next(_READINGS))

    def _drop_old(self) -> None:
        """Keep what the cache has room for, those asked for last."""
        kept = 0
        for href, task in reversed(list(self._kept.items())):
            if task.done() and not task.cancelled() and not task.exception():
                kept += len(task.result().ranges.head)
            if kept > self._reader.header_cache:
                del self._kept[href]


async def _once(kept: MutableMapping[K, asyncio.Task[T]], key: K, make: Callable[[], Any]) -> T:
    """What is kept, or made once for all who ask; a failure is made again, but for unfitness."""
    task = kept.get(key)
    if task is None or _failed(task):
        task = kept[key] = asyncio.create_task(make())
    return await asyncio.shield(task)


def _failed(task: asyncio.Task[Any]) -> bool:
    """True if it has to be tried again; that a file is unfit is known for good."""
    error = task.exception() if task.done() and not task.cancelled() else None
    return task.cancelled() or (error is not None and not isinstance(error, UnfitError))


async def _sheet(head: Head, view: View, grant: Grant) -> Sheet:
    loop = asyncio.get_running_loop()
    header, inflation = await loop.run_in_executor(
        _GDAL, _asked, head.ranges.head, view, grant, lambda handle: _told(handle, view)
    )
    directory = head.directory(view.overview)
    plain = head.ranges.head.startswith(b"II") and directory.number(FILL_ORDER, 1) == 1
    inflation = checked(directory, header, inflation if plain else None)
    (height, width), (rows, cols) = directory.shape, header.block
    shape = -(-height // rows), -(-width // cols)
    return Sheet(header, shape, directory.places(), inflation, head.reading)


def _told(handle: Any, view: View) -> tuple[Header, Inflation | None]:
    return file_header(handle, view), Inflation.of(handle, CODECS)


def _asked(head: bytes, view: View, grant: Grant, ask: Callable[[Any], T]) -> T:
    """What is asked of what GDAL makes of the first bytes of a file."""
    from rasterio.io import MemoryFile

    with (
        MemoryFile(head) as file,
        reading(view.href),
        opened(view, replace(grant, href=file.name)) as handle,
    ):
        return ask(handle)
