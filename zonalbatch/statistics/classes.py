"""Classes: how much of each zone has which value.

The state is, for each zone, the values that occur in ascending order, each with the number of its
inner cells and the sum of its boundary cells' shares. Shares are summed as integers in units of
2^-52, so that states merge to the same bits in any order. Zones in one fold tile are settled at
once; the classes of others wait for the last tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells, Covered
from zonalbatch.statistics.distribution import Distribution

__all__ = ["Classes"]

BITS = 52
UNIT = 2.0**-BITS
"""Shares are counted in this; a class carries what fills a cell, so that sums do not overflow."""

ROUNDINGS = 4
"""Last bits of a number that its type, a scale and an offset may take, and some room."""

TABLE = 1 << 16
"""Integers that lie closer together than this are counted by value, others are sorted."""


class Classes:
    """Mode, minority, variety and the classes of each zone, gathered tile by tile."""

    def __init__(self, covered: Covered, *, listed: bool) -> None:
        """Of the zones of a coverage; ``listed`` keeps all classes, not only what is told of them.

        That takes 16 bytes for each zone and value that occurs in it.
        """
        n_zones = covered.coverage.n_zones
        self.mode = np.full(n_zones, np.nan)
        """(zone,) the value with the largest sum of shares, ties to the larger value."""
        self.minority = np.full(n_zones, np.nan)
        """(zone,) the value with the smallest sum of shares, ties to the smaller value."""
        self.variety = np.zeros(n_zones, np.int64)
        """(zone,) number of different values."""
        self._alone = covered.pieces_of_zone <= 1
        self._open: list[_Ragged] = []
        self._settled: list[_Ragged] | None = [] if listed else None
        self._distribution: Distribution | None = None

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile."""
        found = _Ragged.of(cells)
        alone = self._alone[found.zone]
        self._settle(found.of_zones(alone))
        if not alone.all():
            self._open.append(found.of_zones(~alone))

    def finish(self, scale: float, offset: float) -> None:
        """Close the state and bring it from raw to physical values; ``scale`` is positive."""
        if self._open:
            self._settle(_Ragged.merged(self._open))
            self._open.clear()
        for column in (self.mode, self.minority):
            column *= scale
            column += offset
        if self._settled is not None:
            found = _Ragged.by_zone(self._settled)
            self._distribution = found.distribution(len(self.variety), scale, offset)
            self._settled.clear()

    @property
    def distribution(self) -> Distribution:
        """All classes of each zone."""
        assert self._distribution is not None, "made with listed=True and finished"
        return self._distribution

    def _settle(self, found: _Ragged) -> None:
        _settle(found.offsets, found.values, found.weights, found.zone, self.mode, self.minority)
        self.variety[found.zone] = np.diff(found.offsets)
        if self._settled is not None:
            self._settled.append(found)


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
            layout.coverage.cell_fraction, cells.values.dtype.kind in "iu",
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

    def distribution(self, zones: int, scale: float, offset: float) -> Distribution:
        """The classes of all zones, with physical values."""
        counts = np.zeros(zones, np.int64)
        counts[self.zone] = np.diff(self.offsets)
        kind = self.values.dtype if self.values.dtype.kind == "f" else np.dtype(np.float64)
        eps = ROUNDINGS * float(np.finfo(kind).eps)
        return Distribution(
            np.concatenate([[0], np.cumsum(counts)]),
            self.values.astype(np.float64) * scale + offset,
            self.weights,
            (eps, eps * abs(offset)),
        )


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
