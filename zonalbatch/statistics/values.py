"""Values: the valid values of each zone, kept until the zone is whole, then ranked.

Most zones lie in one fold tile and are ranked at once. A zone in a few tiles is kept in a buffer
that is ranked and dropped after the tile row in which it ends. A zone in many tiles is kept as
counts of each value where the values are integers of up to 16 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zonalbatch.cells import Cells, Covered, Layout
from zonalbatch.statistics.quantiles import zone_quantiles

__all__ = ["Values"]

HUGE = 16
"""A zone in more fold tiles than this is kept by itself."""


class Values:
    """Quantiles of each zone, gathered tile by tile."""

    def __init__(self, covered: Covered, probabilities: tuple[float, ...]) -> None:
        self.probabilities = probabilities
        self.quantiles = np.full((covered.coverage.n_zones, len(probabilities)), np.nan)
        """(zone, probability), NaN where a zone has no valid cell."""
        self._p = np.array(probabilities, float)
        self._places = _Places.of(covered)
        self._open: dict[int, _Buffer] = {}
        self._huge: dict[int, _Counted] = {}

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile; tiles must come in row-major order."""
        row = cells.layout.tile_row
        for ended in [r for r in self._open if r < row]:
            self._rank(self._open.pop(ended))
        valid = _Valid.of(cells)
        ending = self._places.ending[cells.layout.zone]
        alone = np.flatnonzero(ending == _Places.ALONE)
        self._rank_pieces(valid, alone)
        for end in np.unique(ending[ending > _Places.HUGE]):
            buffer = self._open.get(end) or self._buffer(int(end), cells.values.dtype)
            buffer.append(valid, np.flatnonzero(ending == end), self._places.slot)
        for piece in np.flatnonzero(ending == _Places.HUGE):
            zone = int(cells.layout.zone[piece])
            self._huge.setdefault(zone, _Counted()).append(valid, int(piece))

    def finish(self, scale: float, offset: float) -> None:
        """Rank what is left and bring it from raw to physical values; ``scale`` is positive."""
        for end in sorted(self._open):
            self._rank(self._open.pop(end))
        for zone, counted in self._huge.items():
            self.quantiles[zone] = counted.quantiles(self._p)
        self._huge.clear()
        self.quantiles *= scale
        self.quantiles += offset

    def of(self, probability: float) -> NDArray[np.float64]:
        """(zone,) one quantile, NaN where a zone has no valid cell."""
        column: NDArray[np.float64] = self.quantiles[:, self.probabilities.index(probability)]
        return column

    def _buffer(self, end: int, dtype: np.dtype[Any]) -> _Buffer:
        buffer = self._open[end] = _Buffer.empty(self._places, end, dtype)
        return buffer

    def _rank_pieces(self, valid: _Valid, pieces: NDArray[np.int64]) -> None:
        if len(pieces):
            zone_quantiles(
                valid.values, valid.inner_at[pieces], valid.n_inner[pieces],
                valid.values, valid.boundary_at[pieces],
                valid.shares, valid.shares_at[pieces], valid.n_boundary[pieces],
                self._p, valid.zone[pieces], self.quantiles,
            )  # fmt: skip

    def _rank(self, buffer: _Buffer) -> None:
        zone_quantiles(
            buffer.inner, buffer.inner_at, buffer.n_inner,
            buffer.boundary, buffer.boundary_at,
            buffer.shares, buffer.boundary_at, buffer.n_boundary,
            self._p, buffer.zones, self.quantiles,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the zones that lie in several tiles are kept."""

    covered: Covered
    ending: NDArray[np.int64]
    """(zone,) the last tile row of a zone in a few tiles; ALONE in one tile, HUGE in many."""

    ALONE = np.iinfo(np.int64).min
    HUGE = ALONE + 1

    @classmethod
    def of(cls, covered: Covered) -> _Places:
        coverage = covered.coverage
        ending = np.full(coverage.n_zones, cls.ALONE)
        np.maximum.at(ending, coverage.zone, coverage.tile_row)
        ending[covered.pieces_of_zone <= 1] = cls.ALONE
        ending[covered.pieces_of_zone > HUGE] = cls.HUGE
        return cls(covered, ending)

    @cached_property
    def sizes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(zone,) numbers of inner and of boundary cells."""
        coverage = self.covered.coverage
        cells = coverage.cell_span[:, 1] - coverage.cell_span[:, 0]
        inner, boundary = (np.zeros(coverage.n_zones, np.int64) for _ in range(2))
        np.add.at(inner, coverage.zone, coverage.inner)
        np.add.at(boundary, coverage.zone, cells)
        return inner, boundary

    @cached_property
    def slot(self) -> NDArray[np.int64]:
        """(zone,) position among the zones that end in the same tile row."""
        order = np.argsort(self.ending, kind="stable")
        ends = self.ending[order]
        starts = np.searchsorted(ends, ends)
        slot = np.empty(len(order), np.int64)
        slot[order] = np.arange(len(order)) - starts
        return slot


@dataclass(frozen=True, eq=False)
class _Valid:
    """The valid values of one tile's pieces."""

    zone: NDArray[np.int32]
    values: NDArray[Any]
    shares: NDArray[np.float64]
    inner_at: NDArray[np.int64]
    n_inner: NDArray[np.int64]
    boundary_at: NDArray[np.int64]
    n_boundary: NDArray[np.int64]
    shares_at: NDArray[np.int64]

    @classmethod
    def of(cls, cells: Cells) -> _Valid:
        layout = cells.layout
        if len(cells.reasons):
            return cls._without_invalid(cells, layout)
        starts = layout.offsets[:-1]
        return cls(
            zone=layout.zone,
            values=cells.values,
            shares=layout.coverage.cell_fraction,
            inner_at=starts,
            n_inner=layout.inner,
            boundary_at=starts + layout.inner,
            n_boundary=np.diff(layout.offsets) - layout.inner,
            shares_at=layout.cell_span[:, 0],
        )

    @classmethod
    def _without_invalid(cls, cells: Cells, layout: Layout) -> _Valid:
        values = np.empty(layout.size, cells.values.dtype)
        shares = np.empty(layout.size)
        n_inner, n_boundary = (np.empty(len(layout.zone), np.int64) for _ in range(2))
        _compact_pieces(
            cells.values, cells.reasons, layout.offsets, layout.inner, layout.cell_span,
            layout.coverage.cell_fraction, values, shares, n_inner, n_boundary,
        )  # fmt: skip
        starts = layout.offsets[:-1]
        boundary_at = starts + n_inner
        return cls(
            layout.zone, values, shares, starts, n_inner, boundary_at, n_boundary, boundary_at
        )


@dataclass(frozen=True, eq=False)
class _Buffer:
    """The valid values so far of the zones that end in one tile row."""

    zones: NDArray[np.int32]
    inner: NDArray[Any]
    boundary: NDArray[Any]
    shares: NDArray[np.float64]
    inner_at: NDArray[np.int64]
    boundary_at: NDArray[np.int64]
    n_inner: NDArray[np.int64]
    n_boundary: NDArray[np.int64]

    @classmethod
    def empty(cls, places: _Places, end: int, dtype: np.dtype[Any]) -> _Buffer:
        zones = np.flatnonzero(places.ending == end)
        inner, boundary = (size[zones] for size in places.sizes)
        n_boundary = int(boundary.sum())
        return cls(
            zones=zones.astype(np.int32),
            inner=np.empty(int(inner.sum()), dtype),
            boundary=np.empty(n_boundary, dtype),
            shares=np.empty(n_boundary),
            inner_at=np.cumsum(inner) - inner,
            boundary_at=np.cumsum(boundary) - boundary,
            n_inner=np.zeros(len(zones), np.int64),
            n_boundary=np.zeros(len(zones), np.int64),
        )

    def append(self, valid: _Valid, pieces: NDArray[np.int64], slot: NDArray[np.int64]) -> None:
        """Copy the values of some pieces to the places of their zones."""
        _append_pieces(
            pieces, slot[valid.zone[pieces]],
            valid.values, valid.shares, valid.inner_at, valid.n_inner,
            valid.boundary_at, valid.n_boundary, valid.shares_at,
            self.inner, self.boundary, self.shares,
            self.inner_at, self.boundary_at, self.n_inner, self.n_boundary,
        )  # fmt: skip


class _Counted:
    """The valid values of one huge zone: inner cells by value where few values are possible."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] | None = None
        self._dtype: np.dtype[Any] | None = None
        self._inner: list[NDArray[Any]] = []
        self._boundary: list[NDArray[Any]] = []
        self._shares: list[NDArray[np.float64]] = []

    def append(self, valid: _Valid, piece: int) -> None:
        """Take in the values of one piece."""
        at, n = valid.boundary_at[piece], valid.n_boundary[piece]
        share_at = valid.shares_at[piece]
        self._boundary.append(valid.values[at : at + n].copy())
        self._shares.append(valid.shares[share_at : share_at + n].copy())
        at, n = valid.inner_at[piece], valid.n_inner[piece]
        inner = valid.values[at : at + n]
        if inner.dtype.kind in "iu" and inner.dtype.itemsize <= 2:
            self._count(inner)
        else:
            self._inner.append(inner.copy())

    def _count(self, inner: NDArray[Any]) -> None:
        info = np.iinfo(inner.dtype)
        if self._counts is None:
            self._counts, self._dtype = np.zeros(info.max - info.min + 1, np.int64), inner.dtype
        shifted = inner.astype(np.int64) - info.min
        self._counts += np.bincount(shifted, minlength=len(self._counts))

    def quantiles(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(probability,) quantiles of the zone, NaN if it has no valid cell."""
        boundary, shares = np.concatenate(self._boundary), np.concatenate(self._shares)
        if self._counts is not None and self._dtype is not None:
            found = np.flatnonzero(self._counts)
            values = (found + np.iinfo(self._dtype).min).astype(self._dtype)
            inner = np.repeat(values, self._counts[found])
        else:
            inner = np.concatenate(self._inner)
        out = np.empty((1, len(probabilities)))
        zero, zones = np.zeros(1, np.int64), np.zeros(1, np.int32)
        zone_quantiles(
            inner, zero, np.array([len(inner)]), boundary, zero, shares, zero,
            np.array([len(boundary)]), probabilities, zones, out,
        )  # fmt: skip
        quantiles: NDArray[np.float64] = out[0]
        return quantiles


@njit(nogil=True, cache=True)
def _compact_pieces(values, reasons, offsets, inners, cell_span, fractions,
                    kept, shares, n_inner, n_boundary):  # fmt: skip
    """Copy the valid values of every piece to where its values begin, inner cells first."""
    for piece in range(len(inners)):
        start, stop, inner = offsets[piece], offsets[piece + 1], inners[piece]
        n = start
        for i in range(start, start + inner):
            if reasons[i] == 0:
                kept[n] = values[i]
                n += 1
        n_inner[piece] = n - start
        for i in range(start + inner, stop):
            if reasons[i] == 0:
                kept[n] = values[i]
                shares[n] = fractions[cell_span[piece, 0] + i - start - inner]
                n += 1
        n_boundary[piece] = n - start - n_inner[piece]


@njit(nogil=True, cache=True)
def _append_pieces(pieces, slots, values, shares, inner_at, n_inner, boundary_at, n_boundary,
                   shares_at, to_inner, to_boundary, to_shares, to_inner_at, to_boundary_at,
                   to_n_inner, to_n_boundary):  # fmt: skip
    for i in range(len(pieces)):
        piece, slot = pieces[i], slots[i]
        at = to_inner_at[slot] + to_n_inner[slot]
        for k in range(n_inner[piece]):
            to_inner[at + k] = values[inner_at[piece] + k]
        to_n_inner[slot] += n_inner[piece]
        at = to_boundary_at[slot] + to_n_boundary[slot]
        for k in range(n_boundary[piece]):
            to_boundary[at + k] = values[boundary_at[piece] + k]
            to_shares[at + k] = shares[shares_at[piece] + k]
        to_n_boundary[slot] += n_boundary[piece]
