"""Points: values of rasters at points or around them, a GeoDataFrame out."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, Literal

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.errors import InputError
from zonalbatch.frames import zonal_stats
from zonalbatch.given import given_zones
from zonalbatch.recipe import AT_POINTS
from zonalbatch.sources.access import access_given
from zonalbatch.zones import open_zones
from zonalbatch.zones.buffers import circles

__all__ = ["point_query"]

Interpolation = Literal["nearest", "bilinear"]

POINT, MULTIPOINT = 0, 4  # shapely's type ids

Objects = NDArray[np.object_]
Ints = NDArray[np.int64]


def point_query(
    points: Any,
    raster: Any,
    *,
    bands: Any = None,
    interpolate: Interpolation = "nearest",
    radius: float | None = None,
    stats: Sequence[str] | str | None = None,
    id: str | None = None,
    sign: Any = None,
    trusted: bool = False,
) -> geopandas.GeoDataFrame:
    """Values of rasters at points, or statistics of the cells around them.

    ``nearest`` gives the value of the cell that a point lies in; a point on an edge belongs to the
    cell on its right and below. ``bilinear`` weights the four cells whose centres are around the
    point. As in rasterstats 0.21, it falls back where one of them has no value, also because it
    lies outside of the raster: to the cell with the largest weight (of equal ones the upper, then
    the left one), and to null if that has none. Unlike there, a cell of weight 0 is not asked for,
    scale and offset are applied, and -999 is nodata only where the file says so.

    Args:
        points: a GeoDataFrame of points and multipoints, or a path to GeoParquet, GeoPackage,
            GeoJSON, Shapefile.
        raster: a path or URL, a list of them, a DataArray or Dataset with a CRS, STAC items or a
            file of them (``.json``).
        bands: which bands: a number, a name, a list of them, or name -> band; None takes all.
        interpolate: ``nearest`` or ``bilinear``.
        radius: metres; not the value at a point is given then but statistics of the cells within
            a circle about it, drawn in the UTM zone that it lies in, by the exact share of each.
        stats: names of statistics of what lies within the radius; None gives their mean.
        id: column of unique ids that becomes the index; None keeps the index.
        sign: what it takes to read the files, as for `zonal_stats`.
        trusted: True reads also files that may have other files and URLs opened (VRT, HDF5, GML).

    Returns:
        The points' own columns, and ``value``: float64, null where there is none, the mean over the
        points that have one for a multipoint. With a radius a column for each statistic. Several
        bands make ``{name}_value``; several rasters make a row for each point and raster, with a
        column ``layer`` (file stem or item id).

    Raises:
        InputError: points, rasters, bands or statistics cannot be used.
        ReadError: a raster cannot be read.
    """
    _check_way(interpolate, radius, stats)
    sign = access_given(sign, trusted)
    frame = _opened(points, id, trusted)
    _refuse_others(frame)
    if radius is not None:
        asked = "mean" if stats is None else stats
        found = _around(frame, raster, bands, radius, asked, sign)
    else:
        found = _values(frame, raster, bands, AT_POINTS[interpolate], sign)
    return _beside(frame, found)


def _check_way(interpolate: Any, radius: Any, stats: Any) -> None:
    if interpolate not in AT_POINTS:
        raise InputError(f"interpolate {interpolate!r} is unknown; use {' or '.join(AT_POINTS)}")
    if radius is None:
        if stats is not None:
            raise InputError(
                f"stats {stats!r} are of what lies around points; give a radius in metres, or "
                "leave stats out for the values at the points"
            )
        return
    if not (isinstance(radius, int | float) and 0 < radius < math.inf):
        raise InputError(f"radius must be a positive number of metres, not {radius!r}")
    if interpolate != "nearest":
        raise InputError(f"interpolate={interpolate!r} has no meaning with a radius; leave it out")


def _opened(points: Any, id: str | None, trusted: bool) -> geopandas.GeoDataFrame:
    """The points with their own columns, and the ids as their index."""
    if isinstance(points, str | os.PathLike):
        reader = given_zones(points, id=id, columns=["*"], trusted=trusted)
        if any(source.by_id for source in reader.sources):
            raise InputError(f"{points} is a raster; give the points first, then rasters")
        table, shapes = reader.whole()
        carried = table.select(reader.carried.names).to_pandas()
        frame = geopandas.GeoDataFrame(carried, geometry=shapes, crs=reader.crs)
        return frame if id is None else frame.set_index(pd.Index(table["zone_id"], name=id))
    if hasattr(points, "compute"):
        points = points.compute()
    if id is not None or not isinstance(points, geopandas.GeoDataFrame):
        open_zones(points, id=id).whole()  # says what is wrong with them or with their ids
    return points if id is None else points.set_index(id)


def _refuse_others(frame: geopandas.GeoDataFrame) -> None:
    shapes = np.asarray(frame.geometry.array, dtype=object)
    others = ~np.isin(shapely.get_type_id(shapes), (-1, POINT, MULTIPOINT))
    wrong = np.flatnonzero(others & ~shapely.is_empty(shapes))
    if wrong.size:
        raise InputError(
            f"points must be points, but row {wrong[0]} is a {shapes[wrong[0]].geom_type} "
            f"({wrong.size} like it); zonal_stats takes lines and areas"
        )


def _around(
    frame: geopandas.GeoDataFrame, raster: Any, bands: Any, radius: float, stats: Any, sign: Any
) -> pd.DataFrame:
    """Statistics of the circles about points."""
    shapes = np.asarray(frame.geometry.array, dtype=object)
    drawn = circles(shapes, CRS(frame.crs), radius) if frame.crs is not None else shapes
    return _told(drawn, frame.crs, raster, stats, bands, "fraction", sign)


def _values(
    frame: geopandas.GeoDataFrame, raster: Any, bands: Any, rule: CoverageRule, sign: Any
) -> pd.DataFrame:
    """The value of each point; of a multipoint the mean over its points."""
    parts, row = _parts(np.asarray(frame.geometry.array, dtype=object))
    found = _told(parts, frame.crs, raster, "value", bands, rule, sign)
    if len(parts) == len(frame):
        return found
    count = len(found) // len(parts)
    feature = (row[:, None] * count + np.arange(count)).reshape(-1)
    together = found.groupby(feature)
    own = found.columns.difference(["layer", "datetime"])
    return together.head(1).assign(**{name: together[name].mean().to_numpy() for name in own})


def _parts(shapes: Objects) -> tuple[Objects, Ints]:
    """Single points, at least one for each shape, and the row that each comes from."""
    whole = shapely.get_num_geometries(shapes) == 0  # of what is empty or missing
    parts, row = shapely.get_parts(shapes, return_index=True)
    rows = np.concatenate([row, np.flatnonzero(whole)])
    order = np.argsort(rows, kind="stable")
    return np.concatenate([parts, shapes[whole]])[order], rows[order]


def _told(
    shapes: Objects, crs: Any, raster: Any, stats: Any, bands: Any, rule: CoverageRule, sign: Any
) -> pd.DataFrame:
    """What zonal_stats says of bare shapes, without their geometry."""
    bare = geopandas.GeoDataFrame(geometry=shapes, crs=crs)
    return zonal_stats(bare, raster, stats, bands=bands, coverage=rule, geometry=False, sign=sign)


def _beside(frame: geopandas.GeoDataFrame, found: pd.DataFrame) -> geopandas.GeoDataFrame:
    """What was found beside the points' own columns, in their order."""
    clash = found.columns.intersection(frame.columns)
    if len(clash):
        raise InputError(f"the points have a column {clash[0]!r} already; rename it first")
    count = len(found) // len(frame)
    rows = frame if count == 1 else frame.iloc[np.repeat(np.arange(len(frame)), count)]
    shape = frame.geometry.name
    columns = {name: rows[name] for name in rows.columns if name != shape}
    columns |= {name: found[name].to_numpy() for name in found.columns}
    columns[shape] = rows[shape]
    return geopandas.GeoDataFrame(columns, index=rows.index, geometry=shape)
