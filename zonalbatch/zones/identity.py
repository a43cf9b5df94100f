"""Identity: the ids that name zones, and the hashes that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.util import hash_array

from zonalbatch.errors import ZonesError
from zonalbatch.zones.columns import cast_column, known_column, plain_type
from zonalbatch.zones.frames import Frames
from zonalbatch.zones.shapes import Objects
from zonalbatch.zones.source import ROW, Source

__all__ = ["checked_ids", "name_of_ids", "refuse_duplicates", "type_of_ids", "zone_hashes"]

HASH_KEYS = ("zonalbatch-hash0", "zonalbatch-hash1")
"""Two keys of 16 characters make 128 bits out of a keyed hash of 64.

The hash is SipHash as pandas computes it, because it runs over a whole column in C (100,000
polygons in 15 ms a pass), where a blake2 digest would be a Python call for each zone.
"""


def name_of_ids(source: Source, id: str | None) -> str:
    """The column that the ids come from: the user's, else the source's own, else ``row``."""
    if id is not None:
        return known_column(id, source, "id")
    if source.index is None and isinstance(source, Frames):
        raise ZonesError(
            "the GeoDataFrame's index cannot serve as ids (they must be unique integers or "
            "strings); name an id column, or call reset_index(drop=True)"
        )
    return source.index or ROW


def type_of_ids(column: pa.Field) -> pa.DataType:
    """``int64`` or ``string``, whichever the column's values fit."""
    kind = plain_type(column.type)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pa.int64()
    if pa.types.is_string(kind):
        return pa.string()
    if pa.types.is_null(kind):
        raise ZonesError(
            f"ids must be integers or strings, but column {column.name!r} mixes kinds of values "
            "or has none; convert it to text (astype(str)), or name another column"
        )
    raise ZonesError(
        f"ids must be integers or strings, but column {column.name!r} is {kind}; "
        "convert it to text (astype(str)), or name another column"
    )


def checked_ids(column: pa.ChunkedArray, kind: pa.DataType, name: str, start: int) -> pa.Array:
    """The ids of one batch, none null; ``start`` is its first row in all zones."""
    try:
        ids = cast_column(column, kind, name)
    except ZonesError as error:
        raise ZonesError(
            f"ids must be integers of 64 bits or strings, but {error}; "
            "convert them to text (astype(str)), or name another column"
        ) from error
    if ids.null_count:
        row = start + pc.index(pc.is_null(ids), True).as_py()
        raise ZonesError(
            f"the id in column {name!r} is null in row {row} (counted from 0); "
            "give every zone an id, or name another column"
        )
    return ids


def refuse_duplicates(ids: pa.ChunkedArray, name: str) -> None:
    """Raise if an id comes twice."""
    if pc.all(pc.less(ids[:-1], ids[1:])).as_py():
        return  # ascending, as row numbers and most keys are: found without a table of all
    twice = len(ids) - pc.count_distinct(ids).as_py()
    if twice:
        counts = ids.value_counts()
        example = counts.filter(pc.greater(counts.field("counts"), 1))[0].as_py()
        raise ZonesError(
            f"ids must be unique, but {twice:,} of {len(ids):,} in {name!r} repeat an earlier one "
            f"(such as {example['values']!r}, {example['counts']} times); name another column"
        )


def zone_hashes(salt: str, columns: Sequence[pa.Array], wkb: np.ndarray[Any, Any]) -> pa.Array:
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
