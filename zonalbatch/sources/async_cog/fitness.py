"""Fitness: which files are read by ranges to the same bytes as by GDAL, and why others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from async_tiff import ImageFileDirectory

    from zonalbatch.sources.protocol import Header

__all__ = ["CHUNKY", "UnfitError", "check_fit"]

CODECS = {1: "none", 5: "LZW", 8: "DEFLATE", 32946: "DEFLATE", 34887: "LERC", 50000: "ZSTD"}
"""Compressions that lose nothing, by TIFF's numbers: https://www.awaresystems.be/imaging/tiff.html.

Decoders of JPEG and WebP do not all give the same values.
"""
BITS = (8, 16, 32, 64)
CHUNKY = 1
"""TIFF's number for bands that lie beside each other in a block."""


class UnfitError(Exception):
    """A file that is left to GDAL; its message says why."""


def check_fit(ifd: ImageFileDirectory, header: Header) -> None:
    """Raise UnfitError if the blocks of a directory would not be what GDAL gives.

    Args:
        ifd: the file's directory, or that of an overview.
        header: what GDAL says of it.
    """
    if ifd.tile_count is None or not (ifd.tile_width and ifd.tile_height):
        raise UnfitError("it is not tiled")
    if int(ifd.compression) not in CODECS:
        raise UnfitError("its compression loses something, or is unknown")
    if len(set(ifd.bits_per_sample)) > 1 or ifd.bits_per_sample[0] not in BITS:
        raise UnfitError(f"its values have {ifd.bits_per_sample[0]} bits")
    if len(header.dtypes) > 1 and int(ifd.planar_configuration) != CHUNKY:
        raise UnfitError("its bands lie apart")
    if header.masked:
        raise UnfitError("it has a mask or an alpha band")
    if header.dtypes[0].startswith(("complex", "float16")):
        raise UnfitError(f"its values are {header.dtypes[0]}")
    if (ifd.image_height, ifd.image_width) != header.grid.shape:
        raise UnfitError("its directories are in an unusual order")
    if (ifd.tile_height, ifd.tile_width) != header.block:
        raise UnfitError("its blocks are in an unusual order")
