"""Raster files, whole and spoilt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rioxarray  # noqa: F401 - gives arrays their .rio
import shapely
import xarray as xr
from numpy.typing import NDArray
from rasterio.transform import Affine, from_origin

from tests.made.places import CELL, CRS, LEFT, TOP

BLOCKS: dict[str, Any] = {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "deflate"}
"""A profile of blocks of 32 × 32 cells."""
ROTATED = Affine.translation(LEFT, TOP) @ Affine.rotation(30) @ Affine.scale(CELL, -CELL)
"""A transform whose rows do not run east."""


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint16]:
    """Values from 1 to 9998 of a shape: none of them is 0, which stands for nodata."""
    return np.random.default_rng(seed).integers(1, 9999, shape).astype("uint16")


def write_tif(
    path: Path,
    values: NDArray[Any],
    *,
    left: float = LEFT,
    top: float = TOP,
    cell: float = CELL,
    names: Sequence[str] = (),
    scale: float = 1.0,
    offset: float = 0.0,
    **profile: Any,
) -> str:
    """Write (row, col) or (band, row, col) values as a GeoTIFF; its path.

    Args:
        path: where to write; folders above it are made.
        values: the raw values, north row first.
        left: x of the upper left corner, metres.
        top: y of the upper left corner, metres.
        cell: side of a cell, metres.
        names: description of each band; none if empty.
        scale: factor from raw to physical values, of every band.
        offset: what is added then.
        profile: of rasterio, in place of what follows from the other arguments.
    """
    cube = values if values.ndim == 3 else values[None]
    count, height, width = cube.shape
    usual = {
        "driver": "GTiff", "count": count, "height": height, "width": width, "dtype": cube.dtype,
        "crs": CRS, "transform": from_origin(left, top, cell, cell),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **usual | profile) as file:
        file.write(cube)
        file.scales, file.offsets = (scale,) * count, (offset,) * count
        for band, name in enumerate(names, 1):
            file.set_band_description(band, name)
    return str(path)


def in_xarray(
    values: NDArray[Any],
    *,
    left: float = LEFT,
    top: float = TOP,
    cell: float = CELL,
    crs: Any = CRS,
    nodata: float | None = None,
) -> xr.DataArray:
    """(row, col) values as a DataArray with coordinates, CRS and nodata."""
    height, width = values.shape
    y, x = top - cell * (np.arange(height) + 0.5), left + cell * (np.arange(width) + 0.5)
    made = xr.DataArray(values, {"y": y, "x": x}, ("y", "x"))
    transform = from_origin(left, top, cell, cell)
    made = made.rio.write_crs(crs).rio.write_transform(transform)
    return made if nodata is None else made.rio.write_nodata(nodata)


def spoil(path: str, *blocks: tuple[int, int]) -> None:
    """Overwrite (row, col) blocks of a tiled DEFLATE GeoTIFF, so that they cannot be decoded."""
    with rasterio.open(path) as file:
        spans = [
            tuple(
                int(file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=1))
                for what in ("OFFSET", "SIZE")
            )
            for row, col in blocks
        ]
    with open(path, "r+b") as raw:
        for offset, size in spans:
            raw.seek(offset)
            raw.write(b"\xff" * size)


def unreadable_blocks(path: str, band: int = 1) -> list[shapely.Geometry]:
    """The boxes of the blocks of a file that cannot be decoded, each tried by itself."""
    bad = []
    with rasterio.open(path) as file:
        for _, window in file.block_windows(band):
            try:
                file.read(band, window=window)
            except rasterio.errors.RasterioIOError:
                bad.append(shapely.box(*rasterio.windows.bounds(window, file.transform)))
    return bad
