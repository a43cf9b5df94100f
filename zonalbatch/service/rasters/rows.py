"""Batch measuring: the rows of many features on one raster, as Arrow has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import shapely

from zonalbatch.service.areas import Area, area_of
from zonalbatch.service.desk import Desk
from zonalbatch.service.figures import BINNED, COUNTED
from zonalbatch.service.rasters.measuring import Measure, check_pixels, pixels_of
from zonalbatch.service.rasters.opening import asset_raster, file_raster
from zonalbatch.service.rasters.together import figures_said
from zonalbatch.service.refusals import Refusal
from zonalbatch.service.said import Said, said_by

__all__ = ["Source", "batch_areas", "batch_rows", "lost_rows", "schema_of"]

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


def batch_areas(desk: Desk, shapes: Sequence[Mapping[str, Any]], *, bounded: bool) -> list[Area]:
    """The areas of a batch, checked.

    Args:
        desk: of this process.
        shapes: GeoJSON geometries.
        bounded: False lets them be of any size.

    Raises:
        Refusal: one may not be asked for.
    """
    found = list[Area]()
    for i, shape in enumerate(shapes):
        try:
            found.append(area_of(shape, desk.settings, bounded=bounded))
        except Refusal as refusal:
            raise Refusal(refusal.status, f"feature {i}: {refusal.detail}") from None
    return found


def batch_rows(desk: Desk, measure: Measure, areas: Sequence[Area], source: Source) -> pa.Table:
    """A row for each area; without figures where there are none, with the reason.

    Args:
        desk: of this process.
        measure: what is told.
        areas: of the batch.
        source: the raster.
    """
    said = said_by(partial(_measured, desk, measure, areas, source), desk.settings.root)
    return _table(measure, areas, source, [said] * len(areas) if said.status else said.answer)


def lost_rows(
    measure: Measure, areas: Sequence[Area], source: Source, refusal: Refusal
) -> pa.Table:
    """Rows of a raster of which nothing came back."""
    said = Said(status=refusal.status, detail=refusal.detail)
    return _table(measure, areas, source, [said] * len(areas))


def _measured(desk: Desk, measure: Measure, areas: Sequence[Area], source: Source) -> list[Said]:
    opened = asset_raster if source.is_item else file_raster
    named = {"asset": source.asset} if source.is_item else {}
    raster = opened(desk, source.url, bands=measure.bands, approximate=measure.approximate, **named)
    if not measure.approximate:
        check_pixels(pixels_of(areas, raster), desk.settings.pixels)
    return figures_said(desk, measure, areas, raster)


def _table(
    measure: Measure, areas: Sequence[Area], source: Source, said: Sequence[Said]
) -> pa.Table:
    rows = [_row(i, *pair, source) for i, pair in enumerate(zip(areas, said, strict=True))]
    return pa.Table.from_pylist(rows, schema_of(measure))


def _row(feature: int, area: Area, said: Said, source: Source) -> dict[str, Any]:
    figures = {
        f"{band}_{name}": value
        for band, told in (said.answer or {}).items()
        for name, value in told.items()
    }
    return figures | {
        "feature": feature, "source": source.url, "aoi_area": area.metres,
        "status": "failed" if said.status else "ok", "error": said.detail or None,
        "geometry": shapely.to_wkb(area.shape),
    }  # fmt: skip
