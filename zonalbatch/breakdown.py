"""Breakdown: the classes and the bins that statistics are told by.

Without it a statistic by class is one list a zone, of the classes that occur there. With classes or
edges it is one column for each of them, the same for every zone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import StatisticError

__all__ = ["Bins", "Breakdown", "column_text", "number_text"]

COLUMNS = 4096
"""Classes or bins at most that are columns."""
BINS = 100_000
"""Bins at most that are a list of every zone."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of equal width of a histogram that is told as a list."""

    count: int = 10
    """How many; ten, as NumPy and rio-tiler have it."""
    span: tuple[float, float] | None = None
    """Lowest and highest edge, physical; None takes each zone's own least and largest value."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= BINS:
            raise StatisticError(f"bins has a count of {self.count:,}; give 1 to {BINS:,}")
        if self.span is not None:
            _check_rising("bins from start to stop", self.span)

    @property
    def edges(self) -> NDArray[np.float64] | None:
        """(bin + 1,) edges that hold for all zones, None where each has its own."""
        return None if self.span is None else np.linspace(*self.span, self.count + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The classes and the bins that statistics are told by; classes and edges make columns."""

    classes: tuple[tuple[str, float], ...] = ()
    """Name and physical value of each class; empty for lists of the classes that occur."""
    edges: tuple[float, ...] = ()
    """Rising physical edges of bins, one more than there are bins; empty for a list of bins."""
    bins: Bins | None = None
    """The bins of the list; None for ten of each zone's own."""

    def __post_init__(self) -> None:
        if self.edges and self.bins is not None:
            raise StatisticError("edges and bins both say where bins lie; give one of them")
        if self.edges:
            _check_rising("edges", self.edges)
        _check_classes(self.classes)

    @property
    def values(self) -> tuple[float, ...]:
        """The physical values of the classes."""
        return tuple(value for _, value in self.classes)

    @property
    def common_edges(self) -> tuple[float, ...]:
        """The edges of bins that hold for all zones; none where each zone has its own."""
        given = None if self.bins is None else self.bins.edges
        return self.edges if given is None else tuple(given.tolist())

    @property
    def bin_names(self) -> Iterator[str]:
        """The names of the bins between edges: the lower edge of each."""
        return (number_text(low) for low, _ in pairwise(self.edges))


def number_text(value: float) -> str:
    """A number as it stands in a name: ``1``, ``2.5``, ``-0.25``."""
    return np.format_float_positional(value, trim="-")


def column_text(name: str) -> str:
    """A name as a column: ``p2.5`` becomes ``p2_5``."""
    return name.replace(".", "_")


def _check_rising(what: str, edges: Sequence[float]) -> None:
    if not 2 <= len(edges) <= COLUMNS + 1:
        raise StatisticError(f"{what}: there are {len(edges):,}; give 2 to {COLUMNS + 1:,}")
    for low, high in pairwise(edges):
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise StatisticError(
                f"{what}: {high:g} after {low:g}; give finite numbers, each above the one before"
            )


def _check_classes(classes: Sequence[tuple[str, float]]) -> None:
    if len(classes) > COLUMNS:
        raise StatisticError(f"classes: there are {len(classes):,}; give {COLUMNS:,} at most")
    names: set[str] = set()
    values: set[float] = set()
    for name, value in classes:
        if not math.isfinite(value):
            raise StatisticError(f"class {name!r} has the value {value:g}; give a finite number")
        if not name.strip() or not name.isprintable():
            raise StatisticError(f"class {value:g} has the name {name!r}; give a name to print")
        if value in values:
            raise StatisticError(f"classes hold {value:g} twice; give it once")
        if column_text(name) in names:
            raise StatisticError(f"two classes would be named {name!r}; give each its own name")
        names.add(column_text(name))
        values.add(value)
