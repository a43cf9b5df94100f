"""Statistics: what is told of the cells of a zone.

A *statistic* is one result column (`vocabulary`). It is finalized from *states*, mergeable
summaries that several statistics share (`summary` holds those of one measurement):

    moments    count, sum, mean, min, max, variance        central   skew, kurtosis
    values     quantiles                                   classes   mode, minority, variety, frac,
    extremes   where the least and the largest value lie             histogram
    listing    values, coverage, cell_id                   calls     functions of the user's
    sketched   what rows are rolled up from                weighted  by the weights of cells

What is told by class or bin is a list a zone, or, with a `Breakdown`, one column for each of them.

A statistic is added by one line in ``vocabulary``; a kind of state by one file with a class that
has ``add`` and ``finish``, and one line in ``STATES``.
"""

from __future__ import annotations

from zonalbatch.statistics.behind import KEPT, MOMENTS, states_behind, states_needed
from zonalbatch.statistics.functions import FunctionError, OfCells, naming
from zonalbatch.statistics.quantiles import QuantileMethod
from zonalbatch.statistics.rolled import Rolled
from zonalbatch.statistics.statistic import Statistic
from zonalbatch.statistics.summary import Column, State, Summary
from zonalbatch.statistics.vocabulary import (
    STATISTICS,
    broken_down,
    parse_statistics,
    ranked,
    summary_of,
)
from zonalbatch.statistics.waiting import Waiting

__all__ = [
    "KEPT", "MOMENTS", "STATISTICS", "Column", "FunctionError", "OfCells", "QuantileMethod",
    "Rolled", "State", "Statistic", "Summary", "Waiting", "broken_down", "naming",
    "parse_statistics", "ranked", "states_behind", "states_needed", "summary_of",
]  # fmt: skip
