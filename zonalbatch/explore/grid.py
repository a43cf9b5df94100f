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

__all__ = ["STATUS", "Grid", "grid_of"]

STATUS = ("ok", "partial", "filtered", "empty", "failed")
"""Of rows of one zone and time, the one that comes first here is taken."""
SEEN, COUNTS = "valid_fraction", ("count", "n_total")
"""Statistics by which it is known how much of a zone was seen."""
NONE = len(STATUS)
"""Code of a pair without a row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Columns of numbers over zones and times."""

    zones: NDArray[Any]
    """(zone,) ids, ascending."""
    times: NDArray[Any]
    """(time,) datetime64[ns], UTC, ascending; names of layers where none has a date."""
    values: dict[str, NDArray[np.float64]]
    """Name -> (zone, time); NaN where there is none."""
    codes: NDArray[np.int8]
    """(zone, time) index into STATUS, `NONE` where there is no row."""
    seen: NDArray[np.float64]
    """(zone, time) share of the zone's cells that have a value; NaN where no column tells."""

    @property
    def status(self) -> NDArray[np.str_]:
        """(zone, time); empty where there is no row."""
        return np.array([*STATUS, ""])[self.codes]

    @property
    def dated(self) -> bool:
        """False of layers without a date."""
        return self.times.dtype.kind == "M"


def grid_of(rows: Rows, columns: Sequence[Column]) -> Grid:
    """Rows as a grid; where several tell of one pair, the one that saw most of the zone.

    Files are read one after the other: no more is held at once than the grid and one of them.

    Raises:
        OutputError: the run has not ended.
    """
    measured = columns[0].measurement if columns else ""
    zones, axis = rows.zones["zone_id"].to_numpy(), _axis(rows)
    shape = (len(zones), len(axis))
    grid = Grid(
        zones=zones, times=axis, seen=np.full(shape, np.nan),
        codes=np.full(shape, NONE, np.int8),
        values={one.name: np.full(shape, np.nan) for one in columns},
    )  # fmt: skip
    known = pa.array(zones)
    for table in _wide(rows, columns, measured):
        there = table.filter(pc.is_in(table["zone_id"], known))
        _lay(grid, there, pc.index_in(there["zone_id"], known).to_numpy(), measured)
    return grid


def _lay(grid: Grid, table: pa.Table, at_zone: NDArray[Any], measured: str) -> None:
    """Put rows into their places, where they tell more than what is there."""
    at_time = np.searchsorted(grid.times, _times(table, dated=grid.dated))
    code = _codes(table["status"])
    seen = _seen(table, measured)
    last = np.lexsort((np.nan_to_num(seen), -code))  # what comes last is what stays
    place = (at_zone[last], at_time[last])
    better = (code[last] < grid.codes[place]) | (
        (code[last] == grid.codes[place])
        & (np.nan_to_num(seen[last]) >= np.nan_to_num(grid.seen[place]))
    )
    last, place = last[better], (place[0][better], place[1][better])
    grid.codes[place], grid.seen[place] = code[last], seen[last]
    for name, values in grid.values.items():
        values[place] = _numbers(table[name])[last]


def _wide(rows: Rows, columns: Sequence[Column], measured: str) -> Any:
    """What is needed of the rows, file by file: one row for each pair of zone and layer.

    Rows of zones that meet no layer have no place on the axis of times.
    """
    beside = [f"{measured}_{one}" for one in (SEEN, *COUNTS)]
    wanted = list(dict.fromkeys([*(one.name for one in columns), *beside]))
    fixed = ["zone_id", "datetime", "layer", "status"]
    layered = pc.field("layer").is_valid()
    if not is_long(rows.schema):
        there = [*fixed, *(name for name in wanted if name in rows.schema.names)]
        for table in rows.pieces(there):
            yield table.filter(layered)
        return
    for table in rows.pieces([*fixed, "measurement", "statistic", "value"]):
        yield _widened(table.filter(layered), fixed, wanted)


def _widened(table: pa.Table, fixed: list[str], wanted: list[str]) -> pa.Table:
    """Rows of the long layout, one row for each pair."""
    names = pc.binary_join_element_wise(table["measurement"], table["statistic"], "_")
    # Each pair of zone and layer has a row for each name, so that those of all names come in the
    # same order.
    found = {name: table.filter(pc.equal(names, name)) for name in wanted}
    wide = found[wanted[0]].select(fixed)
    for name, some in found.items():
        if some.num_rows or name == wanted[0]:
            wide = wide.append_column(name, some["value"])
    return wide


def _axis(rows: Rows) -> NDArray[Any]:
    """The axis of times; names of layers where none has a date.

    Raises:
        InputError: some have one and others none.
    """
    pairs = [
        table.filter(pc.field("layer").is_valid()).group_by(["datetime", "layer"]).aggregate([])
        for table in rows.pieces(["datetime", "layer"])
    ]
    table = pa.concat_tables(pairs)
    dated = len(table) - table["datetime"].null_count
    if 0 < dated < len(table):
        raise InputError("some layers have a date and others none; select those that have")
    return np.unique(_times(table, dated=bool(dated) or not len(table)))


def _times(table: pa.Table, *, dated: bool) -> NDArray[Any]:
    """(row,) what tells of time."""
    if dated:
        times: NDArray[Any] = table["datetime"].cast(pa.timestamp("ns")).to_numpy()
        return times
    return table["layer"].to_numpy().astype(str)


def _codes(status: pa.ChunkedArray) -> NDArray[np.int8]:
    """(row,) index into STATUS."""
    found = pc.index_in(status, pa.array(STATUS)).fill_null(NONE)
    codes: NDArray[np.int8] = found.to_numpy().astype(np.int8)
    return codes


def _seen(table: pa.Table, measured: str) -> NDArray[np.float64]:
    """(row,) the share of cells with a value: as the run told it, or by their counts."""
    known, counts = f"{measured}_{SEEN}", [f"{measured}_{one}" for one in COUNTS]
    if known in table.column_names:
        share = _numbers(table[known])
    elif set(counts) <= set(table.column_names):
        count, total = (_numbers(table[name]) for name in counts)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.clip(count / total, 0, 1)
    else:
        return np.full(table.num_rows, np.nan)
    empty = _codes(table["status"]) == STATUS.index("empty")
    return np.where(np.isnan(share) & empty, 0.0, share)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
