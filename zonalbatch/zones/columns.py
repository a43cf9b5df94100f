"""Columns: which of the user's travel with the zones, and in which types."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pyarrow as pa

from zonalbatch.errors import ZonesError
from zonalbatch.zones.source import Source

__all__ = ["RESERVED", "carried_columns", "cast_column", "known_column", "plain_type"]

RESERVED = ("zone_id", "geometry", "left", "bottom", "right", "top", "hash")
"""Columns of every batch that are ours; a carried column cannot have these names."""


def carried_columns(
    schema: pa.Schema, columns: Sequence[str] | None, id_name: str, source: Source
) -> pa.Schema:
    """The columns to carry, with dictionaries and large types made plain."""
    names = [known_column(name, source, "carried") for name in columns or () if name != "*"]
    if "*" in (columns or ()):
        every = [n for n in schema.names if n not in source.hidden and n != id_name]
        names = list(dict.fromkeys([*names, *every]))
    for name in names:
        if name in RESERVED:
            raise ZonesError(f"column {name!r} cannot be carried: the name is ours; rename it")
    return pa.schema([pa.field(name, plain_type(schema.field(name).type)) for name in names])


def known_column(name: str, source: Source, role: str) -> str:
    """The name, seen to be a column of the source; ``role`` is what errors call it."""
    if name in source.schema.names:
        return name
    near = difflib.get_close_matches(name, source.schema.names, 1, 0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(source.schema.names) or "none"
    raise ZonesError(f"{source.name} has no {role} column {name!r}{hint} (columns: {listed})")


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values, without dictionaries and 64-bit offsets."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return pa.binary() if pa.types.is_large_binary(kind) else kind


def cast_column(column: pa.ChunkedArray, kind: pa.DataType, name: str) -> pa.Array:
    """One contiguous array of the type that was announced; the values must survive."""
    try:
        return pa.concat_arrays(column.cast(kind).chunks or [pa.array([], kind)])
    except pa.ArrowInvalid as error:
        raise ZonesError(f"column {name!r} does not fit {kind}: {error}") from error
