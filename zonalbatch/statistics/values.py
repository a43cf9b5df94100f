"""Values: the valid values of each zone, kept until the zone is whole, then ranked.

Most zones lie in one fold tile and are ranked at once. A zone in a few tiles is kept in a buffer
that is ranked and dropped after the tile row in which it ends. A zone in many tiles is kept by
itself (``huge.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells, Covered
from zonalbatch.kernels import kernel
from zonalbatch.statistics.huge import HugeZone
from zonalbatch.statistics.quantiles import QuantileMethod, zone_quantiles

__all__ = ["Values"]

HUGE = 16
"""A zone in more fold tiles than this is kept by itself."""


class Values:
    """Quantiles of each zone, gathered tile by tile."""

    def __init__(
        self,
        covered: Covered,
        probabilities: tuple[float, ...],
        *,
        method: QuantileMethod = "linear",
    ) -> None:
        self._method = method
        self._rising = np.unique(probabilities)
        self._quantiles = np.full((covered.coverage.n_zones, len(self._rising)), np.nan)
        self.approximate = np.zeros(covered.coverage.n_zones, bool)
        """(zone,) True if a zone has so many cells that its quantiles are those of a sketch."""
        self._places = _Places.of(covered)
        self._open: dict[int, _ZoneValues] = {}
        self._huge: dict[int, HugeZone] = {}

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile; tiles must come in row-major order."""
        for ended in [row for row in self._open if row < cells.layout.tile_row]:
            self._rank_all(self._open.pop(ended))
        values = _ZoneValues.of(cells.averaged)
        ending = self._places.ending[values.zone]
        alone = np.flatnonzero(ending == _Places.ALONE)
        self._rank(values, alone)
        if len(alone) < len(ending):
            self._keep(values, ending)

    def finish(self, scale: float, offset: float) -> None:
        """Rank what is left and bring it from raw to physical values; ``scale`` is positive."""
        for end in sorted(self._open):
            self._rank_all(self._open.pop(end))
        for zone in list(self._huge):
            huge = self._huge.pop(zone)
            self._quantiles[zone] = huge.quantiles(self._rising, self._method)
            self.approximate[zone] = huge.sketched
        self._quantiles *= scale
        self._quantiles += offset

    def of(self, probability: float) -> NDArray[np.float64]:
        """(zone,) one quantile, NaN where a zone has no valid cell."""
        column: NDArray[np.float64] = self._quantiles[:, self._rising.searchsorted(probability)]
        return column

    def _keep(self, values: _ZoneValues, ending: NDArray[np.int64]) -> None:
        """Keep the pieces of zones that are not whole."""
        for end in np.unique(ending[ending > _Places.HUGE]).tolist():
            if end not in self._open:
                self._open[end] = self._places.room(end, values.inner.dtype)
            pieces = np.flatnonzero(ending == end)
            self._open[end].append(values, pieces, self._places.slot[values.zone[pieces]])
        for piece in np.flatnonzero(ending == _Places.HUGE).tolist():
            zone = int(values.zone[piece])
            if zone not in self._huge:
                self._huge[zone] = HugeZone(values.inner.dtype)
            self._huge[zone].add(*values.piece(piece))

    def _rank_all(self, values: _ZoneValues) -> None:
        self._rank(values, np.arange(len(values.zone)))

    def _rank(self, values: _ZoneValues, entries: NDArray[np.int64]) -> None:
        if len(entries):
            zone_quantiles(
                values.inner, values.inner_at, values.n_inner,
                values.boundary, values.boundary_at, values.n_boundary,
                values.shares, values.shares_at,
                entries, values.zone, self._rising, self._method == "inverted_cdf", self._quantiles,
            )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _ZoneValues:
    """The valid values of some zones, of all of their cells or of those met so far."""

    zone: NDArray[np.int32]
    """(entry,) index of the zone."""
    inner: NDArray[Any]
    """(cell,) values of inner cells."""
    inner_at: NDArray[np.int64]
    """(entry,) where the zone's begin."""
    n_inner: NDArray[np.int64]
    """(entry,) how many there are."""
    boundary: NDArray[Any]
    """(cell,) values of boundary cells."""
    boundary_at: NDArray[np.int64]
    n_boundary: NDArray[np.int64]
    shares: NDArray[np.float64]
    """(cell,) shares of boundary cells."""
    shares_at: NDArray[np.int64]

    @classmethod
    def of(cls, cells: Cells) -> _ZoneValues:
        """The valid values of one tile's pieces."""
        layout, values, reasons = cells.layout, cells.values, cells.reasons
        starts, n_inner = layout.offsets[:-1], layout.inner
        n_boundary = layout.offsets[1:] - starts - n_inner
        shares, shares_at = layout.shares, layout.cell_span[:, 0]
        if len(reasons):
            kept, kept_shares = np.empty(layout.size, values.dtype), np.empty(layout.size)
            n_inner, n_boundary = n_inner.copy(), n_boundary.copy()
            _drop_invalid(
                values, reasons, shares, shares_at, starts,
                kept, kept_shares, n_inner, n_boundary,
            )  # fmt: skip
            values, shares, shares_at = kept, kept_shares, starts + n_inner
        return cls(
            zone=layout.zone,
            inner=values, inner_at=starts, n_inner=n_inner,
            boundary=values, boundary_at=starts + n_inner, n_boundary=n_boundary,
            shares=shares, shares_at=shares_at,
        )  # fmt: skip

    @classmethod
    def room(
        cls,
        zones: NDArray[np.int64],
        n_inner: NDArray[np.int64],
        n_boundary: NDArray[np.int64],
        dtype: np.dtype[Any],
    ) -> _ZoneValues:
        """Room for so many cells of these zones, with none in it yet."""
        n, boundary_at = int(n_boundary.sum()), np.cumsum(n_boundary) - n_boundary
        return cls(
            zone=zones.astype(np.int32),
            inner=np.empty(int(n_inner.sum()), dtype),
            inner_at=np.cumsum(n_inner) - n_inner,
            n_inner=np.zeros(len(zones), np.int64),
            boundary=np.empty(n, dtype),
            boundary_at=boundary_at,
            n_boundary=np.zeros(len(zones), np.int64),
            shares=np.empty(n),
            shares_at=boundary_at,
        )

    def append(
        self, more: _ZoneValues, pieces: NDArray[np.int64], entries: NDArray[np.int64]
    ) -> None:
        """Copy the values of some pieces to what there is of their zones."""
        _append(
            pieces, entries,
            more.inner, more.inner_at, more.n_inner,
            more.boundary, more.boundary_at, more.n_boundary, more.shares, more.shares_at,
            self.inner, self.inner_at, self.n_inner,
            self.boundary, self.boundary_at, self.n_boundary, self.shares,
        )  # fmt: skip

    def piece(self, entry: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
        """The inner and the boundary values of one entry, and the latter's shares."""
        inner_at, n_inner = self.inner_at[entry], self.n_inner[entry]
        n, at, shares_at = self.n_boundary[entry], self.boundary_at[entry], self.shares_at[entry]
        return (
            self.inner[inner_at : inner_at + n_inner],
            self.boundary[at : at + n],
            self.shares[shares_at : shares_at + n],
        )


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
        coverage, tiles = covered.coverage, covered.pieces_of_zone
        ending = np.full(coverage.n_zones, cls.ALONE)
        pieces = np.flatnonzero(tiles[coverage.zone] > 1)
        np.maximum.at(ending, coverage.zone[pieces], coverage.tile_row[pieces])
        ending[tiles > HUGE] = cls.HUGE
        return cls(covered, ending)

    def room(self, end: int, dtype: np.dtype[Any]) -> _ZoneValues:
        """Room for all cells of the zones in a few tiles that end in a tile row."""
        zones = np.flatnonzero(self.ending == end)
        inner, boundary = self._sizes
        return _ZoneValues.room(zones, inner[zones], boundary[zones], dtype)

    @cached_property
    def _sizes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(zone,) numbers of inner and of boundary cells."""
        coverage = self.covered.coverage
        cells = coverage.cell_span[:, 1] - coverage.cell_span[:, 0]
        inner, boundary = (np.zeros(coverage.n_zones, np.int64) for _ in range(2))
        np.add.at(inner, coverage.zone, coverage.inner)
        np.add.at(boundary, coverage.zone, cells)
        if self.covered.averaging is not None:  # all of them have a share of their own
            return np.zeros_like(inner), inner + boundary
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


@kernel()
def _drop_invalid(values, reasons, shares, shares_at, starts,
                  kept, kept_shares, n_inner, n_boundary):  # fmt: skip
    """Copy the valid values of every piece to where its values begin, inner cells first."""
    for piece in range(len(starts)):
        n = start = starts[piece]
        first = start + n_inner[piece]
        stop = first + n_boundary[piece]
        for i in range(start, first):
            if reasons[i] == 0:
                kept[n] = values[i]
                n += 1
        n_inner[piece] = n - start
        for i in range(first, stop):
            if reasons[i] == 0:
                kept[n], kept_shares[n] = values[i], shares[shares_at[piece] + i - first]
                n += 1
        n_boundary[piece] = n - start - n_inner[piece]


@kernel()
def _append(pieces, entries, inner, inner_at, n_inner, boundary, boundary_at, n_boundary,
            shares, shares_at, to_inner, to_inner_at, to_n_inner,
            to_boundary, to_boundary_at, to_n_boundary, to_shares):  # fmt: skip
    for i in range(len(pieces)):
        piece, entry = pieces[i], entries[i]
        at = to_inner_at[entry] + to_n_inner[entry]
        for k in range(n_inner[piece]):
            to_inner[at + k] = inner[inner_at[piece] + k]
        to_n_inner[entry] += n_inner[piece]
        at = to_boundary_at[entry] + to_n_boundary[entry]
        for k in range(n_boundary[piece]):
            to_boundary[at + k] = boundary[boundary_at[piece] + k]
            to_shares[at + k] = shares[shares_at[piece] + k]
        to_n_boundary[entry] += n_boundary[piece]
