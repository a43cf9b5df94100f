"""Roll-up: rows of a result combined to coarser zones and longer times, without a pixel.

The rows of a run with ``sketch: true`` keep the states behind their numbers. Rows are read some at
a time; the states of each are merged into those of its group, so that memory follows from the
groups, not from the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from zonalbatch.periods import period_of
from zonalbatch.rollup.groups import Groups
from zonalbatch.rollup.source import Source
from zonalbatch.rollup.table import in_order, table, told
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["rollup"]

WAITING = 32 * 2**20
"""Bytes of groups that wait for being merged."""

MEMORY = 64 * 2**20
"""Bytes of sketches that are looked at in one go; where there are more, zones take turns."""


def rollup(
    result: Output, by: str | None, every: str | None, stats: Sequence[str] | str | None
) -> pd.DataFrame:
    """The rows of a sealed result, combined by a carried column, by times, or by both.

    Args:
        result: folder of the result.
        by: column of the zones by which zones are put together; None keeps zones apart.
        every: a period (`periods.period_of`); None keeps layers apart.
        stats: names of statistics; None takes those of the run.

    Raises:
        InputError: the result keeps no states, or there is no such column or time.
        StatisticError: a statistic cannot be rolled up.
    """
    if every is not None:
        period_of(every)
    source = Source.of(result, by, every)
    asked = told(source, stats)
    sketched = any(one.capped for one in asked)
    nothing = source.nothing(sketched=sketched)
    tables = [
        table(source, _together(source.batches(names, sketched=sketched), nothing), asked)
        for names in source.shares(MEMORY, sketched=sketched)
    ]
    return in_order(source, tables)


def _together(batches: Iterable[Groups], nothing: Groups) -> Groups:
    """Groups of all batches, merged now and then, so that few wait."""
    waiting = [nothing]
    for batch in batches:
        waiting.append(batch)
        if sum(one.nbytes for one in waiting[1:]) > max(WAITING, waiting[0].nbytes):
            waiting = [Groups.merged(waiting)]
    return Groups.merged(waiting)
