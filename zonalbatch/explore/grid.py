"""Grid: rows as (zone, time), one row for each pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.explore.columns import Column, is_long

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows

__all__ = ["Grid", "grid_of"]

RANK = {"ok": 0, "partial": 1, "filtered": 2, "empty": 3, "failed": 4}
"""Of rows of one zone and time, the one of the lowest rank is taken."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Columns of numbers over zones and times."""

    zones: NDArray[Any]
    """(zone,) ids, ascending."""
    times: NDArray[Any]
    """(time,) datetime64[ns], UTC, ascending; names of layers where none has a date."""
    values: dict[str, NDArray[np.float64]]
    """Name -> (zone, time); NaN where there is none."""
    status: NDArray[np.str_]
    """(zone, time); empty where there is no row."""
    seen: NDArray[np.float64]
    """(zone, time) share of the zone's cells that have a value; NaN where no column tells."""

    @property
    def dated(self) -> bool:
        """False of layers without a date."""
        return self.times.dtype.kind == "M"


def grid_of(rows: Rows, columns: Sequence[Column]) -> Grid:
    """Rows as a grid; where several tell of one pair, the one that saw most of the zone.

    Raises:
        OutputError: the run has not ended.
    """
    measured = columns[0].measurement if columns else ""
    table = _wide(rows, columns, measured)
    zones = rows.zones["zone_id"].to_numpy()
    table = table.filter(pc.is_in(table["zone_id"], pa.array(zones)))
    table = table.filter(pc.is_valid(table["layer"]))  # else the zone meets none, at no time
    axis, at_time = _times(table)
    at_zone = pc.index_in(table["zone_id"], pa.array(zones)).to_numpy()
    seen = _seen(table, measured)
    status = table["status"].to_numpy(zero_copy_only=False).astype(str)
    rank = np.array([RANK.get(one, 9) for one in np.unique(status)])
    rank = rank[np.unique(status, return_inverse=True)[1]] if len(status) else np.empty(0, int)
    last = np.lexsort((np.nan_to_num(seen), -rank))  # what comes last is what stays
    shape = (len(zones), len(axis))

    def laid(values: NDArray[Any], empty: NDArray[Any]) -> NDArray[Any]:
        empty[at_zone[last], at_time[last]] = values[last]
        return empty

    return Grid(
        zones=zones, times=axis, seen=laid(seen, np.full(shape, np.nan)),
        values={
            one.name: laid(_numbers(table[one.name]), np.full(shape, np.nan)) for one in columns
        },
        status=laid(status, np.full(shape, "", "<U8")),
    )  # fmt: skip


def _wide(rows: Rows, columns: Sequence[Column], measured: str) -> pa.Table:
    """What is needed of the rows: one row for each pair of zone and layer."""
    beside = [f"{measured}_count", f"{measured}_n_total"]
    wanted = list(dict.fromkeys([*(one.name for one in columns), *beside]))
    fixed = ["zone_id", "datetime", "layer", "status"]
    if not is_long(rows.schema):
        return rows.read([*fixed, *(name for name in wanted if name in rows.schema.names)])
    table = rows.read([*fixed, "measurement", "statistic", "value"])
    names = pc.binary_join_element_wise(table["measurement"], table["statistic"], "_")
    # Each pair of zone and layer has a row for each name, so that those of all names come in the
    # same order.
    found = {name: table.filter(pc.equal(names, name)) for name in wanted}
    wide = found[wanted[0]].select(fixed)
    for name, some in found.items():
        if some.num_rows:
            wide = wide.append_column(name, some["value"])
    return wide


def _times(table: pa.Table) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The axis of times, and the place of each row on it."""
    times = table["datetime"]
    if times.null_count == len(times) and len(times):
        axis, at = np.unique(table["layer"].to_numpy().astype(str), return_inverse=True)
        return axis, at
    if times.null_count:
        raise InputError("some layers have a date and others none; select those that have")
    moments = times.cast(pa.timestamp("ns")).to_numpy()
    axis, at = np.unique(moments, return_inverse=True)
    return axis, at


def _seen(table: pa.Table, measured: str) -> NDArray[np.float64]:
    """(row,) the share of cells with a value."""
    names = (f"{measured}_count", f"{measured}_n_total")
    if not set(names) <= set(table.column_names):
        return np.full(table.num_rows, np.nan)
    count, total = (_numbers(table[name]) for name in names)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(count / total, 0, 1)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
