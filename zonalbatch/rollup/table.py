"""Table: what is told of groups of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from zonalbatch.errors import StatisticError
from zonalbatch.rollup.groups import Groups
from zonalbatch.rollup.numbers import check_rolls, numbers
from zonalbatch.rollup.source import Source
from zonalbatch.sinks.table import EMPTY, STATUS
from zonalbatch.statistics import Statistic, parse_statistics, states_needed

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
    check_rolls(asked, "stats or -s")
    kept = set(recipe.states) - (set() if source.central else {"central"})
    for one in asked:
        if not set(states_needed([one])) <= kept:
            raise StatisticError(
                f"{one.name!r} cannot be rolled up: the run did not keep what it is made from; "
                f"run the job with {one.name!r} among its statistics, or name others by stats or -s"
            )
    return asked


def table(source: Source, groups: Groups, asked: Sequence[Statistic]) -> pa.Table:
    """The rows of groups."""
    told = numbers(groups, source.recipe.measurements, source.form, asked)
    return pa.table(source.heads(groups.keys) | told)


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
