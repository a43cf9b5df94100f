"""Surface: the raster of a call, a band of a file or an array with its affine."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.compat.engine import OpenBand
from zonalbatch.compat.plane import MatrixPixels, open_file
from zonalbatch.lattice import Grid, Window
from zonalbatch.sources import Pixels

__all__ = ["NodataWarning", "Surface", "open_surface"]

DEFAULT_NODATA = -999
"""What means no data where nothing says so, as in rasterstats."""


class NodataWarning(UserWarning):
    """No value was said to mean no data; -999 is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """One band that zones lie on."""

    href: str | None
    """The file, if it is one."""
    pixels: Pixels
    band: int
    """Number of the band, from 1."""
    nodata: float | int
    """Raw value that means no data."""

    @property
    def grid(self) -> Grid:
        """Where the cells lie."""
        return self.pixels.header.grid

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return np.dtype(self.pixels.header.dtypes[self.band - 1])

    def opened(self) -> OpenBand:
        """The band as the engine takes it; NaN counts as NaN, not as nodata."""
        nodata = "none" if math.isnan(self.nodata) else self.nodata
        return OpenBand(
            pixels=self.pixels, href=self.href, band=self.band, nodata=nodata, scaling=(1.0, 0.0)
        )

    def inside(self, windows: NDArray[np.int64]) -> bool:
        """True if windows (zone, 4) of the lattice's cells lie in the raster, all of them."""
        whole = np.array(self.grid.window)
        return bool((windows[:, :2] >= whole[:2]).all() and (windows[:, 2:] <= whole[2:]).all())

    def read(self, window: Window) -> np.ma.MaskedArray[Any, Any]:
        """The pixels of a window of the lattice's cells, north up; nodata beyond the raster.

        What the file itself masks is masked.
        """
        out = np.ma.masked_array(np.full(window.shape, self._fill(), self.dtype), mask=False)
        part = window.intersect(self.grid.window)
        if not part.empty:
            at = part.shift(-window.top, -window.left)
            out[at.top : at.bottom, at.left : at.right] = self._read(part)
        return out

    def _fill(self) -> float | int:
        """Nodata, or 0 where the type cannot hold it, as GDAL fills."""
        if self.dtype.kind == "f":
            return self.nodata
        told = np.iinfo(self.dtype) if self.dtype.kind in "iu" else None
        held = told is not None and told.min <= self.nodata <= told.max
        return int(self.nodata) if held else 0

    def _read(self, part: Window) -> np.ma.MaskedArray[Any, Any]:
        own = self.grid.window
        top, left, bottom, right = part.shift(-own.top, -own.left)
        if self.grid.south_up:
            top, bottom = own.shape[0] - bottom, own.shape[0] - top
        window = (top, left, bottom, right)
        found = np.ma.masked_array(self.pixels.read([self.band], window)[0])
        if self.pixels.header.masked:
            found = np.ma.masked_array(found, mask=~self.pixels.read_mask(window))
        return found[::-1] if self.grid.south_up else found


def open_surface(raster: Any, affine: Any, nodata: float | None, band: int) -> Surface:
    """The band of a file, or an array with its affine.

    Raises:
        ValueError: an array without an affine, or not of two dimensions.
        OSError: a file that cannot be read.
    """
    if isinstance(raster, np.ndarray):
        if affine is None:
            raise ValueError("Specify affine transform for numpy arrays")
        value = _told(nodata)
        return Surface(None, MatrixPixels(_filled(raster, value), affine), 1, value)
    path, pixels = open_file(os.fspath(raster))
    header = pixels.header
    if not 1 <= band <= len(header.dtypes):
        raise IndexError(f"band {band} is not in {path}, which has {len(header.dtypes)}")
    if header.masked:
        warnings.warn("Setting masked to True because dataset mask has been detected", stacklevel=4)
    tag = header.nodata[band - 1]
    return Surface(path, pixels, band, _told(tag if nodata is None else float(nodata)))


def _filled(raster: NDArray[Any], nodata: float | int) -> NDArray[Any]:
    """The values, with nodata where a masked array is masked, in a type that holds it."""
    if not np.ma.is_masked(raster):
        return np.asarray(raster)
    kind = np.result_type(raster.dtype, np.min_scalar_type(nodata))
    return np.asarray(np.ma.filled(raster.astype(kind), nodata))


def _told(nodata: float | int | None) -> float | int:
    if nodata is not None:
        return nodata
    warnings.warn("Setting nodata to -999; specify nodata explicitly", NodataWarning, stacklevel=5)
    return DEFAULT_NODATA
