"""Weighted: sums, means, variances and classes of cells that a second raster weighs.

A cell of value v and weight w, covered by the share c, counts c·w times, so that, over the cells
with a value and a weight,

    weighted_sum  Σ v·c·w        weighted_mean      Σ v·c·w / Σ c·w
    weighted_frac Σ c·w by class weighted_variance  Σ c·w·(v − weighted_mean)² / Σ c·w

These are exactextract's definitions, but for a cell without a weight: there it makes its zone's
numbers NaN, here it is left out. Sums of tiles merge as those of ``moments`` do.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.cover.cells import NODATA, UNREAD, Cells, Covered, first_reason
from zonalbatch.kernels import kernel
from zonalbatch.statistics.classes import Classes
from zonalbatch.statistics.shares import UNIT

__all__ = ["Weighted"]

KNOWN, WEIGHT, SUM, M2 = range(4)

Floats = NDArray[np.float64]


class Weighted:
    """Weighted sums and classes of each zone, gathered tile by tile."""

    def __init__(self, covered: Covered, *, listed: bool) -> None:
        """Of the zones of a coverage; ``listed`` keeps the classes too."""
        n_zones = covered.coverage.n_zones
        self.state = np.zeros((n_zones, 4))
        """(zone, 4) number of cells with value and weight, Σ c·w, Σ v·c·w, squared deviations."""
        self.unread = np.zeros(n_zones, bool)
        """(zone,) True if a value or a weight could not be read."""
        self._classes = Classes.of(covered, listed=True) if listed else None

    def add(self, cells: Cells) -> None:
        """Fold in the cells of one tile; tiles must come in row-major order."""
        weighted = cells.weighted
        layout, reasons = weighted.layout, weighted.reasons
        if len(reasons):
            piece = np.repeat(np.arange(len(layout.zone)), np.diff(layout.offsets))
            self.unread[layout.zone[piece[reasons == UNREAD]]] = True
        _add(weighted.values, reasons, layout.zone, layout.offsets, layout.shares, self.state)
        if self._classes is not None:
            faint = (layout.shares < UNIT) * np.uint8(NODATA)
            self._classes.add(Cells(layout, weighted.values, first_reason(reasons, faint)))

    def finish(self, scale: float, offset: float) -> None:
        """Close the state and bring it from raw to physical values; ``scale`` is positive."""
        self.state[:, SUM] = self.state[:, SUM] * scale + self.state[:, WEIGHT] * offset
        self.state[:, M2] *= scale * scale
        if self._classes is not None:
            self._classes.finish(scale, offset)

    @property
    def sum(self) -> Floats:
        """(zone,) Σ v·c·w, NaN where no cell has a value and a weight."""
        return np.where(self.state[:, KNOWN] > 0, self.state[:, SUM], np.nan)

    @property
    def mean(self) -> Floats:
        """(zone,) NaN also where all weights are 0."""
        return self._by_weight(SUM)

    @property
    def variance(self) -> Floats:
        """(zone,) of the population, NaN also where all weights are 0."""
        return self._by_weight(M2)

    def frac(self) -> pa.Array:
        """(zone,) list of (class, value): values of some weight, and their part of all weights.

        Weights are summed in units of 2^-52, as shares are; smaller ones are none.
        """
        assert self._classes is not None, "made with listed=True"
        return self._classes.distribution.frac()

    def _by_weight(self, index: int) -> Floats:
        weight = self.state[:, WEIGHT]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(weight > 0, self.state[:, index] / weight, np.nan)


@kernel()
def _add(values, reasons, zones, offsets, weights, state):
    for piece in range(len(zones)):
        known = 0
        weight = total = 0.0
        for i in range(offsets[piece], offsets[piece + 1]):
            if len(reasons) == 0 or reasons[i] == 0:
                known += 1
                weight += weights[i]
                total += weights[i] * np.float64(values[i])
        zone = state[zones[piece]]
        zone[KNOWN] += known
        if weight == 0.0:
            continue
        mean = total / weight
        square = rest = 0.0
        for i in range(offsets[piece], offsets[piece + 1]):
            if len(reasons) == 0 or reasons[i] == 0:
                deviation = np.float64(values[i]) - mean
                rest += weights[i] * deviation
                square += weights[i] * deviation * deviation
        square = max(0.0, square - rest * rest / weight)
        before = zone[WEIGHT]
        if before > 0.0:
            delta = mean - zone[SUM] / before
            square += delta * delta * (before * weight / (before + weight))
        zone[M2] += square
        zone[WEIGHT] += weight
        zone[SUM] += total
