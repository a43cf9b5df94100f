"""Inflate: compressed blocks of a GeoTIFF, decompressed straight into the pixels asked for.

GDAL decompresses a block into one buffer, undoes its predictor there and copies it by way of its
block cache. Here libdeflate gives the bytes of a block and one pass undoes the predictor on the way
to where they belong, in about 0.6 of the time. No block gives more bytes than it may hold, whatever
a file says: a few bytes can stand for any number of them.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import deflate
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.kernels import kernel
from zonalbatch.sources.lzw import lzw_decompressed

__all__ = ["DEFLATE", "LZW", "RAW", "ZSTD", "Inflation"]

DEFLATE, LZW, ZSTD, RAW = "DEFLATE", "LZW", "ZSTD", "NONE"
"""Compressions, as GDAL calls them, and none."""
NONE, HORIZONTAL, FLOATING_POINT = "1", "2", "3"
"""Predictors: values as they are, differences along a row, differences of bytes sorted by weight.

Adobe, TIFF Revision 6.0 (1992), section 14, and Photoshop TIFF Technical Note 3 (2005).
"""


@dataclass(frozen=True, slots=True)
class Inflation:
    """How the blocks of a file are decompressed."""

    block: tuple[int, int]
    """Height and width of a block, cells."""
    samples: int
    """How many bands a block holds: all of them, or one."""
    dtype: np.dtype[Any]
    predictor: str
    codec: str
    """GDAL's name of the compression."""

    @classmethod
    def of(cls, handle: Any, codecs: Collection[str] = (DEFLATE,)) -> Inflation | None:
        """That of an open rasterio dataset, little-endian; None if GDAL has to do it.

        Args:
            handle: the dataset.
            codecs: compressions that are asked for here.
        """
        codec = handle.get_tag_item("COMPRESSION", "IMAGE_STRUCTURE") or RAW
        dtype = np.dtype(handle.dtypes[0])
        predictor = handle.get_tag_item("PREDICTOR", "IMAGE_STRUCTURE") or NONE
        plain = (
            handle.driver == "GTiff"
            and codec in codecs
            and handle.get_tag_item("NBITS", "IMAGE_STRUCTURE", 1) is None
            and predictor in (NONE, HORIZONTAL, FLOATING_POINT)
            and (dtype.kind in "iu" or dtype in (np.float32, np.float64))
            and sys.byteorder == "little"
        )
        if not plain:
            return None
        interleaved = handle.get_tag_item("INTERLEAVE", "IMAGE_STRUCTURE") == "PIXEL"
        samples = handle.count if interleaved else 1
        return cls(handle.block_shapes[0], samples, dtype, predictor, codec)

    @property
    def most(self) -> int:
        """Bytes that a block decompresses to, at most."""
        return self.block[0] * self.block[1] * self.samples * self.dtype.itemsize

    def put(
        self, packed: Any, samples: Sequence[int], out: NDArray[Any], top: int, left: int
    ) -> bool:
        """Write some samples of a block where they belong, cut at the sides of the pixels.

        Args:
            packed: the block as it is in the file.
            samples: 0-based, in the order in which they are wanted.
            out: (sample, row, col) of the pixels.
            top: row of them where the block begins.
            left: column.

        Returns:
            False if it does not decompress to a block.
        """
        try:
            found = self._unpacked(packed)
        except (deflate.DeflateError, pa.ArrowException, OSError, ValueError):
            return False
        return self._placed(found, np.asarray(samples, np.int64), out, top, left)

    def _unpacked(self, packed: Any) -> bytearray:
        """The bytes of a block, of which there are no more than it may hold."""
        if self.codec == DEFLATE:
            return deflate.zlib_decompress(packed, self.most)
        if self.codec == LZW:
            return lzw_decompressed(packed, self.most)
        if self.codec == ZSTD:
            found = pa.Codec("zstd").decompress(packed, decompressed_size=self.most)
            return bytearray(memoryview(found))
        return bytearray(packed)

    def _placed(
        self, found: bytearray, samples: NDArray[np.int64], out: NDArray[Any], top: int, left: int
    ) -> bool:
        (height, width), size = self.block, self.dtype.itemsize
        rows, cols = min(height, out.shape[1] - top), min(width, out.shape[2] - left)
        stride = width * self.samples * size
        if len(found) < rows * stride:  # the last strip has the rows that are left
            return False
        if self.predictor == FLOATING_POINT:
            lines = np.frombuffer(found, np.uint8)[: rows * stride].reshape(rows, stride)
            _join_bytes(lines, self.samples, samples, size, out.view(np.uint8), top, left, cols)
            return True
        unsigned = np.dtype(f"u{size}")
        values = np.frombuffer(found, unsigned)[: rows * stride // size]
        values = values.reshape(rows, width, self.samples)
        if self.predictor == HORIZONTAL:
            _add_up(values, samples, out.view(unsigned), top, left, cols)
        else:
            here = out.view(unsigned)[:, top : top + rows, left : left + cols]
            here[:] = values[:, :cols, samples].transpose(2, 0, 1)
        return True


@kernel()
def _add_up(values, samples, out, top, left, cols):
    """Undo differences along the rows of (row, col, sample), into (sample, row, col)."""
    for place in range(len(samples)):
        sample = samples[place]
        for row in range(len(values)):
            value = values[row, 0, sample]
            out[place, top + row, left] = value
            for col in range(1, cols):
                value += values[row, col, sample]
                out[place, top + row, left + col] = value


@kernel()
def _join_bytes(lines, n_samples, samples, size, out, top, left, cols):
    """Undo differences of bytes along each row, which hold first all highest bytes, and so on.

    Args:
        lines: (row, byte) of a block; changed.
        n_samples: bands in the block.
        samples: the bands that are wanted.
        size: bytes of a value.
        out: (sample, row, byte) of the pixels, little-endian.
    """
    plane = lines.shape[1] // size
    for row in range(len(lines)):
        for i in range(n_samples, lines.shape[1]):
            lines[row, i] += lines[row, i - n_samples]
        for place in range(len(samples)):
            for col in range(cols):
                for byte in range(size):
                    at = byte * plane + col * n_samples + samples[place]
                    out[place, top + row, (left + col + 1) * size - 1 - byte] = lines[row, at]
