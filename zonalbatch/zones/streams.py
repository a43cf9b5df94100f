"""Streams: batches of a file as tables, and their geometries as shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from zonalbatch.errors import ZonesError
from zonalbatch.zones.nesting import without_abysses
from zonalbatch.zones.shapes import Objects, note
from zonalbatch.zones.source import explained

__all__ = ["parsed", "tables"]


def tables(batches: Iterable[Any], name: str, tally: Counter[str]) -> Iterator[pa.Table]:
    """Batches as tables, with the faults and warnings of reading each one explained."""
    remaining = iter(batches)
    while True:
        # Not around the loop: a generator must not keep warnings caught while its caller runs.
        with explained(name, tally):
            batch = next(remaining, None)
        if batch is None:
            return
        yield pa.table(batch)


def parsed(column: pa.ChunkedArray, tally: Counter[str]) -> Objects:
    """Shapes of a column of WKB; unclosed rings are closed."""
    raw = without_abysses(_storage(column)).to_numpy()
    try:
        shapes = np.asarray(shapely.from_wkb(raw, on_invalid="fix"), dtype=object)
    except (shapely.errors.ShapelyError, NotImplementedError) as error:
        raise ZonesError(
            f"a geometry cannot be used ({error}); "
            "straighten curves first, with ogr2ogr -nlt CONVERT_TO_LINEAR"
        ) from error
    note(tally, "unreadable", shapely.is_missing(shapes).sum() - column.null_count)
    return shapes


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Plain WKB, where the column may be of an extension type."""
    if isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return pa.chunked_array(chunks, column.type.storage_type)
    return column
