"""Ranges: the bytes of one remote file, neighbours asked for together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.traffic import Tally

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore

__all__ = ["Ranges", "merged"]

LARGEST = 4 * 1024**2
"""Bytes beyond which neighbours are asked for in several requests: one connection is slow."""

Span = tuple[int, int]
"""Half-open (start, stop) of bytes."""


class Ranges:
    """One file in a store."""

    def __init__(self, store: ObjectStore, path: str, traffic: Tally, gap: int) -> None:
        self.store = store
        """Where the file lies; may be set, as rights to read run out."""
        self.path = path
        self.head = b""
        """The first bytes of the file, which are not asked for again."""
        self.size = 0
        """Of the file, bytes."""
        self.etag: str | None = None
        """What tells this content of the file from another, if the server says it."""
        self._traffic = traffic
        self._gap = gap

    async def fetch_head(self, size: int) -> None:
        """Have the first bytes, as far as the file goes."""
        start = len(self.head)
        if size <= start or (start and start >= self.size):
            return
        from obstore.exceptions import BaseError, NotSupportedError

        async with self._traffic.room(size - start):
            try:
                answer = await self.store.get_async(self.path, options=self._asking(start, size))
            except NotSupportedError as error:
                raise UnfitError("its server gives whole files only") from error
            except BaseError as error:
                if " 407 " not in str(error):
                    raise
                # Sent on to another host, obstore leaves the user of a proxy behind; GDAL does not.
                raise UnfitError("its proxy wants a user whom obstore does not name") from error
            found = await answer.bytes_async()
        self.size, self.etag = answer.meta["size"], answer.meta["e_tag"]
        self.head += bytes(found)

    async def fetch(self, spans: Sequence[Span]) -> list[memoryview]:
        """Bytes of several ranges, in the order in which they are named.

        Raises:
            OSError: the file has no such bytes, or they were cut off.
        """
        wrong = next((one for one in spans if not 0 <= one[0] <= one[1] <= self.size), None)
        if wrong is not None:
            raise OSError(f"bytes {wrong[0]} to {wrong[1]} are missing of {self.size}")
        whole = await asyncio.gather(*(self._fetched(one) for one in merged(spans, self._gap)))
        return [_cut(whole, span) for span in spans]

    async def _fetched(self, span: Span) -> tuple[Span, memoryview]:
        start, stop = span
        if stop <= len(self.head):
            return span, memoryview(self.head)[start:stop]
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
