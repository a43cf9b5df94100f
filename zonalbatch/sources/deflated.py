"""Deflated: blocks of a local GeoTIFF, decompressed past GDAL.

GDAL says where the blocks lie, reads all that is not as plain as this, and tells what is wrong with
a block that cannot be decompressed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.sources.inflate import Inflation

__all__ = ["Deflated"]


@dataclass(slots=True, eq=False)
class Deflated:
    """The blocks of one open file, used by one thread at a time."""

    handle: Any
    """The rasterio dataset, which knows where its blocks lie."""
    file: int | None
    """Descriptor of the open file; None once it is closed."""
    inflation: Inflation

    @classmethod
    def of(cls, handle: Any, path: str) -> Deflated | None:
        """The blocks of an open rasterio dataset; None if GDAL has to read them."""
        inflation = Inflation.of(handle)
        if inflation is None or not os.path.isfile(path):
            return None
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        if os.read(file, 2) != b"II":  # big-endian
            os.close(file)
            return None
        return cls(handle, file, inflation)

    def close(self) -> None:
        """Let go of the file."""
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def __del__(self) -> None:
        """Let go of the file, also where nobody said so."""
        self.close()

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any] | None:
        """Raw pixels, shape (band, row, col), of whole blocks; None if GDAL has to read them.

        Args:
            bands: 1-based.
            window: half-open (top, left, bottom, right). One that cuts a block is GDAL's, whose
                cache keeps the rest of it.
        """
        top, left, bottom, right = window
        height, width = self.inflation.block
        if not self._is_whole(window):
            return None
        out = np.empty((len(bands), bottom - top, right - left), self.inflation.dtype)
        for row in range(top // height, -(-bottom // height)):
            for col in range(left // width, -(-right // width)):
                if not self._read_block(
                    bands, row, col, out, row * height - top, col * width - left
                ):
                    return None
        return out

    def _is_whole(self, window: tuple[int, int, int, int]) -> bool:
        top, left, bottom, right = window
        height, width = self.inflation.block
        return (
            top % height == left % width == 0
            and (bottom % height == 0 or bottom == self.handle.height)
            and (right % width == 0 or right == self.handle.width)
        )

    def _read_block(
        self, bands: Sequence[int], row: int, col: int, out: NDArray[Any], top: int, left: int
    ) -> bool:
        """Fill in one block at a place of the pixels; False if GDAL has to."""
        if self.inflation.samples > 1:
            packed = self._bytes_of(bands[0], row, col)
            return self.inflation.put(packed, [band - 1 for band in bands], out, top, left)
        return all(
            self.inflation.put(self._bytes_of(band, row, col), [0], out[i : i + 1], top, left)
            for i, band in enumerate(bands)
        )

    def _bytes_of(self, band: int, row: int, col: int) -> bytes:
        """A block as it is in the file; nothing if it is not there (sparse files)."""
        place = [
            self.handle.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", band)
            for what in ("OFFSET", "SIZE")
        ]
        if None in place or self.file is None:
            return b""
        offset, size = map(int, place)
        if not 0 <= offset <= offset + size <= os.fstat(self.file).st_size:  # a header may lie
            return b""
        try:
            os.lseek(self.file, offset, os.SEEK_SET)
            return os.read(self.file, size)
        except OSError:
            return b""
