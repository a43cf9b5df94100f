"""Numbers: what is told of groups of rows, and which statistics can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zonalbatch.errors import StatisticError
from zonalbatch.measure import Measurement
from zonalbatch.rollup.groups import Groups
from zonalbatch.sinks.columns import nullable
from zonalbatch.sinks.table import APPROXIMATE, STATUS, Form, row_status
from zonalbatch.statistics import STATISTICS, Statistic

__all__ = ["check_rolls", "numbers"]


def check_rolls(asked: Sequence[Statistic], how: str) -> None:
    """See that statistics can be told of rows that are put together.

    Args:
        asked: the statistics.
        how: what a user names them by.

    Raises:
        StatisticError: one cannot be.
    """
    for one in asked:
        if not one.rolls:
            able = ", ".join(name for name, s in STATISTICS.items() if s.rolls)
            raise StatisticError(
                f"{one.name!r} cannot be rolled up; name statistics that can, by {how}: {able}, "
                "p<q>"
            )


def numbers(
    groups: Groups, measurements: Sequence[Measurement], form: Form, asked: Sequence[Statistic]
) -> dict[str, pa.Array]:
    """Columns: the statistics of each group, and what is said of them."""
    columns: dict[str, Any] = {}
    n = len(groups.keys)
    rough, valid = np.zeros(n, bool), np.zeros(n, bool)
    for measurement, rolled in zip(measurements, groups.rolled, strict=True):
        summary, read = rolled.summary(asked), ~rolled.unread
        valid |= (summary.count > 0) & read
        for one in asked:
            column = one.finalize(summary)
            if one.capped:
                rough |= summary.approximate(str(one.state)) & read
            column = nullable(column).cast(one.kind) if isinstance(column, np.ndarray) else column
            nothing = pa.scalar(None, column.type)
            name = form.column(measurement.name, one.column)
            columns[name] = pc.if_else(pa.array(read), column, nothing)
    if any(one.capped for one in asked):
        columns[APPROXIMATE] = pa.array(rough)
    unread = np.column_stack([rolled.unread for rolled in groups.rolled])
    columns["status"] = pa.array(STATUS).take(pa.array(row_status(valid, unread)))
    return columns
