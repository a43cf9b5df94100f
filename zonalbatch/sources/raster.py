"""One raster file: windows of its pixels, through rioxarray, or by blocks where it is plain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import PermanentReadError
from zonalbatch.sources.access import OPEN, Access, Grant, using
from zonalbatch.sources.causes import reading, shown
from zonalbatch.sources.deflated import Deflated
from zonalbatch.sources.gdal import doubt, lazy_array, opened
from zonalbatch.sources.masks import mask_may_be_lost, read_mask_of_whole, read_own_mask
from zonalbatch.sources.nodata import snapped
from zonalbatch.sources.parts import header_of_part, part_of, refuse_complex
from zonalbatch.sources.protocol import Header, is_remote
from zonalbatch.sources.raster_header import check_window, file_header
from zonalbatch.sources.servers import heeding
from zonalbatch.sources.view import View

__all__ = ["RasterPixels"]

T = TypeVar("T")


class RasterPixels:
    """An open raster file, or a view of one; made without opening it, pickled by its href.

    A file that takes a right to be read is opened by a grant, and anew when another one is given.
    Pixels are as they are in the file: those of a palette are its indices, those of 1 bit are 0
    and 1. Integers beyond 2^53 are exact here, but statistics of them are float64.
    """

    def __init__(self, href: str, access: Access = OPEN) -> None:
        self.href = href
        self._access = access
        self._grant = Grant(href)
        """What the file is open by."""
        self._view = View.of(href)
        self._array: Any = None
        self._deflated: Deflated | None = None
        """Its blocks, if they can be read without GDAL."""
        self._whole: Any = None
        """The file itself beside an overview of it, where its mask is wanted."""
        self._file: Header | None = None
        """What the file says, whatever part of its pixels is wanted."""

    def __reduce__(self) -> tuple[type[RasterPixels], tuple[str, Access]]:
        """Pickle the name only: handles stay in their process."""
        return RasterPixels, (self.href, self._access)

    def __repr__(self) -> str:
        """Name the file, without a signature."""
        return f"RasterPixels({shown(self.href)!r})"

    @property
    def header(self) -> Header:
        """What the file says of itself (opens it).

        Raises:
            SourceError: the file has no CRS, a rotated grid, or pixels of an unusable kind.
            ReadError: it cannot be opened.
        """
        header, part = self._file_header(), self._view.part
        if part is not None:
            return header_of_part(header, part, self._view.href)
        refuse_complex(header, self._view.href)
        return header

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels, shape (band, row, col), of a half-open (top, left, bottom, right) window.

        All bands are read in one call: a pixel-interleaved block holds them all.

        Raises:
            ReadError: the pixels cannot be read.
        """
        values = self._granted(lambda: self._values(bands, window))
        return values if self._view.plain else self._viewed(values, bands)

    def _values(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Pixels as the file has them."""
        top, left, bottom, right = window
        lazy = self._opened_array().variable
        check_window(window, lazy.shape[-2:], self.href)
        values = self._deflated.read(bands, window) if self._deflated else None
        if values is None:
            values = np.asarray(lazy[_band_index(bands), top:bottom, left:right].values)
        return values

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """The file's own mask or alpha, shape (row, col); True means valid."""
        return self._granted(lambda: self._mask(window))

    def _mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        handle = self._handle()
        check_window(window, handle.shape, self.href)
        if self._view.overview is not None and mask_may_be_lost(handle):
            return read_mask_of_whole(self._whole_file(), handle.shape, window)
        return read_own_mask(handle, window)

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        for one in (self._deflated, self._array, self._whole):
            if one is not None:
                one.close()
        self._deflated = self._array = self._whole = None

    def _granted(self, read: Callable[[], T]) -> T:
        """What a read gives by the grant that is in force now."""
        return using(self._access, self._view.href, lambda grant: self._read_by(grant, read))

    def _read_by(self, grant: Grant, read: Callable[[], T]) -> T:
        with heeding(self._view.href, grant):
            return self._read_or_reopened(grant, read)

    def _read_or_reopened(self, grant: Grant, read: Callable[[], T]) -> T:
        if grant != self._grant:
            self.close()
        self._grant, was_open = grant, self._array is not None
        try:
            with reading(self._view.href):
                return read()
        except PermanentReadError:
            if not (was_open and is_remote(self._view.href)):
                raise
        # Where a server refuses a part of a file, GDAL says that bytes are missing, and no more.
        # When the file is opened again, it says why; or all is well again.
        self.close()
        doubt(grant)
        with reading(self._view.href):
            return read()

    def _viewed(self, values: NDArray[Any], bands: Sequence[int]) -> NDArray[Any]:
        """Pixels as the view has them."""
        nodata = [self._file_header().nodata[band - 1] for band in bands]
        part = self._view.part
        if part is None:
            return np.stack(list(map(snapped, values, nodata)))
        each = zip(values, nodata, strict=True)
        return np.stack([part_of(one, part, missing) for one, missing in each])

    def _file_header(self) -> Header:
        if self._file is None:
            self._file = self._granted(lambda: file_header(self._handle(), self._view))
        return self._file

    def _handle(self) -> Any:
        """The rasterio handle behind the lazy array: the file is opened once for all uses."""
        return self._opened_array().rio._manager.acquire()

    def _whole_file(self) -> Any:
        if self._whole is None:
            self._whole = opened(View(href=self._view.href), self._grant)
        return self._whole

    def _opened_array(self) -> Any:
        if self._array is None:
            self._array = lazy_array(self._view, self._grant)
            if self._view.plain:
                self._deflated = Deflated.of(self._handle(), self._view.href)
        return self._array


def _band_index(bands: Sequence[int]) -> slice | list[int]:
    """0-based index of 1-based bands; a slice where they follow each other (half the overhead)."""
    first = bands[0] - 1
    if list(bands) == list(range(bands[0], bands[0] + len(bands))):
        return slice(first, first + len(bands))
    return [band - 1 for band in bands]
