"""Counts: rows by date and status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from zonalbatch.explore.columns import is_long
from zonalbatch.explore.grid import STATUS

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows

__all__ = ["Counts", "counts_of"]

BARS = 200
"""Of a chart, at most; more dates are put together by month, quarter or year."""
PERIODS = {"date": "D", "month": "M", "quarter": "Q", "year": "Y"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows have which status, by date."""

    document: dict[str, Any]
    total: dict[str, int]
    """Status -> rows."""
    unmet: int
    """Rows of zones that meet no layer."""
    note: str


def counts_of(rows: Rows) -> Counts:
    """Rows counted, file by file.

    Raises:
        OutputError: there are none yet.
    """
    found = pd.concat([_counted(piece) for piece in _pieces(rows)], ignore_index=True)
    alone = found["layer"].isna()
    unmet = int(found.loc[alone, "rows"].sum())
    found = found[~alone]
    table, unit = _by_time(found)
    total = found.groupby("status")["rows"].sum()
    return Counts(
        document={
            "names": table.index.tolist(), "unit": unit,
            "bars": {one: table[one].tolist() for one in table.columns if table[one].any()},
        },
        total={one: int(total[one]) for one in STATUS if one in total},
        unmet=unmet,
        note="" if unit in ("date", "layer") else f"Rows are counted by {unit}, not by date.",
    )  # fmt: skip


def _pieces(rows: Rows) -> Any:
    """Files, of whose rows each tells of another zone and layer."""
    names = ["datetime", "layer", "status"]
    if not is_long(rows.schema):
        yield from rows.pieces(names)
        return
    first = None
    for piece in rows.pieces([*names, "measurement", "statistic"]):
        keys = pc.binary_join_element_wise(piece["measurement"], piece["statistic"], "_")
        there = pc.unique(keys.drop_null()) if len(piece) else []
        first = first or (there[0] if len(there) else None)
        yield piece.filter(pc.or_kleene(pc.is_null(keys), pc.equal(keys, first))).select(names)


def _counted(piece: pa.Table) -> pd.DataFrame:
    counted = piece.group_by(["datetime", "layer", "status"]).aggregate([([], "count_all")])
    return counted.to_pandas().rename(columns={"count_all": "rows"})


def _by_time(found: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """(time, status) rows, and what is a time."""
    dated = found["datetime"].notna()
    if not len(found) or not dated.any():
        table = _pivot(found, found["layer"])
        return table, "layer"
    times = pd.DatetimeIndex(found["datetime"].fillna(found["datetime"].min())).tz_localize(None)
    few = (one for one in PERIODS if times.to_period(PERIODS[one]).nunique() <= BARS)
    unit = next(few, "year")
    names = pd.Series(times.to_period(PERIODS[unit]).astype(str), index=found.index)
    return _pivot(found, names), unit


def _pivot(found: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    table = found.assign(name=names).groupby(["name", "status"])["rows"].sum().unstack("status")
    return table.reindex(columns=list(STATUS)).fillna(0).astype(int).sort_index()
