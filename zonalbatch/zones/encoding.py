"""Encoding: of the text in Shapefiles, the one format that does not settle it."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from zonalbatch.errors import ZonesError
from zonalbatch.sources.secrets import shown

__all__ = ["chosen_encoding", "guessed_encoding", "is_ascii"]

SHAPEFILE = "ESRI Shapefile"


def chosen_encoding(encoding: str, path: str, info: Mapping[str, Any]) -> str:
    """The encoding that the user names, seen to be known and of use for a file.

    Raises:
        ZonesError: nobody knows it, or the format has one of its own.
    """
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ZonesError(
            f"zones.encoding {encoding!r} is unknown; use a name such as cp1252, or leave it out"
        ) from None
    if info["driver"] != SHAPEFILE:
        raise ZonesError(
            f"zones.encoding is for Shapefiles, and {shown(path)} is a {info['driver']}, whose "
            "text is UTF-8; leave it out"
        )
    return encoding


def guessed_encoding(path: str, info: Mapping[str, Any]) -> str | None:
    """What the text of a Shapefile without .cpg is read as; None where GDAL knows."""
    if info["driver"] != SHAPEFILE or info["encoding"] == "UTF-8":
        return None
    return "UTF-8" if _is_utf8(path) else str(info["encoding"])


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


def is_ascii(table: pa.Table) -> bool:
    """Whether names and text of a table are the same in whatever encoding they were written."""
    texts = [column for column in table.columns if pa.types.is_string(column.type)]
    plain = all(pc.all(pc.string_is_ascii(column)).as_py() is not False for column in texts)
    return plain and all(name.isascii() for name in table.schema.names)
