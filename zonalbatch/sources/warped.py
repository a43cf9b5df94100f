"""Warped: pixels of one file on a common grid, stacked by stackstac where they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import PermanentReadError, ReadError
from zonalbatch.sources.access import OPEN, Access, Grant, using
from zonalbatch.sources.array import computed
from zonalbatch.sources.band_vrt import Frame, band_vrt, blank_vrt
from zonalbatch.sources.causes import computing
from zonalbatch.sources.gdal import doubt, gdal_name, settings
from zonalbatch.sources.protocol import Header, is_remote
from zonalbatch.sources.raster_header import asked_of, check_window, file_header, warped_header
from zonalbatch.sources.stacking import Stack, stacked
from zonalbatch.sources.view import View
from zonalbatch.sources.warp import Warp

__all__ = ["WarpedPixels"]

MASK = 0
"""Among the bands of a file, the one of ours that is zero where the file has pixels."""
NOTHING = 1
"""What that band is elsewhere."""


class WarpedPixels:
    """One file on a common grid; made without opening it, pickled by its href.

    Its blocks are those of a lazy array of stackstac's, each computed in the thread that reads.
    Cells that no pixel of the file reaches are nodata, or masked if the band has none.
    """

    def __init__(self, href: str, warp: Warp, access: Access = OPEN) -> None:
        self.href = href
        self._warp = warp
        self._access = access
        self._file = View.of(href).href
        self._grant = Grant(self._file)
        """What the file is open by."""
        self._stacks: dict[int, Stack] = {}
        self._facts: tuple[Header, Frame] | None = None

    def __reduce__(self) -> tuple[type[WarpedPixels], tuple[str, Warp, Access]]:
        """Pickle the name only: handles stay in their process."""
        return WarpedPixels, (self.href, self._warp, self._access)

    @property
    def header(self) -> Header:
        """What the file says of itself, on the common grid (opens it).

        Raises:
            SourceError: it has no CRS, or does not lie on the grid.
            ReadError: it cannot be opened.
        """
        return self._told[0]

    @property
    def _told(self) -> tuple[Header, Frame]:
        """All that is asked of the file beside its pixels: it is opened for that once."""
        if self._facts is None:
            view = View.of(self.href)
            header, frame = asked_of(
                view, self._access, lambda handle: (file_header(handle, view), Frame.of(handle))
            )
            self._facts = warped_header(header, self._warp, self._file), frame
        return self._facts

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels, shape (band, row, col), of a half-open (top, left, bottom, right) window.

        Raises:
            ReadError: the pixels cannot be read.
        """
        return np.stack([self._read(band, window) for band in bands])

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """Where pixels of the file reach that its own mask does not take, shape (row, col)."""
        return np.asarray(self._read(MASK, window) != NOTHING)

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        for stack in self._stacks.values():
            stack.close()
        self._stacks = {}

    def _read(self, band: int, window: tuple[int, int, int, int]) -> NDArray[Any]:
        check_window(window, self.header.grid.shape, self._file)
        return using(self._access, self._file, lambda grant: self._read_by(grant, band, window))

    def _read_by(self, grant: Grant, band: int, window: tuple[int, int, int, int]) -> NDArray[Any]:
        if grant != self._grant:
            self.close()
        self._grant, was_open = grant, band in self._stacks
        try:
            return self._window(band, window)
        except ReadError as error:
            if not is_remote(self._file):
                raise
            self.close()
            doubt(grant)
            if not (was_open and isinstance(error, PermanentReadError)):
                raise
        # GDAL says of a part that a server refuses only that bytes are missing: asked anew when
        # the file is opened again, it says why.
        return self._window(band, window)

    def _window(self, band: int, window: tuple[int, int, int, int]) -> NDArray[Any]:
        top, left, bottom, right = window
        if band not in self._stacks:
            self._stacks[band] = self._stack(band)
        with settings(self._file, self._grant), computing(self._file):
            return computed(self._stacks[band].array[top:bottom, left:right])

    def _stack(self, band: int) -> Stack:
        header, frame = self._told
        name = gdal_name(self._grant.href)
        dtype = "uint8" if band == MASK else header.dtypes[band - 1]
        nodata = NOTHING if band == MASK else header.nodata[band - 1]
        if band == MASK:
            text = blank_vrt(frame, name)
        else:
            text = band_vrt(frame, name, band, dtype, nodata)
        return stacked(text, header.grid, self._warp.common.resampling, dtype, nodata or 0)
