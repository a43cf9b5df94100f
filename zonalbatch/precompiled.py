"""Precompiled: every kernel compiled for the types that rasters have, for an image or a machine.

    NUMBA_CACHE_DIR=kernels python -m zonalbatch.precompiled

Nothing here names a kernel's arguments: small made rasters are measured in every way there is, so
what is compiled is what measuring needs. Processes that are given the folder compile nothing.
"""

from __future__ import annotations

import itertools
import multiprocessing
import tempfile
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import rioxarray  # noqa: F401 (gives arrays their `rio`)
import shapely
import xarray as xr

from zonalbatch.api import run
from zonalbatch.frames import zonal_stats
from zonalbatch.job import Job
from zonalbatch.lattice import TILE
from zonalbatch.points import point_query
from zonalbatch.results import open_results
from zonalbatch.sources.inflate import DEFLATE, LZW, Inflation
from zonalbatch.statistics.sketched_zone import SketchedZone
from zonalbatch.statistics.values import HUGE
from zonalbatch.statistics.vocabulary import STATISTICS
from zonalbatch.work.reading import processors

__all__ = ["TYPES", "precompile"]

TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
"""Those that rasters have."""

SIDES = {"EPSG:3035": 10.0, "EPSG:4326": 1e-4}
"""CRS -> side of a cell: one in metres and one in degrees, whose cells may weigh by their area."""

SHAPE = 24, (HUGE + 1) * TILE
"""(row, col) of a raster with room for a zone in more fold tiles than are kept together."""

ALL = [*STATISTICS, "p10"]
WAYS: tuple[Mapping[str, Any], ...] = (
    {"stats": ALL},
    {"stats": ALL, "weight_by": "area", "min_fraction": 0.1},
    {"stats": ["mean", "median", "mode", "frac", "values"], "coverage": "center"},
    {"stats": ["mean", "median", "mode", "frac", "values"], "coverage": "all_touched"},
    {"stats": ["frac", "unique", "class_area"], "classes": [1, 2, 3]},
    {"stats": ["mean", "histogram"], "edges": [0, 2, 4]},
    {"stats": ["histogram"], "bins": {"start": 0, "stop": 4, "count": 4}},
    {"stats": ["median", "p10"], "quantile_method": "inverted_cdf"},
    {"stats": ["mean", "median", "mode"], "measurements": {"twice": "2 * band_1"}},
    {
        "stats": ["mean", "median"],
        "measurements": {"red": "band_1"},
        "mask": {"band": "band_1", "above": 3, "dilate": 15},
    },
)
"""How areas, lines and points may be measured."""


def precompile() -> None:
    """Measure made rasters of every type in every way, and do a job.

    The first type is done alone, so that what is of no type is compiled once.
    """
    first, *others = TYPES
    _measure_all(first)
    with ProcessPoolExecutor(processors(), multiprocessing.get_context("spawn")) as processes:
        deque(processes.map(_measure_all, others), maxlen=0)
    _take_together()
    with tempfile.TemporaryDirectory() as folder:
        _run(Path(folder))


def _measure_all(dtype: str) -> None:
    """All that is of one type, in memory and in files."""
    with warnings.catch_warnings(action="ignore"), tempfile.TemporaryDirectory() as folder:
        for crs in SIDES:
            _measure(_raster(crs, dtype), crs)
        _decompress(Path(folder) / "blocks.tif", dtype)


def _measure(raster: xr.DataArray, crs: str) -> None:
    """Every way with zones of every kind, values at points, and zones that are labels."""
    areas, lines, points = _zones(crs)
    for way, zones in itertools.product(WAYS, (areas, lines, points)):
        weights = _raster(crs, "float32") if way["stats"] is ALL else None
        zonal_stats(zones, raster, **way, weights=weights)
    for interpolate in ("nearest", "bilinear"):
        point_query(points, raster, interpolate=interpolate)
    if raster.dtype.kind in "iu":
        zonal_stats(raster[:, :9], raster)


def _raster(crs: str, dtype: str) -> xr.DataArray:
    """Values 0 to 6, of which 0 is nodata."""
    (height, width), side = SHAPE, SIDES[crs]
    values = (np.indices(SHAPE).sum(axis=0) % 7).astype(dtype)
    y, x = (height - np.arange(height) - 0.5) * side, (np.arange(width) + 0.5) * side
    raster = xr.DataArray(values, {"y": y, "x": x}, ("y", "x"), name="band_1")
    return raster.rio.write_crs(crs).rio.write_nodata(0)


def _zones(crs: str) -> Iterator[geopandas.GeoDataFrame]:
    """Areas in one fold tile, in a few and in many, one with a hole; lines; points."""
    height, width = SHAPE
    areas = [
        shapely.box(1.3, 1.3, 9.6, 9.6) - shapely.box(3.2, 3.2, 5.1, 5.1),
        shapely.box(TILE - 9.6, 2.2, TILE + 9.6, 9.4),
        shapely.box(0.5, 0.5, width - 0.5, height - 0.5),
    ]
    lines = shapely.LineString([(1.3, 1.3), (9.6, 9.1)]), shapely.LineString([(2, 5), (800, 5)])
    points = shapely.points([(1.3, 1.3), (4.5, 4.5), (700.2, 7.7)])
    for shapes in (areas, lines, points):
        scaled = shapely.transform(np.array(shapes), lambda xy: xy * SIDES[crs])
        yield geopandas.GeoDataFrame(geometry=scaled, crs=crs)


def _decompress(path: Path, dtype: str) -> None:
    """Blocks of files of each compression and predictor."""
    values = np.arange(64 * 64, dtype=np.int64).reshape(1, 64, 64).astype(dtype)
    for codec, predictor in itertools.product((DEFLATE, LZW), (1, 2, 3)):
        if predictor == 3 and values.dtype.kind != "f":
            continue
        with rasterio.open(
            path, "w", driver="GTiff", dtype=dtype, count=1, height=64, width=64, tiled=True,
            blockxsize=32, blockysize=32, compress=codec, predictor=predictor,
        ) as file:  # fmt: skip
            file.write(values)
        with rasterio.open(path) as file:
            place = {
                what: int(file.get_tag_item(f"BLOCK_{what}_0_0", "TIFF", bidx=1))
                for what in ("OFFSET", "SIZE")
            }
            inflation = Inflation.of(file, (DEFLATE, LZW))
        assert inflation is not None
        packed = memoryview(path.read_bytes())[place["OFFSET"] :][: place["SIZE"]]
        inflation.put(packed, [0], np.empty((1, 32, 32), dtype), 0, 0)


def _take_together() -> None:
    """A zone of so many values that it is sketched."""
    zone = SketchedZone()
    zone.add(np.ones(9), np.ones(9), np.full(9, 0.5))
    zone.quantiles(np.array([0.1, 0.5]))


def _run(folder: Path) -> None:
    """A job of two dates that keeps states, is told over time, and rolled up."""
    areas, _, _ = _zones("EPSG:3035")
    areas["id"], areas["crop"] = range(len(areas)), "maize"
    areas.to_parquet(folder / "zones.parquet")
    for date in ("20240601", "20240701"):
        _raster("EPSG:3035", "uint16").rio.to_raster(
            folder / f"a_{date}.tif", driver="COG", compress="deflate"
        )
    job = {
        "zones": {"path": str(folder / "zones.parquet"), "id": "id", "columns": ["crop"]},
        "source": {"kind": "cog", "pattern": str(folder / "a_{date:%Y%m%d}.tif")},
        "bands": {"red": 1},
        "statistics": ["mean", "skew", "median"],
        "sketch": True,
        "temporal": "month",
        "output": {"path": str(folder / "out")},
        "cluster": {"kind": "local", "workers": 1},
    }
    run(Job(**job))
    open_results(folder / "out").rollup(by="crop")


if __name__ == "__main__":
    precompile()
