"""Central moments: what skewness and kurtosis are told from.

States merge by the rules of Pébay, Formulas for robust, one-pass parallel computation of
covariances and arbitrary-order statistical moments, Sandia SAND2008-6212 (2008).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells
from zonalbatch.kernels import kernel

__all__ = ["Central", "group_central"]

N, MEAN, M2, M3, M4 = range(5)


def group_central(
    states: NDArray[np.float64], group: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """(group, 5) states of n groups of (state, 5) states, merged in their order."""
    merged = np.zeros((n, 5))
    _merge_grouped(merged, group, states)
    return merged


class Central:
    """Sums of powers of deviations from the mean, gathered tile by tile."""

    def __init__(self, state: NDArray[np.float64]) -> None:
        self.state = state
        """(zone, 5) sum of shares, mean, and sums of squared, cubed and fourth deviations; raw."""
        self._scale = 1.0

    @classmethod
    def none(cls, n_zones: int) -> Central:
        """The identity of merging for each zone."""
        return cls(np.zeros((n_zones, 5)))

    def add(self, cells: Cells) -> None:
        """Fold in the cells of one tile; tiles must come in row-major order."""
        cells = cells.averaged
        layout = cells.layout
        _add(
            cells.values, cells.reasons, layout.zone, layout.offsets, layout.inner,
            layout.cell_span, layout.shares, self.state,
        )  # fmt: skip

    def finish(self, scale: float, offset: float) -> None:
        """Close the state; scale (positive) and offset change neither skewness nor kurtosis."""
        self._scale = scale

    @property
    def powers(self) -> NDArray[np.float64]:
        """(2, zone) sums of cubed and of fourth deviations, physical."""
        return np.stack([self.state[:, M3] * self._scale**3, self.state[:, M4] * self._scale**4])

    @property
    def skew(self) -> NDArray[np.float64]:
        """(zone,) m3 / m2^1.5 of the population (g1), NaN where the variance is 0."""
        n, _, m2, m3, _ = self.state.T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(m2 > 0, np.sqrt(n) * m3 / m2**1.5, np.nan)

    @property
    def kurtosis(self) -> NDArray[np.float64]:
        """(zone,) m4 / m2² - 3 of the population (g2, 0 for a normal one), NaN for variance 0."""
        n, _, m2, _, m4 = self.state.T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(m2 > 0, n * m4 / m2**2 - 3.0, np.nan)


@kernel()
def _add(values, reasons, zones, offsets, inners, cell_span, fractions, state):
    for piece in range(len(zones)):
        start, stop = offsets[piece], offsets[piece + 1]
        first = start + inners[piece]
        shift = cell_span[piece, 0] - first
        n = total = 0.0
        for i in range(start, stop):
            if len(reasons) == 0 or reasons[i] == 0:
                share = 1.0 if i < first else fractions[i + shift]
                n += share
                total += share * np.float64(values[i])
        if n == 0.0:
            continue
        mean = total / n
        m2 = m3 = m4 = rest = 0.0
        for i in range(start, stop):
            if len(reasons) == 0 or reasons[i] == 0:
                share = 1.0 if i < first else fractions[i + shift]
                d = np.float64(values[i]) - mean
                rest += share * d
                m2 += share * d * d
                m3 += share * d * d * d
                m4 += share * d * d * d * d
        _merge(state[zones[piece]], n, mean + rest / n, m2, m3, m4)


@kernel()
def _merge_grouped(merged, group, states):
    for i in range(len(group)):
        if states[i, N] > 0.0:
            _merge(merged[group[i]], states[i, N], states[i, MEAN], states[i, M2], states[i, M3],
                   states[i, M4])  # fmt: skip


@kernel()
def _merge(a, n, mean, m2, m3, m4):
    """Merge a state into a zone's."""
    n_a, a2, a3 = a[N], a[M2], a[M3]
    both = n_a + n
    delta = mean - a[MEAN] if n_a > 0.0 else 0.0
    d = delta / both
    a[M4] += (
        m4
        + delta * d * d * d * n_a * n * (n_a * n_a - n_a * n + n * n)
        + 6.0 * d * d * (n_a * n_a * m2 + n * n * a2)
        + 4.0 * d * (n_a * m3 - n * a3)
    )
    a[M3] += m3 + delta * d * d * n_a * n * (n_a - n) + 3.0 * d * (n_a * m2 - n * a2)
    a[M2] += m2 + delta * d * n_a * n
    a[MEAN] = a[MEAN] + d * n if n_a > 0.0 else mean
    a[N] = both
