"""Files: zones read batch by batch from GeoParquet, or from what GDAL reads.

A file is never held in memory.
"""

from __future__ import annotations

import codecs
import glob
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyproj import CRS

from zonalbatch.errors import ZonesError
from zonalbatch.zones.crs import read_crs
from zonalbatch.zones.shapes import Objects, note
from zonalbatch.zones.source import Source, explained

__all__ = ["open_files"]


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
    by_id: bool = False

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
        crs = read_crs(about.get("crs", "OGC:CRS84"))  # the specification's default
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
    encoding: str | None
    """Of its text, where GDAL does not know it: a Shapefile without .cpg; else None."""
    notes: tuple[str, ...]
    index: str | None = None
    hidden: frozenset[str] = frozenset()
    by_id: bool = False

    @property
    def name(self) -> str:
        return self.path

    @classmethod
    def open(cls, path: str) -> _Vector:
        layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        if not layers:
            raise ZonesError(f"{path} has no layer with geometries")
        layer, info = _first_with_rows(path, layers)
        said = f"{path} has {len(layers)} layers; zones are read from {layer!r}"
        unknown = info["driver"] == "ESRI Shapefile" and info["encoding"] != "UTF-8"
        encoding = ("UTF-8" if _is_utf8(path) else info["encoding"]) if unknown else None
        # A format may have an attribute of the same name: then the attribute is meant.
        fid = info["fid_column"] or "OGC_FID"
        fid = "" if fid in info["fields"] else fid
        options = {"read_geometry": False, "return_fids": bool(fid), "use_pyarrow": True}
        with pyogrio.open_arrow(path, layer=layer, encoding=encoding, **options) as (_, reader):
            schema = reader.schema.remove_metadata()
        notes = (said,) if len(layers) > 1 else ()
        crs, hidden = read_crs(info["crs"]), frozenset({fid})
        return cls(path, layer, fid, crs, schema, encoding, notes, hidden=hidden)

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        tally.update(self.notes)
        with ExitStack() as stack:
            with explained(self.name, tally):
                about, reader = stack.enter_context(self._stream(columns, size))
            name = about["geometry_name"] or "wkb_geometry"
            for table in _tables(reader, self.name, tally):
                attributes = table.select(columns)
                if self.encoding not in (None, "UTF-8") and not _is_ascii(attributes):
                    said = f"{self.name} has no .cpg file; its text is read as {self.encoding}"
                    tally[said] = 1
                yield attributes, _parsed(table.column(name), tally)

    def _stream(self, columns: list[str], size: int) -> Any:
        return pyogrio.open_arrow(
            self.path,
            layer=self.layer,
            encoding=self.encoding,
            columns=[name for name in columns if name != self.fid],
            return_fids=self.fid in columns,
            batch_size=size,
            use_pyarrow=True,
        )


def _first_with_rows(path: str, layers: list[str]) -> tuple[str, dict[str, Any]]:
    """The first layer that has rows, and what GDAL knows of it; the first if none has any."""
    infos = ((layer, pyogrio.read_info(path, layer=layer)) for layer in layers)
    first = next(infos)
    if first[1]["features"]:
        return first
    return next((each for each in infos if each[1]["features"]), first)


def _is_utf8(path: str) -> bool:
    """Whether the table of a Shapefile reads as UTF-8, as far as its first 16 MiB tell."""
    table = Path(path).with_suffix(".dbf")
    if not table.is_file():
        return False
    with table.open("rb") as file:
        header = file.read(int.from_bytes(file.read(12)[8:10], "little") - 12)
        names = b"".join(header[at : at + 11] for at in range(20, len(header), 32))
        text = names + file.read(2**24)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text)  # a character cut at the end is fine
    except UnicodeDecodeError:
        return False
    return True


def _is_ascii(table: pa.Table) -> bool:
    """Whether names and text of a table are the same in whatever encoding they were written."""
    texts = [column for column in table.columns if pa.types.is_string(column.type)]
    plain = all(pc.all(pc.string_is_ascii(column)).as_py() is not False for column in texts)
    return plain and all(name.isascii() for name in table.schema.names)


def _tables(batches: Iterable[Any], name: str, tally: Counter[str]) -> Iterator[pa.Table]:
    """Batches as tables, with the faults and warnings of reading each one explained."""
    remaining = iter(batches)
    while True:
        # Not around the loop: a generator must not keep warnings caught while its caller runs.
        with explained(name, tally):
            batch = next(remaining, None)
        if batch is None:
            return
        yield pa.table(batch)


def _file(path: str) -> Source:
    with explained(path, Counter()):
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
    note(tally, "unreadable", shapely.is_missing(shapes).sum() - column.null_count)
    return shapes


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Plain WKB, where the column may be of an extension type."""
    if isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return pa.chunked_array(chunks, column.type.storage_type)
    return column


def open_files(path: str) -> list[Source]:
    """The files that a path, a folder or a glob stands for, in order of name."""
    return [_file(each) for each in _paths(path)]
