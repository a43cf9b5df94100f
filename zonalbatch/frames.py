"""Statistics at once: zones and rasters in, a GeoDataFrame out, in this process.

The same pipeline as in a worker, without plan, cluster or files.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import shapely

from zonalbatch.arguments import (
    breakdown_given,
    check_columns,
    check_layout,
    id_column,
)
from zonalbatch.catalog.offered import is_data_set, offered
from zonalbatch.errors import GridMismatch, InputError, ZonalbatchWarning
from zonalbatch.given import (
    given_bands,
    given_layers,
    given_recipe,
    given_weights,
    given_zones,
)
from zonalbatch.layers import Layer, Layers
from zonalbatch.planning.outside import outside
from zonalbatch.planning.plan import on_one_lattice
from zonalbatch.recipe import Recipe, WeightBy
from zonalbatch.result_frame import fresh_columns, result_frame
from zonalbatch.shown import tracked
from zonalbatch.sinks.table import FIXED, Form, check_names, result_columns
from zonalbatch.sources import (
    Access,
    GroupBy,
    Pixels,
    Resolution,
    ScaleOffset,
    from_header,
    open_pixels,
    read_headers,
)  # fmt: skip
from zonalbatch.sources.access import access_given
from zonalbatch.sources.offsets import contradictions
from zonalbatch.statistics import QuantileMethod, naming
from zonalbatch.work.ground import Shapes
from zonalbatch.work.layer_work import LayerSummary
from zonalbatch.work.summarise import summarise
from zonalbatch.zones import ROW

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from zonalbatch.cover.coverage import CoverageRule

__all__ = ["zonal_stats"]

MEMORY = 1536 * 1024**2
"""Bytes that buffers are cut to."""


def zonal_stats(
    zones: Any,
    raster: Any,
    stats: Sequence[str | Callable[..., Any]] | Callable[..., Any] | str = ("count", "mean"),
    *,
    bands: Any = None,
    measurements: Mapping[str, str] | None = None,
    mask: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    id: str | None = None,
    columns: Sequence[str] | None = None,
    prefix: str | None = None,
    coverage: CoverageRule = "fraction",
    weights: Any = None,
    nodata: float | int | Literal["none"] | None = None,
    scale_offset: ScaleOffset = "auto",
    group_by: GroupBy | None = None,
    datetime_pattern: str | None = None,
    layout: Literal["wide", "long"] = "wide",
    geometry: bool = True,
    progress: bool = False,
    resolution: Resolution | None = None,
    min_fraction: float = 0.0,
    default_value: float | None = None,
    weight_by: WeightBy = "fraction",
    classes: Mapping[float, str] | Sequence[float] | None = None,
    edges: Sequence[float] | None = None,
    bins: Mapping[str, float] | int | None = None,
    quantile_method: QuantileMethod = "linear",
    zone_band: int | None = None,
    sign: Any = None,
    trusted: bool = False,
) -> geopandas.GeoDataFrame | pd.DataFrame:
    """Statistics of every zone on every raster, computed here and now.

    Args:
        zones: a GeoDataFrame, or a path to GeoParquet, GeoPackage, GeoJSON, Shapefile. Or a raster
            of labels, as a path or a DataArray: the cells of each value are a zone, which is its
            id; those of nodata are in none.
        raster: a path or URL, a list of them, a DataArray or Dataset with a CRS, STAC items or a
            file of them (``.json``), or a data set: ``{"kind": "dataset", "name":
            "copernicus_dem:elevation"}``, as ``zonalbatch datasets`` lists them.
        stats: names of statistics, as a list or separated by commas; in a list also functions
            ``f(values, fractions[, weights])`` of a zone's valid cells, row by row from the
            north-west, that return a number or None. Their columns are named as they are.
        bands: which bands: a number, a name, a list of them, or name -> band; None takes all.
        measurements: name -> expression of bands; None measures each band.
        mask: ``{"band": name}`` with one or more of ``exclude`` or ``include`` (raw values, or
            names of classes that items tell), ``bits`` (names that items tell, or
            ``{name: number}``), ``above`` and ``below`` (physical), ``nodata`` (False: cells
            without a value are not masked; True alone: only they are) and ``dilate`` (metres); or
            a list of such.
        id: column of unique ids that becomes the index; None keeps the index, which for a raster
            of labels is ``label``.
        columns: columns of the zones to carry; None carries all.
        prefix: text before the names of result columns.
        coverage: ``fraction``, ``center`` or ``all_touched``; ``bilinear`` is for points. Lines
            weigh by metres in a cell, points by their number (`cover_figures`).
        weights: what weighs the cells of ``weighted_*``: a path or URL, a DataArray, or ``{"path":
            ..., "band": ...}``. It has the rasters' CRS; cells of another size or place
            give each raster's cell their mean by area. A cell without a weight is left out.
        nodata: raw value that means no data, for all bands; ``"none"`` ignores the files' tags.
        scale_offset: whose scale and offset to apply.
        group_by: None or ``"item"``: each raster by itself; ``"datetime"``, ``"solar_day"``,
            ``"all"``: those of one time or day, or all, are one layer, in each cell the first that
            has a valid value.
        datetime_pattern: where the date stands in file names, such as ``"%Y%m%d"``.
        layout: ``wide``, a column for each statistic, or ``long``, a row for each.
        geometry: False leaves the geometry out and gives a plain DataFrame.
        progress: True shows a bar.
        resolution: metres, or ``"approx"``: read the coarsest overviews that are no coarser.
        min_fraction: cells of which an area covers less are left out, as if they were not there.
        default_value: physical value of cells that are nodata, NaN or masked by their file, which
            count as valid then; not of those that ``mask`` takes, or beyond the raster.
        weight_by: ``area`` has averages (mean, std, quantiles, classes) weigh cells of a grid in
            degrees by their area on the ground; counts and sums stay, as do projected grids.
        classes: values, or value -> name: ``frac``, ``unique``, ``class_count`` and ``class_area``
            become a column for each, ``frac_maize``, instead of a list of those that occur.
        edges: rising edges of bins: ``histogram`` becomes a column for each bin, named by its lower
            edge. Bins are half-open, the last is closed.
        bins: bins of the list that ``histogram`` is without edges: how many between each zone's own
            least and largest value (10), or ``{"start": a, "stop": b, "count": n}`` for all zones.
        quantile_method: ``linear`` interpolates between values; ``inverted_cdf`` gives the least
            value up to which the shares come to the quantile, both as NumPy's with weights.
        zone_band: which band of a raster of labels holds the zones, from 1; None takes its only
            one.
        sign: what it takes to read the files: ``"planetary-computer"``, ``{"kind": "aws",
            "requester_pays": True, "profile": ..., "anonymous": ..., "region": ...}`` or ``{"kind":
            "headers", "headers": {"Authorization": "Bearer ${TOKEN}"}, "hosts": [...]}``, where
            ``${TOKEN}`` is an environment variable.
        trusted: True reads also files that may have other files and URLs opened (VRT, HDF5, GML).

    Returns:
        One row for each zone, in the zones' order (labels ascend) and with their index, and columns
        named by statistic. Several bands or measurements make ``{name}_{statistic}``; several
        rasters make a row for each zone and raster, with a column ``layer`` (file stem or item id).

    Raises:
        InputError: zones, rasters, bands or statistics cannot be used.
        ReadError: a raster cannot be read.
    """
    check_layout(layout)
    zones = zones.compute() if hasattr(zones, "npartitions") else zones
    check_columns(zones)
    id = id_column(zones, id)
    frame, reader = _opened(zones, id, zone_band, trusted)
    if is_data_set(raster):
        of = offered(raster, lambda: reader, bands=bands, measurements=measurements, mask=mask)
        raster, bands, mask, sign = of.raster, of.bands, of.mask, sign or of.sign
        group_by = group_by or of.group_by
        access = access_given(sign, of.trusted)
    else:
        access = access_given(sign, trusted)
    found, arrays = given_layers(
        raster, given_bands(bands, nodata), nodata, scale_offset, datetime_pattern, resolution,
        access, group_by,
    )  # fmt: skip
    table, shapes = reader.whole()
    weighed, array = given_weights(weights, access)
    recipe = given_recipe(
        found, stats, measurements, mask, coverage, weights=weighed, weight_by=weight_by,
        min_fraction=min_fraction, default_value=default_value,
        breakdown=breakdown_given(classes, edges, bins), quantile_method=quantile_method,
    )  # fmt: skip
    arrays = {**(arrays or {}), **array}
    base = _base(frame, table, shapes, reader, id, columns)
    plain = len(recipe.measurements) == 1 and measurements is None
    form = Form(layout=layout, prefix=prefix or "", overviews=resolution is not None)
    names = {
        key: f"{form.prefix}{key[1]}" if plain else name
        for key, name in result_columns(recipe, form).items()
    }
    _check_names(fresh_columns(found.layers, names, form), base, recipe, form)
    with naming(lambda: base.index):
        areas = Shapes(shapes, reader.crs)
        summaries = _summaries(areas, found, recipe, arrays, access, progress)
    notes = [*found.notes, *found.doubts, *_contradictions(summaries)]
    if not any(summary.met.any() for summary in summaries):
        notes.append(outside(shapely.bounds(shapes), found.layers, reader.crs))
    for said in notes:
        warnings.warn(said, ZonalbatchWarning, stacklevel=2)
    return result_frame(base, summaries, names, form, geometry=geometry)


def _contradictions(summaries: Iterable[LayerSummary]) -> list[str]:
    """What is said of files whose tags say another scale or offset than was applied."""
    return contradictions({key: t for one in summaries for key, t in one.contradicted.items()})


def _opened(zones: Any, id: str | None, band: int | None, trusted: bool) -> tuple[Any, Any]:
    """The zones as a frame, if they are one, and their reader."""
    if isinstance(zones, str | os.PathLike) or hasattr(type(zones), "dims"):
        return None, given_zones(zones, id=id, columns=["*"], band=band, trusted=trusted)
    return zones, given_zones(_needed(zones, id), id=id, band=band)


def _needed(zones: Any, id: str | None) -> Any:
    """The geometries, with the column of ids if one is named; the index need not be unique.

    What is no frame, or lacks that column, goes on as it is: the reader says what is wrong.
    """
    whole = hasattr(zones, "columns") and hasattr(zones, "geometry")
    if not whole or not (id is None or id in zones.columns):
        return zones
    named = [] if id is None else [id]
    return zones[[*named, zones.geometry.name]].reset_index(drop=True)


def _base(
    frame: Any,
    table: pa.Table,
    shapes: Any,
    reader: Any,
    id: str | None,
    columns: Sequence[str] | None,
) -> Any:
    """The zones' own columns, in the zones' order."""
    import geopandas

    if frame is None:
        carried = table.select(reader.carried.names).to_pandas()
        frame = geopandas.GeoDataFrame(carried, geometry=shapes, crs=reader.crs)
        id = None if reader.id_name == ROW else reader.id_name
        if id is not None:
            frame = frame.assign(**{id: table["zone_id"].to_numpy()})
    if id is not None:
        frame = frame.set_index(id)
    if columns is None:
        return frame
    unknown = [c for c in columns if c not in frame.columns]
    if unknown:
        raise InputError(
            f"the zones have no column {unknown[0]!r}; they have {', '.join(map(str, frame))}"
        )
    return frame[list(dict.fromkeys([*columns, frame.geometry.name]))]


def _check_names(fresh: Sequence[str], base: Any, recipe: Recipe, form: Form) -> None:
    """Refuse columns of the zones that results would take the place of, and lists in long rows."""
    if form.layout == "long":
        check_names(recipe, form, [])
    taken = {str(column) for column in base.columns}
    clash = [name for name in fresh if name in taken]
    if clash:
        check_names(recipe, form, [])
        ours = clash[0] in FIXED
        way = "rename it" if ours else "give a prefix, such as prefix='zb_'"
        raise InputError(
            f"the zones have a column {clash[0]!r} already; {way}, or name the columns to carry"
        )


def _summaries(
    shapes: Shapes,
    found: Layers,
    recipe: Recipe,
    arrays: Mapping[str, Pixels] | None,
    access: Access,
    progress: bool,
) -> list[LayerSummary]:
    """The statistics of every layer; items that are wrong about their files are put right once."""

    def told(layers: Sequence[Layer]) -> list[LayerSummary]:
        summaries = _summarised(
            shapes, layers, recipe, lambda href: open_pixels(href, arrays, access)
        )
        return list(_told(summaries, len(layers), progress))

    try:
        return told(found.layers)
    except GridMismatch:
        hrefs = [a.href for one in found.layers for a in one.assets]
        headers = read_headers(hrefs, access)
        return told(on_one_lattice(from_header(one, headers) for one in found.layers))


def _summarised(
    shapes: Shapes, layers: Sequence[Layer], recipe: Recipe, opened: Callable[[str], Pixels]
) -> Iterable[LayerSummary]:
    for summary in summarise(shapes, layers, recipe, open_pixels=opened, memory=MEMORY):
        for failure in summary.failures:
            raise failure.error
        yield summary


def _told(summaries: Iterable[LayerSummary], of: int, progress: bool) -> Iterable[LayerSummary]:
    return tracked(summaries, "rasters", of) if progress else summaries
