"""By class: numbers of one class, or of one bin, of every zone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.breakdown import Breakdown
from zonalbatch.statistics.distribution import Distribution
from zonalbatch.statistics.summary import Summary

__all__ = [
    "area_of_class", "areas_of_classes", "count_of_bin", "count_of_class", "counted",
    "distribution",    "has_class", "share_of_class",
]  # fmt: skip

Floats = NDArray[np.float64]


def distribution(summary: Summary) -> Distribution:
    """All values of each zone."""
    found: Distribution = summary.state("classes").distribution
    return found


def counted(summary: Summary) -> Distribution:
    """The same by shares alone, also where areas weigh the cells of averages."""
    found: Distribution = summary.state("counted").distribution
    return found


def has_class(summary: Summary, breakdown: Breakdown, which: int) -> Floats:
    """(zone,) 1 where the class occurs, else 0."""
    count = distribution(summary).by_class(breakdown.values)[:, which]
    return np.where(np.isnan(count), np.nan, count > 0)


def count_of_class(summary: Summary, breakdown: Breakdown, which: int) -> Floats:
    """(zone,) sum of the shares of the class, cells."""
    return counted(summary).by_class(breakdown.values)[:, which]


def share_of_class(summary: Summary, breakdown: Breakdown, which: int) -> Floats:
    """(zone,) share of the class of all valid cells."""
    count = distribution(summary).by_class(breakdown.values)[:, which]
    with np.errstate(divide="ignore", invalid="ignore"):
        return count / distribution(summary).sums


def area_of_class(summary: Summary, breakdown: Breakdown, which: int) -> Floats:
    """(zone,) m² of the class: the zone's area, by the class's share of all covered cells."""
    return count_of_class(summary, breakdown, which) * _cell(summary)


def areas_of_classes(summary: Summary) -> pa.Array:
    """(zone,) list of (class, value): the values that occur, and their m²."""
    return counted(summary).areas(_cell(summary))


def count_of_bin(summary: Summary, _: Breakdown, which: int) -> Floats:
    """(zone,) sum of the shares of the cells in a bin, cells."""
    sums: Floats = summary.state("binned").sums
    return sums[:, which]


def _cell(summary: Summary) -> Floats:
    """(zone,) m² of the zone that one covered cell stands for."""
    metres: Floats = summary.state("area").metres
    with np.errstate(divide="ignore", invalid="ignore"):
        return metres / summary.total
