"""The others, each at its best: decoding alone, exactextract, rasterstats, extractrs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import extractrs
import geopandas as gpd
import numpy as np
import rasterio
import rasterstats
import shapely
from exactextract import exact_extract
from numpy.typing import NDArray

from benchmarks.data import CELL

__all__ = [
    "decode",
    "exactextract_stats",
    "extractrs_cover",
    "extractrs_stats",
    "float64_of",
    "image_of",
    "rasterstats_stats",
    "wkb_of",
]

FIVE_STATS = "count mean min max std"

NODATA = -9999.0
"""A value that occurs in no raster of the benchmarks: extractrs wants one."""


def decode(paths: Sequence[Path]) -> int:
    """Read every block of every file once, and do nothing with it; returns the cells read."""
    cells = 0
    for path in paths:
        with rasterio.open(path) as file:
            for _, window in file.block_windows(1):
                cells += file.read(1, window=window).size
    return cells


def exactextract_stats(zones: gpd.GeoDataFrame, paths: Sequence[Path]) -> Any:
    """Five statistics by exactextract, which is fastest when it reads the raster in order."""
    return exact_extract(
        [str(path) for path in paths],
        zones,
        ["count", "mean", "min", "max", "stdev"],
        include_cols=["field_id"],
        strategy="raster-sequential",
        output="pandas",
    )


def rasterstats_stats(
    zones: gpd.GeoDataFrame, raster: Path | NDArray[Any], affine: Any = None
) -> list[dict[str, float]]:
    """Five statistics by rasterstats (whole cells only: it knows no fractions)."""
    return rasterstats.zonal_stats(zones, raster, affine=affine, nodata=0, stats=FIVE_STATS)


def image_of(path: Path) -> tuple[NDArray[Any], Any]:
    """The whole image of a file, and its affine."""
    with rasterio.open(path) as file:
        return file.read(1), file.transform


def wkb_of(shapes: NDArray[np.object_]) -> list[bytes]:
    """Polygons as extractrs takes them (done before the clock starts)."""
    return list(shapely.to_wkb(shapes))


def extractrs_cover(wkb: list[bytes], bounds: tuple[float, float, float, float]) -> Any:
    """Exact coverage by extractrs, kept for any number of rasters."""
    return extractrs.build_cache(wkb, list(range(len(wkb))), *bounds, CELL, CELL)


def extractrs_stats(cover: Any, image: NDArray[np.float64], names: Sequence[str]) -> list[Any]:
    """Statistics by extractrs, one pass for each name: it has no call for several."""
    return [extractrs.apply_stat(cover, image, NODATA, name) for name in names]


def float64_of(image: NDArray[Any]) -> NDArray[np.float64]:
    """A raster as extractrs takes it (its conversion is timed apart)."""
    return image.astype(np.float64)
