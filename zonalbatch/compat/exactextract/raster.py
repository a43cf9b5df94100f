"""Raster sources: one band of a file, of an array, or of whatever else offers windows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.compat.engine import OpenBand
from zonalbatch.compat.plane import PLANE, open_file
from zonalbatch.errors import SourceError
from zonalbatch.lattice import grid_of
from zonalbatch.sources import Header, Pixels, array_layers, crs_text

__all__ = [
    "FileRasterSource", "FilledSource", "GDALRasterSource", "NumPyRasterSource", "RasterSource",
    "RasterioRasterSource", "SourcePixels", "XArrayRasterSource",
]  # fmt: skip

BLOCK = 512
"""Side of the windows that are read of a source, cells."""

Bounds = tuple[float, float, float, float]


class RasterSource:
    """One band, as its extent, its cells' size, and windows of its pixels.

    A class of the user's own needs no more than the methods that raise here.
    """

    band_idx: int = 1
    """Number of the band among those of its file, from 1."""

    def name(self) -> str:
        """What it is called in names of fields; empty if it has no name."""
        return getattr(self, "_name", "") or ""

    def set_name(self, name: str) -> None:
        """Call it so."""
        self._name = name

    def res(self) -> tuple[float, float]:
        """Width and height of a cell."""
        raise NotImplementedError

    def extent(self) -> Bounds:
        """Left, bottom, right, top."""
        raise NotImplementedError

    def srs_wkt(self) -> str | None:
        """Its CRS; None where it is not known."""
        raise NotImplementedError

    def nodata_value(self) -> float | int | None:
        """The value that means no data, if there is one."""
        raise NotImplementedError

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[Any]:
        """Physical values, shape (ny, nx), north up, from a column and a row; may be masked."""
        raise NotImplementedError

    def opened(self) -> OpenBand:
        """The band as the engine takes it."""
        return OpenBand(pixels=SourcePixels(self), href=None, band=1)


class SourcePixels:
    """The windows of a raster source as an open raster with one band."""

    def __init__(self, source: RasterSource, crs: str | None = None) -> None:
        """The pixels of a source, in its own CRS or in another that it is taken to have."""
        self._source, self._lock = source, Lock()
        (left, _, _, top), (dx, dy) = source.extent(), source.res()
        sample = source.read_window(0, 0, *self._some(1))
        width, height = self._some(2**62)
        crs = crs or (crs_text(wkt) if (wkt := source.srs_wkt()) else PLANE)
        self.header = Header(
            grid=grid_of(
                crs, (dx, 0.0, left, 0.0, -dy, top), (height, width),
                name=source.name() or "the raster",
            ),
            dtypes=(str(np.asarray(sample).dtype),), nodata=(source.nodata_value(),),
            scales=(1.0,), offsets=(0.0,), descriptions=(None,),
            block=(min(BLOCK, height), min(BLOCK, width)), masked=True, version="",
        )  # fmt: skip
        self._kept: tuple[Any, Any] = (None, None)

    def _some(self, most: int) -> tuple[int, int]:
        """Width and height, cells, but no more than so many."""
        (left, bottom, right, top), (dx, dy) = self._source.extent(), self._source.res()
        return min(most, round((right - left) / dx)), min(most, round((top - bottom) / dy))

    def _read(self, window: tuple[int, int, int, int]) -> Any:
        top, left, bottom, right = window
        with self._lock:  # pixels and mask of a window are asked for one after the other
            if self._kept[0] != window:
                found = self._source.read_window(left, top, right - left, bottom - top)
                self._kept = window, found
            return self._kept[1]

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Values, shape (1, row, col), of a half-open (top, left, bottom, right) window."""
        return np.ascontiguousarray(np.ma.getdata(self._read(window)))[None]

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """Where the window is not masked."""
        valid: NDArray[np.bool_] = ~np.ma.getmaskarray(self._read(window))
        return valid

    def close(self) -> None:
        """Nothing to let go of: the source belongs to its maker."""


class FilledSource(RasterSource):
    """Another source as numbers of 64 bits, with a default where it has none."""

    def __init__(self, source: RasterSource, default: float) -> None:
        self._source, self._default = source, default

    def res(self) -> tuple[float, float]:
        """Width and height of a cell."""
        return self._source.res()

    def extent(self) -> Bounds:
        """Left, bottom, right, top."""
        return self._source.extent()

    def srs_wkt(self) -> str | None:
        """Its CRS; None where it is not known."""
        return self._source.srs_wkt()

    def nodata_value(self) -> None:
        """Every cell has a number, or is NaN if that is the default."""
        return None

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[Any]:
        """Numbers, shape (ny, nx), north up, from a column and a row."""
        found, nodata = self._source.read_window(x0, y0, nx, ny), self._source.nodata_value()
        silent = np.ma.getmaskarray(found) | (np.ma.getdata(found) == nodata)
        values = np.ma.getdata(found).astype(np.float64)
        return np.where(silent | np.isnan(values), self._default, values)


class NumPyRasterSource(RasterSource):
    """A NumPy array, masked or not, in bounds; without these a cell is one unit wide."""

    def __init__(
        self,
        mat: NDArray[Any],
        xmin: float | None = None,
        ymin: float | None = None,
        xmax: float | None = None,
        ymax: float | None = None,
        *,
        nodata: float | int | None = None,
        name: str | None = None,
        srs_wkt: str | None = None,
    ) -> None:
        sides = (xmin, ymin, xmax, ymax)
        if len({side is None for side in sides}) > 1:
            raise ValueError("give all of xmin, ymin, xmax, ymax, or none of them")
        height, width = mat.shape
        self.mat, self.nodata, self._srs_wkt = mat, nodata, srs_wkt
        self.ext: Any = (0, 0, width, height) if xmin is None else sides
        self.set_name(name or "")

    def res(self) -> tuple[float, float]:
        """Width and height of a cell."""
        (height, width), (left, bottom, right, top) = self.mat.shape, self.ext
        return (right - left) / width, (top - bottom) / height

    def extent(self) -> Bounds:
        """Left, bottom, right, top."""
        return self.ext  # type: ignore[no-any-return]

    def srs_wkt(self) -> str | None:
        """Its CRS; None where it is not known."""
        return self._srs_wkt

    def nodata_value(self) -> float | int | None:
        """The value that means no data, if there is one."""
        return self.nodata

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[Any]:
        """Values, shape (ny, nx), from a column and a row."""
        return self.mat[y0 : y0 + ny, x0 : x0 + nx]


class _OpenedSource(RasterSource):
    """A band of what the engine has opened."""

    _pixels: Pixels
    _href: str | None = None
    _scaled = True
    """False where scale and offset have been applied already."""

    def opened(self) -> OpenBand:
        """The band as the engine takes it."""
        return OpenBand(
            pixels=self._pixels, href=self._href, band=self.band_idx,
            scaling=None if self._scaled else (1.0, 0.0),
        )  # fmt: skip

    def res(self) -> tuple[float, float]:
        """Width and height of a cell."""
        lattice = self._pixels.header.grid.lattice
        return lattice.dx, lattice.dy

    def extent(self) -> Bounds:
        """Left, bottom, right, top."""
        grid = self._pixels.header.grid
        return grid.lattice.bounds(grid.window)

    def srs_wkt(self) -> str | None:
        """Its CRS; None where it is not known."""
        from pyproj import CRS

        crs = self._pixels.header.grid.lattice.crs
        return None if crs == PLANE else str(CRS.from_user_input(crs).to_wkt("WKT1_GDAL"))

    def nodata_value(self) -> float | int | None:
        """The value that means no data, if there is one."""
        return self._pixels.header.nodata[self.band_idx - 1]

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[Any]:
        """Physical values, shape (ny, nx), from a column and a row; may be masked."""
        header, band = self._pixels.header, self.band_idx - 1
        if header.grid.south_up:
            y0 = header.grid.shape[0] - y0 - ny
        window = (y0, x0, y0 + ny, x0 + nx)
        found = self._pixels.read([self.band_idx], window)[0]
        if self._scaled and (header.scales[band], header.offsets[band]) != (1.0, 0.0):
            found = found * header.scales[band] + header.offsets[band]
        if header.masked:
            found = np.ma.masked_array(found, mask=~self._pixels.read_mask(window))
        return found[::-1] if header.grid.south_up else found


class FileRasterSource(_OpenedSource):
    """A band of a file, which the engine reads by itself."""

    def __init__(
        self, ds: str | os.PathLike[str], band_idx: int = 1, *, name: str | None = None
    ) -> None:
        if band_idx <= 0:
            raise ValueError("Raster band index starts from 1!")
        self.band_idx = band_idx
        self.set_name(name or "")
        try:
            self._href, self._pixels = open_file(os.fspath(ds))
        except OSError as error:
            if isinstance(error.__cause__, SourceError) and "rotated" in str(error):
                raise ValueError(f"Rotated rasters are not supported: {error}") from error
            raise


class RasterioRasterSource(FileRasterSource):
    """A band of a dataset of rasterio, or of a file."""

    def __init__(self, ds: Any, band_idx: int = 1, *, name: str | None = None) -> None:
        super().__init__(getattr(ds, "name", ds), band_idx, name=name)
        self.ds = ds  # a file in memory is gone when its dataset is


class GDALRasterSource(FileRasterSource):
    """A band of a dataset of ``osgeo.gdal`` that was opened from a file, or of a file."""

    def __init__(self, ds: Any, band_idx: int = 1, *, name: str | None = None) -> None:
        path = ds.GetDescription() if hasattr(ds, "GetDescription") else ds
        if not path:
            raise ValueError("a dataset in GDAL's memory cannot be read; write it to a file first")
        super().__init__(path, band_idx, name=name)
        self.ds = ds


class XArrayRasterSource(_OpenedSource):
    """A band of a DataArray, or of the first variable of a file that xarray opens.

    Values are taken as they are: xarray has applied scale and offset where it was asked to.
    """

    _scaled = False

    def __init__(self, ds: Any, band_idx: int = 1, *, name: str | None = None) -> None:
        import rioxarray  # noqa: F401 - gives arrays their .rio

        if isinstance(ds, str | os.PathLike):
            import xarray as xr

            opened = xr.open_dataset(ds)
            ds = opened[next(iter(opened.keys()))]
        others = [dim for dim in ds.dims if dim not in (ds.rio.x_dim, ds.rio.y_dim)]
        if len(others) > 1:
            raise ValueError(f"Cannot handle >1 non-spatial dimension: {others}")
        self.ds = ds
        band = ds.isel({others[0]: band_idx - 1}, drop=True) if others else ds
        placed = band if band.rio.crs else band.rio.write_crs(PLANE)
        (self._pixels,) = array_layers(placed)[1].values()
        self.set_name(name or "")
