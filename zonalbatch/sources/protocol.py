"""What every source of pixels offers, whatever library reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from zonalbatch.lattice import Grid
from zonalbatch.layers import Layer
from zonalbatch.sources.view import Part, View

__all__ = [
    "Band",
    "GroupBy",
    "Header",
    "Pixels",
    "Resolution",
    "ScaleOffset",
    "in_order",
    "is_remote",
]

ScaleOffset = Literal["auto", "item", "file", "none"] | tuple[float, float]
"""Whose scale and offset to apply; a pair is (scale, offset)."""

GroupBy = Literal["item", "datetime", "solar_day", "all"]
"""What makes a layer: each item by itself, all of one time, of one day of local time, or all."""

Resolution = float | Literal["approx"]
"""How large cells may be: metres on the ground, or as large as leave a raster 1024 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """How a job names one band: by asset, index or description, with what overrides the file."""

    asset: str | None = None
    """STAC asset key, or the value of ``{band}`` in a file pattern."""
    index: int | None = None
    """1-based band of the file; None takes the first, or the one with ``description``."""
    description: str | None = None
    """The file's own description of the band."""
    nodata: float | int | Literal["none"] | None = None
    """Raw value that means no data; "none" ignores the file's tag; None asks the file."""
    scale_offset: ScaleOffset | None = None
    """Overrides the job's ``scale_offset`` for this band."""
    part: Part | None = None
    """Which part of complex pixels to take; None for real ones."""

    def scaling(self, default: ScaleOffset) -> ScaleOffset:
        """Whose scale and offset to apply: what is said of this band, else the job's."""
        return default if self.scale_offset is None else self.scale_offset


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Header:
    """What a file says of itself without its pixels."""

    grid: Grid
    """Where its cells lie."""
    dtypes: tuple[str, ...]
    """NumPy names of the bands' types; complex ones can only be planned with by a part of them."""
    nodata: tuple[float | int | None, ...]
    """Raw value that means no data, for each band; None where there is none the dtype can hold."""
    scales: tuple[float, ...]
    """Physical = raw × scale + offset, for each band."""
    offsets: tuple[float, ...]
    """See ``scales``."""
    descriptions: tuple[str | None, ...]
    """Names of the bands, where the file has them."""
    block: tuple[int, int]
    """Height and width of a block, cells."""
    masked: bool
    """True if the file has a mask or an alpha band of its own beside nodata."""
    version: str
    """Tells one content from another, whenever it was written; empty if unknown."""
    overviews: tuple[int, ...] = ()
    """About how many times larger the cells of each overview are, in GDAL's order of levels."""


class Pixels(Protocol):
    """An open raster. Made cheaply, opened lazily, used by one thread at a time."""

    @property
    def header(self) -> Header:
        """What the file says of itself (opens it)."""
        ...

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels, shape (band, row, col), of a half-open (top, left, bottom, right) window.

        Rows are in the file's own order. ``bands`` are 1-based.

        Raises:
            ReadError: the pixels cannot be read.
        """
        ...

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """The file's own mask or alpha, shape (row, col); True means valid."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def in_order(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Layers as sources give them: undated ones first, then by time, then by id."""
    first = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(layers, key=lambda layer: (layer.datetime or first, layer.id)))


def is_remote(href: str) -> bool:
    """True if a file is read over a network: a URL, or one of GDAL's network paths."""
    file = View.of(href).href
    return ("://" in file and not file.startswith("file://")) or file.startswith(
        ("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsioss", "/vsiswift")
    )
