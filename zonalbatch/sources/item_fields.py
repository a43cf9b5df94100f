"""Fields of STAC items: what one says of its time and of the grid and values of its bands.

STAC 1.0 (``raster:bands``, ``eo:bands``) and 1.1 (``bands``) are both read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import shapely

from zonalbatch.errors import SourceError
from zonalbatch.lattice import Grid, grid_of
from zonalbatch.layers import Asset
from zonalbatch.sources.crs import crs_text
from zonalbatch.sources.documents import Doc
from zonalbatch.sources.item_bands import Place, band_docs
from zonalbatch.sources.nodata import held_nodata
from zonalbatch.sources.offsets import Scaling, scaling_of
from zonalbatch.sources.protocol import Band, ScaleOffset
from zonalbatch.sources.view import View

__all__ = ["Sketch", "footprint_told", "geometry_told", "sketch_of", "times_of"]

_DTYPES = re.compile(r"u?int(8|16|32|64)|float(16|32|64)")


def times_of(doc: Doc) -> tuple[datetime | None, datetime | None]:
    """(datetime, datetime_end) of an item, UTC."""
    properties = doc.get("properties") or {}
    instant = properties.get("datetime")
    if instant is not None:
        return _time(instant, doc), None
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    return _time(start, doc), None if end == start else _time(end, doc)


def geometry_told(geometry: Any) -> shapely.Geometry | None:
    """What a GeoJSON geometry stands for; None if it makes no sense."""
    try:
        text = json.dumps(geometry)
    except (TypeError, ValueError):
        return None
    found: shapely.Geometry | None = shapely.from_geojson(text, on_invalid="ignore")
    return found


def footprint_told(doc: Doc) -> bytes | None:
    """Where an item says that its pixels lie, as WKB; None if it says nothing usable."""
    found = geometry_told(doc.get("geometry"))
    area = isinstance(found, shapely.Polygon | shapely.MultiPolygon) and not found.is_empty
    return shapely.to_wkb(found) if area else None


def _time(text: Any, doc: Doc) -> datetime | None:
    if text is None:
        return None
    try:
        when = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    except ValueError as error:
        raise SourceError(
            f"item {doc.get('id')!r} has the datetime {text!r}; write it as RFC 3339"
        ) from error
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """One band of an asset as its item tells it; None leaves a field to the file."""

    href: str
    """Path or URL, absolute."""
    band: int
    """1-based."""
    grid: Grid | None
    """Where its cells lie; None if the item does not say it in full."""
    dtype: str | None
    """NumPy name of the pixels' type."""
    nodata: float | int | Literal["none"] | None
    """Raw value that means no data."""
    scaling: Scaling
    """What turns raw values into physical ones."""
    version: str | None
    """Checksum, or else size in bytes."""

    def asset(self, grid: Grid) -> Asset:
        """The asset that this is on a grid: its own, or the file's."""
        return Asset(
            href=self.href, band=self.band, grid=grid, dtype=self.dtype, nodata=self.nodata,
            scale=self.scaling.scale, offset=self.scaling.offset, scaled_by=self.scaling.by,
            version=self.version,
        )  # fmt: skip


def sketch_of(
    doc: Doc, place: Place, band: Band, scale_offset: ScaleOffset, notes: dict[str, None]
) -> Sketch:
    """What an item says of one band, under what the job says of it."""
    asset = doc["assets"][place.key]
    docs = band_docs(asset)
    own = docs[place.index - 1] if place.index <= len(docs) else Doc()
    sources = (own, asset, doc.get("properties") or {})
    dtype = _first(sources, "data_type")
    dtype = dtype if dtype and _DTYPES.fullmatch(str(dtype)) else None
    # What an item says of complex values is not true of a part of them: the file is asked.
    said = () if band.part else (own, asset)
    return Sketch(
        href=str(View(href=str(asset["href"]), part=band.part)),
        band=place.index,
        grid=_grid(sources, f"asset {place.key!r} of item {doc.get('id')!r}"),
        dtype=dtype,
        nodata=_nodata(band, _first(said, "nodata"), dtype, notes),
        scaling=scaling_of(doc, place.key, said, band.scaling(scale_offset)),
        version=_version(asset),
    )


def _first(sources: Iterable[Doc], *keys: str) -> Any:
    """The value of the first key that any source has, the nearest source first; None if none."""
    for source in sources:
        for key in keys:
            if source.get(key) is not None:
                return source[key]
    return None


def _grid(sources: Sequence[Doc], name: str) -> Grid | None:
    """The grid that the projection fields make; None if they are incomplete or no affine grid."""
    crs = _first(sources, "proj:code", "proj:epsg", "proj:wkt2", "proj:projjson")
    transform, shape = _first(sources, "proj:transform"), _first(sources, "proj:shape")
    if not isinstance(crs, int | str | dict) or not transform or not shape:
        return None
    try:
        if len(transform) < 6 or len(shape) != 2:
            return None
        text = crs_text(f"EPSG:{crs}" if isinstance(crs, int) else crs)
        affine = tuple(float(value) for value in transform[:6])
        return grid_of(text, affine, (int(shape[0]), int(shape[1])), name=name)
    # GDAL's order of the six, a swapped one, or no numbers at all: the file knows better.
    except (SourceError, TypeError, ValueError, OverflowError):
        return None


def _nodata(
    band: Band, stated: Any, dtype: str | None, notes: dict[str, None]
) -> float | int | Literal["none"] | None:
    """The job's nodata, else the item's; "none" where the dtype cannot hold it; None to ask."""
    if band.nodata is not None:
        stated = band.nodata
    if stated is None:
        return None
    if stated == "none":
        return "none"
    try:
        value = stated if isinstance(stated, int) else float(stated)  # "nan", "inf"
    except (TypeError, ValueError):
        return None
    held = value if dtype is None else held_nodata(value, dtype)
    if held is None:
        notes[f"nodata {stated} does not fit {dtype} and means none"] = None
    return "none" if held is None else held


def _version(asset: Doc) -> str | None:
    told = _first((asset,), "file:checksum", "checksum:multihash", "file:size")
    return None if told is None else str(told)
