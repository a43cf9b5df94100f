"""Given: the bands, layers and recipe that the arguments of a call stand for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zonalbatch.arguments import (
    band_index,
    band_keys,
    coverage_rule,
    default_given,
    expressions_given,
    grouping,
    min_fraction_given,
    nodata_value,
    quantile_method_given,
    rasters_given,
    scaling,
    statistics_given,
    weighing,
    zone_band_given,
)
from zonalbatch.breakdown import Breakdown
from zonalbatch.errors import InputError, SourceError
from zonalbatch.expression import bare, check, parse
from zonalbatch.layers import Asset, Layers
from zonalbatch.masks.arguments import masks_given
from zonalbatch.masks.mask import Mask
from zonalbatch.measure import Measurement
from zonalbatch.planning.plan import on_one_lattice
from zonalbatch.recipe import LISTS, Recipe, WeightBy, check_layers, check_weighing
from zonalbatch.sources import (
    OPEN,
    Access,
    Band,
    GroupBy,
    Pixels,
    Resolution,
    ScaleOffset,
    array_layers,
    cog_layers,
    grouped,
    is_item_table,
    stac_layers,
    weights_asset,
)
from zonalbatch.statistics import QuantileMethod, parse_statistics
from zonalbatch.zones import ZoneReader, open_zones
from zonalbatch.zones.files import open_files

if TYPE_CHECKING:
    from zonalbatch.cover.coverage import CoverageRule

__all__ = ["given_bands", "given_layers", "given_recipe", "given_weights", "given_zones"]


def given_zones(
    zones: Any, *, id: str | None, columns: Sequence[str] = (), band: Any = None,
    trusted: bool = False,
) -> ZoneReader:  # fmt: skip
    """The reader of zones.

    Raises:
        ZonesError: they cannot be used.
        SourceError: a raster of labels has no CRS, or a rotated grid.
    """
    band = zone_band_given(band)
    return open_zones(zones, id=id, columns=columns, band=band, trusted=trusted)


def given_bands(bands: Any, nodata: Any) -> dict[str, Band] | None:
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


def given_layers(
    raster: Any,
    bands: dict[str, Band] | None,
    nodata: Any,
    scale_offset: ScaleOffset,
    datetime_pattern: str | None,
    resolution: Resolution | None = None,
    access: Access = OPEN,
    group_by: GroupBy | None = None,
) -> tuple[Layers, Mapping[str, Pixels] | None]:
    """The layers of whatever the user gave."""
    arrays = None
    raster, nodata, scale_offset = (
        rasters_given(raster),
        nodata_value(nodata),
        scaling(scale_offset),
    )
    if isinstance(raster, list | tuple) and not raster:
        raise SourceError("the list of rasters is empty; a search that fills it found nothing")
    if hasattr(raster, "dims"):
        if resolution is not None:
            raise InputError("an array has no overviews; coarsen it yourself, or give its file")
        found, arrays = array_layers(raster, bands=bands, scale_offset=scale_offset)
    elif _are_items(raster):
        items = [raster] if hasattr(raster, "assets") else raster
        found = stac_layers(
            items, bands=bands, scale_offset=scale_offset, resolution=resolution, access=access
        )
    else:
        files = [raster] if isinstance(raster, str | os.PathLike) else raster
        hrefs = [os.fspath(f) for f in files]
        try:
            found = cog_layers(
                files=hrefs, bands=bands, scale_offset=scale_offset,
                datetime_pattern=datetime_pattern, resolution=resolution, access=access,
            )  # fmt: skip
        except SourceError as error:
            raise _swapped(hrefs) or error from None
    for failure in found.failures:
        raise failure.error
    if not found.layers:
        raise SourceError("there is no raster; give at least one")
    if bands is None and nodata is not None:
        told = (one.each_asset(lambda a: replace(a, nodata=nodata)) for one in found.layers)
        found = replace(found, layers=tuple(told))
    found = grouped(found, grouping(group_by))
    return replace(found, layers=on_one_lattice(found.layers)), arrays


def _swapped(hrefs: Sequence[str]) -> InputError | None:
    """The error for zones that stand where rasters should, if the first of these is that."""
    try:
        open_files(hrefs[0])
    except (InputError, IndexError):
        return None
    return InputError(f"{hrefs[0]} holds zones, not pixels; give the zones first, then rasters")


def _are_items(raster: Any) -> bool:
    """True for a file of STAC items, an item collection, or a list of items."""
    if isinstance(raster, str | os.PathLike):
        path = os.fspath(raster)
        suffix = Path(path.partition("?")[0]).suffix.lower()
        return suffix in (".json", ".geojson") or is_item_table(path)
    if isinstance(raster, Mapping) or hasattr(raster, "to_dict"):
        return True
    first = next(iter(raster), None) if isinstance(raster, Iterable) else None
    return isinstance(first, Mapping) or hasattr(first, "to_dict")


def given_weights(weights: Any, access: Access = OPEN) -> tuple[Asset | None, Mapping[str, Pixels]]:
    """The band that a path, an array, or ``{"path": …, "band": …}`` names, and the array of it."""
    if weights is None:
        return None, {}
    keys = weights if isinstance(weights, Mapping) else {"path": weights}
    raster: Any = keys.get("path")
    usable = isinstance(raster, str | os.PathLike) or hasattr(type(raster), "dims")
    if not usable or not set(keys) <= {"path", "band"}:
        raise InputError(
            f"weights={weights!r}: give a path or URL, a DataArray with a CRS, or "
            "{'path': ..., 'band': number, name or keys}"
        )
    return weights_asset(raster, _band(keys.get("band", 1)), access=access)


def given_recipe(
    found: Layers,
    stats: Sequence[str | Callable[..., Any]] | Callable[..., Any] | str,
    measurements: Mapping[str, str] | None,
    mask: Any,
    coverage: CoverageRule,
    weights: Asset | None = None,
    weight_by: WeightBy = "fraction",
    min_fraction: float = 0.0,
    default_value: float | None = None,
    breakdown: Breakdown = LISTS,
    quantile_method: QuantileMethod = "linear",
) -> Recipe:
    """What to measure of the layers, checked against the bands they have."""
    known = list(dict.fromkeys(name for layer in found.layers for name in layer.bands))
    masks = _masks(mask, found, known)
    measurements = expressions_given(measurements)
    if measurements is None:
        measurements = {n: n for n in known if n not in {mask.band for mask in masks}}
        expressions = {n: bare(n) for n in measurements}
    else:
        expressions = {n: parse(text) for n, text in measurements.items()}
        for expression in expressions.values():
            check(expression, known)
    if not expressions:
        raise InputError(
            "there is nothing to measure: give a band beside the mask's, or measurements"
        )
    statistics = parse_statistics(statistics_given(stats))
    check_weighing(statistics, weights)
    default = default_given(default_value)
    recipe = Recipe(
        measurements=tuple(Measurement(n, e, masks, default) for n, e in expressions.items()),
        statistics=tuple(s.asked for s in statistics),
        coverage=coverage_rule(coverage),
        min_fraction=min_fraction_given(min_fraction, coverage),
        weights=weights,
        weight_by=weighing(weight_by),
        quantile_method=quantile_method_given(quantile_method),
        breakdown=breakdown,
    )
    check_layers(found.layers, recipe)
    return recipe


def _masks(given: Any, found: Layers, known: Sequence[str]) -> tuple[Mask, ...]:
    """Masks by bands that there are, with the names in them looked up."""
    masks = masks_given(given)
    for mask in masks:
        if mask.band not in known:
            raise InputError(f"mask band {mask.band!r} is unknown; known are {', '.join(known)}")
    return found.looked_up(masks)
