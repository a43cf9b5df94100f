"""Sketch: the values of a zone with their weights, near values taken together where there are many.

A value is known by its *key*, the bits of its float64 as an integer in the same order. Keys that
agree but for their lowest ``shift`` bits fall together, and the shift is the least with which a
sketch has at most so many keys. So a sketch follows from the values and weights alone, not from
the order in which they came or were merged, as the sums of weights are of integers: few values are
kept as they are, many are rounded to as many bits as there is room for. (The uniform collapse of
UDDSketch, Epicoco and others 2020, with the bins of a floating-point number in place of powers.)

A value is off by at most 2^(shift − 53) of itself: with 65,536 keys over 30 powers of two (nine of
ten) that is 2^-12, and 2^-8 over all that float32 can hold. Sketches that choose what they keep by
chance (KLL) have no such law: the same cells would not give the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zonalbatch.kernels import kernel
from zonalbatch.statistics.keys import Keys

__all__ = ["INNER", "KEYS", "UNIT", "Sketches", "weights_of"]

UNIT = 2.0**-26
"""Weights are counted in this part of a cell: a zone may have 2^37 cells."""

INNER = np.int64(1 / UNIT)
"""Weight of an inner cell."""

KEYS = Keys(64)
"""How values become keys."""


def weights_of(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shares of cells as weights, in units."""
    return np.rint(shares / UNIT).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Sketches:
    """A sketch for each of some entries (zones, groups of zones)."""

    offsets: NDArray[np.int64]
    """(entry + 1,) where the entry's keys begin."""
    keys: NDArray[np.int64]
    """(key,) ascending within an entry, the bits below the shift 0."""
    weights: NDArray[np.int64]
    """(key,) sums of weights, units."""
    shifts: NDArray[np.int64]
    """(entry,) how many low bits of its keys are not told apart."""

    @classmethod
    def none(cls, n: int) -> Sketches:
        """The identity of merging, for n entries."""
        nothing = np.zeros(0, np.int64)
        return cls(np.zeros(n + 1, np.int64), nothing, nothing, np.zeros(n, np.int64))

    @classmethod
    def of(
        cls,
        offsets: NDArray[np.int64],
        keys: NDArray[np.int64],
        weights: NDArray[np.int64],
        shifts: NDArray[np.int64],
        most: int,
    ) -> Sketches:
        """The sketches of at most so many keys of keys that ascend within each entry.

        Args:
            offsets: (entry + 1,) where the entry's keys begin.
            keys: (key,) ascending within an entry; written over.
            weights: (key,) their weights, units, above 0; written over.
            shifts: (entry,) how many low bits are not told apart already.
            most: how many keys a sketch may have, at least 4096, so that a shift leaves all bits
                of the exponent.
        """
        ends, shifts = np.zeros(len(offsets), np.int64), shifts.copy()
        n = _condense(offsets, keys, weights, shifts, most, ends)
        return cls(ends, keys[:n].copy(), weights[:n].copy(), shifts)

    @classmethod
    def merged(
        cls, parts: Sequence[tuple[NDArray[np.int64], Sketches]], n: int, most: int
    ) -> Sketches:
        """The sketches of n entries, each of all that parts say of it.

        Args:
            parts: (their entry,) to which entry each sketch belongs, and the sketches.
            n: how many entries there are.
            most: how many keys a sketch may have.
        """
        shifts = np.zeros(n, np.int64)
        for entries, part in parts:
            np.maximum.at(shifts, entries, part.shifts)
        entry = np.concatenate([e for e, _ in parts])
        keys = np.concatenate([s.keys for _, s in parts])
        weights = np.concatenate([s.weights for _, s in parts])
        starts = _sums(np.concatenate([np.diff(s.offsets) for _, s in parts]))
        runs, offsets = _sums(np.bincount(entry, minlength=n)), np.zeros(n + 1, np.int64)
        order = np.argsort(entry, kind="stable")
        m = _unite(keys.copy(), weights.copy(), starts, order, runs, keys, weights, offsets)
        return cls.of(offsets, keys[:m], weights[:m], shifts, most)

    def of_entries(self, wanted: NDArray[np.bool_]) -> Sketches:
        """The sketches of some entries."""
        sizes = np.diff(self.offsets)
        keep = wanted.repeat(sizes)
        offsets = np.concatenate([[0], np.cumsum(sizes[wanted])])
        return Sketches(offsets, self.keys[keep], self.weights[keep], self.shifts[wanted])

    @property
    def exact(self) -> NDArray[np.bool_]:
        """(entry,) True if all values are as they were."""
        return self.shifts == 0

    @property
    def values(self) -> NDArray[np.float64]:
        """(key,) the value that stands for each key: the middle of what fell together, or 0."""
        half = ((1 << self.shifts) >> 1).repeat(np.diff(self.offsets))
        return KEYS.to_values(np.where(self.keys == 0, 0, self.keys | half))

    def quantile(self, probability: float) -> NDArray[np.float64]:
        """(entry,) the least value up to which there is this part of the weight, NaN without one.

        That is NumPy's ``inverted_cdf`` (Hyndman and Fan's type 1), weighted.
        """
        out = np.full(len(self.shifts), np.nan)
        _inverted_cdf(self.offsets, self.values, self.weights, probability, out)
        return out


def _sums(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of some runs begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(counts)])


@kernel()
def _unite(keys, weights, starts, order, runs, to_keys, to_weights, offsets):
    """Merge the runs of each entry, which ascend, pair by pair; how many keys are left of all."""
    longest = 0
    for entry in range(len(runs) - 1):
        size = 0
        for run in order[runs[entry] : runs[entry + 1]]:
            size += starts[run + 1] - starts[run]
        longest = max(longest, size)
    some_keys, some_weights = np.empty(longest, np.int64), np.empty(longest, np.int64)
    more_keys, more_weights = np.empty(longest, np.int64), np.empty(longest, np.int64)
    bounds = np.zeros(len(order) + 1, np.int64)
    n = 0
    for entry in range(len(runs) - 1):
        count = size = 0
        for run in order[runs[entry] : runs[entry + 1]]:
            length = starts[run + 1] - starts[run]
            if length == 0:
                continue
            some_keys[size : size + length] = keys[starts[run] : starts[run + 1]]
            some_weights[size : size + length] = weights[starts[run] : starts[run + 1]]
            size += length
            count += 1
            bounds[count] = size
        while count > 1:
            _unite_pairs(some_keys, some_weights, bounds, count, more_keys, more_weights)
            some_keys, more_keys = more_keys, some_keys
            some_weights, more_weights = more_weights, some_weights
            count = (count + 1) // 2
        size = bounds[count]
        to_keys[n : n + size], to_weights[n : n + size] = some_keys[:size], some_weights[:size]
        n += size
        offsets[entry + 1] = n
    return n


@kernel()
def _unite_pairs(keys, weights, bounds, count, to_keys, to_weights):
    """Merge each two neighbouring runs; weights of equal keys are added, bounds written over."""
    n = 0
    for pair in range((count + 1) // 2):
        i, middle = bounds[2 * pair], bounds[2 * pair + 1]
        j, stop = middle, bounds[min(2 * pair + 2, count)]
        while i < middle and j < stop:
            left, right = keys[i] <= keys[j], keys[j] <= keys[i]
            to_keys[n] = min(keys[i], keys[j])
            to_weights[n] = weights[i] * left + weights[j] * right
            i, j, n = i + left, j + right, n + 1
        for start, end in ((i, middle), (j, stop)):
            to_keys[n : n + end - start] = keys[start:end]
            to_weights[n : n + end - start] = weights[start:end]
            n += end - start
        bounds[pair + 1] = n


@kernel()
def _condense(offsets, keys, weights, shifts, most, ends):
    """Take keys together until each entry has few, in place; how many are left of all."""
    n = 0
    apart = np.empty(65, np.int64)
    for entry in range(len(shifts)):
        start, stop = offsets[entry], offsets[entry + 1]
        shift = _least_shift(keys, start, stop, shifts[entry], most, apart)
        first = n
        for i in range(start, stop):
            key = (keys[i] >> shift) << shift
            if n > first and keys[n - 1] == key:
                weights[n - 1] += weights[i]
            else:
                keys[n], weights[n] = key, weights[i]
                n += 1
        shifts[entry], ends[entry + 1] = shift, n
    return n


@kernel()
def _least_shift(keys, start, stop, shift, most, apart):
    """The least shift, from one on, with which at most so many keys are told apart."""
    if stop - start <= most:
        return shift
    apart[:] = 0  # how many neighbours differ in this bit first, counted from 1
    for i in range(start + 1, stop):
        apart[_length(keys[i] ^ keys[i - 1])] += 1
    told = 1 + apart[shift + 1 :].sum()
    while told > most:
        shift += 1
        told -= apart[shift]
    return shift


@kernel()
def _length(bits):
    """The length of an integer in bits; 64 if its sign is set."""
    if bits < 0:
        return 64
    length = 0
    for step in (32, 16, 8, 4, 2, 1):
        if bits >> step:
            bits >>= step
            length += step
    return length + (1 if bits else 0)


@kernel()
def _inverted_cdf(offsets, values, weights, probability, out):
    for entry in range(len(out)):
        start, stop = offsets[entry], offsets[entry + 1]
        if start == stop:
            continue
        target = probability * np.float64(weights[start:stop].sum())
        below, i = weights[start], start
        while i < stop - 1 and np.float64(below) < target:
            i += 1
            below += weights[i]
        out[entry] = values[i]
