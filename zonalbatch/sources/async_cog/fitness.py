"""Fitness: which files are read by ranges to the same bytes as by GDAL, and why others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zonalbatch.sources.inflate import DEFLATE, LZW, RAW, ZSTD, Inflation

if TYPE_CHECKING:
    from zonalbatch.sources.async_cog.tiff import TiffDirectory
    from zonalbatch.sources.protocol import Header

__all__ = ["CODECS", "UnfitError", "checked"]

CODECS = (DEFLATE, LZW, ZSTD, RAW)
"""Compressions that are undone here, to no more bytes than a block may hold.

Decoders of JPEG and WebP do not all give the same values; that of LERC at hand gives as many
bytes as a file says.
"""


class UnfitError(Exception):
    """A file that is left to GDAL; its message says why."""


def checked(directory: TiffDirectory, header: Header, inflation: Inflation | None) -> Inflation:
    """How the blocks of a directory are decoded to what GDAL gives.

    Args:
        directory: the file's, or that of an overview.
        header: what GDAL says of it.
        inflation: how its blocks are compressed; None if GDAL has to undo it.

    Raises:
        UnfitError: they would not be what GDAL gives.
    """
    if directory.tile is None:
        raise UnfitError("it is not tiled")
    if len(header.dtypes) > 1 and not directory.is_chunky:
        raise UnfitError("its bands lie apart")
    if header.masked:
        raise UnfitError("it has a mask or an alpha band")
    if inflation is None:
        raise UnfitError("its blocks are compressed in a way that GDAL has to undo")
    if directory.shape != header.grid.shape:
        raise UnfitError("its directories are in an unusual order")
    if directory.tile != header.block:
        raise UnfitError("its blocks are in an unusual order")
    return inflation
