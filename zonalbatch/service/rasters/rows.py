"""Batch measuring: the rows of many features on one raster, as Arrow has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import shapely

from zonalbatch.errors import ZonalbatchError
from zonalbatch.service.areas import area_of
from zonalbatch.service.desk import Desk
from zonalbatch.service.figures import BINNED, COUNTED
from zonalbatch.service.rasters.measuring import Measure, measured
from zonalbatch.service.rasters.opening import asset_raster, file_raster
from zonalbatch.service.refusals import Refusal, refusal_of

__all__ = ["Source", "batch_rows", "schema_of"]

TYPES = {
    COUNTED: pa.map_(pa.string(), pa.float64()),
    BINNED: pa.struct({"edges": pa.list_(pa.float64()), "counts": pa.list_(pa.float64())}),
}
"""Of the figures that are more than one number."""


@dataclass(frozen=True, slots=True)
class Source:
    """One raster of a batch."""

    url: str
    is_item: bool
    asset: str | None


def schema_of(measure: Measure) -> pa.Schema:
    """The columns of a batch: which feature and raster, the figures, and why there are none."""
    named = [
        (f"band_{n}_{stat}", TYPES.get(stat, pa.float64()))
        for n in measure.bands
        for stat in (*measure.stats, "data_area")
    ]
    fixed = [("feature", pa.int64()), ("source", pa.string()), ("aoi_area", pa.float64())]
    ends = [("status", pa.string()), ("error", pa.string()), ("geometry", pa.binary())]
    return pa.schema([*fixed, *named, *ends])


def batch_rows(
    desk: Desk, measure: Measure, shapes: Sequence[Mapping[str, Any]], source: Source
) -> pa.Table:
    """A row for each feature; all without figures if the raster cannot be read.

    Args:
        desk: of this process.
        measure: what is told.
        shapes: GeoJSON geometries.
        source: the raster.

    Raises:
        Refusal: a feature may not be asked for.
    """
    areas = [area_of(one, desk.settings, bounded=not measure.approximate) for one in shapes]
    rows: list[dict[str, Any]] = [
        {
            "feature": i, "source": source.url, "aoi_area": area.metres, "status": "ok",
            "geometry": shapely.to_wkb(area.shape),
        }
        for i, area in enumerate(areas)
    ]  # fmt: skip
    opened = asset_raster if source.is_item else file_raster
    named = {"asset": source.asset} if source.is_item else {}
    try:
        raster = opened(
            desk, source.url, bands=measure.bands, approximate=measure.approximate, **named
        )
        answers = measured(desk, measure, areas, raster)
    except (Refusal, ZonalbatchError) as error:
        refusal = error if isinstance(error, Refusal) else refusal_of(error, desk.settings.root)
        lost = {"status": "failed", "error": refusal.detail}
        return pa.Table.from_pylist([{**row, **lost} for row in rows], schema_of(measure))
    for row, answer in zip(rows, answers, strict=True):
        for band, figures in answer.items():
            row.update({f"{band}_{name}": value for name, value in figures.items()})
    return pa.Table.from_pylist(rows, schema_of(measure))
