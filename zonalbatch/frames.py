"""Statistics at once: zones and rasters in, a GeoDataFrame out, in this process.

The same pipeline as in a worker, without plan, cluster or files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from zonalbatch.arguments import (
    band_index,
    band_keys,
    check_columns,
    check_layout,
    coverage_rule,
    expressions_given,
    id_column,
    mask_values,
    nodata_value,
    rasters_given,
    refuse_later,
    scaling,
    statistics_given,
)
from zonalbatch.errors import (
    GridMismatch,
    InputError,
    PassingReadError,
    PermanentReadError,
    SourceError,
)  # fmt: skip
from zonalbatch.expression import bare, check, parse
from zonalbatch.ground import Shapes
from zonalbatch.layer_work import LayerSummary
from zonalbatch.layers import Failure, Layer, Layers
from zonalbatch.measure import Mask, Measurement
from zonalbatch.planning import on_one_lattice
from zonalbatch.recipe import Recipe
from zonalbatch.result_frame import result_frame
from zonalbatch.sinks.table import Form, check_names, result_columns
from zonalbatch.sources import (
    Band,
    Pixels,
    Resolution,
    ScaleOffset,
    array_layers,
    cog_layers,
    from_header,
    open_pixels,
    read_headers,
    stac_layers,
)  # fmt: skip
from zonalbatch.statistics import parse_statistics
from zonalbatch.summarise import summarise
from zonalbatch.zones import open_zones

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from zonalbatch.coverage import CoverageRule

__all__ = ["zonal_stats"]

MEMORY = 1536 * 1024**2
"""Bytes that buffers are cut to."""


def zonal_stats(
    zones: Any,
    raster: Any,
    stats: Sequence[str] | str = ("count", "mean"),
    *,
    bands: Any = None,
    measurements: Mapping[str, str] | None = None,
    mask: Mapping[str, Any] | None = None,
    id: str | None = None,
    columns: Sequence[str] | None = None,
    prefix: str | None = None,
    coverage: CoverageRule = "fraction",
    weights: None = None,
    nodata: float | int | Literal["none"] | None = None,
    scale_offset: ScaleOffset = "auto",
    group_by: str | None = None,
    datetime_pattern: str | None = None,
    layout: Literal["wide", "long"] = "wide",
    geometry: bool = True,
    progress: bool = False,
    resolution: Resolution | None = None,
) -> geopandas.GeoDataFrame | pd.DataFrame:
    """Statistics of every zone on every raster, computed here and now.

    Args:
        zones: a GeoDataFrame, or a path to GeoParquet, GeoPackage, GeoJSON, Shapefile.
        raster: a path or URL, a list of them, a DataArray or Dataset with a CRS, STAC items or a
            file of them (``.json``).
        stats: names of statistics, as a list or separated by commas.
        bands: which bands: a number, a name, a list of them, or name -> band; None takes all.
        measurements: name -> expression of bands; None measures each band.
        mask: ``{"band": name, "exclude": [...]}`` or ``{"band": name, "include": [...]}``.
        id: column of unique ids that becomes the index; None keeps the index.
        columns: columns of the zones to carry; None carries all.
        prefix: text before the names of result columns.
        coverage: ``fraction``, ``center`` or ``all_touched``; ``bilinear`` is for points. Lines
            weigh by metres in a cell, points by their number (`cover_figures`).
        weights: for later; leave it None.
        nodata: raw value that means no data, for all bands; ``"none"`` ignores the files' tags.
        scale_offset: whose scale and offset to apply.
        group_by: ``"item"`` or None: each raster by itself.
        datetime_pattern: where the date stands in file names, such as ``"%Y%m%d"``.
        layout: ``wide``, a column for each statistic, or ``long``, a row for each.
        geometry: False leaves the geometry out and gives a plain DataFrame.
        progress: True shows a bar.
        resolution: metres, or ``"approx"``: read the coarsest overviews that are no coarser.

    Returns:
        One row for each zone, in the zones' order and with their index, and columns named by
        statistic. Several bands or measurements make ``{name}_{statistic}``; several rasters make
        a row for each zone and raster, with a column ``layer`` (file stem or item id).

    Raises:
        InputError: zones, rasters, bands or statistics cannot be used.
        ReadError: a raster cannot be read.
    """
    refuse_later(weights, group_by)
    check_layout(layout)
    zones = zones.compute() if hasattr(zones, "compute") else zones
    check_columns(zones)
    id = id_column(zones, id)
    frame, reader = _opened(zones, id)
    table, shapes = reader.whole()
    found, arrays = _found(
        raster, _bands(bands, nodata), nodata, scale_offset, datetime_pattern, resolution
    )
    recipe = _recipe(found, stats, measurements, mask, coverage)
    base = _base(frame, table, shapes, reader, id, columns)
    plain = len(recipe.measurements) == 1 and measurements is None
    form = Form(layout=layout, prefix=prefix or "")
    names = {
        key: f"{form.prefix}{key[1]}" if plain else name
        for key, name in result_columns(recipe, form).items()
    }
    if layout == "wide":
        _check_names(names, base, recipe, form)
    summaries = _summaries(Shapes(shapes, reader.crs), found, recipe, arrays, progress)
    several = len(found.layers) > 1
    return result_frame(base, summaries, names, layout, several=several, geometry=geometry)


def _opened(zones: Any, id: str | None) -> tuple[Any, Any]:
    """The zones as a frame, if they are one, and their reader."""
    if isinstance(zones, str | os.PathLike):
        return None, open_zones(zones, id=id, columns=["*"])
    return zones, open_zones(_needed(zones, id), id=id)


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


def _bands(bands: Any, nodata: Any) -> dict[str, Band] | None:
    """Bands by name from a number, a name, a list of them, or a mapping."""
    nodata = nodata_value(nodata)
    if bands is None:
        return None
    if isinstance(bands, str) or not isinstance(bands, Iterable):
        bands = [bands]
    if not isinstance(bands, Mapping):
        bands = {_band_name(band): band for band in bands}
    found = {name: _band(band) for name, band in bands.items()}
    if nodata is None:
        return found
    return {name: replace(band, nodata=nodata) for name, band in found.items()}


def _band_name(band: Any) -> str:
    index = band_index(band)
    return str(band) if index is None else f"band_{index}"


def _band(band: Any) -> Band:
    if isinstance(band, Band):
        return band
    if isinstance(band, Mapping):
        return Band(**band_keys(band))
    index = band_index(band)
    return Band(asset=str(band)) if index is None else Band(index=index)


def _found(
    raster: Any,
    bands: dict[str, Band] | None,
    nodata: Any,
    scale_offset: ScaleOffset,
    datetime_pattern: str | None,
    resolution: Resolution | None = None,
) -> tuple[Layers, Mapping[str, Pixels] | None]:
    """The layers of whatever the user gave."""
    arrays = None
    raster, nodata, scale_offset = (
        rasters_given(raster),
        nodata_value(nodata),
        scaling(scale_offset),
    )
    if hasattr(raster, "dims"):
        if resolution is not None:
            raise InputError("an array has no overviews; coarsen it yourself, or give its file")
        found, arrays = array_layers(raster, bands=bands, scale_offset=scale_offset)
    elif _are_items(raster):
        items = [raster] if hasattr(raster, "assets") else raster
        found = stac_layers(items, bands=bands, scale_offset=scale_offset, resolution=resolution)
    else:
        files = [raster] if isinstance(raster, str | os.PathLike) else raster
        found = cog_layers(
            files=[os.fspath(f) for f in files], bands=bands, scale_offset=scale_offset,
            datetime_pattern=datetime_pattern, resolution=resolution,
        )  # fmt: skip
    for failure in found.failures:
        raise _error(failure)
    if not found.layers:
        raise SourceError("there is no raster; give at least one")
    if bands is None and nodata is not None:
        found = replace(found, layers=tuple(_with_nodata(one, nodata) for one in found.layers))
    return replace(found, layers=on_one_lattice(found.layers)), arrays


def _are_items(raster: Any) -> bool:
    """True for a file of STAC items, an item collection, or a list of items."""
    if isinstance(raster, str | os.PathLike):
        return Path(os.fspath(raster).partition("?")[0]).suffix.lower() in (".json", ".geojson")
    if isinstance(raster, Mapping) or hasattr(raster, "to_dict"):
        return True
    first = next(iter(raster), None) if isinstance(raster, Iterable) else None
    return isinstance(first, Mapping) or hasattr(first, "to_dict")


def _with_nodata(layer: Layer, nodata: Any) -> Layer:
    assets = {name: replace(asset, nodata=nodata) for name, asset in layer.assets.items()}
    return replace(layer, assets=assets)


def _recipe(
    found: Layers,
    stats: Sequence[str] | str,
    measurements: Mapping[str, str] | None,
    mask: Mapping[str, Any] | None,
    coverage: CoverageRule,
) -> Recipe:
    known = list(dict.fromkeys(n for one in found.layers for n in (*one.assets, *one.missing)))
    given = None if mask is None else _mask(mask, known)
    measurements = expressions_given(measurements)
    if measurements is None:
        measurements = {n: n for n in known if given is None or n != given.band}
        expressions = {n: bare(n) for n in measurements}
    else:
        expressions = {n: parse(text) for n, text in measurements.items()}
        for expression in expressions.values():
            check(expression, known)
    if not expressions:
        raise InputError(
            "there is nothing to measure: give a band beside the mask's, or measurements"
        )
    return Recipe(
        measurements=tuple(Measurement(n, e, given) for n, e in expressions.items()),
        statistics=tuple(s.name for s in parse_statistics(statistics_given(stats))),
        coverage=coverage_rule(coverage),
    )


def _mask(mask: Mapping[str, Any], known: Sequence[str]) -> Mask:
    keys = set(mask) if isinstance(mask, Mapping) else set()
    lists = [key for key in ("exclude", "include") if key in keys]
    if "band" not in keys or len(lists) != 1 or len(keys) != 2:
        raise InputError(
            f"mask {mask!r} is not understood; give "
            "{'band': name, 'exclude': [...]} or {'band': name, 'include': [...]}"
        )
    if mask["band"] not in known:
        raise InputError(f"mask band {mask['band']!r} is unknown; known are {', '.join(known)}")
    return Mask(mask["band"], mask_values(lists[0], mask[lists[0]]), keep=lists[0] == "include")


def _check_names(
    names: Mapping[tuple[str, str], str], base: Any, recipe: Recipe, form: Form
) -> None:
    taken = {str(column) for column in base.columns}
    clash = [name for name in names.values() if name in taken]
    if clash:
        check_names(recipe, form, [])
        raise InputError(
            f"the zones have a column {clash[0]!r} already; give a prefix, such as prefix='zb_', "
            "or name the columns to carry"
        )


def _summaries(
    shapes: Shapes,
    found: Layers,
    recipe: Recipe,
    arrays: Mapping[str, Pixels] | None,
    progress: bool,
) -> list[LayerSummary]:
    """The statistics of every layer; items that are wrong about their files are put right once."""
    layers = found.layers
    try:
        return list(_told(_summarised(shapes, layers, recipe, arrays), len(layers), progress))
    except GridMismatch:
        headers = read_headers([a.href for one in layers for a in one.assets.values()])
        layers = on_one_lattice(from_header(one, headers) for one in layers)
        return list(_told(_summarised(shapes, layers, recipe, arrays), len(layers), progress))


def _summarised(
    shapes: Shapes, layers: Sequence[Layer], recipe: Recipe, arrays: Mapping[str, Pixels] | None
) -> Iterable[LayerSummary]:
    for summary in summarise(
        shapes, layers, recipe, open_pixels=lambda href: open_pixels(href, arrays), memory=MEMORY
    ):
        for failure in summary.failures:
            raise _error(failure)
        yield summary


def _error(failure: Failure) -> Exception:
    return (PermanentReadError if failure.permanent else PassingReadError)(failure.cause)


def _told(summaries: Iterable[LayerSummary], of: int, progress: bool) -> Iterable[LayerSummary]:
    if not progress:
        return summaries
    from rich.progress import track

    return track(summaries, description="rasters", total=of)
