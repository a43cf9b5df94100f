"""Statistics: what is told of the cells of a zone.

A *statistic* is one result column (`vocabulary`). It is finalized from *states*, mergeable
summaries that several statistics share (`summary` holds those of one measurement):

    moments    count, sum, mean, min, max, variance        central   skew, kurtosis
    values     quantiles                                   classes   mode, minority, variety, frac
    extremes   where the least and the largest value lie   sketched  what rows are rolled up from

A statistic is added by one line in ``vocabulary``; a kind of state by one file with a class that
has ``add`` and ``finish``, and one line in ``STATES``.
"""

from __future__ import annotations

from zonalbatch.statistics.behind import states_behind
from zonalbatch.statistics.rolled import Rolled
from zonalbatch.statistics.summary import Column, State, Summary
from zonalbatch.statistics.vocabulary import (
    STATISTICS,
    Statistic,
    parse_statistics,
    summary_of,
)

__all__ = [
    "STATISTICS", "Column", "Rolled", "State", "Statistic", "Summary", "parse_statistics",
    "states_behind", "summary_of",
]  # fmt: skip
