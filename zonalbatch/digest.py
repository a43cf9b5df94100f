"""Digest: SHA-256 over the values of a table's rows, however they are cut and laid out.

It is taken from Arrow's buffers, some rows at a time: no row becomes an object of Python's, and no
column is copied as a whole. Of each column come the validity of its values, then the values; of
text the lengths, then the bytes; of a struct its fields; of lists their lengths and their items, as
those of a column, for `ROWS` rows after the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["digest_of"]

ROWS = 2**16
"""Rows that are looked at at once; the digest of lists depends on it. A multiple of eight."""


def digest_of(table: pa.Table, keys: Sequence[str]) -> str:
    """The digest of a table's rows in the order of some columns, ascending."""
    by = [(key, "ascending") for key in keys]
    order = pc.sort_indices(table.select(list(keys)), sort_keys=by)
    state = hashlib.sha256(json.dumps([str(field) for field in table.schema]).encode())
    for column in table.columns:
        for piece in _pieces(column, order):
            state.update(piece)
    return state.hexdigest()


def _pieces(column: pa.ChunkedArray, order: pa.Array | None) -> Iterator[bytes | memoryview]:
    """What the values of a column follow from, in an order of its rows; None is as they are."""
    kind = column.type
    for rows in _batches(column.is_valid(), order):
        yield np.packbits(rows.to_numpy(zero_copy_only=False)).data
    if pa.types.is_struct(kind):
        for field in column.flatten():
            yield from _pieces(field, order)
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        yield from (_lengths(rows) for rows in _batches(column, order))
        yield from (_bytes(rows) for rows in _batches(column, order))
    elif pa.types.is_list(kind):
        for rows in _batches(column, order):
            yield pc.fill_null(pc.list_value_length(rows), 0).to_numpy().data
            yield from _pieces(pa.chunked_array([rows.flatten()]), None)
    elif _numeric(kind):
        yield from (_numbers(rows) for rows in _batches(column, order))
    else:
        yield from _words(_batches(column, order))


def _batches(column: pa.ChunkedArray, order: pa.Array | None) -> Iterator[pa.Array]:
    """The rows in order, some at a time."""
    for start in range(0, len(column), ROWS):
        rows = (
            column.slice(start, ROWS) if order is None else column.take(order[start : start + ROWS])
        )
        yield pa.concat_arrays(rows.chunks)


def _numeric(kind: pa.DataType) -> bool:
    return any(
        is_so(kind) for is_so in (pa.types.is_integer, pa.types.is_floating, pa.types.is_timestamp)
    )


def _numbers(rows: pa.Array) -> memoryview:
    """The bytes of numbers and times, 0 where there is none."""
    if pa.types.is_timestamp(rows.type):
        rows = rows.cast(pa.int64())
    return np.ascontiguousarray(rows.fill_null(0).to_numpy(zero_copy_only=False)).data


def _lengths(rows: pa.Array) -> memoryview:
    """The length of each text, bytes; of a null 0."""
    return pc.fill_null(pc.binary_length(rows), 0).to_numpy().data


def _bytes(rows: pa.Array) -> memoryview:
    """The bytes of all texts, one after the other."""
    rows = rows.cast(pa.binary()).fill_null(b"")
    ends = np.frombuffer(rows.buffers()[1], np.int32)[rows.offset : rows.offset + len(rows) + 1]
    content = rows.buffers()[2]
    return memoryview(content)[ends[0] : ends[-1]] if content else memoryview(b"")


def _words(batches: Iterator[pa.Array]) -> Iterator[bytes]:
    """Truths and types that results seldom have as JSON, some rows at a time."""
    yield b"["
    for i, rows in enumerate(batches):
        text = json.dumps(rows.to_pylist(), default=str)[1:-1]
        yield f"{', ' if i else ''}{text}".encode()
    yield b"]"
