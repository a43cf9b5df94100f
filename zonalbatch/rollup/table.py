"""Table: what is told of groups of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zonalbatch.errors import StatisticError
from zonalbatch.rollup.groups import Groups
from zonalbatch.rollup.source import Source
from zonalbatch.sinks.columns import nullable
from zonalbatch.sinks.table import APPROXIMATE, EMPTY, STATUS, row_status
from zonalbatch.statistics import STATISTICS, Statistic, parse_statistics

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["in_order", "table", "told"]


def told(source: Source, stats: Sequence[str] | str | None) -> tuple[Statistic, ...]:
    """The statistics to tell.

    Raises:
        StatisticError: one cannot be rolled up, or its states were not kept.
    """
    recipe = source.recipe
    asked = parse_statistics(recipe.statistics if stats is None else stats)
    kept = {None} | {"area" for s in recipe.asked if s.state == "area"}
    kept |= {"values", "classes"} if recipe.capped else set()
    kept |= {"central"} if source.central else set()
    for one in asked:
        if not one.rolls:
            able = [name for name, s in STATISTICS.items() if s.rolls]
            raise StatisticError(
                f"{one.name!r} cannot be rolled up; name statistics that can, by stats or -s: "
                f"{', '.join(able)}, p<q>"
            )
        if one.state not in kept:
            raise StatisticError(
                f"{one.name!r} cannot be rolled up: the run did not keep what it is made from; "
                f"run the job with {one.name!r} among its statistics, or name others by stats or -s"
            )
    return asked


def table(source: Source, groups: Groups, asked: Sequence[Statistic]) -> pa.Table:
    """The rows of groups."""
    return pa.table(source.heads(groups.keys) | _columns(source, groups, asked))


def in_order(source: Source, tables: Sequence[pa.Table]) -> pd.DataFrame:
    """All rows by name, then by time; a name whose zones meet no layer has one, ``empty``."""

    rows = pa.concat_tables(tables)
    alone = source.names.filter(pa.array(source.alone))
    alone = alone.filter(pc.invert(pc.is_in(alone, rows[source.by].combine_chunks())))
    status = pa.array([STATUS[EMPTY]] * len(alone), pa.string())
    rest = pa.table({source.by: alone, "status": status})
    frame = pa.concat_tables([rows, rest], promote_options="default").to_pandas()
    order = [source.by, "datetime", *([] if source.every else ["layer"])]
    ordered: pd.DataFrame = frame.sort_values(order, kind="stable", ignore_index=True)
    return ordered


def _columns(source: Source, groups: Groups, asked: Sequence[Statistic]) -> dict[str, pa.Array]:
    """Numbers of each group, and what is said of them."""
    columns: dict[str, Any] = {}
    n = len(groups.keys)
    rough, valid = np.zeros(n, bool), np.zeros(n, bool)
    for measurement, rolled in zip(source.recipe.measurements, groups.rolled, strict=True):
        summary, read = rolled.summary(), ~rolled.unread
        valid |= (summary.count > 0) & read
        for one in asked:
            column = one.finalize(summary)
            if one.capped:
                rough |= summary.approximate(str(one.state)) & read
            column = nullable(column).cast(one.kind) if isinstance(column, np.ndarray) else column
            nothing = pa.scalar(None, column.type)
            name = source.form.column(measurement.name, one.column)
            columns[name] = pc.if_else(pa.array(read), column, nothing)
    if any(one.capped for one in asked):
        columns[APPROXIMATE] = pa.array(rough)
    unread = np.column_stack([rolled.unread for rolled in groups.rolled])
    columns["status"] = pa.array(STATUS).take(pa.array(row_status(valid, unread)))
    return columns
