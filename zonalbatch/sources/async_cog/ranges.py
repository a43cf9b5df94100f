"""Ranges: the bytes of one remote file, neighbours asked for together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.traffic import Traffic

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore

__all__ = ["Ranges", "merged"]

LARGEST = 4 * 1024**2
"""Bytes beyond which neighbours are asked for in several requests: one connection is slow."""

Span = tuple[int, int]
"""Half-open (start, stop) of bytes."""


class Ranges:
    """One file in a store; what async-tiff takes to read blocks from."""

    def __init__(self, store: ObjectStore, path: str, traffic: Traffic, gap: int) -> None:
        self.store = store
        """Where the file lies; may be set, as rights to read run out."""
        self.path = path
        self.head = b""
        """The first bytes of the file, which are not asked for again."""
        self.size = 0
        """Of the file, bytes."""
        self.etag: str | None = None
        """What tells this content of the file from another, if the server says it."""
        self.opening = True
        """While the directories are read, which lie in the head or are left to GDAL."""
        self.anywhere = False
        """Whether they may lie elsewhere, nonetheless."""
        self._traffic = traffic
        self._gap = gap

    async def fetch_head(self, size: int) -> None:
        """Have the first bytes, as far as the file goes."""
        start = len(self.head)
        if size <= start or (start and start >= self.size):
            return
        from obstore.exceptions import NotSupportedError

        async with self._traffic.room(size - start):
            try:
                answer = await self.store.get_async(self.path, options=self._asking(start, size))
            except NotSupportedError as error:
                raise UnfitError("its server gives whole files only") from error
            found = await answer.bytes_async()
        self.size, self.etag = answer.meta["size"], answer.meta["e_tag"]
        self.head += bytes(found)

    async def get_range_async(
        self, path: str, *, start: int, end: int | None = None, length: int | None = None
    ) -> Any:
        """Bytes from start to end."""
        stop = end if end is not None else start + (length or 0)
        (found,) = await self.get_ranges_async(path, starts=[start], ends=[stop])
        return found

    async def get_ranges_async(
        self,
        path: str,
        *,
        starts: Sequence[int],
        ends: Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
    ) -> list[Any]:
        """Bytes of several ranges, in the order in which they were named."""
        stops = ends or [
            start + length for start, length in zip(starts, lengths or (), strict=True)
        ]
        spans = list(zip(starts, stops, strict=True))
        fetched = await asyncio.gather(*(self._fetched(span) for span in merged(spans, self._gap)))
        return [_cut(fetched, span) for span in spans]

    async def _fetched(self, span: Span) -> tuple[Span, memoryview]:
        start, stop = span
        if stop <= len(self.head):
            return span, memoryview(self.head)[start:stop]
        if self.opening and self.anywhere:  # async-tiff asks for more than there may be
            stop = min(stop, self.size)
        elif self.opening:
            raise UnfitError("its directories do not all lie at its front")
        if stop > self.size:  # asked for nonetheless, obstore would come down
            raise OSError(f"bytes {start} to {stop} are missing of {self.size}")
        async with self._traffic.room(stop - start):
            answer = await self.store.get_async(self.path, options=self._asking(start, stop))
            found = memoryview(await answer.bytes_async())
        if len(found) < stop - start:
            raise OSError(f"bytes {start} to {stop} were cut off after {len(found)}")
        return span, found

    def _asking(self, start: int, stop: int) -> GetOptions:
        """A range of the content whose head is known: of another one, no block lies there."""
        if self.etag is None or self.etag.startswith("W/"):
            return {"range": (start, stop)}
        return {"range": (start, stop), "if_match": self.etag}


def merged(spans: Sequence[Span], gap: int) -> Iterator[Span]:
    """Spans that hold all of some, those joined that are no more than a gap apart."""
    start, stop = 0, -1
    for one in sorted(set(spans)):
        if stop >= 0 and one[0] - stop <= gap and one[1] - start <= LARGEST:
            stop = max(stop, one[1])
            continue
        if stop >= 0:
            yield start, stop
        start, stop = one
    if stop >= 0:
        yield start, stop


def _cut(fetched: Sequence[tuple[Span, memoryview]], span: Span) -> memoryview:
    start, stop = span
    (first, _), found = next(one for one in fetched if one[0][0] <= start and stop <= one[0][1])
    return found[start - first : stop - first]
