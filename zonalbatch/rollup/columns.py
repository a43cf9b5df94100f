"""Columns of result files: which keep states, how large they are, what their rows stand for."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.places import Place
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.table import Form
from zonalbatch.statistics import Rolled

__all__ = ["places", "plain", "size_of", "state_columns", "states_of"]


def state_columns(recipe: Recipe, form: Form, *, sketched: bool) -> tuple[tuple[str, ...], ...]:
    """Of each measurement, the columns of its states, with or without its sketches."""
    states = ("state", "sketch") if sketched else ("state",)
    return tuple(tuple(form.column(m.name, state) for state in states) for m in recipe.measurements)


def states_of(rows: pa.Table, columns: Sequence[str], fresh: NDArray[np.bool_]) -> Rolled:
    """The states of one measurement.

    Args:
        rows: rows of a result.
        columns: where its states are kept.
        fresh: (row,) True if the area of its zone is to be counted.
    """
    state, *sketch = (rows[name].combine_chunks() for name in columns)
    return Rolled.of_rows(state, sketch[0] if sketch else None, fresh)


def size_of(file: Place, columns: Set[str]) -> int:
    """Bytes of some columns of a file, decoded."""
    metadata = pq.read_metadata(file.source())
    chunks = (
        metadata.row_group(i).column(k)
        for i in range(metadata.num_row_groups)
        for k in range(metadata.num_columns)
    )
    return sum(8 * c.num_values for c in chunks if c.path_in_schema.split(".")[0] in columns)


def places(column: pa.ChunkedArray, among: pa.Array) -> NDArray[np.int64]:
    """(row,) where each value of a column stands among others; -1 if it does not."""
    found = pc.index_in(plain(column), among).fill_null(-1)
    wide: NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return wide


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as values, not as codes."""
    coded = pa.types.is_dictionary(column.type)
    return column.cast(column.type.value_type) if coded else column
