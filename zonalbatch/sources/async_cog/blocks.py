"""Blocks: decoded once, kept for the parts that follow, as far as there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.sources.async_cog.head import Sheet

__all__ = ["Blocks", "decoded", "missing"]

Key = tuple[int, int | None, int, int]
"""(which reading of a file's head, overview, column, row) of a block."""


class Blocks:
    """The blocks that were decoded last; many threads may ask."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> NDArray[Any] | None:
        """The pixels of a block, (band, row, col), if they are kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Key, pixels: NDArray[Any]) -> None:
        """Keep a block; those asked for longest ago make room for it."""
        with self._lock:
            old = self._kept.pop(key, None)
            self._kept[key] = pixels
            self._bytes += pixels.nbytes - (0 if old is None else old.nbytes)
            while self._bytes > self._most_bytes:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes


def decoded(packed: memoryview, sheet: Sheet) -> NDArray[Any]:
    """The pixels of a block, (band, row, col), also those that hang over the file's sides.

    Raises:
        ValueError: it does not decompress to a block.
    """
    header = sheet.header
    out = np.empty((len(header.dtypes), *header.block), header.dtypes[0])
    if not sheet.inflation.put(packed, range(len(out)), out, 0, 0):
        raise ValueError("a block cannot be decompressed")
    return out


def missing(sheet: Sheet) -> NDArray[Any]:
    """The pixels of a block that the file leaves out, as GDAL fills them: nodata, else 0."""
    header = sheet.header
    out = np.zeros((len(header.dtypes), *header.block), header.dtypes[0])
    for band, nodata in zip(out, header.nodata, strict=True):
        band[:] = 0 if nodata is None else nodata
    return out
