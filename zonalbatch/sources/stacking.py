"""Stacking: one file as a lazy array on a common grid; the only place that knows stackstac.

What stackstac 0.5.1 does without a word, and what is done about it here:

- of projections it reads ``proj:epsg`` alone, so the item it is given says that;
- ``epsg`` by itself makes another grid, so epsg, resolution and bounds are all given;
- pystac's items say proj:code, so it is given a plain one, of one file;
- scale and offset of STAC 1.1 are ignored, so it is told to apply none: values stay raw;
- a fill value must be of the pixels' type, so it is made that (a plain ``0`` raises);
- coordinates are of corners, so none are asked for: the grid is known;
- a file that is not there (404) is all nodata, so that no error is taken for that;
- a file is opened anew for each block that is computed, so its reader is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rasterio.enums import Resampling as RasterioResampling

from zonalbatch.lattice import TILE, Grid
from zonalbatch.sources.warp import Resampling

__all__ = ["Stack", "stacked"]


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """One file on a common grid."""

    array: Any
    """Lazy DataArray (row, col) in blocks of 512 × 512 cells from the grid's first cell."""
    reader: _KeptReader
    """What reads the blocks."""

    def close(self) -> None:
        """Let go of the file."""
        self.reader.close()


@dataclass(slots=True, eq=False)
class _KeptReader:
    """Makes stackstac's reader of a file the first time, and gives it again after that."""

    made: Any = field(default=None)

    def __call__(self, **keys: Any) -> Any:
        if self.made is None:
            from stackstac.rio_reader import AutoParallelRioReader

            self.made = AutoParallelRioReader(**keys)
        return self.made

    def __dask_tokenize__(self) -> tuple[str, int]:
        return type(self).__name__, id(self)

    def close(self) -> None:
        if self.made is not None:
            self.made.close()


def stacked(
    href: str, grid: Grid, resampling: Resampling, dtype: str, nothing: float | int
) -> Stack:
    """A file of one band on a grid; nothing is opened before a block is computed.

    Args:
        href: what GDAL opens; its own nodata takes no part in the resampling.
        grid: north-up, in a CRS of EPSG's.
        resampling: how a cell's value is made of pixels.
        dtype: of the pixels, and of the array.
        nothing: value of cells without a valid pixel.
    """
    import stackstac
    from stackstac.rio_env import LayeredEnv

    lattice, kind, reader = grid.lattice, np.dtype(dtype), _KeptReader()
    epsg = int(lattice.crs.removeprefix("EPSG:"))
    bounds = lattice.bounds(grid.window)
    array = stackstac.stack(
        [_item(href, epsg, bounds)], assets=["file"], epsg=epsg,
        resolution=(lattice.dx, lattice.dy), bounds=bounds, snap_bounds=False,
        resampling=RasterioResampling[resampling], chunksize=TILE, dtype=kind,
        fill_value=kind.type(nothing), rescale=False, xy_coords=False, properties=False,
        band_coords=False, gdal_env=LayeredEnv(always={}), errors_as_nodata=(), reader=reader,
    )  # fmt: skip
    return Stack(array[0, 0], reader)


def _item(href: str, epsg: int, bounds: tuple[float, ...]) -> dict[str, Any]:
    """An item of one file, which says for stackstac where on the grid to look for pixels."""
    placed = {"proj:epsg": epsg, "proj:bbox": list(bounds)}
    return {
        "type": "Feature", "id": "file", "stac_version": "1.0.0", "geometry": None, "links": [],
        "properties": {"datetime": "1970-01-01T00:00:00Z", **placed},
        "assets": {"file": {"href": href, **placed}},
    }  # fmt: skip
