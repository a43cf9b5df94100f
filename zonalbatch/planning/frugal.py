"""Frugal: parts cut further until each keeps to the memory that it may take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zonalbatch.planning.burden import Burden
from zonalbatch.planning.peak import PROCESS, Peaks

__all__ = ["Frugal", "Piece"]

WORTH = 1.25
"""Where even one zone and one layer take more than is there, parts take so many times that."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some zones and layers that make a part."""

    zones: range
    """In the order of the plan."""
    layers: NDArray[np.int64]
    """Which of the layers of a load."""
    peak: int
    """Bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Frugal:
    """Cuts zones and layers of one cell of space until they fit."""

    peaks: Peaks
    burden: Burden
    """Of the cell's zones."""
    start: int
    """The first of them, in the order of the plan."""
    sizes: NDArray[np.float64]
    """(layer,) bytes of each layer, decoded."""
    scenes: int
    """The most scenes of a layer."""

    def cut(self, zones: range, layers: NDArray[np.int64]) -> Iterator[Piece]:
        """These zones and layers whole if they fit, else halved again and again.

        They are halved where that spares most: between layers where results are what is large,
        between zones where coverage is. What does not fit even as one zone and one layer is not cut
        for nothing: a smaller part would take hardly less.
        """
        peak = self._peak(zones, layers)
        if peak > self.peaks.memory:
            best = min(self._halves(zones, layers), key=lambda two: two[0], default=None)
            if best is not None and peak > self._bound(zones, layers):
                for half in best[1]:
                    yield from self.cut(*half)
                return
        yield Piece(zones, layers, peak)

    def _halves(
        self, zones: range, layers: NDArray[np.int64]
    ) -> Iterator[tuple[int, tuple[tuple[range, NDArray[np.int64]], ...]]]:
        """Both ways to halve, each with the larger peak of its halves."""
        if len(layers) > 1:
            some, others = np.array_split(layers, 2)
            yield self._worst((zones, some), (zones, others))
        if len(zones) > 1:
            middle = len(zones) // 2
            yield self._worst((zones[:middle], layers), (zones[middle:], layers))

    def _worst(
        self, *halves: tuple[range, NDArray[np.int64]]
    ) -> tuple[int, tuple[tuple[range, NDArray[np.int64]], ...]]:
        return max(self._peak(*half) for half in halves), halves

    def _bound(self, zones: range, layers: NDArray[np.int64]) -> float:
        """What the parts of these may take: what is there, or a little more than the least."""
        heaviest = int(self._burden(zones).cells.argmax())
        least = self._peak(zones[heaviest : heaviest + 1], layers[:1])
        return max(self.peaks.memory, PROCESS + WORTH * (least - PROCESS))

    def _burden(self, zones: range) -> Burden:
        return self.burden[zones.start - self.start : zones.stop - self.start]

    def _peak(self, zones: range, layers: NDArray[np.int64]) -> int:
        return self.peaks.bytes(self._burden(zones), self.sizes[layers], self.scenes)
