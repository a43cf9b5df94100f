"""Asked: the zones, layers, recipe and form that a job asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zonalbatch.errors import SourceError
from zonalbatch.job import ArraySource, CogSource, ItemSource, Job, StackSource, StacSource
from zonalbatch.layers import Asset, Layers
from zonalbatch.measure import Measurement
from zonalbatch.recipe import AT_POINTS, Recipe, check_weighing
from zonalbatch.searched import items_of
from zonalbatch.searches.addresses import signed_by
from zonalbatch.sinks.table import Form
from zonalbatch.sources import (
    OPEN,
    Access,
    Pixels,
    array_layers,
    cells_read,
    cog_layers,
    grouped,
    identified,
    stac_layers,
    stack_layers,
    weights_asset,
)
from zonalbatch.sources.access import access_given
from zonalbatch.statistics import parse_statistics
from zonalbatch.temporal import Temporal
from zonalbatch.zones import ZoneReader, open_zones

__all__ = [
    "access_of", "find_layers", "find_weights", "find_zones", "form_of", "recipe_of",
    "temporal_of",
]  # fmt: skip


def recipe_of(job: Job, weights: Asset | None = None) -> Recipe:
    """How a job's numbers are made; ``weights`` are what its key of that name stands for.

    Names of classes and bits are not looked up in its masks (`looked_up`).

    Raises:
        StatisticError: a statistic is unknown, or does not go with the job's weights.
    """
    statistics = parse_statistics(job.statistics)
    check_weighing(statistics, job.weights)
    masks = job.masks()
    recipe = Recipe(
        measurements=tuple(
            Measurement(n, e, masks, job.default_value) for n, e in job.expressions().items()
        ),
        statistics=tuple(s.asked for s in statistics),
        coverage=job.coverage if job.interpolate is None else AT_POINTS[job.interpolate],
        min_fraction=job.min_fraction,
        min_clear=job.min_clear,
        densify=job.zones.densify,
        breakdown=job.breakdown(),
        weights=weights,
        weight_by=job.weight_by,
        quantile_method=job.quantile_method,
        sketch=job.sketch,
    )
    temporal = temporal_of(job)
    needed = () if temporal is None else temporal.states
    return replace(recipe, kept=tuple(s for s in needed if s not in recipe.states))


def temporal_of(job: Job) -> Temporal | None:
    """What a job tells over time; None if nothing.

    Raises:
        StatisticError: a statistic is unknown, or cannot be told of several dates.
    """
    if job.temporal is None:
        return None
    names = job.statistics if job.temporal.statistics is None else job.temporal.statistics
    return Temporal.of(job.temporal.every, names, job.breakdown())


def form_of(job: Job, found: Layers) -> Form:
    """How a job's results are written; the plan decides what ``auto`` means for the geometry."""
    geometry = {"zone": True, "none": False, "auto": None}[job.output.geometry]
    return Form(
        layout=job.output.layout,
        geometry=geometry if job.output.layout == "wide" else False,
        prefix=job.prefix or "",
        ranges=any(layer.datetime_end is not None for layer in found.layers),
        overviews=job.resolution is not None,
    )


def find_zones(job: Job, columns: Sequence[str] = ()) -> ZoneReader:
    """A job's zones, ready to be streamed with some of their columns.

    Raises:
        ZonesError: they cannot be used.
    """
    keys = job.zones
    return open_zones(
        keys.path, id=keys.id, columns=columns, buffer=keys.buffer, layer=keys.layer,
        encoding=keys.encoding, band=keys.band, points=job.interpolate is not None,
        trusted=keys.trusted,
    )  # fmt: skip


def find_layers(job: Job) -> tuple[Layers, Mapping[str, Pixels]]:
    """The layers of a job's source, and the arrays that hold them if they are in memory.

    Raises:
        SourceError: files are missing, a band is unknown, a grid cannot be used.
    """
    found, arrays = _offered(job)
    return grouped(found, job.grouping()), arrays


def _offered(job: Job) -> tuple[Layers, Mapping[str, Pixels]]:
    """What a job's source has to offer, and the arrays that hold it if it is in memory.

    Raises:
        SourceError: files are missing, a band is unknown, a grid cannot be used.
    """
    bands, source = job.bands_to_read(), job.source
    if isinstance(source, CogSource):
        found = cog_layers(
            files=source.files, pattern=source.pattern, bands=bands,
            scale_offset=job.scale_offset, datetime_pattern=source.datetime_pattern,
            resolution=job.resolution, access=access_of(job),
        )  # fmt: skip
        return _with_cells(found, job), {}
    if isinstance(source, StacSource):
        items, notes = items_of(source, lambda: find_zones(job))
        found = stac_layers(
            items, bands=bands, scale_offset=job.scale_offset, resolution=job.resolution,
            access=access_of(job),
        )  # fmt: skip
        found = replace(found, notes=(*notes, *found.notes))
        return _with_cells(found, job), {}
    if isinstance(source, StackSource):
        items, notes = items_of(source, lambda: find_zones(job))
        found = stack_layers(
            items, source.grid(), bands=bands, classes={mask.band for mask in job.masks()},
            scale_offset=job.scale_offset, access=access_of(job),
        )  # fmt: skip
        return replace(found, notes=(*notes, *found.notes)), {}
    if isinstance(source, ArraySource):
        found, arrays = array_layers(source.data, bands=bands, scale_offset=job.scale_offset)
        return identified(found, arrays), arrays
    raise SourceError(f"source kind {source.kind!r} is unknown; use cog, stac, stack or array")


def _with_cells(found: Layers, job: Job) -> Layers:
    """What was found, with a note which cells a resolution stands for."""
    if job.resolution is None:
        return found
    return replace(found, notes=(*found.notes, cells_read(found.layers, job.resolution)))


def find_weights(job: Job) -> tuple[Asset | None, Mapping[str, Pixels]]:
    """The band of a job's weights, and the array that holds it if it is in memory.

    Raises:
        SourceError: the file or the band is missing, or cannot be used.
    """
    if job.weights is None:
        return None, {}
    keys = job.weights
    return weights_asset(
        keys.path, keys.band.band(), scale_offset=job.scale_offset, lasting=True,
        access=access_of(job),
    )  # fmt: skip


def access_of(job: Job) -> Access:
    """How a job's files are read: by the right that it names, else as its API wants it."""
    if isinstance(job.source, ArraySource):
        return OPEN
    sign: Any = job.source.sign
    if sign is None and isinstance(job.source, ItemSource) and job.source.api is not None:
        sign = signed_by(job.source.api)
    reader = None if job.reader is None else job.reader.reader()
    return access_given(sign, job.source.trusted, reader)
