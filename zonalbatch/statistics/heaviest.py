"""Heaviest: the cell of the largest share of each zone, behind the value at a point.

Around a point the heaviest cell is the nearest one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import VALID, Cells, Covered
from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE
from zonalbatch.statistics.moments import COUNT, SUM
from zonalbatch.statistics.summary import Summary

__all__ = ["Heaviest", "value_at"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Heaviest:
    """The value of the heaviest cell of each zone; of equal ones the first in row-major order."""

    def __init__(self, covered: Covered) -> None:
        n_zones = covered.coverage.n_zones
        self.value = np.full(n_zones, np.nan)
        """(zone,) its value, NaN if it has none."""
        self._share = np.zeros(n_zones)
        self._cell = np.zeros((n_zones, 2), np.int64)

    def add(self, cells: Cells) -> None:
        """Fold in the cells of one tile."""
        layout, coverage = cells.layout, cells.layout.coverage
        _add(
            cells.values, cells.reasons, layout.zone, layout.offsets,
            coverage.run_span[layout.pieces], coverage.run_at, coverage.run_length,
            layout.cell_span, coverage.cell_at, layout.shares,
            layout.tile_row * TILE, layout.tile_col * TILE, self._share, self._cell, self.value,
        )  # fmt: skip

    def finish(self, scale: float, offset: float) -> None:
        """Close the state and bring it from raw to physical values."""
        self.value *= scale
        self.value += offset


def value_at(summary: Summary) -> Floats:
    """(zone,) the mean of a zone's cells or, if one of them has no value, that of the heaviest.

    So rasterstats 0.21 tells the value at a point: the nearest where a bilinear one lacks a cell.
    It is NaN if the heaviest has none, and where it is not known: beyond the tiles visited.
    """
    state, counts = summary.moments.state, summary.moments.counts
    whole = np.delete(counts, VALID, axis=1).sum(axis=1) == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = summary.of_valid(state[:, SUM] / state[:, COUNT])
    heaviest: Floats = summary.state("heaviest").value
    return np.where(summary.beyond, np.nan, np.where(whole, mean, heaviest))


@kernel()
def _add(
    values: Floats, reasons: NDArray[np.uint8], zones: NDArray[np.int32], offsets: Ints,
    run_span: Ints, run_at: NDArray[np.int32], run_length: NDArray[np.int32],
    cell_span: Ints, cell_at: NDArray[np.int32], fractions: Floats,
    row0: int, col0: int, shares: Floats, found: Ints, kept: Floats,
) -> None:  # fmt: skip
    for piece in range(len(zones)):
        zone, i = zones[piece], offsets[piece]
        for run in range(run_span[piece, 0], run_span[piece, 1]):
            for at in range(run_at[run], run_at[run] + run_length[run]):
                row, col = row0 + at // TILE, col0 + at % TILE
                if _leads(1.0, row, col, shares[zone], found[zone, 0], found[zone, 1]):
                    shares[zone], found[zone, 0], found[zone, 1] = 1.0, row, col
                    kept[zone] = _told(values, reasons, i)
                i += 1
        for cell in range(cell_span[piece, 0], cell_span[piece, 1]):
            row, col = row0 + cell_at[cell] // TILE, col0 + cell_at[cell] % TILE
            share = fractions[cell]
            if _leads(share, row, col, shares[zone], found[zone, 0], found[zone, 1]):
                shares[zone], found[zone, 0], found[zone, 1] = share, row, col
                kept[zone] = _told(values, reasons, i)
            i += 1


@kernel()
def _leads(share: float, row: int, col: int, other: float, its_row: int, its_col: int) -> bool:
    """Whether a cell is heavier than another, or as heavy and before it."""
    if share != other:
        return share > other
    return row < its_row or (row == its_row and col < its_col)


@kernel()
def _told(values: Floats, reasons: NDArray[np.uint8], i: int) -> float:
    """A value as a float64, NaN if it is not valid."""
    return np.float64(values[i]) if len(reasons) == 0 or reasons[i] == VALID else np.nan
