"""Trial: how long the parts of a read take, one by one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zonalbatch.sources.access import Access, Grant, using
from zonalbatch.sources.async_cog.blocks import decoded, missing
from zonalbatch.sources.async_cog.pixels import asking
from zonalbatch.sources.async_cog.session import session_by
from zonalbatch.sources.view import View

__all__ = ["Trial", "tried_on"]

PINGS = 5
"""Requests for a few bytes; the first of them may open a connection."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Seconds and bytes of some blocks of a file, read by ranges."""

    latency: float
    """Of a request for a few bytes."""
    fetching: float
    """Of all blocks together."""
    decoding: float
    """Of all blocks, one after the other."""
    blocks: int
    bytes: int
    """Of the blocks as they lie in the file."""
    cells: int
    """Of the blocks, of all bands."""

    @property
    def limit(self) -> str:
        """What takes most of the time of a part that asks for all its blocks at once."""
        transfer = max(0.0, self.fetching - self.latency)
        # Two answers are waited for one after the other: the header, then the blocks.
        took = {"latency": 2 * self.latency, "bandwidth": transfer, "decoding": self.decoding}
        return max(took, key=lambda name: took[name])


def _took(act: Callable[[], None]) -> float:
    """Seconds of something."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def tried_on(href: str, access: Access, places: Sequence[tuple[int, int]]) -> Trial:
    """Read blocks by (column, row) of a file whose header is known, and take the time.

    Raises:
        UnfitError: it is left to GDAL.
        ReadError: it cannot be read.
    """
    return using(access, href, lambda grant: _tried(View.of(href), grant, places))


def _tried(view: View, grant: Grant, places: Sequence[tuple[int, int]]) -> Trial:
    with asking(view, grant):
        session = session_by(grant.reader)
        sheet = session.sheet(view, grant).result()
        pings = [_took(lambda: session.ping(view, grant).result()) for _ in range(PINGS)]
        before, began = session.traffic.bytes, time.perf_counter()
        packed = session.blocks_of(view, grant, places).result()
        fetching = time.perf_counter() - began
        asked, began = session.traffic.bytes - before, time.perf_counter()
        pixels = [missing(sheet) if one is None else decoded(one, sheet) for one in packed]
        return Trial(
            latency=statistics.median(pings[1:]),
            fetching=fetching,
            decoding=time.perf_counter() - began,
            blocks=len(pixels),
            bytes=asked,
            cells=sum(one.size for one in pixels),
        )
