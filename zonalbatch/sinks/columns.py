"""Columns: room for one result of every (zone, layer), and how it becomes a column of rows."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.statistics import Column

__all__ = ["Room", "nullable", "room_of"]

Places = NDArray[np.int64]


class Room(Protocol):
    """One result of every zone and layer."""

    def put(self, layer: int, column: Any) -> None:
        """Take in (zone,) results of a layer."""

    def take(self, zone: Places, layer: Places) -> pa.Array:
        """The results of some (zone, layer) pairs, null where there is none."""


def room_of(kind: pa.DataType, zones: int, layers: int) -> Room:
    """Room for results of an Arrow type: numbers, or lists and structs."""
    if pa.types.is_nested(kind):
        return _Lists(kind, zones, layers)
    return _Numbers(kind, zones, layers)


class _Numbers:
    """Numbers, NaN for none."""

    def __init__(self, kind: pa.DataType, zones: int, layers: int) -> None:
        self._kind = kind
        self._values = np.full((zones, layers), np.nan)

    def put(self, layer: int, column: Column) -> None:
        self._values[:, layer] = column

    def take(self, zone: Places, layer: Places) -> pa.Array:
        return nullable(self._values[zone, layer]).cast(self._kind)


class _Lists:
    """Lists and structs, as Arrow arrays of one layer each."""

    def __init__(self, kind: pa.DataType, zones: int, layers: int) -> None:
        self._zones = zones
        self._layers = [pa.nulls(zones, kind)] * layers

    def put(self, layer: int, column: Column) -> None:
        self._layers[layer] = column

    def take(self, zone: Places, layer: Places) -> pa.Array:
        found = pa.chunked_array(self._layers).take(pa.array(layer * self._zones + zone))
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def nullable(values: NDArray[np.float64]) -> pa.Array:
    """An Arrow array with null for NaN: null means no value, never NaN."""
    return pa.array(values, mask=np.isnan(values))
