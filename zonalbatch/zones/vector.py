"""Vector files: GeoPackage, GeoJSON, Shapefile and whatever else GDAL reads, batch by batch."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyogrio
from pyproj import CRS

from zonalbatch.errors import ZonesError
from zonalbatch.sources.secrets import shown
from zonalbatch.zones.crs import read_crs
from zonalbatch.zones.encoding import chosen_encoding, guessed_encoding, is_ascii
from zonalbatch.zones.shapes import Objects
from zonalbatch.zones.source import explained
from zonalbatch.zones.streams import parsed, tables
from zonalbatch.zones.vetting import refuse_driver

__all__ = ["VectorFile"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VectorFile:
    """One layer of a file that GDAL reads."""

    path: str
    """A path as GDAL understands it."""
    layer: str
    fid: str
    """Name of the feature id, which may serve as an id; empty if the format has none."""
    crs: CRS | None
    schema: pa.Schema
    encoding: str | None
    """Of its text, where GDAL is told; None where it knows."""
    guessed: bool
    """True if that encoding is a guess, to be noted where it matters."""
    notes: tuple[str, ...]
    index: str | None = None
    hidden: frozenset[str] = frozenset()
    by_id: bool = False

    @property
    def name(self) -> str:
        """What errors call it."""
        return shown(self.path)

    @classmethod
    def open(
        cls,
        path: str,
        layer: str | None = None,
        encoding: str | None = None,
        *,
        trusted: bool = False,
    ) -> VectorFile:
        """The layer of that name, or the first that has rows; text as said, or as the file says.

        Raises:
            ZonesError: there is no such layer, or the file is not trusted and may have others
                opened.
        """
        layer, notes = _layer_of(path, layer)
        info = pyogrio.read_info(path, layer=layer)
        if not trusted:
            refuse_driver(path, info["driver"])
        guess = None
        if encoding is None:
            guess = guessed_encoding(path, info)
        else:
            encoding = chosen_encoding(encoding, path, info)
        # A format may have an attribute of the same name: then the attribute is meant.
        fid = info["fid_column"] or "OGC_FID"
        fid = "" if fid in info["fields"] else fid
        told = encoding or guess
        options = {"read_geometry": False, "return_fids": bool(fid), "use_pyarrow": True}
        with pyogrio.open_arrow(path, layer=layer, encoding=told, **options) as (_, reader):
            schema = reader.schema.remove_metadata()
        return cls(
            path=path, layer=layer, fid=fid, crs=read_crs(info["crs"]), schema=schema,
            encoding=told, guessed=guess not in (None, "UTF-8"), notes=notes,
            hidden=frozenset({fid}),
        )  # fmt: skip

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        """Rows in order: the columns asked for, and the shapes."""
        tally.update(self.notes)
        with ExitStack() as stack:
            with explained(self.name, tally):
                about, reader = stack.enter_context(self._stream(columns, size))
            name = about["geometry_name"] or "wkb_geometry"
            for table in tables(reader, self.name, tally):
                attributes = table.select(columns)
                if self.guessed and not is_ascii(attributes):
                    said = f"{self.name} has no .cpg file; its text is read as {self.encoding}"
                    tally[said] = 1
                yield attributes, parsed(table.column(name), tally)

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


def _layer_of(path: str, wanted: str | None) -> tuple[str, tuple[str, ...]]:
    """The layer to read, and what is to be said of its choice."""
    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if wanted is not None:
        return _known_layer(wanted, path, layers), ()
    if not layers:
        raise ZonesError(f"{shown(path)} has no layer with geometries")
    if len(layers) == 1:
        return layers[0], ()
    full = (name for name in layers if pyogrio.read_info(path, layer=name)["features"])
    layer = next(full, layers[0])
    said = f"{shown(path)} has {len(layers)} layers; zones are read from {layer!r}"
    return layer, (said,)


def _known_layer(name: str, path: str, layers: list[str]) -> str:
    if name in layers:
        return name
    near = difflib.get_close_matches(name, layers, 1, 0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(layers) or "none"
    raise ZonesError(
        f"{shown(path)} has no layer {name!r} with geometries{hint} (layers: {listed})"
    )
