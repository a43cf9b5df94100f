"""Amounts: how much of a zone each class and each bin has that is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zonalbatch.breakdown import Breakdown
from zonalbatch.measure import Measurement
from zonalbatch.recipe import Recipe
from zonalbatch.statistics import Column
from zonalbatch.work.layer_work import LayerSummary

__all__ = ["Amounts"]


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sums of shares by class and by bin; None where the zone has no valid cell."""

    classes: tuple[tuple[str, float, float | None], ...]
    """Name and physical value of each class, and its sum of shares, cells."""
    bins: tuple[tuple[float, float | None], ...]
    """Lower edge of each bin, and its sum of shares, cells; none for a zone's own without cells."""

    @staticmethod
    def asked(breakdown: Breakdown) -> Iterator[str]:
        """The statistics that amounts are made of."""
        if breakdown.classes:
            yield "class_count"
        if breakdown.edges or breakdown.bins is not None:
            yield "histogram"

    @classmethod
    def of(cls, summary: LayerSummary, measurement: Measurement, recipe: Recipe) -> Amounts:
        """The amounts of the first zone of a summary, of which `asked` was asked."""

        def told(by: str) -> list[Column]:
            columns = (one.column for one in recipe.asked if one.by == by)
            return [summary.columns[measurement.name, column] for column in columns]

        known = recipe.breakdown
        classes = zip(known.classes, told("class"), strict=True)
        edges = (low for low, _ in pairwise(known.edges))
        return cls(
            tuple((name, value, _amount(column)) for (name, value), column in classes),
            tuple(zip(edges, map(_amount, told("bin")), strict=True))
            if known.edges
            else tuple(pair for column in told("bin") for pair in _pairs(column)),
        )


def _amount(column: Column) -> float | None:
    number = float(column[0])
    return None if np.isnan(number) else number


def _pairs(column: Column) -> Iterator[tuple[float, float]]:
    """The pairs of a zone's list, which is null where a cell could not be read."""
    return ((pair["class"], pair["value"]) for pair in column[0].as_py() or ())
