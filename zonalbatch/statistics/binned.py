"""Binned: how much of each zone lies in each of some bins, which are the same for all zones.

Values are dropped into their bins as they come, so that no value is kept: 16 bytes for each zone
and bin, however many different values there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells, Covered
from zonalbatch.kernels import kernel
from zonalbatch.statistics.distribution import pairs_of
from zonalbatch.statistics.shares import UNIT, add_share

__all__ = ["Binned"]

Floats = NDArray[np.float64]


class Binned:
    """Sums of shares by bin, [a, b) and the last one closed, as numpy.histogram.

    What lies outside of the edges is in no bin.
    """

    def __init__(
        self, covered: Covered, edges: Sequence[float], scale: float, offset: float
    ) -> None:
        """Of zones, between rising physical edges; raw values become physical ones by the rest."""
        self._edges = np.array(edges, np.float64)
        self._scale, self._offset = scale, offset
        shape = (covered.coverage.n_zones, len(self._edges) - 1, 2)
        self._tallies = np.zeros(shape, np.int64)
        """(zone, bin, 2) whole cells, and units."""
        self.sums: Floats = np.zeros(shape[:2])
        """(zone, bin) sums of shares, cells; once it is finished."""
        self._tables: dict[np.dtype[Any], NDArray[np.int32]] = {}
        """The bin of each value of a small type, least value first."""

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile; tiles come in any order."""
        layout = cells.layout
        _drop(
            self._bins(cells.values), cells.reasons, layout.zone, layout.offsets, layout.inner,
            layout.cell_span, layout.shares, self._tallies,
        )  # fmt: skip

    def finish(self, scale: float, offset: float) -> None:
        """Close the state; values were brought to physical ones as they came."""
        whole, part = np.moveaxis(self._tallies, 2, 0)
        self.sums = whole + part * UNIT
        self._tallies, self._tables = self._tallies[:0], {}

    def histogram(self, some: NDArray[np.bool_]) -> pa.Array:
        """(zone,) list of (lower edge, sum of shares) of each bin; empty but for some zones."""
        offsets = np.concatenate([[0], np.cumsum(some * (len(self._edges) - 1))])
        lows = np.tile(self._edges[:-1], int(some.sum()))
        return pairs_of(offsets, lows, self.sums[some].reshape(-1))

    def _bins(self, values: NDArray[Any]) -> NDArray[np.int32]:
        """(cell,) index of the bin of each raw value, -1 for none."""
        if values.dtype.kind not in "iu" or values.dtype.itemsize > 2:
            return self._bins_of(values)
        least, most = int(np.iinfo(values.dtype).min), int(np.iinfo(values.dtype).max)
        if values.dtype not in self._tables:
            self._tables[values.dtype] = self._bins_of(np.arange(least, most + 1))
        return self._tables[values.dtype][values.astype(np.int64) - least]

    def _bins_of(self, values: NDArray[Any]) -> NDArray[np.int32]:
        edges = self._edges
        physical = values.astype(np.float64) * self._scale + self._offset
        bins = np.searchsorted(edges, physical, side="right").astype(np.int32) - np.int32(1)
        bins[physical == edges[-1]] = len(edges) - 2
        bins[~(physical <= edges[-1])] = -1
        return bins


@kernel()
def _drop(bins, reasons, zones, offsets, inners, cell_span, fractions, sums):
    for piece in range(len(zones)):
        tallies = sums[zones[piece]]
        first = offsets[piece] + inners[piece]
        shift = cell_span[piece, 0] - first
        for i in range(offsets[piece], offsets[piece + 1]):
            if bins[i] < 0 or (len(reasons) and reasons[i] != 0):
                continue
            if i < first:
                tallies[bins[i], 0] += 1
            else:
                add_share(fractions[i + shift], tallies[bins[i]])
