"""Files: zones read batch by batch from GeoParquet, or from what GDAL reads.

A file is never held in memory.
"""

from __future__ import annotations

import glob
import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS

from zonalbatch.errors import ZonesError
from zonalbatch.sources.secrets import shown
from zonalbatch.sources.vetting import refuse_pipe
from zonalbatch.zones.crs import read_crs
from zonalbatch.zones.shapes import Objects
from zonalbatch.zones.source import Source, explained
from zonalbatch.zones.streams import parsed, tables
from zonalbatch.zones.vetting import refuse_content, refuse_name

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
            for table in tables(batches, self.name, tally):
                yield table.select(columns), parsed(table.column(self.geometry), tally)


def open_files(
    path: str, layer: str | None = None, encoding: str | None = None, *, trusted: bool = False
) -> list[Source]:
    """The files that a path, a folder or a glob stands for, in order of name.

    Args:
        path: which files.
        layer: which layer of each; None takes the first that has rows.
        encoding: of the text in Shapefiles; None takes what they say.
        trusted: True reads also what may have other files opened.
    """
    if not trusted:
        refuse_name(path)
    return [_file(each, layer, encoding, trusted=trusted) for each in _paths(path)]


def _file(path: str, layer: str | None, encoding: str | None, *, trusted: bool) -> Source:
    with explained(path, Counter()):
        refuse_pipe(path)
        if not path.endswith((".parquet", ".geoparquet", ".pq")):
            if not trusted:
                refuse_content(path)
            # Only here: it brings a second GDAL, 30 MiB that no worker needs.
            from zonalbatch.zones.vector import VectorFile

            return VectorFile.open(_unzipped(path), layer, encoding, trusted=trusted)
        for key, value in (("layer", layer), ("encoding", encoding)):
            if value is not None:
                raise ZonesError(
                    f"zones.{key} is {value!r}, but {shown(path)} is GeoParquet, which has no "
                    f"{key} to choose; leave it out"
                )
        if "://" in path:
            raise ZonesError(
                f"{shown(path)} is GeoParquet at a link, which zones are not read from; fetch it, "
                "or give a FlatGeobuf or GeoPackage"
            )
        return _GeoParquet.open(Path(path))


def _paths(path: str) -> list[str]:
    """The files that a path, a folder or a glob stands for, in order of name."""
    if "://" in path or path.startswith("/vsi"):
        return [path]
    if os.path.isdir(path):
        inside = sorted(map(str, Path(path).rglob("*.parquet")))
        return [name for name in inside if not Path(name).name.startswith((".", "_"))] or [path]
    if os.path.exists(path):
        return [path]
    found = sorted(glob.glob(path, recursive=True))
    if not found:
        raise ZonesError(f"there is no file {shown(path)}")
    return found


def _unzipped(path: str) -> str:
    """GDAL's path to the one dataset in a zip file, which it only finds by itself at the top."""
    if not path.endswith(".zip") or "://" in path or path.startswith("/vsi"):
        return path
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    nested = [n for n in names if "/" in n and n.endswith((".shp", ".gpkg", ".geojson", ".fgb"))]
    return f"/vsizip/{path}/{nested[0]}" if len(nested) == 1 else path
