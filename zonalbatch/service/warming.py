"""Warming: what the first question would wait for is done before a process takes one."""

from __future__ import annotations

import warnings

import geopandas
import numpy as np
import rioxarray  # noqa: F401 (gives arrays their `rio`)
import shapely
import xarray as xr

from zonalbatch.frames import zonal_stats

__all__ = ["warm"]

TYPES = ("uint8", "uint16", "int16", "float32")
"""Those that rasters mostly have."""


def warm() -> None:
    """Measure a few cells in memory, so that the kernels are loaded."""
    zones = geopandas.GeoDataFrame(geometry=[shapely.box(0.1, 0.1, 2.9, 2.9)], crs="EPSG:4326")
    for dtype in TYPES:
        array = xr.DataArray(
            np.ones((4, 4), dtype), dims=("y", "x"),
            coords={"y": np.arange(3.5, -0.5, -1.0), "x": np.arange(0.5, 4.5)},
        ).rio.write_crs("EPSG:4326")  # fmt: skip
        with warnings.catch_warnings(action="ignore"):
            zonal_stats(zones, array, ["mean", "median", "mode"], coverage="all_touched")
