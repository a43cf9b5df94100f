"""Listing: the valid cells of each zone, one by one, in row-major order of the raster.

It takes 24 bytes for each cell, of all zones of a layer at once: lists cost what they cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells, Covered
from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE, Window
from zonalbatch.statistics.distribution import lists_of

__all__ = ["Listing"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLUMNS = 1 << 32
"""A place is row * this + column + half of this, so that places rise in row-major order."""


class Listing:
    """Where the valid cells of each zone lie, their values and shares; tiles come in any order."""

    def __init__(self, covered: Covered) -> None:
        self._lattice = covered.coverage.lattice
        self._tiles: list[_Listed] = []
        self._offsets: Ints = np.zeros(covered.coverage.n_zones + 1, np.int64)
        self._places: Ints = np.zeros(0, np.int64)
        self._values: Floats = np.zeros(0)
        self._shares: Floats = np.zeros(0)

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile."""
        self._tiles.append(_Listed.of(cells))

    def finish(self, scale: float, offset: float) -> None:
        """Bring the cells into order, and their values from raw to physical ones."""
        self._offsets[1:] = np.cumsum(self._counts())
        n = int(self._offsets[-1])
        self._places, self._values, self._shares = np.empty(n, np.int64), np.empty(n), np.empty(n)
        filled = self._offsets[:-1].copy()
        for tile in self._tiles:
            _file(
                tile.zone, tile.counts, tile.places, tile.values, tile.shares, filled,
                self._places, self._values, self._shares,
            )  # fmt: skip
        self._tiles.clear()
        _sort(self._offsets, self._places, self._values, self._shares)
        self._values *= scale
        self._values += offset

    def values(self) -> pa.Array:
        """(zone,) list of physical values."""
        return lists_of(self._offsets, pa.array(self._values))

    def coverage(self) -> pa.Array:
        """(zone,) list of shares (of lines: metres, of points: their number)."""
        return lists_of(self._offsets, pa.array(self._shares))

    def cell_id(self, extent: Window) -> pa.Array:
        """(zone,) list of row * width + column in the layer's extent, northernmost row first."""
        row, col = self._rows - extent.top, self._cols - extent.left
        return lists_of(self._offsets, pa.array(row * (extent.right - extent.left) + col))

    def center_x(self) -> pa.Array:
        """(zone,) list of x of the cells' centres, in the raster's CRS."""
        x = self._lattice.x0 + (self._cols + 0.5) * self._lattice.dx
        return lists_of(self._offsets, pa.array(x))

    def center_y(self) -> pa.Array:
        """(zone,) list of y of the cells' centres, in the raster's CRS."""
        y = self._lattice.y0 - (self._rows + 0.5) * self._lattice.dy
        return lists_of(self._offsets, pa.array(y))

    @property
    def _rows(self) -> Ints:
        return self._places // COLUMNS

    @property
    def _cols(self) -> Ints:
        return self._places % COLUMNS - COLUMNS // 2

    def _counts(self) -> Ints:
        """(zone,) number of valid cells."""
        counts = np.zeros(len(self._offsets) - 1, np.int64)
        for tile in self._tiles:
            np.add.at(counts, tile.zone, tile.counts)
        return counts


@dataclass(frozen=True, slots=True, eq=False)
class _Listed:
    """The valid cells of one tile, piece by piece."""

    zone: NDArray[np.int32]
    """(piece,) index of the zone."""
    counts: Ints
    """(piece,) number of valid cells."""
    places: Ints
    """(cell,) where in the lattice it lies."""
    values: NDArray[Any]
    """(cell,) raw values."""
    shares: Floats

    @classmethod
    def of(cls, cells: Cells) -> _Listed:
        """The valid cells of a tile."""
        layout, coverage = cells.layout, cells.layout.coverage
        counts = np.zeros(len(layout.zone), np.int64)
        places, shares = np.empty(layout.size, np.int64), np.empty(layout.size)
        values = np.empty(layout.size, cells.values.dtype)
        n = _list(
            cells.values, cells.reasons, layout.offsets, layout.inner,
            coverage.run_span[layout.pieces], coverage.run_at, coverage.run_length,
            layout.cell_span, coverage.cell_at, coverage.cell_fraction,
            layout.tile_row * TILE, layout.tile_col * TILE, counts, places, values, shares,
        )  # fmt: skip
        if n < layout.size:  # let go of the room that cells without a value would have had
            places, values, shares = places[:n].copy(), values[:n].copy(), shares[:n].copy()
        return cls(layout.zone, counts, places, values, shares)


@kernel()
def _list(values, reasons, offsets, inner, run_span, run_at, run_length, cell_span, cell_at,
          fractions, row0, col0, counts, places, out_values, shares):  # fmt: skip
    """Merge each piece's runs with its boundary cells by position; return the number of cells."""
    n = 0
    for piece in range(len(counts)):
        before, i = n, offsets[piece]
        edge = i + inner[piece]
        cell, last = cell_span[piece, 0], cell_span[piece, 1]
        for run in range(run_span[piece, 0], run_span[piece, 1] + 1):
            at_end = run == run_span[piece, 1]
            while cell < last and (at_end or cell_at[cell] < run_at[run]):
                n = _keep(values, reasons, edge, cell_at[cell], fractions[cell], row0, col0,
                          n, places, out_values, shares)  # fmt: skip
                cell += 1
                edge += 1
            if not at_end:
                for at in range(run_at[run], run_at[run] + run_length[run]):
                    n = _keep(values, reasons, i, at, 1.0, row0, col0,
                              n, places, out_values, shares)  # fmt: skip
                    i += 1
        counts[piece] = n - before
    return n


@kernel()
def _keep(values, reasons, i, at, share, row0, col0, n, places, out_values, shares):
    """Keep a cell if it is valid; return how many are kept."""
    if len(reasons) and reasons[i] != 0:
        return n
    places[n] = (row0 + at // TILE) * COLUMNS + (col0 + at % TILE) + COLUMNS // 2
    out_values[n], shares[n] = values[i], share
    return n + 1


@kernel()
def _file(zones, counts, places, values, shares, filled, to_places, to_values, to_shares):
    """Copy the cells of a tile's pieces behind those that there are of their zones."""
    n = 0
    for piece in range(len(zones)):
        at = filled[zones[piece]]
        for i in range(counts[piece]):
            to_places[at + i], to_shares[at + i] = places[n + i], shares[n + i]
            to_values[at + i] = values[n + i]
        n += counts[piece]
        filled[zones[piece]] = at + counts[piece]


@kernel()
def _sort(offsets, places, values, shares):
    """Bring the cells of each zone that are not in order into it."""
    for zone in range(len(offsets) - 1):
        start, stop = offsets[zone], offsets[zone + 1]
        for i in range(start + 1, stop):
            if places[i] < places[i - 1]:
                order = start + np.argsort(places[start:stop])
                places[start:stop] = places[order]
                values[start:stop] = values[order]
                shares[start:stop] = shares[order]
                break
