"""GeoParquet: a file of features, of which the row groups that can match are read, and no others.

What a stranger's file says is believed of nothing that would be reserved for it: its row groups are
refused before they are decoded if they are too large, and geometries are decoded once for each
that differs, as a dictionary of one large geometry could stand for terabytes of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from zonalbatch.errors import ReadError
from zonalbatch.service.refusals import BAD, NO_RASTER, TOO_LARGE, UNFIT, Refusal
from zonalbatch.service.settings import Settings
from zonalbatch.service.vectors.boxes import Box, Boxes, leaves_of
from zonalbatch.sources.ranged import RangedFile, Span
from zonalbatch.zones.shapes import Objects
from zonalbatch.zones.streams import parsed

__all__ = ["Features", "GeoParquet", "GeometryColumn"]

MAGIC = b"PAR1"
MOST_FOOTER = 32 * 1024**2
"""Bytes of the metadata at a file's end."""
TAIL = 64 * 1024
"""Last bytes of a file, which arrow asks for first."""
AT_ONCE = 32 * 1024**2
"""About how many bytes of row groups are fetched before they are decoded."""
VERTEX = 16
"""Bytes of one vertex."""
CRSS = ("GeographicCRS", "GeodeticCRS", "ProjectedCRS", "CompoundCRS")
"""Kinds of CRS in PROJJSON that are read."""
OPENING = re.compile(r'"BoundCRS"|"Derived\w+"|PROJ-based|"value": "')
"""What may have PROJ open another file, as a grid of shifts is one."""


@dataclass(frozen=True, slots=True, eq=False)
class GeometryColumn:
    """Where the features of a file are told."""

    name: str
    crs: CRS
    boxes: Boxes
    """What each row group says of where its features lie."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Some of the features of a file."""

    shapes: Objects
    """As they lie in the file; None for those that have none."""
    values: Mapping[str, Any]
    """Column -> (feature,) float64, masked where there is none."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self.shapes)


class GeoParquet:
    """An open file, of which no feature is read yet."""

    def __init__(self, file: RangedFile, settings: Settings) -> None:
        """Read what it says of itself.

        Raises:
            Refusal: it is no Parquet, damaged, or says too much.
            ReadError: it cannot be read.
        """
        self._file, self._settings = file, settings
        self._check_ends()
        with _decoding():
            self.metadata = pq.read_metadata(file)
            self.schema = self.metadata.schema.to_arrow_schema()
        self._leaves = leaves_of(self.metadata)

    def geometry(self, name: str | None) -> GeometryColumn:
        """The geometry that is read, and where.

        Args:
            name: of a geometry column; None takes the primary one.

        Raises:
            Refusal: there is none, or it is of no kind that is read.
        """
        about = self._about()
        name = about["primary_column"] if name is None else name
        told = about["columns"].get(name) if isinstance(name, str) else None
        if not isinstance(told, dict):
            known = ", ".join(map(repr, about["columns"]))[:300]
            raise Refusal(UNFIT, f"the file has no geometry column {name!r}; it has {known}")
        column = self._leaf(name)
        if told.get("encoding") != "WKB" or column is None or column.physical_type != "BYTE_ARRAY":
            kind = str(told.get("encoding"))[:40]
            raise Refusal(BAD, f"geometry column {name!r} is {kind}, not WKB; write it as WKB")
        crs = _crs(told)
        return GeometryColumn(
            name, crs, Boxes.of(self.metadata, name, told, geographic=crs.is_geographic)
        )

    def check_numbers(self, columns: Sequence[str]) -> None:
        """See that some columns are there, and are of numbers.

        Raises:
            Refusal: one is not.
        """
        for name in columns:
            index = self.schema.get_field_index(name)
            if index < 0:
                known = ", ".join(map(repr, self.schema.names))[:500]
                raise Refusal(UNFIT, f"the file has no column {name!r}; it has {known}")
            kind = self.schema.field(index).type
            if not _is_number(kind) or self._leaf(name) is None:
                raise Refusal(UNFIT, f"column {name!r} is {kind}, which is no number")

    def read(
        self, geometry: GeometryColumn, columns: Sequence[str], box: Box
    ) -> Iterator[Features]:
        """The features of the row groups that can meet a box, group by group.

        Args:
            geometry: which geometry.
            columns: of numbers.
            box: in the geometry's CRS.

        Raises:
            Refusal: they are too many, or damaged.
            ReadError: they cannot be read.
        """
        names = list(dict.fromkeys([geometry.name, *columns]))
        with _decoding():
            spans = self._matching(geometry, names, box)
            file = pq.ParquetFile(
                self._file, metadata=self.metadata, read_dictionary=[geometry.name],
                pre_buffer=False, arrow_extensions_enabled=False,
            )  # fmt: skip
        for some in _stretches(spans):
            self._file.hold([span for group in some for span in spans[group]])
            for group in some:
                with _decoding():
                    table = file.read_row_group(group, columns=names, use_threads=False)
                yield self._features(table, geometry.name, columns)
        self._file.hold([])

    def _matching(
        self, geometry: GeometryColumn, names: Sequence[str], box: Box
    ) -> dict[int, list[Span]]:
        """Row group -> where the columns lie, of those that can meet a box."""
        every = range(self.metadata.num_row_groups)
        groups = [group for group in every if geometry.boxes.may_meet(group, box)]
        leaves = [self._leaves[name] for name in names]
        spans = {group: self._spans(group, leaves) for group in groups}
        self._check_amounts(spans)
        return spans

    def _check_ends(self) -> None:
        if self._file.size < 12 or self._file.head[:4] != MAGIC:
            raise Refusal(NO_RASTER, "the file is no Parquet")
        self._file.hold([(max(0, self._file.size - TAIL), self._file.size)])
        self._file.seek(self._file.size - 8)
        end = self._file.read(8)
        if end[4:] != MAGIC:
            raise Refusal(BAD, "the file begins as Parquet and does not end as such: it is cut off")
        length = int.from_bytes(end[:4], "little")
        if length > MOST_FOOTER:
            raise Refusal(
                TOO_LARGE,
                f"the file's metadata have {length:,} bytes, and at most {MOST_FOOTER:,} are read",
            )
        start = self._file.size - 8 - length
        if 0 <= start < self._file.size - TAIL:
            self._file.hold([(start, self._file.size)])

    def _about(self) -> Mapping[str, Any]:
        """The file's metadata of geometries."""
        none = Refusal(
            BAD,
            "the file is Parquet without GeoParquet's metadata; write it by GeoPandas or GDAL",
        )
        try:
            about = json.loads((self.metadata.metadata or {})[b"geo"])
        except (KeyError, ValueError, RecursionError):
            raise none from None
        if not isinstance(about, dict) or not isinstance(about.get("columns"), dict):
            raise none
        return {"primary_column": None, **about}

    def _leaf(self, name: str) -> Any:
        """What Parquet says of a column that is not nested; None if there is none."""
        if self.schema.get_field_index(name) < 0 or name not in self._leaves:
            return None
        column = self.metadata.schema.column(self._leaves[name])
        return None if column.max_repetition_level else column

    def _spans(self, group: int, leaves: Sequence[int]) -> list[Span]:
        """Where the columns of a row group lie in the file."""
        about = self.metadata.row_group(group)
        spans = []
        for leaf in leaves:
            chunk = about.column(leaf)
            start = min(chunk.data_page_offset, chunk.dictionary_page_offset or 2**62)
            stop = start + chunk.total_compressed_size
            if not 4 <= start <= stop <= self._file.size:
                raise Refusal(BAD, f"row group {group} does not lie in the file: it is damaged")
            if chunk.total_uncompressed_size > self._settings.memory:
                raise Refusal(
                    TOO_LARGE,
                    f"row group {group} has {chunk.total_uncompressed_size:,} bytes of a column, "
                    f"and at most {self._settings.memory:,} are read; write smaller row groups",
                )
            spans.append((start, stop))
        return spans

    def _check_amounts(self, spans: Mapping[int, Sequence[Span]]) -> None:
        """Refuse row groups that hold more than is read at once."""
        rows = sum(self.metadata.row_group(group).num_rows for group in spans)
        size = sum(stop - start for some in spans.values() for start, stop in some)
        limits = self._settings
        if rows > limits.rows or size > limits.table:
            raise Refusal(
                TOO_LARGE,
                f"the row groups about the area have {rows:,} features in {size:,} bytes, and at "
                f"most {limits.rows:,} in {limits.table:,} are read; ask for less",
            )

    def _features(self, table: pa.Table, geometry: str, columns: Sequence[str]) -> Features:
        most = self._settings.memory // VERTEX
        with _decoding():
            table.validate(full=True)
            shapes = _shapes(table.column(geometry), most)
            values = {name: _numbers(table.column(name)) for name in columns}
        return Features(shapes, values)


def _shapes(column: pa.ChunkedArray, most: int) -> Objects:
    """Shapes of a column of dictionaries, each of whose entries is parsed once."""
    parts, tally = [np.empty(0, object)], Counter[str]()
    for chunk in column.chunks:
        known = parsed(pa.chunked_array([chunk.dictionary]), tally)
        some = np.full(len(chunk), None, object)
        some[chunk.indices.is_valid().to_numpy(zero_copy_only=False)] = known[
            chunk.indices.drop_null().to_numpy(zero_copy_only=False)
        ]
        parts.append(some)
    if tally["unreadable"]:
        raise Refusal(BAD, f"{tally['unreadable']} geometries near the area are damaged")
    shapes = np.concatenate(parts)
    _check_vertices(shapes, most)
    return shapes


def _check_vertices(shapes: Objects, most: int) -> None:
    count = int(shapely.get_num_coordinates(shapes).sum())
    if count > most:
        raise Refusal(
            TOO_LARGE,
            f"a row group has features of {count:,} vertices, and at most {most:,} are read",
        )


def _numbers(column: pa.ChunkedArray) -> Any:
    """(row,) float64, masked where the column is null."""
    there = column.is_valid().to_numpy()
    numbers = column.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy()
    return np.ma.masked_array(numbers, ~there)


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _crs(told: Mapping[str, Any]) -> CRS:
    """A geometry column's CRS; x comes before y in any."""
    document = told.get("crs", {})
    try:
        if not document and document is not None:
            return CRS("OGC:CRS84")  # the specification's default
        if not isinstance(document, dict) or document.get("type") not in CRSS:
            raise CRSError("it is no PROJJSON of a geographic or projected CRS")
        if OPENING.search(json.dumps(document)):
            raise CRSError("it is made of another one, or by a file of shifts")
        return CRS.from_json_dict(document)
    except (CRSError, RecursionError, ValueError) as error:
        raise Refusal(BAD, f"the features' CRS cannot be used: {str(error)[:200]}") from None


def _stretches(spans: Mapping[int, Sequence[Span]]) -> Iterator[list[int]]:
    """Row groups that are fetched at once."""
    some, size = list[int](), 0
    for group, there in spans.items():
        more = sum(stop - start for start, stop in there)
        if some and size + more > AT_ONCE:
            yield some
            some, size = [], 0
        some.append(group)
        size += more
    if some:
        yield some


@contextmanager
def _decoding() -> Iterator[None]:
    """Say of a file that cannot be decoded that it is damaged."""
    try:
        yield
    except (ReadError, MemoryError):
        raise
    except (pa.ArrowException, OSError, IndexError, UnicodeDecodeError) as error:
        told, _, _ = str(error).partition("\n")
        raise Refusal(
            BAD, f"the file is damaged, or of no Parquet that is read: {told[:300]}"
        ) from None
