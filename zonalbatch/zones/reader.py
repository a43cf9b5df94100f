"""The reader: zones streamed from their source and made fit to be measured.

    read ─► ids ─► hash ─► flatten, split at the antimeridian, repair, buffer, orient ─► bounds

Everything is done for a whole batch at once. What stays in memory is one id for each zone, to
see that none comes twice.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from pyproj import CRS

from zonalbatch.errors import ZonalbatchWarning, ZonesError
from zonalbatch.zones.buffers import buffered
from zonalbatch.zones.columns import RESERVED, carried_columns, cast_column
from zonalbatch.zones.crs import one_crs
from zonalbatch.zones.extent import refuse_far
from zonalbatch.zones.identity import (
    checked_ids,
    name_of_ids,
    refuse_duplicates,
    type_of_ids,
    zone_hashes,
)
from zonalbatch.zones.kinds import are_thin, of_one_kind, refuse_all_but_points
from zonalbatch.zones.labels import Labels
from zonalbatch.zones.longitudes import (
    as_drawn,
    at_the_seam,
    refuse_metres,
    split_at_antimeridian,
)
from zonalbatch.zones.origins import sources_of
from zonalbatch.zones.shapes import EMPTY, Objects, flat, note, repaired
from zonalbatch.zones.simple import Senses, ring_senses
from zonalbatch.zones.source import ROW, Source

__all__ = ["ZoneReader", "fit_shapes", "open_zones"]

NOTES = {
    "repaired": "repaired (rings crossed, overlapped or lay outside)",
    "empty": "empty, kept without cells",
    "vanished": "of which the buffer left nothing, kept without cells",
    "infinite": "with coordinates that are not finite, taken as empty",
    "unreadable": "that could not be parsed, taken as empty",
    "split": "crossing the antimeridian, split there",
    "wide": "with an edge of more than 180 degrees of longitude, taken as drawn",
    "moved": "beyond 180 degrees of longitude, brought to -180..180",
    "parts": "made of mixed parts, of which only those of the highest dimension are kept",
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ZoneReader:
    """Zones that are ready to be streamed; made by `open_zones`."""

    crs: str
    """``EPSG:n`` (or another authority's code) where the CRS has one, else WKT2."""
    id_name: str
    """Name of the column or index that the ids come from; ``row`` if they are row numbers."""
    id_type: pa.DataType
    """``int64`` or ``string``."""
    carried: pa.Schema
    """The user's columns that travel with the zones."""
    buffer: float = 0.0
    """Metres by which every zone is grown (or shrunk, if negative)."""
    points: bool = False
    """True refuses zones that are not single points."""
    sources: tuple[Source, ...]
    """The frames, files or raster, in the order in which they are read."""
    tally: Counter[str] = field(default_factory=Counter)
    """How often each thing worth a note was met in the last iteration."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed or repaired, one sentence each; complete once `batches` has ended."""
        return tuple(
            f"{count:,} geometr{'y' if count == 1 else 'ies'} {NOTES[what]}"
            if what in NOTES
            else what
            for what, count in self.tally.items()
        )

    def batches(self, size: int = 65_536) -> Iterator[pa.Table]:
        """Tables of up to ``size`` zones.

        Columns: ``zone_id``; the carried ones; ``geometry`` (WKB: valid, 2-D, of one kind, exterior
        rings counter-clockwise); ``left, bottom, right, top`` (units of the CRS, NaN where the
        zone is empty); ``hash`` (16 bytes).

        Raises:
            ZonesError: an id is null or comes twice, or coordinates are no degrees. Duplicates
                are known for certain at the end only.
        """
        for ids, carried, raw, shapes in self._fitted(size):
            yield self._batch(ids, carried, raw, shapes)

    def shapes(self, size: int = 65_536) -> Iterator[Objects]:
        """The geometries alone, ``size`` at most at a time, as in ``batches`` but without WKB.

        Raises:
            ZonesError: as ``batches``.
        """
        for _, _, _, shapes in self._fitted(size):
            yield shapes

    def whole(self) -> tuple[pa.Table, Objects]:
        """All zones at once: ``zone_id`` and the carried columns, and the geometries.

        For work in one process, which needs neither WKB nor hashes. What the notes say of whole
        files, as which of their layers is read, is warned of: nobody looks at the notes here.

        Raises:
            ZonesError: as ``batches``.
        """
        tables, shapes = [], []
        for ids, carried, _, some in self._fitted(65_536):
            tables.append(pa.table([ids, *carried], names=["zone_id", *self.carried.names]))
            shapes.append(some)
        for said in self.tally.keys() - NOTES.keys():
            warnings.warn(said, ZonalbatchWarning, stacklevel=2)
        if not tables:
            raise ZonesError("there are no zones; check the file, or what was selected from it")
        table, every = pa.concat_tables(tables), np.concatenate(shapes)
        if not any(source.by_id for source in self.sources):
            return table, every
        order = np.argsort(table["zone_id"].to_numpy(), kind="stable")
        return table.take(order), every[order]

    def _fitted(self, size: int) -> Iterator[tuple[pa.Array, list[pa.Array], Objects, Objects]]:
        """Ids, carried columns, shapes before repair and after, batch by batch."""
        self.tally.clear()
        ids: list[pa.Array] = []
        crs = CRS.from_user_input(self.crs)
        for source in self.sources:
            for attributes, raw in source.read(self._wanted, size, self.tally):
                start = sum(map(len, ids))
                ids.append(self._ids(attributes, start, len(raw)))
                carried = [
                    cast_column(attributes.column(f.name), f.type, f.name) for f in self.carried
                ]
                raw, shapes = _made_fit(raw, crs, self.buffer, self.tally)
                refuse_far(shapes, ids[-1], crs)
                if self.points:
                    refuse_all_but_points(raw, start)
                yield ids[-1], carried, raw, shapes
        refuse_duplicates(pa.chunked_array(ids, self.id_type), self.id_name)

    @property
    def _wanted(self) -> list[str]:
        id_column = [] if self.id_name == ROW else [self.id_name]
        return list(dict.fromkeys([*id_column, *self.carried.names]))

    def _ids(self, attributes: pa.Table, start: int, count: int) -> pa.Array:
        if self.id_name == ROW:
            return pa.array(np.arange(start, start + count, dtype=np.int64))
        return checked_ids(attributes.column(self.id_name), self.id_type, self.id_name, start)

    def _batch(
        self, ids: pa.Array, carried: list[pa.Array], raw: Objects, shapes: Objects
    ) -> pa.Table:
        salt = (self.crs.replace("OGC:CRS84", "EPSG:4326"), self.buffer, *self.carried.names)
        before = np.asarray(shapely.to_wkb(raw), dtype=object)
        hashes = zone_hashes(repr(salt), [ids, *carried], before)
        after = _written(before, raw, shapes)
        sides = shapely.bounds(shapes).T
        return pa.table(
            [ids, *carried, pa.array(after, pa.binary()), *map(pa.array, sides),
             hashes],
            names=["zone_id", *self.carried.names, *RESERVED[1:]],
        )  # fmt: skip


def fit_shapes(shapes: Objects, crs: str) -> Objects:
    """Geometries as zones: each of one kind, 2-D, valid; missing ones are empty."""
    return _made_fit(shapes, CRS.from_user_input(crs), 0.0, Counter())[1]


def _made_fit(
    raw: Objects, crs: CRS, buffer: float, tally: Counter[str]
) -> tuple[Objects, Objects]:
    """Shapes before repair, and after."""
    raw = of_one_kind(raw, tally)
    senses = ring_senses(raw)
    raw = flat(raw, np.flatnonzero(senses == 0), tally)
    return raw, _fit(raw, senses, crs, buffer, tally)


def open_zones(
    zones: Any,
    *,
    id: str | None = None,
    columns: Sequence[str] | None = None,
    buffer: float = 0.0,
    layer: str | None = None,
    encoding: str | None = None,
    band: int | None = None,
    points: bool = False,
    trusted: bool = False,
) -> ZoneReader:
    """The zones of a frame, a file or a raster, ready to be streamed.

    Args:
        zones: A GeoDataFrame, a dask_geopandas GeoDataFrame, a DataArray of labels, or a path:
            GeoParquet (a file, a folder, a glob), anything that pyogrio reads, zipped or not, or
            a raster of labels.
        id: The column that names the zones: unique, integers or strings. None takes the index of
            a frame, the row number of a file, and the label of a raster.
        columns: Columns to carry along; ``["*"]`` carries all, None none.
        buffer: Metres by which zones are grown (negative: shrunk), whatever the CRS's units.
        layer: Which layer of a file, such as a GeoPackage; None takes the first that has rows.
        encoding: Of the text in a Shapefile; None takes what it says, else UTF-8 where that fits.
        band: The band of a raster that holds the labels, from 1; None takes its only one.
        points: True refuses zones that are not single points.
        trusted: True reads also files of formats that may have other files and URLs opened.

    Raises:
        ZonesError: no such file or layer, no CRS, an unknown column, or ids of an unusable type.
        SourceError: a raster of labels has no CRS, or a rotated grid.
    """
    sources = sources_of(zones, band, layer, encoding, trusted=trusted)
    if not sources:
        raise ZonesError(f"{zones} holds no file with zones; give a folder or glob of GeoParquet")
    if isinstance(sources[0], Labels):
        sources[0].refuse_columns(id, columns)
    crs = one_crs(sources)
    schema = sources[0].schema
    id_name = name_of_ids(sources[0], id)
    id_type = pa.int64() if id_name == ROW else type_of_ids(schema.field(id_name))
    return ZoneReader(
        crs=crs,
        id_name=id_name,
        id_type=id_type,
        carried=carried_columns(schema, columns, id_name, sources[0]),
        buffer=_finite(buffer),
        points=points,
        sources=tuple(sources),
    )


def _written(before: Objects, raw: Objects, shapes: Objects) -> Objects:
    """WKB of the shapes, given that of the raw ones: most shapes are fit as they come."""
    changed = ~np.fromiter(map(is_, raw, shapes), bool, len(raw))
    after = before.copy()
    after[changed] = shapely.to_wkb(shapes[changed])
    return after


def _finite(buffer: float) -> float:
    if not np.isfinite(buffer):
        raise ZonesError(f"buffer must be a number of metres, not {buffer}")
    return float(buffer)


def _fit(shapes: Objects, senses: Senses, crs: CRS, buffer: float, tally: Counter[str]) -> Objects:
    """Shapes made fit, each as what it is; a buffer makes areas of lines and points."""
    thin = are_thin(shapes)
    if not thin.any():
        return _fit_areas(shapes, senses, crs, buffer, tally)
    out = shapes.copy()
    out[~thin] = _fit_areas(shapes[~thin], senses[~thin], crs, buffer, tally)
    if crs.is_geographic:
        refuse_metres(shapely.bounds(shapes[thin]), crs)
    if buffer:
        out[thin] = shapely.orient_polygons(buffered(shapes[thin], crs, buffer, tally))
    return out


def _fit_areas(
    shapes: Objects, senses: Senses, crs: CRS, buffer: float, tally: Counter[str]
) -> Objects:
    """Valid, polygonal, oriented shapes, grown by the buffer; -180..180 in geographic CRSs.

    Shapes whose rings have a known sense are valid already; the others go through GEOS.
    """
    shapes, senses = shapes.copy(), senses.copy()
    if crs.is_geographic:
        bounds = shapely.bounds(shapes)
        refuse_metres(bounds, crs)
        seam = at_the_seam(bounds)
        if seam.size:
            drawn = as_drawn(shapes[seam], tally)
            shapes[seam], senses[seam] = split_at_antimeridian(drawn, tally), 0
    doubtful = np.flatnonzero(senses == 0)
    shapes[doubtful] = repaired(shapes[doubtful], tally)
    note(tally, "empty", shapely.is_empty(shapes[doubtful]).sum())
    if buffer:
        shapes, doubtful = buffered(shapes, crs, buffer, tally), np.arange(len(shapes))
        senses[:] = 0
    shapes[doubtful[shapely.is_empty(shapes[doubtful])]] = EMPTY
    turned = np.flatnonzero(senses != 1)
    shapes[turned] = shapely.orient_polygons(shapes[turned])
    return shapes
