"""A zone in many fold tiles: all of its valid values, kept in little memory.

Boundary cells are kept as (value, share) pairs. Inner cells, which are most, need no share: where
few values are possible they are counted by value, else they fill *runs*, each sorted and packed
once it is full. Either way the zone knows its inner values in order, without joining them, and
nothing depends on how the cells came in.

A zone with more than ``CAP`` valid cells of floating-point numbers is *sketched* instead
(``sketch.py``): its quantiles are approximate, and it takes no more memory however large it is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zonalbatch.statistics.keys import Keys
from zonalbatch.statistics.quantiles import (
    QuantileMethod,
    aim,
    between,
    follows,
    reach,
    weigh,
)
from zonalbatch.statistics.sketched_zone import SketchedZone

__all__ = ["CAP", "HugeZone"]

RUN = 2**22
"""Values in a run."""

PIECE = 2**18
"""Values of a run that are looked at at once."""

CAP = 2**24
"""Valid cells of a zone up to which floating-point values are all kept. METHOD stands for it: it
follows no limit, so that a result does not."""


class Ordered(Protocol):
    """Values of inner cells, in order."""

    def add(self, values: NDArray[Any]) -> None:
        """Take in more values."""

    def runs(self) -> Iterator[NDArray[np.float64]]:
        """All values, some at a time, in any order."""

    def close(self) -> None:
        """Put them in order; only then may the rest be asked for."""

    def __len__(self) -> int:
        """How many there are."""

    def at(self, rank: int) -> float:
        """The value with this many before it in order."""

    def below(self, value: float) -> int:
        """How many values are less."""


class HugeZone:
    """The valid values of one zone, gathered piece by piece."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._cap = CAP if dtype.kind == "f" else None
        self._n = 0
        self._kept: _Kept | SketchedZone = _Kept(dtype)

    def add(self, inner: NDArray[Any], boundary: NDArray[Any], shares: NDArray[np.float64]) -> None:
        """Take in the values of inner cells, and of boundary cells with their shares."""
        self._n += len(inner) + len(boundary)
        if isinstance(self._kept, _Kept) and self.sketched:
            self._kept = self._kept.sketched()
        self._kept.add(inner, boundary, shares)

    @property
    def sketched(self) -> bool:
        """True if it has so many cells that its quantiles are approximate."""
        return self._cap is not None and self._n > self._cap

    def quantiles(
        self, probabilities: NDArray[np.float64], method: QuantileMethod = "linear"
    ) -> NDArray[np.float64]:
        """(probability,) quantiles of the zone, NaN if it has no valid cell.

        A sketch knows one method, ``inverted_cdf``.
        """
        if isinstance(self._kept, SketchedZone):
            return self._kept.quantiles(probabilities)
        return self._kept.quantiles(probabilities, method)


class _Kept:
    """All values of a zone."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        few = dtype.kind in "iu" and dtype.itemsize <= 2
        self.inner: Ordered = _Counts(dtype) if few else _Runs(dtype)
        self.boundary: list[NDArray[np.float64]] = []
        self.shares: list[NDArray[np.float64]] = []

    def add(self, inner: NDArray[Any], boundary: NDArray[Any], shares: NDArray[np.float64]) -> None:
        self.inner.add(inner)
        self.boundary.append(boundary.astype(np.float64))
        self.shares.append(shares.copy())

    def sketched(self) -> SketchedZone:
        """A sketch of all values so far."""
        zone, none = SketchedZone(), np.zeros(0)
        for values in self.inner.runs():
            zone.add(values, none, none)
        for boundary, shares in zip(self.boundary, self.shares, strict=True):
            zone.add(none, boundary, shares)
        return zone

    def quantiles(
        self, probabilities: NDArray[np.float64], method: QuantileMethod
    ) -> NDArray[np.float64]:
        self.inner.close()
        values, shares = np.concatenate(self.boundary), np.concatenate(self.shares)
        merged = _Merged(self.inner, _Boundary.of(values, shares, len(self.inner) > 0))
        if not len(merged):
            return np.full(len(probabilities), np.nan)
        of = {"linear": merged.quantile, "inverted_cdf": merged.inverted}[method]
        return np.array([of(float(p)) for p in probabilities])


@dataclass(frozen=True, slots=True, eq=False)
class _Boundary:
    """The boundary cells of a zone, sorted by value and weight, faint ones dropped."""

    values: NDArray[np.float64]
    before: NDArray[np.int64]
    """(cell + 1,) sums of the weights before each cell, and of all."""
    one: int
    """The weight of an inner cell."""

    @classmethod
    def of(
        cls, values: NDArray[np.float64], shares: NDArray[np.float64], any_inner: bool
    ) -> _Boundary:
        weights = np.empty(len(shares), np.int64)
        largest = max(shares.max(initial=0.0), 1.0 if any_inner else 0.0)
        one = weigh(shares, 0, len(shares), largest, weights)
        kept = np.flatnonzero(weights >= 0)
        order = kept[np.lexsort((weights[kept], values[kept]))]
        return cls(values[order], np.concatenate([[0], np.cumsum(weights[order])]), one)

    def share(self, cell: int) -> float:
        """The share of one cell, in parts of the largest."""
        return float(self.before[cell + 1] - self.before[cell]) / self.one


@dataclass(frozen=True, slots=True, eq=False)
class _Merged:
    """Inner and boundary cells in one order: by value, then by share."""

    inner: Ordered
    boundary: _Boundary

    def __len__(self) -> int:
        return len(self.inner) + len(self.boundary.values)

    def quantile(self, probability: float) -> float:
        """One quantile; its definition is that of ``quantiles.py``."""
        n = len(self)
        if probability <= 0 or probability >= 1:
            return self._pair(0 if probability <= 0 else n - 1)[0]
        target = aim(probability, self._before(n), False)
        rank = min(self._rank(target), n - 1)
        before, (value, share) = self._before(rank), self._pair(rank)
        up = follows(n, rank, before, share, target)
        other, other_share = self._pair(min(rank + 1, n - 1) if up else max(rank - 1, 0))
        return float(between(n, rank, before, share, target, value, other, other_share))

    def inverted(self, probability: float) -> float:
        """One quantile by ``inverted_cdf``."""
        n = len(self)
        if probability <= 0 or probability >= 1:
            return self._pair(0 if probability <= 0 else n - 1)[0]
        return self._pair(min(self._rank(aim(probability, self._before(n), True)), n - 1))[0]

    def _rank(self, target: float) -> int:
        """How many pairs there are before the one with which the shares exceed a target."""
        values, before, one = self.boundary.values, self.boundary.before, self.boundary.one

        def upto(cell: int) -> float:
            return float(reach(self.inner.below(float(values[cell])), before[cell + 1], one))

        edge = bisect_right(range(len(values)), target, key=upto)
        inner = len(self.inner) if edge == len(values) else self.inner.below(float(values[edge]))
        below = bisect_right(range(inner), target, key=lambda i: reach(i + 1, before[edge], one))
        return edge + below

    def _edge(self, rank: int) -> int:
        """How many boundary cells are among the first ``rank`` pairs."""
        values = self.boundary.values
        ranks = range(len(values))
        return bisect_left(ranks, rank, key=lambda i: i + self.inner.below(float(values[i])))

    def _before(self, rank: int) -> float:
        """The sum of the shares of the first ``rank`` pairs, in parts of the largest."""
        edge = self._edge(rank)
        return float(reach(rank - edge, self.boundary.before[edge], self.boundary.one))

    def _pair(self, rank: int) -> tuple[float, float]:
        """The value and the share, in parts of the largest, of the pair with this rank."""
        edge = self._edge(rank)
        if self._edge(rank + 1) > edge:
            return float(self.boundary.values[edge]), self.boundary.share(edge)
        return self.inner.at(rank - edge), 1.0


class _Counts:
    """Values of a small type: how many there are of each."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        info = np.iinfo(dtype)
        self._least = int(info.min)
        self._counts = np.zeros(int(info.max) - self._least + 1, np.int64)
        """Of each value; once closed, of all values up to it."""

    def add(self, values: NDArray[Any]) -> None:
        places = values.astype(np.int64) - self._least
        self._counts += np.bincount(places, minlength=len(self._counts))

    def runs(self) -> Iterator[NDArray[np.float64]]:
        there = np.flatnonzero(self._counts)
        yield (there + self._least).repeat(self._counts[there]).astype(np.float64)

    def close(self) -> None:
        np.cumsum(self._counts, out=self._counts)

    def __len__(self) -> int:
        return int(self._counts[-1])

    def at(self, rank: int) -> float:
        return float(self._least + self._counts.searchsorted(rank, "right"))

    def below(self, value: float) -> int:
        place = int(value) - self._least
        return int(self._counts[place - 1]) if place else 0


class _Runs:
    """Values of a large type as *keys*, integers in the same order, in sorted runs."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._keys = Keys.of(dtype)
        self._runs: list[_Run] = []
        self._filling = np.empty(RUN, np.int32 if self._keys.bits == 32 else np.int64)
        self._n = 0
        """Keys in the run that is being filled."""

    def add(self, values: NDArray[Any]) -> None:
        keys = self._keys.from_values(values)
        while len(keys):
            taken = min(len(keys), RUN - self._n)
            self._filling[self._n : self._n + taken] = keys[:taken]
            self._n, keys = self._n + taken, keys[taken:]
            if self._n == RUN:
                self.close()

    def runs(self) -> Iterator[NDArray[np.float64]]:
        self.close()
        for run in self._runs:
            for keys in np.array_split(run.keys(), -(-len(run.lower) // PIECE)):
                yield self._keys.to_values(keys)

    def close(self) -> None:
        if self._n:
            self._runs.append(_Run.of(self._filling[: self._n], self._keys.bits))
        self._n = 0

    def __len__(self) -> int:
        return sum(len(run.lower) for run in self._runs)

    def at(self, rank: int) -> float:
        low, high = -(1 << (self._keys.bits - 1)), (1 << (self._keys.bits - 1)) - 1
        while low < high:
            middle = (low + high) // 2
            if self._below(middle + 1) > rank:
                high = middle
            else:
                low = middle + 1
        return float(self._keys.to_values(np.array([low]))[0])

    def below(self, value: float) -> int:
        return self._below(int(self._keys.from_values(np.array([value]))[0]))

    def _below(self, key: int) -> int:
        return sum(run.below(key) for run in self._runs)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Sorted keys in two parts: the upper follows from the place, the lower is kept."""

    starts: NDArray[np.int64]
    """(upper part + 1,) where the keys with each upper part begin, and the number of all."""
    lower: NDArray[Any]
    """(key,) lower part: 16 bits of 32, 63 of 64."""
    shift: int
    """Bits of the lower part."""

    @classmethod
    def of(cls, keys: NDArray[Any], bits: int) -> _Run:
        """The run of some keys of so many bits, which are sorted in place."""
        keys.sort()
        shift, kind = (16, np.uint16) if bits == 32 else (63, np.uint64)
        most = 1 << (bits - 1 - shift)
        uppers = (np.arange(-most, most) << shift).astype(keys.dtype)
        starts = np.append(keys.searchsorted(uppers), len(keys))
        return cls(starts, (keys & ((1 << shift) - 1)).astype(kind), shift)

    def keys(self) -> NDArray[np.int64]:
        """The keys, ascending."""
        most = len(self.starts) // 2
        keys = (np.arange(-most, most) << self.shift).repeat(np.diff(self.starts))
        keys |= self.lower.astype(np.int64)
        return keys

    def below(self, key: int) -> int:
        """How many keys are less."""
        upper = (key >> self.shift) + len(self.starts) // 2
        if upper >= len(self.starts) - 1:
            return len(self.lower)
        start, stop = int(self.starts[upper]), int(self.starts[upper + 1])
        lower = self.lower.dtype.type(key & ((1 << self.shift) - 1))
        return start + int(self.lower[start:stop].searchsorted(lower))
