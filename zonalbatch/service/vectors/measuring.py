"""Vector measuring: the numbers of one area on the features of one file.

    area -> its plane -> row groups that can match -> features inside, each by its share -> figures

A feature takes the place that a cell has on a raster, so that every statistic is the engine's. Two
things may be meant by a feature's value, and areal interpolation tells them apart (Goodchild and
Lam, Areal Interpolation: A Variant of the Traditional Spatial Problem, Geo-Processing 1, 1980;
also PySAL's tobler, ``area_interpolate``):

* an amount, spread evenly over the feature, as of people (extensive): ``sum`` = Σ value · share,
  ``density`` = sum / km² of the area; ``count`` = Σ share, ``nodata`` and ``freq_hist`` likewise;
* a rate that holds everywhere in it, as people per km² (intensive): ``mean`` = Σ value · a / Σ a,
  where a is what of the feature lies inside: m² of areas, metres of lines, the number of points.
  So are ``std``, ``median``, percentiles, ``majority`` and ``minority`` weighted.

``min``, ``max``, ``range`` and ``unique`` take all features inside alike. This is the engine's
``weight_by: area``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from zonalbatch.cover.rings import Floats
from zonalbatch.service.areas import Area, area_of
from zonalbatch.service.desk import Desk
from zonalbatch.service.figures import engine_statistics, figures_of
from zonalbatch.service.items import asset_of, item_of
from zonalbatch.service.links import href_within
from zonalbatch.service.refusals import BAD, Refusal
from zonalbatch.service.vectors.boxes import Box
from zonalbatch.service.vectors.extents import SQUARE_METRES, Inside, plane_of
from zonalbatch.service.vectors.figures import numbers_of
from zonalbatch.service.vectors.geoparquet import Features, GeometryColumn, GeoParquet
from zonalbatch.sources.access import using
from zonalbatch.sources.access.grant import Grant
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.documents import Doc
from zonalbatch.sources.ranged import RangedFile
from zonalbatch.zones.longitudes import at_the_seam
from zonalbatch.zones.reader import fit_shapes

__all__ = ["DENSITY", "VectorAnswer", "VectorMeasure", "feature_asset_answer", "vector_answer"]

DENSITY = "density"
"""The sum for each km² of the area, told of features alone."""
MEDIA = ("application/vnd.apache.parquet", "application/x-parquet")
SUFFIXES = (".parquet", ".geoparquet")

VectorAnswer = dict[str, dict[str, Any]]
"""Column -> its figures, and the areas of the shape and of its features with a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorMeasure:
    """What is told of a file of features."""

    columns: tuple[str, ...]
    """Of numbers."""
    geometry_column: str | None
    """None takes the primary one."""
    stats: tuple[str, ...]
    """Names of `FIGURES`, percentiles, and ``density``."""


def vector_answer(
    desk: Desk, measure: VectorMeasure, aoi: Mapping[str, Any], url: str
) -> VectorAnswer:
    """The figures of an area on the features of a file.

    Args:
        desk: of this process.
        measure: what is told.
        aoi: GeoJSON.
        url: of the file.

    Raises:
        Refusal: file or area may not be asked for, or the file cannot be used.
        ZonalbatchError: it cannot be read.
    """
    area = area_of(aoi, desk.settings)
    return _answered(desk, measure, area, desk.href(url))


def feature_asset_answer(
    desk: Desk, measure: VectorMeasure, aoi: Mapping[str, Any], url: str, asset: str | None
) -> VectorAnswer:
    """The figures of an area on an asset of a STAC item.

    Args:
        desk: of this process.
        measure: what is told.
        aoi: GeoJSON.
        url: of the item.
        asset: its name; None takes the first that is GeoParquet.

    Raises:
        Refusal: item, file or area may not be asked for, or the file cannot be used.
        ZonalbatchError: they cannot be read.
    """
    area = area_of(aoi, desk.settings)
    item = item_of(desk, url)
    name = asset_of(item, asset, _tables(item), "GeoParquet file")
    href = href_within(str(item["assets"][name]["href"]), desk.settings.root)
    return _answered(desk, measure, area, href)


def _tables(item: Doc) -> Iterator[str]:
    """The names of assets that seem to be GeoParquet."""
    for name, asset in item["assets"].items():
        kind = str(asset.get("type", "")).partition(";")[0].strip().lower()
        path = str(asset["href"]).partition("?")[0].lower()
        if kind in MEDIA or path.endswith(SUFFIXES):
            yield name


def _answered(desk: Desk, measure: VectorMeasure, area: Area, href: str) -> VectorAnswer:
    def read(grant: Grant) -> VectorAnswer:
        file = GeoParquet(RangedFile(grant), desk.settings)
        file.check_numbers(measure.columns)
        found = _found(file, file.geometry(measure.geometry_column), measure.columns, area)
        return {name: _figures(measure, found, name, area) for name in measure.columns}

    try:
        return using(desk.access(), href, read)
    except UnfitError as error:
        raise Refusal(BAD, f"the file cannot be read by ranges: {error}") from None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The features that lie in an area."""

    share: Floats
    """(feature,) of each."""
    extent: Floats
    """(feature,) of the whole feature: m², metres or 1."""
    areal: bool
    """True of areas."""
    values: Mapping[str, Any]
    """Column -> (feature,) numbers, masked where there is none."""


def _found(
    file: GeoParquet, geometry: GeometryColumn, columns: tuple[str, ...], area: Area
) -> Found:
    plane = plane_of(geometry.crs.to_wkt())
    shape = plane.shown(area.shape)
    inside, values = list[Inside](), list[Mapping[str, Any]]()
    if not shapely.is_empty(shape):
        box = Box(*shapely.bounds(shape).tolist())
        for features in file.read(geometry, columns, box):
            near = _near(features, box, geographic=geometry.crs.is_geographic)
            fit = fit_shapes(features.shapes[near], geometry.crs.to_wkt())
            some = plane.inside(fit, shape)
            inside.append(some)
            values.append({name: features.values[name][near][some.which] for name in columns})
    return _joined(inside, values, columns)


def _joined(
    inside: list[Inside], values: list[Mapping[str, Any]], columns: tuple[str, ...]
) -> Found:
    none = np.zeros(0)
    dimensions = {int(one) for some in inside for one in some.dimension}
    if len(dimensions) > 1:
        raise Refusal(
            BAD,
            "areas, lines or points lie in the area together, and no mean weighs square metres "
            "and metres; ask for files of one kind",
        )
    return Found(
        share=np.concatenate([none, *(some.share for some in inside)]),
        extent=np.concatenate([none, *(some.extent for some in inside)]),
        areal=SQUARE_METRES in dimensions,
        values={
            name: np.ma.concatenate([np.ma.masked_array(none), *(some[name] for some in values)])
            for name in columns
        },
    )


def _near(features: Features, box: Box, *, geographic: bool) -> Any:
    """The features whose bounds meet a box, or may once they are split at the antimeridian."""
    bounds = shapely.bounds(features.shapes)
    left, bottom, right, top = bounds.T
    with np.errstate(invalid="ignore"):
        aside = (left <= box.right) & (right >= box.left)
        if geographic:
            aside[at_the_seam(bounds)] = True
        return np.flatnonzero(aside & (bottom <= box.top) & (top >= box.bottom))


def _figures(measure: VectorMeasure, found: Found, column: str, area: Area) -> dict[str, Any]:
    """What is answered of a column, in the order in which it was asked for."""
    values = found.values[column]
    names = [name for name in measure.stats if name != DENSITY]
    areal = found.areal and not area.is_point
    known = ~np.ma.getmaskarray(values) & np.isfinite(values.data)
    metres = float((found.share * found.extent)[known].sum()) if areal else 0.0
    numbers = numbers_of(values, found.share, found.extent, [*engine_statistics(names), "sum"])
    told = figures_of(names, numbers, area.metres, metres) | {"data_area": metres}
    if DENSITY in measure.stats:
        some = area.metres > 0 and bool(known.any())
        told[DENSITY] = float(numbers["sum"]) / (area.metres / 1e6) if some else None
    return {name: told[name] for name in (*measure.stats, "aoi_area", "data_area")}
