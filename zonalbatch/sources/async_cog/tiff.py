"""TIFF: the directories of a file, read from its bytes as far as they are there.

Layout: Adobe, TIFF Revision 6.0 (1992), section 2; BigTIFF:
https://www.awaresystems.be/imaging/tiff/bigtiff.html. What a file says is not believed: no more is
read than lies in it, and a chain of directories has an end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.sources.async_cog.fitness import UnfitError

__all__ = ["Entry", "TiffDirectory", "directories_in", "first_entries"]

At = Callable[[int, int], bytes]
"""The bytes of a file from one place to another."""

MOST = 64
"""Directories of a file that are looked at: overviews and masks are fewer."""
MOST_ENTRIES = 512
"""Entries of a directory."""
MOST_BYTES = 64 * 1024**2
"""Bytes of one entry: the places of four million tiles."""

_KINDS: Mapping[int, str] = {
    1: "u1", 2: "S1", 3: "u2", 4: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 11: "f4", 12: "f8",
    13: "u4", 16: "u8", 17: "i8", 18: "u8",
}  # fmt: skip
"""TIFF's types as NumPy's; 5 and 10 are pairs of 4 bytes."""

SUBFILE, WIDTH, HEIGHT, FILL_ORDER, PLANAR, TILE_WIDTH, TILE_HEIGHT, OFFSETS, SIZES = (
    254, 256, 257, 266, 284, 322, 323, 324, 325,
)  # fmt: skip
"""Codes of tags."""
REDUCED, MASK = 1, 4
"""Bits of SUBFILE."""
CHUNKY = 1
"""Number of PLANAR for bands that lie beside each other in a block."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag of a directory, and where its values lie."""

    code: int
    kind: int
    """TIFF's number of its type."""
    count: int
    start: int
    """First byte of its values."""
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class TiffDirectory:
    """One image of a TIFF."""

    entries: Mapping[int, Entry]
    """By code."""
    order: str
    """``<`` or ``>``."""
    at: At

    def values(self, code: int) -> Any:
        """The values of a tag: bytes of a text, else an array of numbers; None without it."""
        entry = self.entries.get(code)
        if entry is None:
            return None
        data = self.at(entry.start, entry.stop)
        if entry.kind in (2, 7):
            return data
        if entry.kind in (5, 10):
            pairs = np.frombuffer(data, f"{self.order}{'u4' if entry.kind == 5 else 'i4'}")
            with np.errstate(all="ignore"):
                return pairs[::2].astype(float) / pairs[1::2]
        return np.frombuffer(data, f"{self.order}{_KINDS[entry.kind]}")

    def number(self, code: int, default: int = 0) -> int:
        """The first of a tag's whole numbers."""
        found = self.values(code)
        whole = isinstance(found, np.ndarray) and found.dtype.kind in "iu" and len(found) > 0
        return int(found[0]) if whole else default

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.number(HEIGHT), self.number(WIDTH)

    @property
    def tile(self) -> tuple[int, int] | None:
        """Rows and columns of a tile; None if it is not tiled."""
        size = self.number(TILE_HEIGHT), self.number(TILE_WIDTH)
        return size if all(size) else None

    @property
    def is_mask(self) -> bool:
        """True of a mask, and of a mask of an overview."""
        return bool(self.number(SUBFILE) & MASK)

    @property
    def is_overview(self) -> bool:
        """True of an overview, and of a mask of one."""
        return bool(self.number(SUBFILE) & REDUCED)

    @property
    def is_chunky(self) -> bool:
        """True if bands lie beside each other in a block."""
        return self.number(PLANAR, CHUNKY) == CHUNKY

    def places(self) -> NDArray[np.int64]:
        """(tile, 2) first byte of each tile and its size, row by row.

        Raises:
            UnfitError: there are not as many as tiles.
        """
        tile, (height, width) = self.tile, self.shape
        offsets, sizes = self.values(OFFSETS), self.values(SIZES)
        if tile is None or not isinstance(offsets, np.ndarray) or not isinstance(sizes, np.ndarray):
            raise UnfitError("it is not tiled")
        count = -(-height // tile[0]) * -(-width // tile[1])
        if not len(offsets) == len(sizes) == count:
            raise UnfitError("it says of more or fewer tiles than it has where they lie")
        return np.stack([offsets, sizes], axis=1).astype(np.int64)


def directories_in(at: At) -> list[TiffDirectory]:
    """All directories of a file.

    Args:
        at: gives bytes of it.

    Raises:
        UnfitError: it is no TIFF, or makes no sense.
    """
    return list(_chain(at))


def first_entries(at: At) -> list[Entry]:
    """The tags of the first directory, wherever their values lie.

    Raises:
        UnfitError: it is no TIFF, or the directory does not lie in the bytes.
    """
    return list(next(_chain(at)).entries.values())


def _chain(at: At) -> Iterator[TiffDirectory]:
    try:
        order = {b"II": "<", b"MM": ">"}[at(0, 2)]
        (version,) = struct.unpack(f"{order}H", at(2, 4))
        big = {42: False, 43: True}[version]
        word = "Q" if big else "I"
        size = struct.calcsize(word)
        (here,) = struct.unpack(f"{order}{word}", at(size, 2 * size))
        seen: set[int] = set()
        while here and here not in seen and len(seen) < MOST:
            seen.add(here)
            entries, here = _entries(at, here, order, big)
            yield TiffDirectory({one.code: one for one in entries}, order, at)
    except (struct.error, KeyError) as error:
        raise UnfitError("its header is not at its front") from error


def _entries(at: At, here: int, order: str, big: bool) -> tuple[list[Entry], int]:
    """The tags of the directory at a place, and where the next one lies."""
    head, word, step = (8, "Q", 20) if big else (2, "I", 12)
    (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", at(here, here + head))
    if count > MOST_ENTRIES:
        raise KeyError(count)
    first, inline = here + head, struct.calcsize(word)
    data = at(first, first + count * step + inline)
    found = []
    for number in range(count):
        begin = number * step
        code, kind, many = struct.unpack_from(f"{order}HH{word}", data, begin)
        size = many * (8 if kind in (5, 10) else np.dtype(_KINDS.get(kind, "u1")).itemsize)
        place = first + begin + 4 + inline
        if size > inline:
            (place,) = struct.unpack_from(f"{order}{word}", data, begin + 4 + inline)
        if size <= MOST_BYTES and (kind in _KINDS or kind in (5, 10)):
            found.append(Entry(code, kind, many, place, place + size))
    (after,) = struct.unpack_from(f"{order}{word}", data, count * step)
    return found, after
