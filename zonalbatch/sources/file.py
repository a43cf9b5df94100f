"""A raster file, read by ranges if it can be, else by GDAL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import PermanentReadError, SourceError
from zonalbatch.sources.access import OPEN, Access
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.pixels import CogPixels
from zonalbatch.sources.coverage import Coverage
from zonalbatch.sources.protocol import Header, Pixels, is_remote
from zonalbatch.sources.raster import RasterPixels
from zonalbatch.sources.raster_header import gdal_header
from zonalbatch.sources.secrets import shown
from zonalbatch.sources.view import View

__all__ = ["FilePixels", "read_header"]

T = TypeVar("T")


class FilePixels:
    """A file, or a view of one; made without opening it, pickled by its href.

    Any number of threads may ask: one at a time where GDAL reads it, whose handles bear no more.
    """

    def __init__(self, href: str, access: Access = OPEN) -> None:
        self.href = href
        self._access = access
        self._pixels: Pixels | None = None
        """Who reads it, once that is known."""
        self._choosing = threading.Lock()
        self._turn = threading.Lock()

    def __reduce__(self) -> tuple[type[FilePixels], tuple[str, Access]]:
        """Pickle the name only: handles stay in their process."""
        return FilePixels, (self.href, self._access)

    def __repr__(self) -> str:
        """Name the file, without a signature."""
        return f"FilePixels({shown(self.href)!r})"

    @property
    def header(self) -> Header:
        """What the file says of itself (opens it).

        Raises:
            SourceError: the file has no CRS, a rotated grid, or pixels of an unusable kind.
            ReadError: it cannot be opened.
        """
        return self._by(lambda pixels: pixels.header)

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels, shape (band, row, col), of a half-open (top, left, bottom, right) window.

        Raises:
            ReadError: the pixels cannot be read.
        """
        return self._by(lambda pixels: pixels.read(bands, window))

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """The file's own mask or alpha, shape (row, col); True means valid."""
        return self._by(lambda pixels: pixels.read_mask(window))

    def close(self) -> None:
        """Let go of the file, once nobody reads it; the next read opens it again."""
        with self._turn:
            if self._pixels is not None:
                self._pixels.close()

    def _by(self, ask: Callable[[Pixels], T]) -> T:
        with self._choosing:
            pixels = self._pixels = self._pixels or self._chosen()
        with nullcontext() if isinstance(pixels, CogPixels) else self._turn:
            return ask(pixels)

    def _chosen(self) -> Pixels:
        if Coverage.of(self.href) is not None:
            return _of_service(self.href)
        return by_ranges(self.href, self._access) or RasterPixels(self.href, self._access)


def read_header(href: str, access: Access = OPEN) -> Header:
    """What a file, or a view of one, says of itself, as `gdal_header` tells it.

    Raises:
        SourceError: the file has no CRS, a rotated grid, or pixels of an unusable kind.
        ReadError: it cannot be opened.
    """
    if Coverage.of(href) is not None:
        return _of_service(href).header
    pixels = by_ranges(href, access)
    return pixels.header if pixels else gdal_header(href, access)


def _of_service(href: str) -> Pixels:
    """A coverage of a WCS."""
    try:
        from zonalbatch.sources.wcs import WcsPixels
    except ModuleNotFoundError as error:
        raise SourceError(
            f"coverages need {error.name}; install it with: pip install 'zonalbatch[wcs]'"
        ) from None
    return WcsPixels(href)


def by_ranges(href: str, access: Access) -> CogPixels | None:
    """A file that is read by ranges, as the grant says so and its header that it can be.

    Raises:
        PermanentReadError: it cannot be read so, and by nothing else is asked for.
    """
    view = View.of(href)
    kind = access.grant(view.href).reader.kind
    if kind == "rioxarray" or (kind == "auto" and not is_remote(view.href)):
        return None
    pixels = CogPixels(href, access)
    try:
        _ = pixels.header
    except UnfitError as unfit:
        if kind == "auto":
            return None
        raise PermanentReadError(
            f"{shown(view.href)} cannot be read by reader: async, as {unfit}; use reader: auto"
        ) from None
    return pixels
