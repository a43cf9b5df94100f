"""Accessors: ``gdf.zonal`` on frames of zones, and ``da.zonal`` on rasters of xarray.

They are there once this module is imported, which ``import zonalbatch`` does where geopandas or
xarray is imported already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray

if TYPE_CHECKING:
    import geopandas

__all__ = ["RasterAccessor", "ZonesAccessor"]


@pd.api.extensions.register_dataframe_accessor("zonal")
class ZonesAccessor:
    """Statistics of rasters over the zones of a GeoDataFrame: ``gdf.zonal``."""

    def __init__(self, zones: Any) -> None:
        import geopandas

        if not isinstance(zones, geopandas.GeoDataFrame):
            raise AttributeError("zonal is there for a GeoDataFrame, whose rows are zones")
        self._zones = zones

    def stats(self, raster: Any, stats: Any = None, **settings: Any) -> geopandas.GeoDataFrame:
        """`zonalbatch.zonal_stats` of these zones; arguments and errors are the same."""
        from zonalbatch.frames import zonal_stats

        return zonal_stats(self._zones, raster, **_given(stats), **settings)

    def points(self, raster: Any, **settings: Any) -> Any:
        """`zonalbatch.point_query` of these points; arguments and errors are the same."""
        from zonalbatch.points import point_query

        return point_query(self._zones, raster, **settings)


@xarray.register_dataarray_accessor("zonal")
@xarray.register_dataset_accessor("zonal")
class RasterAccessor:
    """Statistics of a raster over zones: ``da.zonal``, ``ds.zonal``."""

    def __init__(self, raster: Any) -> None:
        self._raster = raster

    def stats(self, zones: Any, stats: Any = None, **settings: Any) -> geopandas.GeoDataFrame:
        """`zonalbatch.zonal_stats` of this raster; arguments and errors are the same."""
        from zonalbatch.frames import zonal_stats

        return zonal_stats(zones, self._raster, **_given(stats), **settings)


def _given(stats: Any) -> dict[str, Any]:
    return {} if stats is None else {"stats": stats}
