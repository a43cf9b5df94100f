"""Classes: how much of each zone has which value.

The state is, for each zone, the values that occur in ascending order, each with the number of its
inner cells and the sum of its boundary cells' shares. Shares are summed as integers in units of
2^-52, so that states merge to the same bits in any order. Zones in one fold tile are settled at
once; the classes of others wait for the last tile. A zone with more than ``CAP`` different values
of floating-point numbers is given up: it has no classes, and takes no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells
from zonalbatch.statistics.sketch import INNER, Sketches

__all__ = ["Classes"]

BITS = 52
UNIT = 2.0**-BITS
"""Shares are counted in this; a class carries what fills a cell, so that sums do not overflow."""

TABLE = 1 << 16
"""Integers that lie closer together than this are counted by value, others are sorted."""

CAP = 2**20
"""Different values of a zone up to which floating-point values are told apart. METHOD stands for
it; it is above the cells of a fold tile, so that a zone in one is never given up."""

WAITING = 2**21
"""Classes of open zones that wait for being merged."""


class Classes:
    """Mode, minority, variety and the classes of each zone, gathered tile by tile."""

    def __init__(self, alone: NDArray[np.bool_], *, listed: bool) -> None:
        """Of zones, of which each lies ``alone`` in one fold tile or in several.

        ``listed`` keeps all classes, not only what is told of them. That takes 16 bytes for each
        zone and value that occurs in it.
        """
        n_zones = len(alone)
        self.mode = np.full(n_zones, np.nan)
        """(zone,) the value with the largest sum of shares, ties to the larger value."""
        self.minority = np.full(n_zones, np.nan)
        """(zone,) the value with the smallest sum of shares, ties to the smaller value."""
        self.variety = np.zeros(n_zones, np.int64)
        """(zone,) number of different values."""
        self.approximate = np.zeros(n_zones, bool)
        """(zone,) True if a zone has more different values than are told apart, so that it is given
        up."""
        self._alone = alone
        self._open: list[_Ragged] = []
        self._n_open = self._n_merged = 0
        """Classes of the open zones, and how many there were when last they were merged."""
        self._settled: list[_Ragged] | None = [] if listed else None
        self._listed: _Ragged | None = None

    @classmethod
    def of_sketches(cls, sketches: Sketches, exact: NDArray[np.bool_]) -> Classes:
        """The classes of what sketches tell; entries that are not exact are given up."""
        classes = cls(np.ones(len(exact), bool), listed=True)
        classes.approximate = ~exact
        told = sketches.of_entries(exact)
        whole, part = told.weights // INNER, told.weights % INNER * (2**BITS // INNER)
        zone = np.flatnonzero(exact)
        classes._settle(_Ragged(zone, told.offsets, told.values, whole, part))
        classes.finish(1.0, 0.0)
        return classes

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile."""
        if self.approximate[cells.layout.zone].all():
            return
        found = _Ragged.of(cells.averaged)
        alone = self._alone[found.zone]
        self._settle(found.of_zones(alone))
        if not alone.all():
            self._open.append(found.of_zones(~alone & ~self.approximate[found.zone]))
            self._n_open += len(self._open[-1].values)
        if self._n_open > max(WAITING, 2 * self._n_merged):
            self._merge()

    def finish(self, scale: float, offset: float) -> None:
        """Close the state and bring it from raw to physical values; ``scale`` is positive."""
        if self._open:
            self._merge()
            self._settle(self._open.pop())
        for column in (self.mode, self.minority):
            column *= scale
            column += offset
        if self._settled is not None:
            self._listed = _Ragged.by_zone(self._settled).physical(scale, offset)
            self._settled.clear()

    def weights(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """All classes: (zone + 1,) offsets, and (class,) values and sums of shares."""
        assert self._listed is not None, "made with listed=True and finished"
        counts = np.zeros(len(self.variety), np.int64)
        counts[self._listed.zone] = np.diff(self._listed.offsets)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return offsets, self._listed.values, self._listed.weights

    def unique(self) -> pa.Array:
        """(zone,) list of the values that occur, ascending."""
        offsets, values, _ = self.weights()
        return self._told(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values)))

    def frac(self) -> pa.Array:
        """(zone,) list of (class, value): the values that occur, and their share of all."""
        offsets, values, weights = self.weights()
        sums = np.repeat(_sums(weights, offsets), np.diff(offsets))
        fields = [pa.array(values), pa.array(weights / sums)]
        pairs = pa.StructArray.from_arrays(fields, names=["class", "value"])
        return self._told(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs))

    def _told(self, lists: pa.Array) -> pa.Array:
        """Lists, null for the zones that were given up."""
        return pc.if_else(pa.array(self.approximate), pa.scalar(None, lists.type), lists)

    def _merge(self) -> None:
        """Bring what open zones have so far together, and give up those with too many classes."""
        found = _Ragged.merged(self._open)
        if found.values.dtype.kind == "f":
            beyond = np.diff(found.offsets) > CAP
            self.approximate[found.zone[beyond]] = True
            found = found.of_zones(~beyond)
        self._open = [found]
        self._n_open = self._n_merged = len(found.values)

    def _settle(self, found: _Ragged) -> None:
        _settle(found.offsets, found.values, found.weights, found.zone, self.mode, self.minority)
        self.variety[found.zone] = np.diff(found.offsets)
        if self._settled is not None:
            self._settled.append(found)


def _sums(weights: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """(zone,) sums of ragged weights; a zone without a class has none to divide by."""
    sums = np.zeros(len(offsets) - 1)
    some = np.diff(offsets) > 0
    if some.any():
        sums[some] = np.add.reduceat(weights, offsets[:-1][some])
    return sums


def _summed(
    whole: NDArray[np.int64], part: NDArray[np.int64], first: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sums of runs of cells and units, by halves of the units so that nothing overflows."""
    if not len(first):
        return whole, part
    half = BITS // 2
    low = np.add.reduceat(part & ((1 << half) - 1), first)
    high = np.add.reduceat(part >> half, first) + (low >> half)
    rest = ((high & ((1 << half) - 1)) << half) | (low & ((1 << half) - 1))
    return np.add.reduceat(whole, first) + (high >> half), rest


@dataclass(frozen=True, slots=True, eq=False)
class _Ragged:
    """The classes of some zones."""

    zone: NDArray[np.int64]
    """(entry,) index of the zone."""
    offsets: NDArray[np.int64]
    """(entry + 1,) where the zone's classes begin."""
    values: NDArray[Any]
    """(class,) ascending within a zone."""
    whole: NDArray[np.int64]
    """(class,) number of inner cells."""
    part: NDArray[np.int64]
    """(class,) shares of boundary cells less the cells that they fill, in units."""

    @property
    def weights(self) -> NDArray[np.float64]:
        """(class,) sums of shares."""
        return self.whole + self.part * UNIT

    @classmethod
    def of(cls, cells: Cells) -> _Ragged:
        """The classes of one tile's pieces."""
        layout = cells.layout
        values = np.empty(layout.size, cells.values.dtype)
        whole, part = np.empty(layout.size, np.int64), np.empty(layout.size, np.int64)
        offsets = np.zeros(len(layout.zone) + 1, np.int64)
        n = _tally(
            cells.values, cells.reasons, layout.offsets, layout.inner, layout.cell_span,
            layout.shares, cells.values.dtype.kind in "iu",
            values, whole, part, offsets,
        )  # fmt: skip
        return cls(layout.zone.astype(np.int64), offsets, values[:n], whole[:n], part[:n])

    @classmethod
    def merged(cls, parts: Sequence[_Ragged]) -> _Ragged:
        """All classes of all zones, zones ascending, each class of a zone once."""
        zone = np.concatenate([p.zone.repeat(np.diff(p.offsets)) for p in parts])
        values = np.concatenate([p.values for p in parts])
        order = np.lexsort((values, zone))
        zone, values = zone[order], values[order]
        new = np.ones(len(zone), bool)
        new[1:] = (zone[1:] != zone[:-1]) | (values[1:] != values[:-1])
        first = np.flatnonzero(new)
        whole, part = _summed(
            np.concatenate([p.whole for p in parts])[order],
            np.concatenate([p.part for p in parts])[order],
            first,
        )
        zones, counts = np.unique(zone[first], return_counts=True)
        return cls(zones, np.concatenate([[0], np.cumsum(counts)]), values[first], whole, part)

    @classmethod
    def by_zone(cls, parts: Sequence[_Ragged]) -> _Ragged:
        """All classes of all zones, zones ascending, of parts that share no zone."""
        if not parts:
            none = np.zeros(0, np.int64)
            return cls(none, np.zeros(1, np.int64), np.zeros(0), none, none)
        zone = np.concatenate([p.zone for p in parts])
        order = np.argsort(zone)
        sizes = np.concatenate([np.diff(p.offsets) for p in parts])
        offsets = np.concatenate([[0], np.cumsum(sizes[order])])
        to = np.empty(len(zone), np.int64)
        to[order] = offsets[:-1]
        columns = []
        for each in zip(*((p.values, p.whole, p.part) for p in parts), strict=True):
            column = np.concatenate(each)
            columns.append(np.empty_like(column))
            _spread(column, sizes, to, columns[-1])
        return cls(zone[order], offsets, *columns)

    def of_zones(self, wanted: NDArray[np.bool_]) -> _Ragged:
        """The classes of some entries."""
        if wanted.all():
            return self
        sizes = np.diff(self.offsets)
        keep = wanted.repeat(sizes)
        offsets = np.concatenate([[0], np.cumsum(sizes[wanted])])
        return _Ragged(
            self.zone[wanted], offsets, self.values[keep], self.whole[keep], self.part[keep]
        )

    def physical(self, scale: float, offset: float) -> _Ragged:
        """The same with physical values."""
        values = self.values.astype(np.float64) * scale + offset
        return _Ragged(self.zone, self.offsets, values, self.whole, self.part)


@njit(nogil=True, cache=True)
def _spread(column, sizes, to, out):
    """Copy runs of these sizes, one after the other, each to its place."""
    at = 0
    for run in range(len(sizes)):
        for i in range(sizes[run]):
            out[to[run] + i] = column[at + i]
        at += sizes[run]


@njit(nogil=True, cache=True)
def _add_share(share, whole, part, k):
    """Add a share, which may be above 1 (metres of a line), and carry."""
    ones = np.int64(share)
    sum_ = part[k] + np.int64((share - ones) / UNIT + 0.5)
    whole[k] += ones + (sum_ >> BITS)
    part[k] = sum_ & ((np.int64(1) << BITS) - 1)


@njit(nogil=True, cache=True)
def _tally(values, reasons, offsets, inners, cell_span, fractions, integers,
           out_values, out_whole, out_part, ends):  # fmt: skip
    """Find the classes of every piece; return their number."""
    whole, part = np.zeros(TABLE, np.int64), np.zeros(TABLE, np.int64)
    n = 0
    for piece in range(len(inners)):
        start, stop = offsets[piece], offsets[piece + 1]
        first = start + inners[piece]
        shift = cell_span[piece, 0] - first
        some = False
        low = high = values[start]
        for i in range(start, stop):
            if len(reasons) == 0 or reasons[i] == 0:
                v = values[i]
                low = min(low, v) if some else v
                high = max(high, v) if some else v
                some = True
        if some and integers and np.float64(high) - np.float64(low) < TABLE - 1:
            for i in range(start, stop):
                if len(reasons) == 0 or reasons[i] == 0:
                    k = np.int64(values[i] - low)
                    if i < first:
                        whole[k] += 1
                    else:
                        _add_share(fractions[i + shift], whole, part, k)
            for k in range(np.int64(high - low) + 1):
                if whole[k] or part[k]:
                    out_values[n], out_whole[n], out_part[n] = low + k, whole[k], part[k]
                    whole[k] = part[k] = 0
                    n += 1
        elif some:
            for i in start + np.argsort(values[start:stop]):
                if len(reasons) and reasons[i] != 0:
                    continue
                if n == ends[piece] or out_values[n - 1] != values[i]:
                    out_values[n], out_whole[n], out_part[n] = values[i], 0, 0
                    n += 1
                if i < first:
                    out_whole[n - 1] += 1
                else:
                    _add_share(fractions[i + shift], out_whole, out_part, n - 1)
        ends[piece + 1] = n
    return n


@njit(nogil=True, cache=True)
def _settle(offsets, values, weights, zones, mode, minority):
    """Find the heaviest and the lightest class of each entry."""
    for entry in range(len(zones)):
        start, stop = offsets[entry], offsets[entry + 1]
        if start == stop:
            continue
        heavy = light = start
        for k in range(start + 1, stop):
            if weights[k] >= weights[heavy]:
                heavy = k
            if weights[k] < weights[light]:
                light = k
        mode[zones[entry]], minority[zones[entry]] = values[heavy], values[light]
