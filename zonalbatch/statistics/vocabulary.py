"""Vocabulary: the names of statistics, and how each is told from the states."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.breakdown import Bins, Breakdown
from zonalbatch.cover.cells import NODATA, NOT_A_NUMBER, OUTSIDE, Covered
from zonalbatch.errors import StatisticError
from zonalbatch.lattice import Window
from zonalbatch.statistics.area import ZoneArea
from zonalbatch.statistics.binned import Binned
from zonalbatch.statistics.by_class import (
    area_of_class,
    areas_of_classes,
    count_of_bin,
    count_of_class,
    counted,
    distribution,
    has_class,
    share_of_class,
)
from zonalbatch.statistics.central import Central
from zonalbatch.statistics.classes import Classes, averaged
from zonalbatch.statistics.extremes import Extremes
from zonalbatch.statistics.functions import Calls, Function, OfCells
from zonalbatch.statistics.heaviest import Heaviest, value_at
from zonalbatch.statistics.listing import Listing
from zonalbatch.statistics.moments import COUNT, M2, MAX, MIN, SUM
from zonalbatch.statistics.quantiles import QuantileMethod
from zonalbatch.statistics.sketched import Sketched
from zonalbatch.statistics.statistic import NUMBER, Statistic
from zonalbatch.statistics.summary import Column, State, Summary
from zonalbatch.statistics.values import Values
from zonalbatch.statistics.weighted import Weighted

__all__ = ["broken_down", "parse_statistics", "ranked", "summary_of"]

Floats = NDArray[np.float64]

WHOLE = pa.int64()
VALUES, IDS = pa.list_(pa.float64()), pa.list_(pa.int64())
SHARES = pa.list_(pa.struct([("class", pa.float64()), ("value", pa.float64())]))


Scaling = tuple[float, float]
"""(scale, offset) from raw to physical values."""

STATES: dict[str, Callable[[Covered, Sequence[Statistic], Scaling], State]] = {
    "values": lambda covered, asking, _: Values(covered, _probabilities(asking)),
    "inverted": lambda covered, asking, _: Values(
        covered, _probabilities(asking), method="inverted_cdf"
    ),
    "classes": lambda covered, asking, _: Classes.of(
        covered, listed=any(s.detailed for s in asking), weigh=averaged
    ),
    "counted": lambda covered, *_: Classes.of(covered, listed=True),
    "binned": lambda covered, asking, scaling: Binned(covered, asking[0].edges, *scaling),
    "central": lambda covered, *_: Central.none(covered.coverage.n_zones),
    "extremes": lambda covered, *_: Extremes(covered),
    "area": lambda covered, *_: ZoneArea(covered.areas()),
    "heaviest": lambda covered, *_: Heaviest(covered),
    "listing": lambda covered, *_: Listing(covered),
    "sketched": lambda covered, *_: Sketched(covered),
    "weighted": lambda covered, asking, _: Weighted(covered, listed=any(s.listed for s in asking)),
    "calls": lambda covered, asking, scaling: Calls(
        covered, [s.function for s in asking if s.function is not None], *scaling
    ),
}


def summary_of(
    covered: Covered,
    statistics: Sequence[Statistic],
    extent: Window,
    scaling: Scaling = (1.0, 0.0),
) -> Summary:
    """An empty summary with the states that some statistics need.

    Args:
        covered: the cells of the zones.
        statistics: what is wanted.
        extent: the cells of the layer's files, from which cells are numbered.
        scaling: from raw to physical values, for functions and bins, which need them at once.
    """
    asking: dict[str, list[Statistic]] = {}
    for statistic in statistics:
        for state in (statistic.state, statistic.beside):
            if state is not None:
                asking.setdefault(_shared(state, covered), []).append(statistic)
    states = {name: STATES[name](covered, by, scaling) for name, by in asking.items()}
    return Summary.of(covered, states, extent)


def _probabilities(asking: Sequence[Statistic]) -> tuple[float, ...]:
    return tuple(s.probability for s in asking if s.probability is not None)


def _shared(state: str, covered: Covered) -> str:
    """The state that tells the same: averages and counts differ only where areas weigh cells."""
    return "classes" if state == "counted" and covered.averaging is None else state


def parse_statistics(
    names: str | Sequence[str | OfCells | Callable[..., Any]],
) -> tuple[Statistic, ...]:
    """The statistics with these names or aliases, or of these functions, in order, each once.

    Raises:
        StatisticError: a name is unknown, or there is none, or two functions have the same.
    """
    if isinstance(names, str):
        names = names.split(",")
    found: dict[str, Statistic] = {}
    for one in map(_statistic, names):
        known = found.setdefault(one.name, one)
        if known.function != one.function:
            raise StatisticError(f"two statistics are named {one.name!r}; rename the function")
    if not found:
        raise StatisticError("no statistic is asked for; name at least one, such as 'mean'")
    return tuple(found.values())


def _statistic(given: Any) -> Statistic:
    """The statistic of a name, or of a function."""
    if isinstance(given, str):  # first, as a protocol is slow to ask
        return _parse(given.strip())
    if isinstance(given, OfCells):
        name = given.name
        return Statistic(name, lambda s: s.state("calls").of(name), "calls", function=given)
    return _statistic(Function.of_call(given)) if callable(given) else _parse(str(given).strip())


def broken_down(statistics: Sequence[Statistic], breakdown: Breakdown) -> tuple[Statistic, ...]:
    """The statistics with those by class or bin told as the breakdown wants them.

    With classes or edges each becomes one statistic for each of them, whose name ends in theirs.

    Raises:
        StatisticError: classes or bins are given, but no statistic is told by them, or two
            columns would have one name.
    """
    _check_used("classes", breakdown.classes, statistics, by="class")
    _check_used("edges", breakdown.edges, statistics, by="bin")
    _check_used("bins", breakdown.bins, statistics, by="bin")
    found = tuple(one for s in statistics for one in _each(s, breakdown))
    columns: set[str] = set()
    for one in found:
        if one.column in columns:
            raise StatisticError(f"two statistics would be named {one.column!r}; rename a class")
        columns.add(one.column)
    return found


def ranked(statistics: Sequence[Statistic], method: QuantileMethod) -> tuple[Statistic, ...]:
    """The statistics with quantiles as a method has them."""
    state = {"linear": "values", "inverted_cdf": "inverted"}[method]
    return tuple(
        s if s.probability is None else _quantile(s.name, s.probability, state) for s in statistics
    )


def _each(statistic: Statistic, breakdown: Breakdown) -> tuple[Statistic, ...]:
    """A statistic, or one for each class or bin that there is a column for."""
    if statistic.by == "bin":
        statistic = _with_bins(statistic, breakdown)
    names = {
        None: (),
        "class": tuple(name for name, _ in breakdown.classes),
        "bin": tuple(breakdown.bin_names),
    }[statistic.by]
    columns = (_of_one(statistic, breakdown, i, name) for i, name in enumerate(names))
    return tuple(columns) if names else (statistic,)


def _with_bins(statistic: Statistic, breakdown: Breakdown) -> Statistic:
    """A list over the bins of all zones, whose values need not be kept, or of each zone's own."""
    if breakdown.common_edges:
        return replace(
            statistic, state="binned", edges=breakdown.common_edges,
            finalize=lambda s: s.state("binned").histogram(s.count > 0),
        )  # fmt: skip
    bins = breakdown.bins or Bins()
    return replace(statistic, finalize=lambda s: counted(s).histogram(bins.count))


def _of_one(statistic: Statistic, breakdown: Breakdown, which: int, name: str) -> Statistic:
    of_one = statistic.of_one
    assert of_one is not None, f"{statistic.name} is told by {statistic.by}"
    return replace(
        statistic,
        name=f"{statistic.name}_{name}",
        kind=NUMBER,
        finalize=lambda s: s.of_valid(of_one(s, breakdown, which)),
    )


def _check_used(what: str, given: object, statistics: Sequence[Statistic], *, by: str) -> None:
    if given and not any(s.by == by for s in statistics):
        names = [one.name for one in STATISTICS.values() if one.by == by]
        raise StatisticError(
            f"{what} are given, but no statistic is told by them; ask for {', '.join(names)}, "
            f"or leave {what} out"
        )


def _parse(name: str) -> Statistic:
    quantile = QUANTILE.fullmatch(name)
    if quantile:
        return _percentile(name, *quantile.groups())
    name = ALIASES.get(name, name)
    if name not in STATISTICS:
        known = [*STATISTICS, "p90", *ALIASES]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        raise StatisticError(f"unknown statistic {name!r}{hint}")
    return STATISTICS[name]


def _percentile(name: str, percent: str | None, percentile: str | None, q: str | None) -> Statistic:
    value = float(q) * 100 if q is not None else float(percent or percentile or 0)
    if not 0 <= value <= 100:
        raise StatisticError(f"{name!r} asks for a percentile outside of 0 to 100")
    return _quantile(f"p{np.format_float_positional(round(value, 10), trim='-')}", value / 100)


def _quantile(name: str, probability: float, state: str = "values") -> Statistic:
    return Statistic(name, lambda s: s.state(state).of(probability), state, probability=probability)


def _by_class(
    name: str,
    listed: Callable[[Summary], Column],
    of_one: Callable[[Summary, Breakdown, int], Floats],
    kind: pa.DataType = SHARES,
    state: str = "classes",
) -> Statistic:
    return Statistic(name, listed, state, kind, by="class", of_one=of_one)


def _variance(summary: Summary) -> Floats:
    state = summary.averages.state
    with np.errstate(divide="ignore", invalid="ignore"):
        return summary.of_valid(state[:, M2] / state[:, COUNT])


def _mean(summary: Summary) -> Floats:
    state = summary.averages.state
    with np.errstate(divide="ignore", invalid="ignore"):
        return summary.of_valid(state[:, SUM] / state[:, COUNT])


def _cv(summary: Summary) -> Floats:
    mean = _mean(summary)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mean == 0, np.nan, np.sqrt(_variance(summary)) / mean)


def _valid_fraction(summary: Summary) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(summary.total > 0, summary.count / summary.total, np.nan)


def _area(summary: Summary) -> Floats:
    area: Floats = summary.state("area").metres
    return area


def _variety(summary: Summary) -> Floats:
    classes = summary.state("classes")
    known = np.where(classes.approximate, np.nan, classes.variety.astype(np.float64))
    return summary.of_valid(known)


def _moment(index: int) -> Callable[[Summary], Floats]:
    return lambda summary: summary.of_valid(summary.moments.state[:, index])


def _reason(index: int) -> Callable[[Summary], Floats]:
    return lambda summary: summary.moments.counts[:, index]


def _outside(summary: Summary) -> Floats:
    """What is left of the total: so the parts add up, however the visited tiles were cut."""
    counts = summary.moments.counts
    some = summary.beyond | (counts[:, OUTSIDE] > 0)
    inside = np.delete(counts, OUTSIDE, axis=1).sum(axis=1)
    return np.where(some, np.maximum(summary.total - inside, 0.0), 0.0)


STATISTICS: dict[str, Statistic] = {
    one.name: one
    for one in (
        Statistic("count", lambda s: s.count),
        Statistic("sum", _moment(SUM)),
        Statistic("mean", _mean),
        Statistic("min", _moment(MIN)),
        Statistic("max", _moment(MAX)),
        Statistic("range", lambda s: s.of_valid(s.moments.state[:, MAX] - s.moments.state[:, MIN])),
        Statistic("std", lambda s: np.sqrt(_variance(s))),
        Statistic("variance", _variance),
        Statistic("cv", _cv),
        Statistic("skew", lambda s: s.state("central").skew, "central"),
        Statistic("kurtosis", lambda s: s.state("central").kurtosis, "central"),
        _quantile("median", 0.5),
        Statistic("mode", lambda s: s.state("classes").mode, "classes"),
        Statistic("minority", lambda s: s.state("classes").minority, "classes"),
        Statistic("variety", _variety, "classes", WHOLE),
        _by_class("unique", lambda s: distribution(s).unique(), has_class, VALUES),
        _by_class("frac", lambda s: distribution(s).frac(), share_of_class),
        _by_class("class_count", lambda s: counted(s).counts(), count_of_class, state="counted"),
        replace(
            _by_class("class_area", areas_of_classes, area_of_class, state="counted"), beside="area"
        ),
        Statistic(
            "histogram",
            lambda s: counted(s).histogram(Bins().count),
            "counted",
            SHARES,
            by="bin",
            of_one=count_of_bin,
        ),
        Statistic("values", lambda s: s.state("listing").values(), "listing", VALUES),
        Statistic("coverage", lambda s: s.state("listing").coverage(), "listing", VALUES),
        Statistic("cell_id", lambda s: s.state("listing").cell_id(s.extent), "listing", IDS),
        Statistic("center_x", lambda s: s.state("listing").center_x(), "listing", VALUES),
        Statistic("center_y", lambda s: s.state("listing").center_y(), "listing", VALUES),
        Statistic("min_x", lambda s: s.state("extremes").x(0), "extremes"),
        Statistic("min_y", lambda s: s.state("extremes").y(0), "extremes"),
        Statistic("max_x", lambda s: s.state("extremes").x(1), "extremes"),
        Statistic("max_y", lambda s: s.state("extremes").y(1), "extremes"),
        Statistic("value", value_at, "heaviest"),
        Statistic("weighted_sum", lambda s: s.state("weighted").sum, "weighted"),
        Statistic("weighted_mean", lambda s: s.state("weighted").mean, "weighted"),
        Statistic("weighted_std", lambda s: np.sqrt(s.state("weighted").variance), "weighted"),
        Statistic("weighted_variance", lambda s: s.state("weighted").variance, "weighted"),
        Statistic("weighted_frac", lambda s: s.state("weighted").frac(), "weighted", SHARES),
        Statistic("valid_fraction", _valid_fraction),
        Statistic("clear_fraction", lambda s: s.clear),
        Statistic("area", _area, "area"),
        Statistic("valid_area", lambda s: _area(s) * _valid_fraction(s), "area"),
        Statistic("n_total", lambda s: s.total),
        Statistic("n_nodata", _reason(NODATA)),
        Statistic("n_nan", _reason(NOT_A_NUMBER)),
        Statistic("n_masked", lambda s: s.masked),
        Statistic("n_outside", _outside),
    )
}

ALIASES = {"stdev": "std", "var": "variance", "majority": "mode", "nunique": "variety"}

QUANTILE = re.compile(
    r"p(\d{1,3}(?:\.\d+)?)|percentile_(\d{1,3}(?:\.\d+)?)|quantile\(q=(\d*\.?\d+)\)"
)
