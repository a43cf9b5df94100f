"""Front: how many bytes of a TIFF its directories take, as far as the first bytes can tell."""

from __future__ import annotations

from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.tiff import At, first_entries

__all__ = ["length_of_directories", "within"]

OVERVIEWS = 1.4
"""All directories take this many times the first: each overview has a quarter of the tiles."""
SPARE = 16 * 1024
"""Bytes for what else directories hold."""
MOST = 64 * 1024**2
"""Bytes of directories that are fetched; a file that says more is left to GDAL."""


def within(head: bytes) -> At:
    """The bytes of a file of which no more than the first are at hand."""

    def at(start: int, stop: int) -> bytes:
        if not 0 <= start <= stop <= len(head):
            raise UnfitError("its directories do not all lie at its front")
        return head[start:stop]

    return at


def length_of_directories(head: bytes) -> int:
    """Bytes from the start that hold all directories of a COG, or somewhat more.

    Raises:
        UnfitError: it is no TIFF, or its first directory does not lie in its first bytes.
    """
    last = max((entry.stop for entry in first_entries(within(head))), default=0)
    if last <= len(head):
        return len(head)
    return min(MOST, int(last * OVERVIEWS) + SPARE)
