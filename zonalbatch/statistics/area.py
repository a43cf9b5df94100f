"""Area: that of the zones, which no cell changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells

__all__ = ["ZoneArea"]


class ZoneArea:
    """The geodesic area of each zone."""

    def __init__(self, metres: NDArray[np.float64]) -> None:
        self.metres = metres
        """(zone,) m²."""

    def add(self, cells: Cells) -> None:
        """Nothing to do: an area does not follow from cells."""

    def finish(self, scale: float, offset: float) -> None:
        """Nothing to do."""
