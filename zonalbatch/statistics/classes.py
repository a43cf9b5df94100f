"""Classes: how much of each zone has which value.

The state is, for each zone, the values that occur in ascending order, each with the number of its
inner cells and the sum of its boundary cells' shares. Shares are summed as integers in units of
2^-52, so that states merge to the same bits in any order. Zones in one fold tile are settled at
once; the classes of others wait for the last tile. A zone with more than ``CAP`` different values
of floating-point numbers is given up: it has no classes, and takes no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells, Covered
from zonalbatch.kernels import kernel
from zonalbatch.statistics.distribution import Distribution, room
from zonalbatch.statistics.shares import BITS, UNIT, add_share
from zonalbatch.statistics.sketch import INNER, Sketches

__all__ = ["Classes"]

ROUNDINGS = 4
"""Last bits of a number that its type, a scale and an offset may take, and some room."""

TABLE = 1 << 16
"""Integers that lie closer together than this are counted by value, or sorted by bytes."""
SPARSE = 4
"""Integers are sorted where more than this many values could be for each cell that there is."""


def plain(cells: Cells) -> Cells:
    """Cells with the shares they have."""
    return cells


def averaged(cells: Cells) -> Cells:
    """Cells with the shares that averages take."""
    return cells.averaged


CAP = 2**20
"""Different values of a zone up to which floating-point values are told apart. METHOD stands for
it; it is above the cells of a fold tile, so that a zone in one is never given up."""

WAITING = 2**21
"""Classes of open zones that wait for being merged."""


class Classes:
    """Mode, minority, variety and the classes of each zone, gathered tile by tile."""

    def __init__(
        self,
        alone: NDArray[np.bool_],
        *,
        listed: bool,
        weigh: Callable[[Cells], Cells] = plain,
        largest: int = 0,
    ) -> None:
        """Of zones, of which each lies ``alone`` in one fold tile or in several.

        Args:
            alone: (zone,) True if it lies in one fold tile.
            listed: keeps all classes, not only what is told of them; 16 bytes for each zone and
                value that occurs in it.
            weigh: gives the cells with the shares that are summed.
            largest: how many cells the fold tile with most of them has.
        """
        self._weigh = weigh
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
        self._room = _Room(largest)
        self._open: list[_Ragged] = []
        self._n_open = self._n_merged = 0
        """Classes of the open zones, and how many there were when last they were merged."""
        self._settled: list[_Settled] = []
        self._listed = listed
        self._distribution: Distribution | None = None

    @classmethod
    def of(
        cls, covered: Covered, *, listed: bool, weigh: Callable[[Cells], Cells] = plain
    ) -> Classes:
        """Of the zones of a coverage."""
        largest = max((one.size for one in covered.layouts), default=0)
        return cls(covered.pieces_of_zone <= 1, listed=listed, weigh=weigh, largest=largest)

    @classmethod
    def of_sketches(cls, sketches: Sketches, exact: NDArray[np.bool_]) -> Classes:
        """The classes of what sketches tell; entries that are not exact are given up."""
        classes = cls(np.ones(len(exact), bool), listed=True)
        classes.approximate = ~exact
        told = sketches.of_entries(exact)
        whole, part = told.weights // INNER, told.weights % INNER * (2**BITS // INNER)
        zone = np.flatnonzero(exact)
        found = _Ragged(zone, told.offsets, told.values, whole, part)
        classes._settle(found, np.ones(len(zone), bool))
        classes.finish(1.0, 0.0)
        return classes

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile."""
        if self.approximate[cells.layout.zone].all():
            return
        found = self._room.classes(self._weigh(cells))
        alone = self._alone[found.zone]
        self._settle(found, alone)
        if not alone.all():
            self._open.append(found.of_zones(~alone & ~self.approximate[found.zone]))
            self._n_open += len(self._open[-1].values)
        if self._n_open > max(WAITING, 2 * self._n_merged):
            self._merge()

    def finish(self, scale: float, offset: float) -> None:
        """Close the state and bring it from raw to physical values; ``scale`` is positive."""
        if self._open:
            self._merge()
            whole = self._open.pop()
            self._settle(whole, np.ones(len(whole.zone), bool))
        for column in (self.mode, self.minority):
            column *= scale
            column += offset
        self._room = _Room(0)
        if self._listed:
            self._distribution = self._laid_out(scale, offset)
            self._settled.clear()

    @property
    def distribution(self) -> Distribution:
        """All classes of each zone."""
        assert self._distribution is not None, "made with listed=True and finished"
        return self._distribution

    def _merge(self) -> None:
        """Bring what open zones have so far together, and give up those with too many classes."""
        found = _Ragged.merged(self._open)
        if found.values.dtype.kind == "f":
            beyond = np.diff(found.offsets) > CAP
            self.approximate[found.zone[beyond]] = True
            found = found.of_zones(~beyond)
        self._open = [found]
        self._n_open = self._n_merged = len(found.values)

    def _settle(self, found: _Ragged, done: NDArray[np.bool_]) -> None:
        """Take in the classes of the entries whose zones are done."""
        kept = int(np.diff(found.offsets)[done].sum()) if self._listed else 0
        settled = _Settled(found.zone[done], np.empty(kept, found.values.dtype), np.empty(kept))
        _settle(
            found.offsets, found.values, found.whole, found.part, found.zone, done,
            self.mode, self.minority, self.variety, settled.values, settled.weights,
        )  # fmt: skip
        if self._listed:
            self._settled.append(settled)

    def _laid_out(self, scale: float, offset: float) -> Distribution:
        """The classes of all zones, one zone after the other, with physical values."""
        offsets = np.concatenate([[0], np.cumsum(self.variety)])
        values, weights = room(int(offsets[-1])), room(int(offsets[-1]))
        for one in self._settled:
            _lay_out(one.zone, one.values, one.weights, scale, offset, offsets, values, weights)
        eps = ROUNDINGS * max((_eps(one.values.dtype) for one in self._settled), default=0.0)
        rounding = (eps, eps * abs(offset))
        return Distribution(offsets, values, weights, rounding, self.approximate)


@dataclass(frozen=True, slots=True, eq=False)
class _Settled:
    """The classes of zones that are whole."""

    zone: NDArray[np.int64]
    """(entry,) index of the zone."""
    values: NDArray[Any]
    """(class,) raw, ascending within a zone, one zone after the other."""
    weights: NDArray[np.float64]
    """(class,) sums of shares."""


def _eps(kind: np.dtype[Any]) -> float:
    """The last bit of 1 in a type of pixels, as a float64 for integers."""
    return float(np.finfo(kind if kind.kind == "f" else np.float64).eps)


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

    @classmethod
    def merged(cls, parts: Sequence[_Ragged]) -> _Ragged:
        """All classes of all zones, zones ascending, each class of a zone once."""
        zone = np.concatenate([p.zone for p in parts])
        sizes = np.concatenate([np.diff(p.offsets) for p in parts])
        order, starts = np.argsort(zone, kind="stable"), np.cumsum(sizes) - sizes
        values = np.concatenate([p.values for p in parts])
        whole = np.concatenate([p.whole for p in parts])
        part = np.concatenate([p.part for p in parts])
        zones = np.unique(zone)
        found = cls(
            zones, np.zeros(len(zones) + 1, np.int64),
            np.empty_like(values), np.zeros_like(whole), np.zeros_like(part),
        )  # fmt: skip
        _merge(
            zone[order], starts[order], sizes[order], values, whole, part,
            found.offsets, found.values, found.whole, found.part,
        )  # fmt: skip
        n = found.offsets[-1]
        return cls(zones, found.offsets, found.values[:n], found.whole[:n], found.part[:n])

    def of_zones(self, wanted: NDArray[np.bool_]) -> _Ragged:
        """A copy of the classes of some entries."""
        sizes = np.diff(self.offsets)
        keep = wanted.repeat(sizes)
        offsets = np.concatenate([[0], np.cumsum(sizes[wanted])])
        return _Ragged(
            self.zone[wanted], offsets, self.values[keep], self.whole[keep], self.part[keep]
        )


class _Room:
    """Where the classes of one tile are found, used again for the next: new memory is dear."""

    def __init__(self, cells: int) -> None:
        """Room for so many cells."""
        self._values: NDArray[Any] = np.empty(0)
        self._sums = np.empty((cells, 2), np.int64)
        self._table = np.zeros((TABLE, 2), np.int64)

    def classes(self, cells: Cells) -> _Ragged:
        """The classes of one tile's pieces; they are gone when the next are asked for."""
        layout, kind = cells.layout, cells.values.dtype
        if self._values.dtype != kind or not len(self._values):
            self._values = np.empty(len(self._sums), kind)
        offsets = np.zeros(len(layout.zone) + 1, np.int64)
        n = _tally(
            cells.values, cells.reasons, layout.offsets, layout.inner, layout.cell_span,
            layout.shares, kind.kind in "iu", self._table,
            self._values, self._sums, offsets,
        )  # fmt: skip
        whole, part = self._sums[:n].T
        return _Ragged(layout.zone.astype(np.int64), offsets, self._values[:n], whole, part)


@kernel()
def _tally(values, reasons, offsets, inners, cell_span, fractions, integers, table,
           out_values, out, ends):  # fmt: skip
    """Find the classes of every piece; return their number. The table is empty before and after."""
    longest = 0
    for piece in range(len(inners)):
        longest = max(longest, offsets[piece + 1] - offsets[piece])
    order, spare = np.empty(longest, np.int64), np.empty(longest, np.int64)
    n = 0
    for piece in range(len(inners)):
        start, stop = offsets[piece], offsets[piece + 1]
        first = start + inners[piece]
        shift = cell_span[piece, 0] - first
        valid = 0
        low = high = values[start]
        for i in range(start, stop):
            if len(reasons) == 0 or reasons[i] == 0:
                order[valid] = i
                valid += 1
                v = values[i]
                low = min(low, v) if valid > 1 else v
                high = max(high, v) if valid > 1 else v
        small = integers and np.float64(high) - np.float64(low) < TABLE - 1
        if valid and small and np.int64(high - low) < SPARSE * valid:
            for i in order[:valid]:
                k = np.int64(values[i] - low)
                if i < first:
                    table[k, 0] += 1
                else:
                    add_share(fractions[i + shift], table[k])
            for k in range(np.int64(high - low) + 1):
                if table[k, 0] or table[k, 1]:
                    out_values[n], out[n, 0], out[n, 1] = low + k, table[k, 0], table[k, 1]
                    table[k, 0] = table[k, 1] = 0
                    n += 1
        elif valid:
            if small:
                _sort_by_byte(values, low, 0, order[:valid], spare)
                _sort_by_byte(values, low, 8, spare[:valid], order)
            else:
                order[:valid] = order[:valid][np.argsort(values[order[:valid]])]
            for i in order[:valid]:
                if n == ends[piece] or out_values[n - 1] != values[i]:
                    out_values[n], out[n, 0], out[n, 1] = values[i], 0, 0
                    n += 1
                if i < first:
                    out[n - 1, 0] += 1
                else:
                    add_share(fractions[i + shift], out[n - 1])
        ends[piece + 1] = n
    return n


@kernel()
def _sort_by_byte(values, low, bits, order, to):
    """Sort indices by one byte of the distance of their values from the least; ties stay."""
    at = np.zeros(257, np.int64)
    for i in order:
        at[((np.int64(values[i] - low) >> bits) & 255) + 1] += 1
    for byte in range(256):
        at[byte + 1] += at[byte]
    for i in order:
        byte = (np.int64(values[i] - low) >> bits) & 255
        to[at[byte]] = i
        at[byte] += 1


@kernel()
def _merge(zones, starts, sizes, values, whole, part, offsets, to_values, to_whole, to_part):
    """Unite the classes of the entries of each zone, which follow one another."""
    n = z = entry = 0
    while entry < len(zones):
        last, total = entry, 0
        while last < len(zones) and zones[last] == zones[entry]:
            total += sizes[last]
            last += 1
        every = np.empty(total, np.int64)
        at = 0
        for k in range(entry, last):
            for i in range(sizes[k]):
                every[at + i] = starts[k] + i
            at += sizes[k]
        for i in every[np.argsort(values[every], kind="mergesort")]:
            if n == offsets[z] or to_values[n - 1] != values[i]:
                to_values[n] = values[i]
                n += 1
            sum_ = to_part[n - 1] + part[i]
            to_whole[n - 1] += whole[i] + (sum_ >> BITS)
            to_part[n - 1] = sum_ & ((np.int64(1) << BITS) - 1)
        z += 1
        offsets[z] = n
        entry = last


@kernel()
def _settle(offsets, values, whole, part, zones, done, mode, minority, variety,
            kept_values, kept_weights):  # fmt: skip
    """Find the heaviest and the lightest class of each entry whose zone is done.

    All of its classes are kept where there is room for them.
    """
    n = 0
    for entry in range(len(zones)):
        start, stop = offsets[entry], offsets[entry + 1]
        if start == stop or not done[entry]:
            continue
        heavy = light = start
        most = least = whole[start] + part[start] * UNIT
        for k in range(start, stop):
            weight = whole[k] + part[k] * UNIT
            if weight >= most:
                heavy, most = k, weight
            if weight < least:
                light, least = k, weight
            if len(kept_weights):
                kept_values[n], kept_weights[n] = values[k], weight
                n += 1
        zone = zones[entry]
        mode[zone], minority[zone], variety[zone] = values[heavy], values[light], stop - start


@kernel()
def _lay_out(zones, values, weights, scale, offset, to, out_values, out_weights):
    """Write the physical classes of whole zones to where they belong."""
    n = 0
    for zone in zones:
        for k in range(to[zone], to[zone + 1]):
            out_values[k] = np.float64(values[n]) * scale + offset
            out_weights[k] = weights[n]
            n += 1
