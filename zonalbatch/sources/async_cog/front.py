"""Front: how many bytes of a TIFF its directories take, as far as the first bytes can tell.

Layout: Adobe, TIFF Revision 6.0 (1992), section 2; BigTIFF: https://www.awaresystems.be/imaging/tiff/bigtiff.html
"""

from __future__ import annotations

import struct

from zonalbatch.sources.async_cog.fitness import UnfitError

__all__ = ["length_of_directories"]

_SIZES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8, 18: 8,
}  # fmt: skip
"""Bytes of a value of each type."""
OVERVIEWS = 1.4
"""All directories take this many times the first: each overview has a quarter of the tiles."""
SPARE = 16 * 1024
"""Bytes for what else directories hold."""


def length_of_directories(head: bytes) -> int:
    """Bytes from the start that hold all directories of a COG, or somewhat more.

    Args:
        head: the first bytes of the file, at least those of its first directory's entries.

    Raises:
        UnfitError: it is no TIFF, or the first directory does not lie in its first bytes.
    """
    try:
        return max(len(head), _length(head))
    except (struct.error, KeyError) as error:
        raise UnfitError("its header is not at its front") from error


def _length(head: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}[head[:2]]
    (version,) = struct.unpack_from(f"{order}H", head, 2)
    if version not in (42, 43):
        raise UnfitError("it is no TIFF")
    big = version == 43
    (at,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)
    (count,) = struct.unpack_from(f"{order}{'Q' if big else 'H'}", head, at)
    at += 8 if big else 2
    last = at
    for entry in range(count):
        kind, number, place = struct.unpack_from(
            f"{order}2xH{'QQ' if big else 'II'}", head, at + entry * (20 if big else 12)
        )
        size = _SIZES.get(kind, 8) * number
        if size > (8 if big else 4):
            last = max(last, place + size)
    if last <= len(head):
        return len(head)
    return int(last * OVERVIEWS) + SPARE
