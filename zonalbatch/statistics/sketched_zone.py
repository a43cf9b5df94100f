"""A zone with more cells than are kept: a sketch of its values.

Inner cells, which are most, are sorted without their weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.statistics.sketch import INNER, KEYS, Sketches, weights_of

__all__ = ["SketchedZone"]

MOST = 2**16
"""Keys of the sketch."""

WAITING = 2**20
"""Values that are taken into the sketch at once."""


class SketchedZone:
    """A sketch of a zone's values, and those that wait for being taken into it."""

    def __init__(self) -> None:
        self._sketch = Sketches.none(1)
        self._low, self._high = np.inf, -np.inf
        self._waiting: list[tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]] = []
        self._n = 0

    def add(self, inner: NDArray[Any], boundary: NDArray[Any], shares: NDArray[np.float64]) -> None:
        """Take in the values of inner cells, and of boundary cells with their shares."""
        self._waiting.append((inner.copy(), boundary.copy(), shares.copy()))
        self._n += len(inner) + len(boundary)
        if self._n >= WAITING:
            self._take()

    def _take(self) -> None:
        """Take what waits into the sketch."""
        inner, boundary, shares = map(np.concatenate, zip(*self._waiting, strict=True))
        weights = weights_of(shares)
        told = weights > 0
        for values in (inner, boundary[told]):
            self._low, self._high = values.min(initial=self._low), values.max(initial=self._high)
        found = _sorted(inner), _sorted(boundary[told], weights[told])
        here = np.zeros(1, np.int64)
        self._sketch = Sketches.merged([(here, one) for one in (self._sketch, *found)], 1, MOST)
        self._waiting, self._n = [], 0

    def quantiles(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(probability,) quantiles of the zone: the least and the largest value, or about right."""
        if self._waiting:
            self._take()
        ends = {0.0: self._low, 1.0: self._high}
        found = [ends.get(float(p), self._sketch.quantile(float(p))[0]) for p in probabilities]
        return np.clip(np.array(found), self._low, self._high)


def _sorted(values: NDArray[Any], weights: NDArray[np.int64] | None = None) -> Sketches:
    """The sketch of some values of one zone; without weights, of inner cells."""
    keys = KEYS.from_values(values)
    if weights is None:
        keys.sort()
        weights = np.full(len(keys), INNER)
    else:
        order = np.argsort(keys)
        keys, weights = keys[order], weights[order]
    ends = np.array([0, len(keys)])
    return Sketches.of(ends, keys, weights, np.zeros(1, np.int64), MOST)
