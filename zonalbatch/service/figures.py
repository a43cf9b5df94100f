"""Figures: statistics by the names of this interface, and the engine's that they are made of."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zonalbatch.service.refusals import UNFIT, Refusal
from zonalbatch.statistics import parse_statistics

__all__ = [
    "BINNED", "BINS", "COUNTED", "FIGURES", "PATTERN", "Numbers", "engine_statistics", "figures_of",
    "unknown_figures",
]  # fmt: skip

Numbers = Mapping[str, Any]
"""Engine's statistic -> a number, None for none, or a list of pairs."""

COUNTED = "freq_hist"
"""How often each value occurs, of bands of few values: value -> count."""
BINNED = "histogram"
"""How often values lie in bins: ``edges``, one more than there are bins, and ``counts``."""
MOST_CLASSES = 1024
"""Values that are counted each."""
BINS = 32
"""Bins, of equal width between the least and the largest value of the area."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One statistic of this interface."""

    of: tuple[str, ...]
    """The engine's that it is made of."""
    made: Callable[[Numbers], Any]


def _one(name: str) -> Figure:
    return Figure((name,), lambda numbers: numbers[name])


def _without_value(numbers: Numbers) -> float:
    return float(sum(numbers[name] for name in ("n_nodata", "n_nan", "n_masked")))


def _counts(numbers: Numbers) -> dict[str, Any] | None:
    pairs = numbers["class_count"]
    if pairs is None:
        return None
    if len(pairs) > MOST_CLASSES:
        raise Refusal(
            UNFIT,
            f"freq_hist counts each value, and there are {len(pairs):,} of them (at most "
            f"{MOST_CLASSES:,}); ask for percentiles, such as p10",
        )
    return {str(_plain(value)): _plain(count) for value, count in pairs}


def _histogram(numbers: Numbers) -> dict[str, list[Any]] | None:
    """Edges and counts, as numpy.histogram has them: [a, b), and the last bin closed."""
    pairs = numbers["histogram"]
    if not pairs:
        return None
    low = [_plain(edge) for edge, _ in pairs]
    first, high = pairs[0][0], numbers["max"]
    # Around an only value lies a bin of breadth 1, as NumPy has it.
    last = high if high > pairs[-1][0] else 2 * high - first
    return {"edges": [*low, _plain(last)], "counts": [_plain(count) for _, count in pairs]}


FIGURES: Mapping[str, Figure] = {
    **{name: _one(name) for name in ("min", "max", "mean", "count", "sum", "std", "median")},
    "majority": _one("mode"),
    "minority": _one("minority"),
    "unique": _one("variety"),
    "range": _one("range"),
    "nodata": Figure(("n_nodata", "n_nan", "n_masked"), _without_value),
    COUNTED: Figure(("class_count",), _counts),
    BINNED: Figure(("histogram", "max"), _histogram),
}
"""Name -> how it is told; beside these, percentiles as ``p90`` or ``percentile_90``."""
ALWAYS = ("valid_fraction",)
"""The engine's statistics that are told of every band."""
PERCENTILE = r"(?:p|percentile_)(?:100|[0-9]{1,2}(?:\.[0-9]{1,4})?)"
"""How percentiles are written."""
PATTERN = rf"^(?:{'|'.join(FIGURES)}|{PERCENTILE})$"
"""All names, as JSON Schema has them."""


def unknown_figures(names: Sequence[str]) -> list[str]:
    """Those of some names that are no statistics of this interface."""
    return [name for name in names if _figure(name) is None]


def _figure(name: str) -> Figure | None:
    if name in FIGURES:
        return FIGURES[name]
    if not re.fullmatch(PERCENTILE, name):
        return None
    (quantile,) = parse_statistics([name])
    return Figure((quantile.name,), lambda numbers: numbers[quantile.column])


def _known(names: Sequence[str]) -> dict[str, Figure]:
    found = {name: _figure(name) for name in names}
    return {name: figure for name, figure in found.items() if figure is not None}


def engine_statistics(names: Sequence[str]) -> list[str]:
    """The engine's statistics that some figures, and all that is told beside them, need."""
    needed = [one for figure in _known(names).values() for one in figure.of]
    return list(dict.fromkeys([*needed, *ALWAYS]))


def figures_of(
    names: Sequence[str], numbers: Numbers, metres: float, measured: float
) -> dict[str, Any]:
    """The figures of a band, as they are answered.

    Args:
        names: those that were asked for.
        numbers: the engine's.
        metres: area of what was asked about, m².
        measured: area of what of it was measured, m².
    """
    share = numbers["valid_fraction"]
    data = 0.0 if share is None or math.isnan(share) else measured * share
    told = {name: figure.made(numbers) for name, figure in _known(names).items()}
    area = {"aoi_area": metres, "data_area": data}
    return {name: _plain(value) for name, value in {**told, **area}.items()}


def _plain(value: Any) -> Any:
    """A number as JSON has it: whole ones without a point, none as null."""
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
