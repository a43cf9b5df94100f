"""Zones: what to summarise over, streamed from a frame or a file and made fit to be measured.

    read ─► ids ─► hash ─► flatten, split at the antimeridian, repair, buffer, orient ─► bounds

Everything is done for a whole batch at once; only the few zones that cross the antimeridian are
visited one by one. A file is never held in memory: what stays is one id for each zone, to see
that none comes twice.
"""

from __future__ import annotations

import difflib
import glob
import json
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import antimeridian
import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import shapely
from pandas.util import hash_array
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from zonalbatch.errors import ZonesError

__all__ = ["ZoneReader", "crs_name", "open_zones", "split_at_antimeridian", "to_longitudes"]

RESERVED = ("zone_id", "geometry", "left", "bottom", "right", "top", "hash")
"""Columns of every batch that are ours; a carried column cannot have these names."""

HASH_KEYS = ("zonalbatch-hash0", "zonalbatch-hash1")
"""Two keys of 16 characters make 128 bits out of a keyed hash of 64.

The hash is SipHash as pandas computes it, because it runs over a whole column in C (100,000
polygons in 15 ms a pass), where a blake2 digest would be a Python call for each zone.
"""

EMPTY = shapely.Polygon()
POLYGON, MULTIPOLYGON, COLLECTION = 3, 6, 7  # shapely's type ids

NOTES = {
    "repaired": "repaired (rings crossed, overlapped or lay outside)",
    "empty": "empty, kept without cells",
    "infinite": "with coordinates that are not finite, taken as empty",
    "unreadable": "that could not be parsed, taken as empty",
    "split": "crossing the antimeridian, split there",
    "moved": "beyond 180 degrees of longitude, brought to -180..180",
    "parts": "made of mixed parts, of which only the polygons are kept",
}

READ_FAULTS = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pa.ArrowException,
    zipfile.BadZipFile,
    OSError,
    RuntimeError,
)

Objects = np.ndarray[Any, np.dtype[np.object_]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


# --- the front door ---------------------------------------------------------------------------


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
    sources: tuple[Source, ...]
    """The frames or files, in the order in which they are read."""
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

        Columns: ``zone_id``; the carried ones; ``geometry`` (WKB: valid, 2-D, polygonal, exterior
        rings counter-clockwise); ``left, bottom, right, top`` (units of the CRS, NaN where the
        zone is empty); ``hash`` (16 bytes).

        Raises:
            ZonesError: an id is null or comes twice, or a geometry is not a polygon. Duplicates
                are known for certain at the end only.
        """
        self.tally.clear()
        ids: list[pa.Array] = []
        for source in self.sources:
            for attributes, shapes in source.read(self._wanted, size, self.tally):
                start = sum(map(len, ids))
                ids.append(self._ids(attributes, start, len(shapes)))
                yield self._batch(ids[-1], attributes, shapes)
        _refuse_duplicates(pa.chunked_array(ids, self.id_type), self.id_name)

    @property
    def _wanted(self) -> list[str]:
        id_column = [] if self.id_name == ROW else [self.id_name]
        return list(dict.fromkeys([*id_column, *self.carried.names]))

    def _ids(self, attributes: pa.Table, start: int, count: int) -> pa.Array:
        if self.id_name == ROW:
            return pa.array(np.arange(start, start + count, dtype=np.int64))
        return _ids(attributes.column(self.id_name), self.id_type, self.id_name, start)

    def _batch(self, ids: pa.Array, attributes: pa.Table, shapes: Objects) -> pa.Table:
        carried = [_cast(attributes.column(f.name), f.type, f.name) for f in self.carried]
        _refuse_lines(shapes, ids)
        shapes = _flat(shapes, self.tally)
        salt = (self.crs.replace("OGC:CRS84", "EPSG:4326"), self.buffer, *self.carried.names)
        hashes = _hashes(repr(salt), [ids, *carried], np.asarray(shapely.to_wkb(shapes)))
        shapes = _fit(shapes, CRS.from_user_input(self.crs), self.buffer, self.tally)
        sides = shapely.bounds(shapes).T
        return pa.table(
            [ids, *carried, pa.array(shapely.to_wkb(shapes), pa.binary()), *map(pa.array, sides),
             hashes],
            names=["zone_id", *self.carried.names, *RESERVED[1:]],
        )  # fmt: skip


def open_zones(
    zones: Any,
    *,
    id: str | None = None,
    columns: Sequence[str] | None = None,
    buffer: float = 0.0,
) -> ZoneReader:
    """The zones of a frame or a file, ready to be streamed.

    Args:
        zones: A GeoDataFrame, a dask_geopandas GeoDataFrame, or a path: GeoParquet (a file, a
            folder, a glob) or anything that pyogrio reads, zipped or not.
        id: The column that names the zones: unique, integers or strings. None takes the index of
            a frame, and the row number of a file.
        columns: Columns to carry along; ``["*"]`` carries all, None none.
        buffer: Metres by which zones are grown (negative: shrunk), whatever the CRS's units.

    Raises:
        ZonesError: no such file, no CRS, an unknown column, or ids of an unusable type.
    """
    sources = _sources(zones)
    if not sources:
        raise ZonesError(f"{zones} holds no file with zones; give a folder or glob of GeoParquet")
    crs = _one_crs(sources)
    schema = sources[0].schema
    id_name = _id_name(sources[0], id)
    id_type = pa.int64() if id_name == ROW else _id_type(schema.field(id_name))
    return ZoneReader(
        crs=crs,
        id_name=id_name,
        id_type=id_type,
        carried=_carried(schema, columns, id_name, sources[0]),
        buffer=_finite(buffer),
        sources=tuple(sources),
    )


def crs_name(crs: CRS) -> str:
    """``EPSG:n`` if the CRS has a code, else another authority's code, else WKT2."""
    code = crs.to_authority("EPSG", min_confidence=100) or crs.to_authority(min_confidence=100)
    return ":".join(code) if code else crs.to_wkt("WKT2_2019")


# --- where zones come from --------------------------------------------------------------------


ROW = "row"
"""Stands for the row number where no column names the zones."""


class Source(Protocol):
    """A frame or a file: knows its CRS and columns at once, gives its rows on demand."""

    @property
    def name(self) -> str:
        """What errors call it."""

    @property
    def index(self) -> str | None:
        """The column that names the zones if the user names none; None for the row number."""

    @property
    def hidden(self) -> frozenset[str]:
        """Columns that are there but not meant by ``*``."""

    @property
    def crs(self) -> CRS | None:
        """The CRS of the geometries, or None if the source does not say."""

    @property
    def schema(self) -> pa.Schema:
        """The columns beside the geometry."""

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        """Rows in order, ``size`` at most at a time: the columns asked for, and the shapes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """A GeoDataFrame, or the partitions of one that Dask holds."""

    parts: tuple[Callable[[], geopandas.GeoDataFrame], ...]
    crs: CRS | None
    schema: pa.Schema
    index: str | None
    name: str = "the GeoDataFrame"
    hidden: frozenset[str] = frozenset()

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        for part in self.parts:
            frame = part()
            shapes = np.asarray(frame.geometry.array, dtype=object)
            for start in range(0, len(frame), size):
                rows = slice(start, start + size)
                with _explained(self.name, tally):
                    attributes = self._table(frame.iloc[rows], columns)
                yield attributes, shapes[rows].copy()

    def _table(self, frame: geopandas.GeoDataFrame, columns: list[str]) -> pa.Table:
        # The index goes by its name; open_zones saw to it that no column has the same.
        values = {name: frame.index if name == self.index else frame[name] for name in columns}
        return pa.table({name: pa.array(column) for name, column in values.items()})


def _frames(frame: Any) -> list[Source]:
    if not hasattr(frame, "npartitions"):
        return [_of_frame(frame, (lambda: frame,), frame.index.is_unique)]
    parts = tuple(_partition(frame, i) for i in range(frame.npartitions))
    return [_of_frame(parts[0](), parts, True)]


def _partition(frame: Any, i: int) -> Callable[[], geopandas.GeoDataFrame]:
    # Synchronous: the client computes one small table, it does not start a cluster's work.
    return lambda: frame.get_partition(i).compute(scheduler="synchronous")


def _of_frame(
    frame: geopandas.GeoDataFrame,
    parts: tuple[Callable[[], geopandas.GeoDataFrame], ...],
    unique: bool,
) -> _Frames:
    name = str(frame.index.name or "index")
    names = frame.columns[frame.dtypes != "geometry"]
    schema = pa.schema([pa.field(str(each), _type_of(frame[each])) for each in names])
    index = None
    if unique and frame.index.nlevels == 1 and name not in schema.names:
        values = pa.array(frame.index)
        if _plain(values.type) in (pa.int64(), pa.string()) or pa.types.is_integer(values.type):
            schema, index = schema.append(pa.field(name, values.type)), name
    crs = _try_crs(frame.crs)
    return _Frames(parts, crs, schema, index, hidden=frozenset({index or ""}))


def _type_of(column: pd.Series) -> pa.DataType:
    """The Arrow type of a column; null for what Arrow cannot hold, an error if it is carried."""
    try:
        return pa.array(column).type
    except pa.ArrowException:
        return pa.null()


@dataclass(frozen=True, slots=True, eq=False)
class _GeoParquet:
    """One GeoParquet file."""

    path: Path
    geometry: str
    """Its primary geometry column, WKB."""
    crs: CRS | None
    schema: pa.Schema
    hidden: frozenset[str]
    index: str | None = None

    @property
    def name(self) -> str:
        return str(self.path)

    @classmethod
    def open(cls, path: Path) -> _GeoParquet:
        schema = pq.read_schema(path)
        try:
            geo = json.loads((schema.metadata or {})[b"geo"])
            about = geo["columns"][geo["primary_column"]]
        except (KeyError, ValueError) as error:
            raise ZonesError(
                f"{path} is Parquet without GeoParquet's metadata; write it with "
                "geopandas.GeoDataFrame.to_parquet, or read it and pass a GeoDataFrame"
            ) from error
        if about.get("encoding") != "WKB":
            raise ZonesError(
                f"{path} keeps its geometry as {about.get('encoding')!r}; write it as WKB"
            )
        others = [schema.get_field_index(name) for name in geo["columns"]]
        for i in sorted(others, reverse=True):
            schema = schema.remove(i)
        hidden = frozenset(about.get("covering", {}).get("bbox", {}).get("xmin", [])[:1])
        crs = _try_crs(about.get("crs", "OGC:CRS84"))  # the specification's default
        return cls(path, geo["primary_column"], crs, schema.remove_metadata(), hidden)

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        with pq.ParquetFile(self.path) as file:
            names = list(dict.fromkeys([*columns, self.geometry]))
            batches = file.iter_batches(batch_size=size, columns=names)
            for table in _tables(batches, self.name, tally):
                yield table.select(columns), _parsed(table.column(self.geometry), tally)


@dataclass(frozen=True, slots=True, eq=False)
class _Vector:
    """One layer of a file that GDAL reads."""

    path: str
    """A path as GDAL understands it."""
    layer: str
    fid: str
    """Name of the feature id, which may serve as an id; empty if the format has none."""
    crs: CRS | None
    schema: pa.Schema
    notes: tuple[str, ...]
    index: str | None = None
    hidden: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.path

    @classmethod
    def open(cls, path: str) -> _Vector:
        layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        if not layers:
            raise ZonesError(f"{path} has no layer with geometries")
        notes = [f"{path} has {len(layers)} layers; zones are read from {layers[0]!r}"]
        info = pyogrio.read_info(path, layer=layers[0])
        # A format may have an attribute of the same name: then the attribute is meant.
        fid = info["fid_column"] or "OGC_FID"
        fid = "" if fid in info["fields"] else fid
        options = {"read_geometry": False, "return_fids": bool(fid), "use_pyarrow": True}
        with pyogrio.open_arrow(path, layer=layers[0], **options) as (_, reader):
            schema = reader.schema.remove_metadata()
        notes = notes if len(layers) > 1 else []
        hidden = frozenset({fid})
        return cls(path, layers[0], fid, _try_crs(info["crs"]), schema, tuple(notes), None, hidden)

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        tally.update(self.notes)
        with ExitStack() as stack:
            with _explained(self.name, tally):
                about, reader = stack.enter_context(self._stream(columns, size))
            name = about["geometry_name"] or "wkb_geometry"
            for table in _tables(reader, self.name, tally):
                yield table.select(columns), _parsed(table.column(name), tally)

    def _stream(self, columns: list[str], size: int) -> Any:
        return pyogrio.open_arrow(
            self.path,
            layer=self.layer,
            columns=[name for name in columns if name != self.fid],
            return_fids=self.fid in columns,
            batch_size=size,
            use_pyarrow=True,
        )


def _tables(batches: Iterable[Any], name: str, tally: Counter[str]) -> Iterator[pa.Table]:
    """Batches as tables, with the faults and warnings of reading each one explained."""
    remaining = iter(batches)
    while True:
        # Not around the loop: a generator must not keep warnings caught while its caller runs.
        with _explained(name, tally):
            batch = next(remaining, None)
        if batch is None:
            return
        yield pa.table(batch)


@contextmanager
def _explained(name: str, tally: Counter[str]) -> Iterator[None]:
    """Turns errors of the readers into ZonesError, and their warnings into notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except READ_FAULTS as error:
            raise ZonesError(f"{name} cannot be read: {error}") from error
    for warning in caught:
        tally[f"{name}: {warning.message}"] = 1


def _sources(zones: Any) -> list[Source]:
    if isinstance(zones, (str, Path)):
        return [_file(path) for path in _paths(str(zones))]
    if isinstance(zones, geopandas.GeoDataFrame) or (
        type(zones).__module__.startswith("dask_geopandas") and hasattr(zones, "geometry")
    ):
        return _frames(zones)
    raise ZonesError(
        f"zones must be a GeoDataFrame or a path, not a {type(zones).__name__}; "
        "make one with geopandas.GeoDataFrame(..., geometry=..., crs=...)"
    )


def _file(path: str) -> Source:
    with _explained(path, Counter()):
        if path.endswith((".parquet", ".geoparquet", ".pq")):
            return _GeoParquet.open(Path(path))
        return _Vector.open(_unzipped(path))


def _paths(path: str) -> list[str]:
    """The files that a path, a folder or a glob stands for, in order of name."""
    if "://" in path or path.startswith("/vsi"):
        return [path]
    if Path(path).is_dir():
        inside = sorted(map(str, Path(path).rglob("*.parquet")))
        return [name for name in inside if not Path(name).name.startswith((".", "_"))] or [path]
    if Path(path).exists():
        return [path]
    found = sorted(glob.glob(path, recursive=True))
    if not found:
        raise ZonesError(f"there is no file {path}")
    return found


def _unzipped(path: str) -> str:
    """GDAL's path to the one dataset in a zip file, which it only finds by itself at the top."""
    if not path.endswith(".zip") or "://" in path or path.startswith("/vsi"):
        return path
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    nested = [n for n in names if "/" in n and n.endswith((".shp", ".gpkg", ".geojson", ".fgb"))]
    return f"/vsizip/{path}/{nested[0]}" if len(nested) == 1 else path


def _parsed(column: pa.ChunkedArray, tally: Counter[str]) -> Objects:
    """Shapes of a column of WKB; unclosed rings are closed."""
    raw = _storage(column).to_numpy()
    try:
        shapes = np.asarray(shapely.from_wkb(raw, on_invalid="fix"), dtype=object)
    except (shapely.errors.ShapelyError, NotImplementedError) as error:
        raise ZonesError(
            f"a geometry cannot be used ({error}); "
            "straighten curves first, with ogr2ogr -nlt CONVERT_TO_LINEAR"
        ) from error
    _count(tally, "unreadable", shapely.is_missing(shapes).sum() - column.null_count)
    return shapes


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Plain WKB, where the column may be of an extension type."""
    if isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return pa.chunked_array(chunks, column.type.storage_type)
    return column


# --- CRS, columns and ids ---------------------------------------------------------------------


def _try_crs(crs: Any) -> CRS | None:
    try:
        return None if crs is None else CRS.from_user_input(crs)
    except CRSError as error:
        raise ZonesError(f"the zones' CRS {str(crs)[:80]!r} is not understood: {error}") from error


def _one_crs(sources: Sequence[Source]) -> str:
    names: dict[str, str] = {}
    for source in sources:
        if source.crs is None:
            raise ZonesError(
                f"{source.name} has no CRS, so its zones cannot be placed; give it one: "
                "gdf.set_crs('EPSG:...') for a frame, ogr2ogr -a_srs EPSG:... for a file"
            )
        names.setdefault(crs_name(source.crs), source.name)
    if len(names) > 1:
        seen = ", ".join(f"{name} in {crs[:40]}" for crs, name in names.items())
        raise ZonesError(f"zones must share one CRS, but: {seen}; reproject some of them")
    return next(iter(names))


def _id_name(source: Source, id: str | None) -> str:
    if id is not None:
        return _known(id, source, "id")
    if source.index is None and isinstance(source, _Frames):
        raise ZonesError(
            "the GeoDataFrame's index cannot serve as ids (they must be unique integers or "
            "strings); name an id column, or call reset_index(drop=True)"
        )
    return source.index or ROW


def _carried(
    schema: pa.Schema, columns: Sequence[str] | None, id_name: str, source: Source
) -> pa.Schema:
    """The columns to carry, with dictionaries and large types made plain."""
    names = [_known(name, source, "carried") for name in columns or () if name != "*"]
    if "*" in (columns or ()):
        every = [n for n in schema.names if n not in source.hidden and n != id_name]
        names = list(dict.fromkeys([*names, *every]))
    for name in names:
        if name in RESERVED:
            raise ZonesError(f"column {name!r} cannot be carried: the name is ours; rename it")
    return pa.schema([pa.field(name, _plain(schema.field(name).type)) for name in names])


def _known(name: str, source: Source, role: str) -> str:
    if name in source.schema.names:
        return name
    near = difflib.get_close_matches(name, source.schema.names, 1, 0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(source.schema.names) or "none"
    raise ZonesError(f"{source.name} has no {role} column {name!r}{hint} (columns: {listed})")


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return pa.binary() if pa.types.is_large_binary(kind) else kind


def _id_type(column: pa.Field) -> pa.DataType:
    kind = _plain(column.type)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pa.int64()
    if pa.types.is_string(kind):
        return pa.string()
    raise ZonesError(
        f"ids must be integers or strings, but column {column.name!r} is {kind}; "
        "convert it, or name another column"
    )


def _ids(column: pa.ChunkedArray, kind: pa.DataType, name: str, start: int) -> pa.Array:
    ids = _cast(column, kind, name)
    if ids.null_count:
        row = start + pc.index(pc.is_null(ids), True).as_py()
        raise ZonesError(
            f"the id in column {name!r} is null in row {row} (counted from 0); "
            "give every zone an id, or name another column"
        )
    return ids


def _cast(column: pa.ChunkedArray, kind: pa.DataType, name: str) -> pa.Array:
    """One contiguous array of the type that was announced; the values must survive."""
    try:
        return pa.concat_arrays(column.cast(kind).chunks or [pa.array([], kind)])
    except pa.ArrowInvalid as error:
        raise ZonesError(f"column {name!r} does not fit {kind}: {error}") from error


def _refuse_duplicates(ids: pa.ChunkedArray, name: str) -> None:
    twice = len(ids) - pc.count_distinct(ids).as_py()
    if twice:
        counts = ids.value_counts()
        example = counts.filter(pc.greater(counts.field("counts"), 1))[0].as_py()
        raise ZonesError(
            f"ids must be unique, but {twice:,} of {len(ids):,} in {name!r} repeat an earlier one "
            f"(such as {example['values']!r}, {example['counts']} times); name another column"
        )


def _finite(buffer: float) -> float:
    if not np.isfinite(buffer):
        raise ZonesError(f"buffer must be a number of metres, not {buffer}")
    return float(buffer)


# --- hashes -----------------------------------------------------------------------------------


def _hashes(salt: str, columns: Sequence[pa.Array], wkb: np.ndarray[Any, Any]) -> pa.Array:
    """128 bits for each zone over its id, carried values and shape; rows do not see each other.

    The salt holds what all zones share and what changes numbers too: CRS, buffer, column names.
    """
    common = np.full(len(wkb), salt.encode(), dtype=object)
    whole = (common, *map(_bytes, columns), wkb.astype(object))
    digests = [_digest(values) for values in whole]
    joined = np.hstack(digests)
    rows = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(8 * joined.shape[1]), len(joined), [None, pa.py_buffer(joined)]
    )
    digest = _digest(rows.to_numpy(zero_copy_only=False))
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(digest), [None, pa.py_buffer(digest)]
    )


def _digest(values: Objects) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """(n, 2) keyed hashes, little-endian; zero for null, which no value is likely to have."""
    both = [hash_array(values, hash_key=key, categorize=False) for key in HASH_KEYS]
    digest = np.stack(both, axis=1).astype("<u8")
    digest[pd.isna(values)] = 0
    return digest


def _bytes(column: pa.Array) -> Objects:
    """Values in a form that does not depend on the width of their type."""
    kind = column.type
    if pa.types.is_floating(kind):
        column = column.cast(pa.float64()).view(pa.int64())
    elif pa.types.is_date32(kind) or pa.types.is_time32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_temporal(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_nested(kind):
        return column.to_pandas().astype(str).to_numpy(dtype=object)
    if not pa.types.is_binary(kind):
        column = column.cast(pa.string())
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)


# --- shapes -----------------------------------------------------------------------------------


def _refuse_lines(shapes: Objects, ids: pa.Array) -> None:
    kinds = shapely.get_type_id(shapes)
    wrong = np.flatnonzero((kinds >= 0) & ~np.isin(kinds, (POLYGON, MULTIPOLYGON, COLLECTION)))
    if wrong.size:
        raise ZonesError(
            f"zones must be polygons, but zone {ids[wrong[0]].as_py()!r} is a "
            f"{shapes[wrong[0]].geom_type} ({wrong.size} like it in its batch); "
            "buffer lines and points first"
        )


def _flat(shapes: Objects, tally: Counter[str]) -> Objects:
    """2-D shapes, none missing, with finite coordinates only."""
    shapes = np.asarray(shapely.force_2d(shapes), dtype=object)
    shapes[shapely.is_missing(shapes)] = EMPTY
    xy, zone = shapely.get_coordinates(shapes, return_index=True)
    infinite = np.unique(zone[~np.isfinite(xy).all(axis=1)])
    shapes[infinite] = EMPTY
    _count(tally, "infinite", infinite.size)
    return shapes


def _fit(shapes: Objects, crs: CRS, buffer: float, tally: Counter[str]) -> Objects:
    """Valid, polygonal, oriented shapes, grown by the buffer; -180..180 in geographic CRSs."""
    if crs.is_geographic:
        _refuse_metres(shapes, crs)
        shapes = split_at_antimeridian(shapes, tally)
    shapes = _repaired(shapes, tally)
    if buffer:
        shapes = _buffered(shapes, crs, buffer)
    empty = shapely.is_empty(shapes)
    shapes[empty] = EMPTY
    _count(tally, "empty", empty.sum())
    return np.asarray(shapely.orient_polygons(shapes), dtype=object)


def _refuse_metres(shapes: Objects, crs: CRS) -> None:
    left, bottom, right, top = shapely.bounds(shapes).T
    wrong = np.flatnonzero(np.maximum(np.abs([left, right]) / 8, np.abs([bottom, top])).max(0) > 90)
    if wrong.size:
        where = f"({left[wrong[0]]:g}, {bottom[wrong[0]]:g})"
        raise ZonesError(
            f"{wrong.size} of {len(shapes)} zones have coordinates such as {where}, which are no "
            f"degrees, while their CRS is {crs.name}; say which CRS they are in (gdf.set_crs)"
        )


def _repaired(shapes: Objects, tally: Counter[str] | None = None) -> Objects:
    """Valid polygons; overlapping parts count once, holes stay holes.

    ``structure`` unites exteriors and then takes holes away, whichever way rings are wound;
    ``linework`` would turn overlaps of parts into holes.
    """
    tally = Counter() if tally is None else tally
    shapes = _polygonal(shapes, tally)
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    if broken.size:
        mended = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        shapes[broken] = _polygonal(mended, Counter())
    _count(tally, "repaired", broken.size)
    return shapes


def _polygonal(shapes: Objects, tally: Counter[str]) -> Objects:
    """The polygons of mixed collections; other shapes as they are."""
    shapes = shapes.copy()
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == COLLECTION)
    if mixed.size:
        shapes[mixed] = _joined(*_polygons(shapes[mixed]), mixed.size)
    _count(tally, "parts", mixed.size)
    shapes[~np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON))] = EMPTY
    return shapes


def _polygons(shapes: Objects) -> tuple[Objects, np.ndarray[Any, Any]]:
    """Single polygons at any depth of nesting, and the row that each comes from."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    while np.any(shapely.get_type_id(parts) > POLYGON):
        parts, inner = shapely.get_parts(parts, return_index=True)
        row = row[inner]
    keep = shapely.get_type_id(parts) == POLYGON
    return parts[keep], row[keep]


def _joined(polygons: Objects, row: np.ndarray[Any, Any], count: int) -> Objects:
    """One shape for each of ``count`` rows out of single polygons, whose rows are ascending."""
    out = np.full(count, EMPTY, dtype=object)
    rows, first, parts = np.unique(row, return_index=True, return_counts=True)
    if rows.size:
        out[rows] = shapely.multipolygons(polygons, indices=np.repeat(np.arange(rows.size), parts))
        out[rows[parts == 1]] = polygons[first[parts == 1]]
    return out


def _count(tally: Counter[str], what: str, count: int) -> None:
    if count:
        tally[what] += int(count)


# --- longitudes -------------------------------------------------------------------------------


def split_at_antimeridian(shapes: Objects, tally: Counter[str] | None = None) -> Objects:
    """Shapes in degrees with every longitude in -180..180, split where they cross that line.

    An edge of more than 180 and less than 360 degrees is taken to go the short way round. An
    edge of exactly 360 runs along a frame's border, as Antarctica's does, and crosses nothing.
    """
    tally = Counter() if tally is None else tally
    shapes = _snapped(shapes)
    crossing = _crossing(shapes)
    left, _, right, _ = shapely.bounds(shapes).T
    beyond = np.flatnonzero(((left < -180) | (right > 180)) & ~crossing)
    if beyond.size:
        shapes[beyond] = to_longitudes(shapes[beyond], -180.0)
    for i in np.flatnonzero(crossing):  # few: a shape in a million
        shapes[i] = _split(shapes[i])
    _count(tally, "split", crossing.sum())
    _count(tally, "moved", beyond.size)
    return shapes


def _snapped(shapes: Objects) -> Objects:
    """Shapes with longitudes that miss +-180 by rounding only put there, lest slivers arise."""
    xy = shapely.get_coordinates(shapes)
    near = np.flatnonzero((np.abs(np.abs(xy[:, 0]) - 180) < 1e-9) & (np.abs(xy[:, 0]) != 180))
    shapes = shapes.copy()
    if near.size:
        xy[near, 0] = np.copysign(180.0, xy[near, 0])
        shapely.set_coordinates(shapes, xy)
    return shapes


def _crossing(shapes: Objects) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which shapes have an edge that goes the short way round the antimeridian."""
    flags = np.zeros(len(shapes), dtype=bool)
    left, _, right, _ = shapely.bounds(shapes).T
    wide = np.flatnonzero(right - left > 180)  # an edge is no wider than its shape
    if wide.size:
        parts, part_row = _polygons(shapes[wide])
        rings, ring_part = shapely.get_rings(parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        step = np.abs(np.diff(xy[:, 0]))
        jump = (step > 180) & (step < 360) & (np.diff(ring) == 0)
        flags[wide[part_row[ring_part[ring[:-1][jump]]]]] = True
    return flags


def _split(shape: Any) -> Any:
    """One crossing shape, cut in two or more at the antimeridian; around a pole if it goes so."""
    parts = shapely.transform(shapely.get_parts(shape), _wrapped)
    fixed = [_split_polygon(part) for part in parts]
    pieces = np.concatenate([shapely.get_parts(piece) for piece in fixed])
    whole = np.array([shapely.multipolygons(pieces)], dtype=object)
    return _repaired(whole)[0]


def _wrapped(xy: Floats) -> Floats:
    """Coordinates with longitudes beyond +-180 brought back; those within are kept to the bit."""
    lon = xy[:, 0]
    outside = np.abs(lon) > 180
    return np.column_stack([np.where(outside, (lon + 180) % 360 - 180, lon), xy[:, 1]])


def _split_polygon(polygon: shapely.Polygon) -> Any:
    xy = shapely.get_coordinates(polygon.exterior)
    turn = ((np.diff(xy[:, 0]) + 180) % 360 - 180).sum()
    if abs(turn) < 180:
        return antimeridian.fix_polygon(polygon, fix_winding=True, great_circle=False)
    # It goes around a pole: eastward has the north pole on its left, westward the south pole.
    north = xy[:, 1].mean() > 0
    if (turn > 0) != north:
        polygon = shapely.reverse(polygon)
    return antimeridian.fix_polygon(polygon, fix_winding=False, great_circle=False)


def to_longitudes(shapes: Objects, west: float) -> Objects:
    """Shapes in degrees moved by turns of 360 so that longitudes lie in ``west..west + 360``.

    A polygon that straddles the seam is split there; others are only moved.
    """
    parts, row = _polygons(shapes)
    left, _, right, _ = shapely.bounds(parts).T
    turns = np.floor((left - west) / 360)
    # A polygon whose left edge lies on the seam's end touches it only: it stays on this side.
    straddles = right - 360 * turns > west + 360
    moved = _turned(parts, turns)
    pieces, piece_row = _cut(moved[straddles], row[straddles], west)
    polygons = np.concatenate([moved[~straddles], pieces])
    rows = np.concatenate([row[~straddles], piece_row])
    order = np.argsort(rows, kind="stable")
    return _joined(polygons[order], rows[order], len(shapes))


def _turned(shapes: Objects, turns: Floats) -> Objects:
    """Shapes moved west by whole turns; those with none keep every bit."""
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    xy[:, 0] -= 360.0 * turns[row]
    return np.asarray(shapely.set_coordinates(shapes.copy(), xy), dtype=object)


def _cut(shapes: Objects, row: np.ndarray[Any, Any], west: float) -> tuple[Objects, Any]:
    """Polygons that reach past ``west + 360`` cut there, the rest moved a turn to the west.

    Shapes wider than a turn would overlap themselves; they are united.
    """
    if not len(shapes):
        return shapes, row
    shapes = _repaired(shapes)
    last = int(np.ceil((shapely.bounds(shapes)[:, 2].max() - west) / 360))
    turns = [np.full(len(shapes), float(k)) for k in range(last)]
    bands = [shapely.box(west + 360 * k, -90, west + 360 * (k + 1), 90) for k in range(last)]
    pieces = [
        _turned(np.asarray(shapely.intersection(shapes, band)), turn)
        for band, turn in zip(bands, turns, strict=True)
    ]
    parts, index = _polygons(np.asarray(shapely.union_all(np.array(pieces), axis=0)))
    return parts, row[index]


# --- buffers ----------------------------------------------------------------------------------


def _buffered(shapes: Objects, crs: CRS, metres: float) -> Objects:
    """Shapes grown by metres, in the CRS itself or, if it is geographic, in UTM."""
    if not crs.is_geographic:
        factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
        return _polygonal(shapely.buffer(shapes, metres / factor), Counter())
    parts, row = _polygons(shapes)
    grown = np.empty(len(parts), dtype=object)
    centres = shapely.get_coordinates(shapely.point_on_surface(parts))
    codes = _utm(centres)
    for code in np.unique(codes):
        group = codes == code
        grown[group] = _buffered_in(parts[group], crs, CRS.from_epsg(int(code)), metres)
    pieces, piece_row = _polygons(split_at_antimeridian(grown))
    # Parts of one zone may have grown into each other: repairing unites them.
    return _repaired(_joined(pieces, row[piece_row], len(shapes)))


def _utm(lon_lat: Floats) -> np.ndarray[Any, np.dtype[np.int64]]:
    """EPSG code of the UTM zone (or, beyond 84 degrees, of UPS) of each place."""
    lon, lat = lon_lat.T
    zone = np.clip(np.floor((lon + 180) / 6), 0, 59).astype(np.int64) + 1
    north = lat >= 0
    utm = np.where(north, 32600, 32700) + zone
    return np.where(np.abs(lat) > 84, np.where(north, 32661, 32761), utm)


def _buffered_in(shapes: Objects, crs: CRS, local: CRS, metres: float) -> Objects:
    out = Transformer.from_crs(crs, local, always_xy=True)
    back = Transformer.from_crs(local, crs, always_xy=True)
    grown = shapely.buffer(_moved(shapes, out), metres)
    return _moved(np.asarray(grown), back)


def _moved(shapes: Objects, transformer: Transformer) -> Objects:
    xy = shapely.get_coordinates(shapes)
    there = np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
    return np.asarray(shapely.set_coordinates(shapes.copy(), there))
