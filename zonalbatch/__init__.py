"""Exact zonal statistics of many zones over many raster scenes, spread over a Dask cluster.

    import zonalbatch as zb

    zb.zonal_stats("fields.gpkg", "ndvi.tif", stats=["mean", "p90"])     # a GeoDataFrame, at once
    report = zb.run(zb.Job.from_file("job.yaml"))                       # a job, on a cluster

Everything is imported when it is first asked for, so that importing the package is cheap. Where
geopandas or xarray is imported already, their objects get an accessor: gdf.zonal.stats("ndvi.tif").
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "Job", "Results", "__version__", "aio", "clip", "errors", "explain", "extract_raster",
    "open_results", "plan", "point_query", "run", "search", "zonal_stats",
]  # fmt: skip

if TYPE_CHECKING:
    from zonalbatch import aio, errors
    from zonalbatch.api import plan, run
    from zonalbatch.explanation.inquiry import explain
    from zonalbatch.extract.chips import clip
    from zonalbatch.extract.raster import extract_raster
    from zonalbatch.frames import zonal_stats
    from zonalbatch.job import Job
    from zonalbatch.points import point_query
    from zonalbatch.results import Results, open_results
    from zonalbatch.searches.answer import search

_HOMES = {
    "Job": "job",
    "clip": "extract.chips",
    "Results": "results",
    "explain": "explanation.inquiry",
    "extract_raster": "extract.raster",
    "open_results": "results",
    "plan": "api",
    "point_query": "points",
    "run": "api",
    "search": "searches.answer",
    "zonal_stats": "frames",
}


def __getattr__(name: str) -> Any:
    if name in ("aio", "errors"):
        return import_module(f"zonalbatch.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'zonalbatch' has no attribute {name!r}")
    return getattr(import_module(f"zonalbatch.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


if not {"geopandas", "xarray"}.isdisjoint(sys.modules):
    import_module("zonalbatch.accessors")
