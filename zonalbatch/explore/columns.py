"""Columns: which statistics of which measurements a result holds, and under which names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from zonalbatch.errors import InputError
from zonalbatch.near import hint
from zonalbatch.sinks.table import FIXED, LONG, told_columns

__all__ = ["Column", "checked", "column_named", "columns_of", "is_long", "numbers"]


@dataclass(frozen=True, slots=True)
class Column:
    """A statistic of a measurement."""

    name: str
    """``ndvi_mean``"""
    measurement: str
    """``ndvi``, with the job's prefix."""
    statistic: str
    """``mean``"""
    number: bool
    """False of lists, texts and truths."""


def is_long(schema: pa.Schema) -> bool:
    """True if each row holds one number (``layout: long``)."""
    return set(LONG) <= set(schema.names)


def columns_of(schema: pa.Schema, manifest: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns of numbers of a result, in order.

    Raises:
        InputError: nothing tells what was measured, as the manifest is lost.
    """
    if "recipe" not in manifest:
        raise InputError("nothing tells what was measured there; run the job again, which mends it")
    prefix = manifest.get("form", {}).get("prefix", "")
    names = [f"{prefix}{name}" for name in manifest["recipe"]["measurements"]]
    if is_long(schema):
        statistics = manifest["recipe"]["statistics"]
        return tuple(Column(f"{m}_{s}", m, s, True) for m in names for s in statistics)
    found = list[Column]()
    for name in told_columns(schema):
        fits = [m for m in names if name.startswith(f"{m}_")]
        if fits and name not in FIXED:
            m = max(fits, key=len)
            found.append(Column(name, m, name[len(m) + 1 :], _is_number(schema.field(name).type)))
    return tuple(found)


def checked(names: Sequence[str], schema: pa.Schema) -> list[str]:
    """Names of columns that there are.

    Raises:
        InputError: there is none of a name.
    """
    for name in names:
        if name not in schema.names:
            raise InputError(f"there is no column {name!r}{hint(name, schema.names)}")
    return list(names)


def numbers(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Those that are numbers."""
    return tuple(one for one in columns if one.number)


def column_named(columns: Sequence[Column], name: str | None) -> Column:
    """The column of a name; without one, the mean of what is measured alone.

    Raises:
        InputError: there is none of that name, or it has to be said which.
    """
    there = numbers(columns)
    if not there:
        raise InputError("there is no column of numbers, only lists; see gdf")
    if name is None:
        if len({one.measurement for one in there}) != 1:
            raise InputError(f"say which column, such as {_some(there)}")
        return next((one for one in there if one.statistic == "mean"), there[0])
    for one in there:
        if one.name == name:
            return one
    near = hint(name, [one.name for one in there]) or f"; there are {_some(there)}"
    raise InputError(f"there is no column of numbers {name!r}{near}")


def _some(columns: Sequence[Column]) -> str:
    means = [one.name for one in columns if one.statistic == "mean"] or [c.name for c in columns]
    return ", ".join(means[:5]) + (", …" if len(means) > 5 else "")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
