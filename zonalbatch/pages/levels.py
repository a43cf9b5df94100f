"""Levels: numbers as whole ones, so that a page can hold many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.pages.packed import packed

__all__ = ["FINENESS", "Levels", "levels_of"]

FINENESS = (65_000, 4_000, 250)
"""How many levels there may be: the values of a page then take 16, 12 or 8 bits."""
TAILS = (0.1, 99.9)
"""Percentiles between which levels are dense; values beyond them share what is left."""
TAIL = 0.04
"""Share of the levels for each tail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How values become levels: straight lines between knots."""

    knots: tuple[float, ...]
    """Values, ascending."""
    places: tuple[int, ...]
    """The level of each knot, from 1; 0 means no value."""

    @property
    def step(self) -> float:
        """The largest distance from a level to the next, between the tails."""
        wide, many = np.diff(self.knots), np.diff(self.places)
        return float((wide / many)[len(wide) // 2]) if len(wide) else 0.0

    @property
    def document(self) -> dict[str, Any]:
        """In plain types."""
        return {"knots": list(self.knots), "places": list(self.places), "step": self.step}

    def packed(self, values: NDArray[np.float64]) -> dict[str, Any]:
        """Values as levels, as text."""
        levels = np.interp(values, self.knots or (0.0,), self.places or (0,))
        return packed(np.where(np.isfinite(values), np.rint(levels), 0))


def levels_of(values: NDArray[np.float64], count: int) -> Levels:
    """Levels for values, few or none of which are lost to those far from all others."""
    there = values[np.isfinite(values)]
    if not there.size:
        return Levels(knots=(), places=())
    low, high = float(there.min()), float(there.max())
    if low == high:
        return Levels(knots=(low,), places=(1,))
    inner = [float(one) for one in np.percentile(there, TAILS)]
    dense = inner[1] - inner[0]
    # Without values far out, all levels are for all values alike.
    if not low < inner[0] < inner[1] < high or high - low < dense * 1.5:
        return Levels(knots=(low, high), places=(1, count))
    tail = round(count * TAIL)
    return Levels(knots=(low, *inner, high), places=(1, tail, count - tail, count))
