"""Distribution: how much of each zone has which value, once all of its cells are in.

What is told of it is a list a zone, or one number a zone for each of some classes.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.errors import StatisticError
from zonalbatch.kernels import kernel

__all__ = ["Distribution", "lists_of", "pairs_of", "room"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 2**31 - 1
"""Items that the lists of one array of Arrow's may hold."""


class Distribution:
    """The values of each zone in ascending order, each with its sum of shares."""

    def __init__(
        self,
        offsets: Ints,
        values: Floats,
        weights: Floats,
        rounding: tuple[float, float],
        lost: NDArray[np.bool_],
    ) -> None:
        self.offsets = offsets
        """(zone + 1,) where the zone's values begin."""
        self.values = values
        """(value,) physical, ascending within a zone."""
        self.weights = weights
        """(value,) sums of shares, cells."""
        self.lost = lost
        """(zone,) True if a zone has too many values to be told apart: all is null then."""
        self._relative, self._absolute = rounding
        self._tables: dict[tuple[float, ...], Floats] = {}

    def unique(self) -> pa.Array:
        """(zone,) list of the values that occur, ascending."""
        return self._told(lists_of(self.offsets, pa.array(self.values)))

    def frac(self) -> pa.Array:
        """(zone,) list of (class, value): the values that occur, and their share of all."""
        shares = room(len(self.weights))
        _divide(self.offsets, self.weights, self.sums, shares)
        return self._by_value(shares)

    def counts(self) -> pa.Array:
        """(zone,) list of (class, value): the values that occur, and their sums of shares."""
        return self._by_value(self.weights)

    def areas(self, cell: Floats) -> pa.Array:
        """The same in m², from the (zone,) m² that one cell of a zone stands for."""
        return self._by_value(self.weights * np.repeat(cell, np.diff(self.offsets)))

    def histogram(self, bins: int) -> pa.Array:
        """(zone,) list of (lower edge, sum of shares) of so many bins of the zone's own range.

        It is empty without a value.
        """
        sizes = (np.diff(self.offsets) > 0) * bins
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        lows, sums = np.zeros(offsets[-1]), np.zeros(offsets[-1])
        _own_bins(self.offsets, self.values, self.weights, offsets, lows, sums)
        return self._told(pairs_of(offsets, lows, sums))

    def by_class(self, classes: tuple[float, ...]) -> Floats:
        """(zone, class) sums of shares of the cells with these values; 0 where there is none.

        A value is of the nearest class if no more than rounding lies between them: that of the
        raster's type (0.1 of float32 is not 0.1), and that of its scale and offset.
        """
        if classes not in self._tables:
            self._tables[classes] = self._spread(self._class_of(np.array(classes)), len(classes))
        return self._tables[classes]

    @cached_property
    def sums(self) -> Floats:
        """(zone,) sums of shares; a zone without a value has none to divide by."""
        sums = np.zeros(len(self.offsets) - 1)
        some = np.diff(self.offsets) > 0
        if some.any():
            sums[some] = np.add.reduceat(self.weights, self.offsets[:-1][some])
        return sums

    def _by_value(self, numbers: Floats) -> pa.Array:
        return self._told(pairs_of(self.offsets, self.values, numbers))

    def _told(self, lists: pa.Array) -> pa.Array:
        """Lists, null for the zones that are lost."""
        if not self.lost.any():
            return lists
        return pc.if_else(pa.array(self.lost), pa.scalar(None, lists.type), lists)

    def _class_of(self, classes: Floats) -> Ints:
        """(value,) index of its class, -1 for none."""
        order = np.argsort(classes)
        rising = classes[order]
        middles = (rising[1:] + rising[:-1]) / 2
        nearest = order[np.searchsorted(middles, self.values)]
        found = classes[nearest]
        apart = np.abs(self.values - found)
        return np.where(apart <= self._relative * np.abs(found) + self._absolute, nearest, -1)

    def _spread(self, place: Ints, columns: int) -> Floats:
        """(zone, column) sums of the shares of the values that have a place."""
        zones = len(self.offsets) - 1
        cell = np.repeat(np.arange(zones), np.diff(self.offsets)) * columns + place
        kept = place >= 0
        sums = np.bincount(cell[kept], self.weights[kept], zones * columns)
        found = sums.astype(np.float64).reshape(zones, columns)  # integers if there is no value
        found[self.lost] = np.nan
        return found


def room(size: int) -> Floats:
    """Numbers not yet written, in Arrow's memory, which hands out again what lists gave back."""
    return np.frombuffer(pa.allocate_buffer(8 * size), np.float64)


def lists_of(offsets: Ints, items: pa.Array) -> pa.Array:
    """(zone,) lists of consecutive items.

    Raises:
        StatisticError: there are more items than one array of lists can tell apart.
    """
    if offsets[-1] > MOST:
        raise StatisticError(
            f"lists of {offsets[-1]:,} items in all are too long for one table; ask for fewer "
            "zones at once, or for statistics that are no lists"
        )
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)


def pairs_of(offsets: Ints, classes: Floats, numbers: Floats) -> pa.Array:
    """(zone,) lists of consecutive pairs of a class, or the lower edge of a bin, and a number."""
    fields = [pa.array(classes), pa.array(numbers)]
    return lists_of(offsets, pa.StructArray.from_arrays(fields, names=["class", "value"]))


@kernel()
def _divide(offsets: Ints, weights: Floats, sums: Floats, shares: Floats) -> None:
    for zone in range(len(sums)):
        for i in range(offsets[zone], offsets[zone + 1]):
            shares[i] = weights[i] / sums[zone]


@kernel()
def _own_bins(
    offsets: Ints, values: Floats, weights: Floats, bins: Ints, lows: Floats, sums: Floats
) -> None:
    """Drop each zone's ascending values into equal bins from its least to its largest value."""
    for zone in range(len(offsets) - 1):
        start, stop = offsets[zone], offsets[zone + 1]
        first, n = bins[zone], bins[zone + 1] - bins[zone]
        if start == stop:
            continue
        low, high = values[start], values[stop - 1]
        if low == high:  # as NumPy: a bin of some width around the only value
            low, high = low - 0.5, high + 0.5
        step = (high - low) / n
        for k in range(n):
            lows[first + k] = low + k * step
        k = 0
        for i in range(start, stop):
            while k < n - 1 and values[i] >= low + (k + 1) * step:
                k += 1
            sums[first + k] += weights[i]
