"""Frames: zones that Python holds, in a GeoDataFrame or in the partitions of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyproj import CRS

from zonalbatch.errors import ZonesError
from zonalbatch.zones.columns import plain_type
from zonalbatch.zones.crs import read_crs
from zonalbatch.zones.shapes import Objects
from zonalbatch.zones.source import Source, explained

if TYPE_CHECKING:
    import geopandas

__all__ = ["Frames", "frame_sources"]


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """A GeoDataFrame, or the partitions of one that Dask holds."""

    parts: tuple[Callable[[], geopandas.GeoDataFrame], ...]
    """Each gives one part of the rows, in order."""
    crs: CRS | None
    """See `Source.crs`."""
    schema: pa.Schema
    """The columns beside the geometry, and the index if it can name the zones."""
    index: str | None
    """Name of the index, if it can name the zones."""
    name: str = "the GeoDataFrame"
    """What errors call it."""
    hidden: frozenset[str] = frozenset()
    """The index, which ``*`` does not mean."""
    by_id: bool = False
    """See `Source.by_id`."""

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        """See `Source.read`."""
        for part in self.parts:
            frame = part()
            shapes = np.asarray(frame.geometry.array, dtype=object)
            for start in range(0, len(frame), size):
                rows = slice(start, start + size)
                with explained(self.name, tally):
                    attributes = self._table(frame.iloc[rows], columns)
                yield attributes, shapes[rows].copy()

    def _table(self, frame: geopandas.GeoDataFrame, columns: list[str]) -> pa.Table:
        # The index goes by its name; open_zones saw to it that no column has the same.
        values = {name: frame.index if name == self.index else frame[name] for name in columns}
        return pa.table({name: pa.array(column) for name, column in values.items()})


def frame_sources(frame: Any) -> list[Source]:
    """The one source that a frame is, be it whole or in Dask's partitions."""
    if not hasattr(frame, "npartitions"):
        return [_of_frame(frame, (lambda: frame,), frame.index.is_unique)]
    parts = tuple(_partition(frame, i) for i in range(frame.npartitions))
    return [_of_frame(parts[0](), parts, True)]


def _partition(frame: Any, i: int) -> Callable[[], geopandas.GeoDataFrame]:
    # Synchronous: the client computes one small table, it does not start a cluster's work.
    return lambda: frame.get_partition(i).compute(scheduler="synchronous")


def _of_frame(
    frame: geopandas.GeoDataFrame,
    parts: tuple[Callable[[], geopandas.GeoDataFrame], ...],
    unique: bool,
) -> Frames:
    if frame.active_geometry_name is None:
        raise ZonesError(
            "the GeoDataFrame has no active geometry; choose its column: gdf.set_geometry('...')"
        )
    name = str(frame.index.name or "index")
    names = frame.columns[frame.dtypes != "geometry"]
    schema = pa.schema([pa.field(str(each), _type_of(frame[each])) for each in names])
    index = None
    if unique and frame.index.nlevels == 1 and name not in schema.names:
        values = pa.array(frame.index)
        if plain_type(values.type) in (pa.int64(), pa.string()) or pa.types.is_integer(values.type):
            schema, index = schema.append(pa.field(name, values.type)), name
    crs = read_crs(frame.crs)
    return Frames(parts, crs, schema, index, hidden=frozenset({index or ""}))


def _type_of(column: pd.Series) -> pa.DataType:
    """The Arrow type of a column; null for what Arrow cannot hold, an error if it is carried."""
    try:
        return pa.array(column).type
    except pa.ArrowException:
        return pa.null()
