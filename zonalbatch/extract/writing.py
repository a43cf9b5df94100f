"""Writing: a cloud-optimised GeoTIFF, by way of a temporary name.

Windows are written as they come to a plain tiled file beside the result, which GDAL then brings
into the order of a COG, with overviews. What has the result's name is whole.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from zonalbatch.errors import OutputError
from zonalbatch.extract.cells import BLOCK
from zonalbatch.extract.frame import Frame
from zonalbatch.lattice import Window

__all__ = ["Look", "write_cog"]

Look = Mapping[str, Any]
"""What a file says of its band beside its cells: ``tags``, ``units``, ``about``, ``colours``,
``scale``, ``offset``, ``overviews`` (how they are made)."""

CACHE = 256
"""MiB of blocks that GDAL keeps while it writes."""


def write_cog(
    path: Path,
    frame: Frame,
    dtype: str,
    nodata: float | int | None,
    windows: Iterable[tuple[Window, NDArray[Any]]],
    look: Look,
) -> None:
    """Write windows of a frame as a COG.

    Args:
        path: of the file; one that is there is replaced once the new one is whole.
        frame: its cells.
        dtype: NumPy's name of their type.
        nodata: raw value of cells without data.
        windows: all cells of the frame.
        look: what else the file says.

    Raises:
        OutputError: it cannot be written.
    """
    import rasterio
    from rasterio.errors import RasterioError
    from rasterio.shutil import copy

    try:
        with (
            _temporary(path) as spool, _temporary(path) as whole,
            rasterio.Env(GDAL_CACHEMAX=CACHE, GDAL_NUM_THREADS="ALL_CPUS"),
        ):  # fmt: skip
            _spool(spool, frame, dtype, nodata, windows, look)
            copy(
                spool, whole, driver="COG", compress="DEFLATE", predictor="YES", blocksize=BLOCK,
                bigtiff="IF_SAFER", overview_resampling=look["overviews"], num_threads="ALL_CPUS",
            )  # fmt: skip
            os.replace(whole, path)
    except (OSError, RasterioError) as error:
        raise OutputError(f"{path} cannot be written ({error}); name another folder") from error


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A name beside a file, which nobody else uses, and which is gone at the end."""
    name = path.with_name(f".{path.stem}-{uuid.uuid4().hex}.tif")
    try:
        yield name
    finally:
        for one in (name, name.with_name(f"{name.name}.aux.xml")):
            with contextlib.suppress(FileNotFoundError):
                one.unlink()


def _spool(
    path: Path,
    frame: Frame,
    dtype: str,
    nodata: float | int | None,
    windows: Iterable[tuple[Window, NDArray[Any]]],
    look: Look,
) -> None:
    """Write a plain file, quick to write and to read again."""
    import rasterio
    from affine import Affine
    from rasterio import windows as places

    height, width = frame.window.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype=dtype, nodata=nodata,
        crs=frame.lattice.crs, transform=Affine(*frame.transform), tiled=True, blockxsize=BLOCK,
        blockysize=BLOCK, bigtiff="IF_SAFER", sparse_ok=True,
    ) as file:  # fmt: skip
        for window, values in windows:
            row, col = window.top - frame.window.top, window.left - frame.window.left
            at = places.Window(col, row, values.shape[1], values.shape[0])
            file.write(values, 1, window=at)
        file.update_tags(**look["tags"])
        file.set_band_description(1, look["about"])
        if look["units"]:
            file.set_band_unit(1, look["units"])
        if look["colours"]:
            file.write_colormap(1, look["colours"])
        file.scales, file.offsets = (look["scale"],), (look["offset"],)
