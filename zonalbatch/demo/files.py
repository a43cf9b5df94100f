"""Files: scenes written as cloud-optimised GeoTIFFs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from zonalbatch.demo.land import CELL, CRS, LEFT, TOP
from zonalbatch.demo.scenes import Ground, Weather, draw

__all__ = ["write_scene"]


def write_scene(folder: Path, rng: np.random.Generator, ground: Ground, weather: Weather) -> Path:
    """Draw and write the three files of one scene; returns their folder."""
    scene = folder / "scenes" / f"{weather.when:%Y%m%d}"
    scene.mkdir(parents=True, exist_ok=True)
    bands, classes = draw(rng, ground, weather)
    for name, band in bands.items():
        _write_cog(scene / f"{name}.tif", band, CELL, block=512, scale=0.0001)
    _write_cog(scene / "SCL.tif", classes, 2 * CELL, block=256)
    return scene


def _write_cog(
    path: Path, image: NDArray[Any], cell: float, *, block: int, scale: float = 1.0
) -> None:
    """Write one band as a cloud-optimised GeoTIFF with nodata 0."""
    height, width = image.shape
    with rasterio.open(
        path,
        "w",
        driver="COG",
        width=width,
        height=height,
        count=1,
        dtype=image.dtype,
        crs=CRS,
        transform=from_origin(LEFT, TOP, cell, cell),
        nodata=0,
        compress="DEFLATE",
        predictor="YES" if image.dtype == np.uint16 else "NO",
        blocksize=block,
        overview_resampling="AVERAGE" if image.dtype == np.uint16 else "NEAREST",
    ) as file:
        file.write(image, 1)
        file.scales = (scale,)
