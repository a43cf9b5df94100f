"""Ranged: a file, wherever it lies, as Python has files; its bytes are asked for by ranges.

For libraries that read files by themselves, a little here and there. What they will want may be
fetched before, many ranges at once; what they want besides is fetched as they read.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zonalbatch.errors import ReadError
from zonalbatch.sources.access import Grant
from zonalbatch.sources.async_cog.loop import begun
from zonalbatch.sources.async_cog.ranges import Ranges
from zonalbatch.sources.async_cog.session import session_by
from zonalbatch.sources.async_cog.stores import store_of
from zonalbatch.sources.causes import read_error

__all__ = ["RangedFile", "Span"]

FIRST = 16
"""Bytes that tell of what format a file is."""

Span = tuple[int, int]
"""Half-open (start, stop) of bytes."""


class RangedFile(io.RawIOBase):
    """A file that is read by ranges."""

    def __init__(self, grant: Grant) -> None:
        """Ask for its first bytes.

        Args:
            grant: the right to read it.

        Raises:
            UnfitError: it cannot be read by ranges.
            ReadError: it cannot be read.
        """
        super().__init__()
        self._href = grant.href
        traffic = session_by(grant.reader).traffic
        self._ranges = Ranges(*store_of(grant), traffic, grant.reader.merge_gap)
        self._held: list[tuple[int, memoryview]] = []
        self._at = 0
        with self._asking():
            begun(self._ranges.fetch_head(FIRST)).result()

    @property
    def head(self) -> bytes:
        """The first bytes, 16 of them if there are as many."""
        return self._ranges.head

    @property
    def size(self) -> int:
        """Of the file, bytes."""
        return self._ranges.size

    def hold(self, spans: Sequence[Span]) -> None:
        """Have some ranges at hand, in the place of what was so far; fetched at once.

        Raises:
            ReadError: the file has no such bytes, or they cannot be read.
        """
        spans = sorted(set(spans))
        self._held = []
        found = self._fetched(spans)
        self._held = [(start, part) for (start, _), part in zip(spans, found, strict=True)]

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Bytes from here on, as far as the file goes.

        Raises:
            ReadError: they cannot be read.
        """
        stop = self.size if size is None or size < 0 else min(self.size, self._at + size)
        if stop <= self._at:
            return b""
        found = self._held_at(self._at, stop)
        if found is None:
            (found,) = self._fetched([(self._at, stop)])
        self._at = stop
        return bytes(found)

    def _held_at(self, start: int, stop: int) -> memoryview | None:
        index = bisect_right(self._held, start, key=lambda one: one[0]) - 1
        if index < 0:
            return None
        first, part = self._held[index]
        return part[start - first : stop - first] if stop <= first + len(part) else None

    def _fetched(self, spans: Sequence[Span]) -> list[memoryview]:
        with self._asking():
            return begun(self._ranges.fetch(spans)).result()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn what obstore raises, by whatever class, into a ReadError."""
        from obstore.exceptions import BaseError

        try:
            yield
        except ReadError:
            raise
        except (BaseError, OSError) as error:
            told, _, _ = str(error).partition("\n")
            cause = OSError(told or type(error).__name__)
            raise read_error(self._href, cause) from None
