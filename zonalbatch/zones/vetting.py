"""Vetting: files of zones that are not trusted must open no other file or URL, nor fill the memory.

GDAL looks into a file by whatever driver knows it, and cannot be told by which: so what a file on
this machine begins with is looked at before, and the driver that it was after all is looked at
again.
"""

from __future__ import annotations

import mmap
import os
import re
import zipfile
from contextlib import closing
from pathlib import Path
from typing import IO

from zonalbatch.errors import ZonesError
from zonalbatch.sources import shown
from zonalbatch.sources.vetting import TRUST

__all__ = ["ALONE", "refuse_content", "refuse_driver", "refuse_name"]

ALONE = frozenset((
    "CSV", "DGN", "DXF", "ESRI Shapefile", "ESRIJSON", "FlatGeobuf", "GML", "GPKG", "GPX",
    "GeoJSON",
    "GeoJSONSeq", "GeoRSS", "JML", "JSONFG", "KML", "LIBKML", "MBTiles", "MVT", "MapInfo File",
    "ODS", "OGR_GMT", "OSM", "OpenFileGDB", "PMTiles", "S57", "Selafin", "TopoJSON", "VDV", "XLSX",
))  # fmt: skip
"""Names of GDAL's drivers that read a file, or a folder, and at most what lies beside it under its
name."""

MAX_RATIO, MAX_SMALL = 100, 1024**3
"""How many times its own size an archive may hold if that is more than so many bytes."""
MAX_BYTES = 256 * 1024**3
"""What an archive may hold in any case, bytes."""
HEAD = 16_384
"""How far formats are looked for, bytes."""

_LINK = re.compile(
    r"(zip\+)?(https?|s3|gs|az|abfss?|oss|ftp|file|zip)://|/vsi(curl|s3|gs|az|adls|oss|zip|tar)/",
    re.IGNORECASE,
)
_IN_ARCHIVE = re.compile(r"(?:/vsizip/+|zip://)(.+?\.(?:zip|kmz))(?:[/!]|$)", re.IGNORECASE)
_CONNECTION = re.compile(r"[A-Za-z_]\w+:|/vsi|\s*[<{\[]", re.IGNORECASE)
"""How GDAL's names of databases, services and inline documents begin, but no path."""
_OPENERS = re.compile(
    rb"<\s*(OGRVRT|VRTDataset|OGRWFS|OGRCSW|WFS_Capabilities)|gdal_streamed_alg|IsSeamless|"
    rb"DescribeFeatureType|schemaLocation\s*=\s*[\"'][^\"']*&#",
    re.IGNORECASE,
)
"""In the beginning of descriptions of other files, and of GML whose schema GDAL would ask for."""


def _letters(text: str) -> str:
    """A pattern for a text in JSON, in which each letter may be written by its number."""
    return "".join(f"(?:{letter}|\\\\u00{ord(letter):02x})" for letter in text)


_CRS = re.compile(rf'"{_letters("crs")}"\s*:\s*(?=\{{)'.encode(), re.IGNORECASE)
_TYPE = rb'"type"\s*:\s*"(?:name|EPSG)"'
_NAME = rb'"properties"\s*:\s*\{\s*"(?:name|code)"\s*:\s*(?:\d+|"(?!http(?!://www\.opengis\.net/))'
_NAME += rb'[^"\\]{0,400}")\s*\}'
_NAMED = re.compile(
    rb"\{\s*(?:%s\s*,\s*%s|%s\s*,\s*%s)\s*\}" % (_TYPE, _NAME, _NAME, _TYPE), re.IGNORECASE
)
"""A CRS of GeoJSON that is told by its name, not by a link that is fetched."""


def refuse_name(path: str) -> None:
    """Raise a ZonesError if what is not trusted is no path and no link, but another name of GDAL's.

    Such a name may stand for a database, a service, or a file that is made of others.
    """
    if not os.path.exists(path) and not _LINK.match(path) and _CONNECTION.match(path):
        raise ZonesError(f"zones {shown(path)[:80]!r} are no path and no link to a file; {TRUST}")


def refuse_content(path: str) -> None:
    """Raise a ZonesError if a local file may have others opened, or is a packed bomb."""
    archive = _IN_ARCHIVE.match(path)
    named = [path] if archive is None else [archive[1], f"/{archive[1]}"]
    for file in filter(os.path.isfile, named):
        with Path(file).open("rb") as opened:
            if opened.read(4) == b"PK\x03\x04":
                return _refuse_archive(file)
            _refuse_opener(file, opened)
            _refuse_crs_link(file, opened)


def refuse_driver(path: str, driver: str) -> None:
    """Raise a ZonesError if GDAL took a file for what may have others opened."""
    if driver not in ALONE:
        raise _untrusted(path, driver)


def _untrusted(path: str, kind: str) -> ZonesError:
    return ZonesError(
        f"{shown(path)} is of a kind that may have other files opened ({kind}); {TRUST}"
    )


def _refuse_opener(path: str, file: IO[bytes]) -> None:
    file.seek(0)
    found = _OPENERS.search(file.read(HEAD).replace(b"\0", b""))
    if found is not None:
        raise _untrusted(path, found[0].decode("ascii", "replace").strip("< \n\t"))


def _refuse_crs_link(path: str, file: IO[bytes]) -> None:
    """GeoJSON may name its CRS by a link, which GDAL fetches, wherever that stands."""
    file.seek(0)
    if not file.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return
    with closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as text:
        if any(_NAMED.match(text, found.end()) is None for found in _CRS.finditer(text)):
            raise ZonesError(f"{shown(path)} has a CRS that is not given by its name; {TRUST}")


def _refuse_archive(path: str) -> None:
    with zipfile.ZipFile(path) as archive:
        files = archive.infolist()
        held, size = sum(one.file_size for one in files), max(1, os.path.getsize(path))
        if held > MAX_BYTES or (held > MAX_SMALL and held > MAX_RATIO * size):
            raise ZonesError(
                f"{path} holds {held / 1024**3:,.1f} GiB in {size:,} bytes, which is more than "
                f"{MAX_RATIO} times its size; unpack it and give the file in it"
            )
        for one in files:
            if not one.is_dir() and not one.flag_bits & 1:  # what is encrypted GDAL does not open
                with archive.open(one) as file:
                    _refuse_opener(f"{path}/{one.filename}", file)
