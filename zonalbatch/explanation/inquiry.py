"""Inquiry: the front door for explanations; finds the zone, the layer and the measurement."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zonalbatch.arguments import breakdown_given
from zonalbatch.asked import access_of, find_layers, find_weights, find_zones, recipe_of
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.errors import GridMismatch, InputError, SourceError, ZonesError
from zonalbatch.explanation.explanation import Explanation, explanation_of
from zonalbatch.given import (
    given_bands,
    given_layers,
    given_recipe,
    given_weights,
    given_zones,
)
from zonalbatch.layers import Layer
from zonalbatch.pictures import check_picture
from zonalbatch.planning.offer import on_one_lattice
from zonalbatch.recipe import Recipe, WeightBy, looked_up, pieces_of, wanted
from zonalbatch.sources import (
    Access,
    Pixels,
    Resolution,
    ScaleOffset,
    from_header,
    open_pixels,
    read_headers,
)
from zonalbatch.sources.access import access_given
from zonalbatch.statistics import QuantileMethod
from zonalbatch.work.answer import answering
from zonalbatch.work.ground import Shapes
from zonalbatch.zones import ZoneReader

if TYPE_CHECKING:
    from zonalbatch.job import Job

__all__ = ["explain", "explain_job"]


def explain(
    zones: Any,
    raster: Any,
    zone_id: int | str,
    *,
    layer: str | None = None,
    measurement: str | None = None,
    bands: Any = None,
    measurements: Mapping[str, str] | None = None,
    mask: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    id: str | None = None,
    coverage: CoverageRule = "fraction",
    nodata: float | int | Literal["none"] | None = None,
    scale_offset: ScaleOffset = "auto",
    resolution: Resolution | None = None,
    weights: Any = None,
    weight_by: WeightBy = "fraction",
    quantile_method: QuantileMethod = "linear",
    min_fraction: float = 0.0,
    default_value: float | None = None,
    classes: Mapping[float, str] | Sequence[float] | None = None,
    edges: Sequence[float] | None = None,
    bins: Mapping[str, float] | int | None = None,
    zone_band: int | None = None,
    png: str | os.PathLike[str] | None = None,
    sign: Any = None,
    trusted: bool = False,
) -> Explanation:
    """How the number of one zone on one raster comes about, cell by cell.

    Args:
        zones: as for `zonal_stats`.
        raster: as for `zonal_stats`.
        zone_id: the zone: its value in the column ``id``; without one the index of a frame, or the
            row of a file, counted from 0.
        layer: which of several rasters: file stem or item id.
        measurement: which of several measurements, or bands.
        bands: as for `zonal_stats`, as are ``measurements``, ``mask``, ``id``, ``coverage``,
            ``nodata``, ``scale_offset``, ``resolution``, ``weights``, ``weight_by``,
            ``quantile_method``, ``min_fraction`` and ``default_value``.
        classes: as for `zonal_stats`, as are ``edges`` and ``bins``: how much of the zone each
            has is told then.
        zone_band: as for `zonal_stats`.
        png: a file to draw the zone over its pixels in; needs matplotlib.
        sign: as for `zonal_stats`.
        trusted: True reads also files that may have other files and URLs opened.

    Returns:
        The cells with fractions, raw and physical values, weights if there are any, and the
        reason why one has no value, and the totals that `zonal_stats` gives.

    Raises:
        InputError: there is no such zone, layer or measurement, or what `zonal_stats` refuses;
            a picture is wanted without matplotlib.
        ReadError: a raster's header cannot be read. Pixels that cannot be are told as ``unread``.
    """
    _check_picture(png)
    access = access_given(sign, trusted)
    reader = given_zones(zones, id=id, band=zone_band, trusted=trusted)
    found, arrays = given_layers(
        raster, given_bands(bands, nodata), nodata, scale_offset, None, resolution, access
    )
    weighed, array = given_weights(weights, access)
    stats = "count" if weighed is None else "weighted_mean"
    recipe = given_recipe(
        found, stats, measurements, mask, coverage, weighed, weight_by,
        quantile_method=quantile_method, min_fraction=min_fraction, default_value=default_value,
        breakdown=breakdown_given(classes, edges, bins),
    )  # fmt: skip
    asked = (zone_id, layer, measurement)
    arrays = {**(arrays or {}), **array}
    made = _explained(reader, found.layers, recipe, arrays, access, asked)
    return _drawn(made, png)


def explain_job(
    job: Job,
    zone_id: int | str,
    *,
    layer: str | None = None,
    measurement: str | None = None,
    png: str | os.PathLike[str] | None = None,
) -> Explanation:
    """How the number of one zone, layer and measurement of a job comes about, cell by cell.

    Nothing is read from the job's output or written to it.

    Args:
        job: the job.
        zone_id: the zone, as in the column ``zone_id`` of the results.
        layer: as in the column ``layer``; may be left out where there is one.
        measurement: its name; may be left out where there is one.
        png: a file to draw the zone over its pixels in; needs matplotlib.

    Raises:
        InputError: there is no such zone, layer or measurement; the job cannot be done as it
            stands; a picture is wanted without matplotlib.
    """
    _check_picture(png)
    zones = find_zones(job)
    found, arrays = find_layers(job)
    for failure in found.failures:
        if failure.layer == layer and layer not in {one.id for one in found.layers}:
            raise InputError(f"layer {layer!r} has no row to explain: {failure.cause}")
    asked = (zone_id, layer, measurement)
    layers = on_one_lattice(found.layers)
    weights, array = find_weights(job)
    recipe, arrays = looked_up(recipe_of(job, weights), found), {**arrays, **array}
    made = _explained(zones, layers, recipe, arrays, access_of(job), asked)
    return _drawn(made, png)


def _explained(
    zones: ZoneReader,
    layers: Sequence[Layer],
    recipe: Recipe,
    arrays: Mapping[str, Pixels] | None,
    access: Access,
    asked: tuple[int | str, str | None, str | None],
) -> Explanation:
    """The explanation of the (zone, layer, measurement) that is asked for."""
    measurement = _one("measurement", asked[2], {m.name: m for m in recipe.measurements})
    layer = _one("layer", asked[1], {one.id: one for one in layers})
    zone_id, shape = _zone(zones, asked[0])
    one = replace(recipe, measurements=(measurement,))

    shapes = Shapes(shape, zones.crs)

    def of_piece(piece: Layer) -> Explanation:
        return explanation_of(
            zone_id, zones.id_name, shapes, piece, one,
            open_pixels=lambda href: open_pixels(href, arrays, access),
        )  # fmt: skip

    def told(layer: Layer) -> Explanation:
        pieces = pieces_of(wanted(layer, recipe), one)
        every = [of_piece(piece) for piece in pieces]
        if len(pieces) == 1:
            return every[0]
        met = np.array([[explanation.met] for explanation in every])
        return every[answering(shapes, pieces, met)[0]]

    return _by_file(told, layer, layers, access)


def _by_file(
    told: Callable[[Layer], Explanation], layer: Layer, layers: Sequence[Layer], access: Access
) -> Explanation:
    """As ``told`` says; an item that is wrong about its files is put right once, as in a run."""
    try:
        return told(layer)
    except GridMismatch:
        headers = read_headers([asset.href for asset in layer.assets], access)
        right = [from_header(one, headers) if one is layer else one for one in layers]
        return told(on_one_lattice(right)[layers.index(layer)])


def _one(what: str, name: str | None, known: Mapping[str, Any]) -> Any:
    """What a name stands for; the only one if none is given."""
    if not known:
        raise SourceError(f"there is no {what} to explain")
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is None:
        raise InputError(f"there are {len(known):,} {what}s: name one of {_listed(known)}")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {_listed(known)}"
        raise InputError(f"{what} {name!r} is unknown{hint}")
    return known[name]


def _listed(known: Iterable[Any], most: int = 8) -> str:
    """The first few names."""
    names = [str(name) for name in known]
    return ", ".join(names[:most]) + (f" … ({len(names):,} in all)" if len(names) > most else "")


def _zone(zones: ZoneReader, zone_id: int | str) -> tuple[int | str, pa.Array]:
    """The id of a zone, in the type of the ids, and its shape as WKB."""
    wanted_id = _typed(zones, zone_id)
    first: list[Any] = []
    for batch in zones.batches():
        at = pc.index(batch["zone_id"], wanted_id).as_py()
        if at >= 0:
            return wanted_id.as_py(), batch["geometry"].combine_chunks()[at : at + 1]
        first = first or batch["zone_id"].to_pylist()
    raise ZonesError(
        f"there is no zone {zone_id!r}; ids are those of {zones.id_name!r}, such as "
        f"{_listed(first[:5])}"
    )


def _typed(zones: ZoneReader, zone_id: int | str) -> pa.Scalar:
    try:
        value = int(zone_id) if pa.types.is_integer(zones.id_type) else str(zone_id)
        return pa.scalar(value, zones.id_type)
    except (ValueError, TypeError, OverflowError) as error:
        raise ZonesError(
            f"zone {zone_id!r} cannot be: the ids of {zones.id_name!r} are integers"
        ) from error


def _check_picture(png: str | os.PathLike[str] | None) -> None:
    """Say that a picture cannot be made before anything is read."""
    if png is not None:
        check_picture(Path(png))


def _drawn(made: Explanation, png: str | os.PathLike[str] | None) -> Explanation:
    if png is not None:
        from zonalbatch.explanation.picture import draw

        draw(made, Path(png))
    return made
