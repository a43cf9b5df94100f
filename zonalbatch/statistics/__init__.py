"""Statistics: what is told of the cells of a zone.

A *statistic* is one result column. It is computed from an *accumulator*, the mergeable state that
several statistics share: ``count`` and ``mean`` come from the same moments, ``median`` and ``p90``
from the same ranked values. A statistic is added by one line in ``STATISTICS``, a new kind of state
by one file with a class that has ``add`` and ``finish``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cells import (
    FILE_MASK,
    NODATA,
    NOT_A_NUMBER,
    OUTSIDE,
    UNREAD,
    USER_MASK,
    Cells,
    Covered,
)
from zonalbatch.errors import StatisticError
from zonalbatch.statistics.moments import COUNT, M2, MAX, MIN, SUM, Moments
from zonalbatch.statistics.values import Values

__all__ = ["Statistic", "Summary", "parse_statistics"]

Column = NDArray[np.float64]


class Summary:
    """All states of one measurement of one layer, gathered tile by tile."""

    def __init__(self, covered: Covered, statistics: Sequence[Statistic]) -> None:
        self.total = covered.coverage.zone_total
        """(zone,) sum of shares, cells."""
        self.beyond = covered.coverage.beyond
        """(zone,) True if cells of the zone lie where no tile was visited."""
        self.moments = Moments(covered)
        probabilities = tuple(s.probability for s in statistics if s.probability is not None)
        self.values = Values(covered, probabilities) if probabilities else None

    def add(self, cells: Cells) -> None:
        """Fold in the cells of one tile; tiles must come in row-major order."""
        self.moments.add(cells)
        if self.values is not None:
            self.values.add(cells)

    def finish(self, scale: float, offset: float) -> None:
        """Close the states and bring them from raw to physical values."""
        self.moments.finish(scale, offset)
        if self.values is not None:
            self.values.finish(scale, offset)

    @property
    def met(self) -> NDArray[np.bool_]:
        """(zone,) True if a covered cell lies in the layer's files."""
        met: NDArray[np.bool_] = np.delete(self.moments.counts, OUTSIDE, axis=1).sum(axis=1) > 0
        return met

    @property
    def unread(self) -> NDArray[np.bool_]:
        """(zone,) True if a cell of the zone could not be read."""
        return self.moments.counts[:, UNREAD] > 0

    @property
    def count(self) -> Column:
        """(zone,) sum of the shares of the valid cells."""
        return self.moments.state[:, COUNT]

    def of_valid(self, column: Column) -> Column:
        """A column with NaN where the zone has no valid cell."""
        return np.where(self.count > 0, column, np.nan)


@dataclass(frozen=True, slots=True)
class Statistic:
    """One result column, computed from the summary of each zone."""

    name: str
    """Its standard name: ``mean``, ``p90``."""
    finalize: Callable[[Summary], Column]
    """(zone,) values, NaN for none, from a finished summary."""
    probability: float | None = None
    """The probability of a quantile, 0 to 1."""

    @property
    def column(self) -> str:
        """Its name as a column: ``p2.5`` becomes ``p2_5``."""
        return self.name.replace(".", "_")


def parse_statistics(names: Sequence[str]) -> tuple[Statistic, ...]:
    """The statistics with these names or aliases, in their order, each once.

    Raises:
        StatisticError: a name is unknown, or there is none.
    """
    if isinstance(names, str):
        names = names.split(",")
    found = {s.name: s for s in (_parse(str(name).strip()) for name in names)}
    if not found:
        raise StatisticError("no statistic is asked for; name at least one, such as 'mean'")
    return tuple(found.values())


def _parse(name: str) -> Statistic:
    quantile = QUANTILE.fullmatch(name)
    if quantile:
        return _quantile(name, *quantile.groups())
    name = ALIASES.get(name, name)
    if name == "median":
        return Statistic("median", lambda s: _ranked(s, 0.5), probability=0.5)
    if name not in STATISTICS:
        known = [*STATISTICS, "median", "p90", *ALIASES]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        raise StatisticError(f"unknown statistic {name!r}{hint}")
    return Statistic(name, STATISTICS[name])


def _quantile(name: str, percent: str | None, percentile: str | None, q: str | None) -> Statistic:
    value = float(q) * 100 if q is not None else float(percent or percentile or 0)
    if not 0 <= value <= 100:
        raise StatisticError(f"{name!r} asks for a percentile outside of 0 to 100")
    probability = value / 100
    name = f"p{np.format_float_positional(round(value, 10), trim='-')}"
    return Statistic(name, lambda s: _ranked(s, probability), probability=probability)


def _ranked(summary: Summary, probability: float) -> Column:
    if summary.values is None:
        raise StatisticError(f"the summary holds no ranked values for the quantile {probability}")
    return summary.values.of(probability)


def _variance(summary: Summary) -> Column:
    state = summary.moments.state
    with np.errstate(divide="ignore", invalid="ignore"):
        return summary.of_valid(state[:, M2] / state[:, COUNT])


def _mean(summary: Summary) -> Column:
    state = summary.moments.state
    with np.errstate(divide="ignore", invalid="ignore"):
        return summary.of_valid(state[:, SUM] / state[:, COUNT])


def _valid_fraction(summary: Summary) -> Column:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(summary.total > 0, summary.count / summary.total, np.nan)


def _moment(index: int) -> Callable[[Summary], Column]:
    return lambda summary: summary.of_valid(summary.moments.state[:, index])


def _reason(index: int) -> Callable[[Summary], Column]:
    return lambda summary: summary.moments.counts[:, index]


def _outside(summary: Summary) -> Column:
    """What is left of the total: so the parts add up, however the visited tiles were cut."""
    counts = summary.moments.counts
    some = summary.beyond | (counts[:, OUTSIDE] > 0)
    inside = np.delete(counts, OUTSIDE, axis=1).sum(axis=1)
    return np.where(some, np.maximum(summary.total - inside, 0.0), 0.0)


STATISTICS: dict[str, Callable[[Summary], Column]] = {
    "count": lambda summary: summary.count,
    "sum": _moment(SUM),
    "mean": _mean,
    "min": _moment(MIN),
    "max": _moment(MAX),
    "range": lambda s: s.of_valid(s.moments.state[:, MAX] - s.moments.state[:, MIN]),
    "std": lambda summary: np.sqrt(_variance(summary)),
    "variance": _variance,
    "valid_fraction": _valid_fraction,
    "n_total": lambda summary: summary.total,
    "n_nodata": _reason(NODATA),
    "n_nan": _reason(NOT_A_NUMBER),
    "n_masked": lambda s: s.moments.counts[:, FILE_MASK] + s.moments.counts[:, USER_MASK],
    "n_outside": _outside,
}

ALIASES = {"stdev": "std", "var": "variance"}

QUANTILE = re.compile(
    r"p(\d{1,3}(?:\.\d+)?)|percentile_(\d{1,3}(?:\.\d+)?)|quantile\(q=(\d*\.?\d+)\)"
)
