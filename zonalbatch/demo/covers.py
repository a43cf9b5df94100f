"""Covers: what grows or stands on the land, and how it looks through the year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CROPS", "OTHERS", "Cover", "Season"]


@dataclass(frozen=True, slots=True)
class Season:
    """How green a cover is through the year: a double logistic curve and what follows it."""

    rest: float
    """Share of green cover out of season."""
    peak: float
    """Share of green cover at its height."""
    up: float
    """Day of the year when half of the rise is done."""
    down: float
    """Day of the year when half of the fall is done (harvest)."""
    width: float
    """Days that the logistic rise takes."""
    after: float = 0.0
    """Green cover of weeds and catch crops that come after the harvest."""

    def green(self, day: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of green cover at days of the year."""
        rise, fall = _logistic((day - self.up) / self.width), _logistic((day - self.down) / 5.0)
        catch = self.after * _logistic((day - self.down - 45.0) / 9.0)
        return self.rest + (self.peak - self.rest) * rise * (1.0 - fall) + catch


CROPS = {
    "winter wheat": (0.30, Season(0.16, 0.95, 88, 191, 12, 0.30)),
    "maize": (0.20, Season(0.05, 0.92, 172, 272, 8, 0.05)),
    "sugar beet": (0.12, Season(0.04, 0.97, 162, 308, 9)),
    "potato": (0.12, Season(0.03, 0.93, 158, 244, 7, 0.10)),
    "grass": (0.14, Season(0.52, 0.86, 92, 318, 18)),
    "spring barley": (0.07, Season(0.05, 0.88, 122, 203, 9, 0.35)),
    "rapeseed": (0.05, Season(0.42, 0.93, 78, 187, 9, 0.22)),
}
"""Crop → (share of the fields, season)."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a land cover looks like."""

    season: Season
    """How green it is through the year."""
    bare: tuple[float, float] = (0.15, 0.24)
    """(red, nir) reflectance of the ground."""
    leaf: tuple[float, float] = (0.035, 0.44)
    """(red, nir) reflectance of green cover."""
    grain: float = 0.05
    """Standard deviation of green cover from cell to cell."""


OTHERS = {
    "verge": Cover(Season(0.40, 0.70, 100, 320, 18), (0.14, 0.22)),
    "road": Cover(Season(0.12, 0.16, 100, 300, 20), (0.165, 0.20), grain=0.02),
    "water": Cover(Season(0.0, 0.0, 1, 2, 1), (0.045, 0.028), grain=0.0),
    "village": Cover(Season(0.22, 0.42, 105, 310, 15), (0.19, 0.25), (0.04, 0.36), grain=0.30),
    "forest": Cover(Season(0.50, 0.96, 118, 300, 7), (0.075, 0.17), (0.022, 0.33), grain=0.10),
}
"""Covers that are not crops, by name."""


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))
