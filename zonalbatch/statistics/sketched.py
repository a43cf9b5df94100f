"""Sketched: a small sketch of each zone's values, kept in its row so that rows can be merged."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.cover.cells import Cells, Covered
from zonalbatch.kernels import kernel
from zonalbatch.statistics.sketch import INNER, KEYS, UNIT, Sketches

__all__ = ["SKETCH", "Sketched", "sketch_column", "sketches_from"]

MOST = 2**12
"""Keys of a sketch in a row: 64 kB before compression, if a zone has so many values."""

WAITING = 2**20
"""Keys of open zones that wait for being merged."""

SKETCH = pa.struct(
    [("exact", pa.bool_()), ("values", pa.list_(pa.float64())), ("weights", pa.list_(pa.float64()))]
)
"""A sketch in a row: physical values, ascending, and the sums of shares that lie on each, in cells;
exact if no values were taken together."""


class Sketched:
    """A sketch of each zone, gathered tile by tile."""

    def __init__(self, covered: Covered) -> None:
        self._n = covered.coverage.n_zones
        self._alone = covered.pieces_of_zone <= 1
        self._whole: list[tuple[NDArray[np.int64], Sketches]] = []
        self._open: list[tuple[NDArray[np.int64], Sketches]] = []
        self._waiting = self._merged = 0
        """Keys of open zones, and how many there were when last they were merged."""
        self._scale, self._offset = 1.0, 0.0

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile."""
        layout = cells.layout
        keys, weights = KEYS.from_values(cells.values), np.empty(layout.size, np.int64)
        offsets = np.zeros(len(layout.zone) + 1, np.int64)
        n = _gather(
            keys, weights, cells.reasons, layout.offsets, layout.inner, layout.cell_span,
            layout.coverage.cell_fraction, INNER, UNIT, offsets,
        )  # fmt: skip
        zone, none = layout.zone.astype(np.int64), np.zeros(len(layout.zone), np.int64)
        found = Sketches.of(offsets, keys[:n], weights[:n], none, MOST)
        alone = self._alone[zone]
        self._whole.append((zone[alone], found.of_entries(alone)))
        if not alone.all():
            self._open.append((zone[~alone], found.of_entries(~alone)))
            self._waiting += len(self._open[-1][1].keys)
        if self._waiting > max(WAITING, 2 * self._merged):
            self._merge()

    def finish(self, scale: float, offset: float) -> None:
        """Close the state; values are brought to physical ones when they are asked for."""
        self._scale, self._offset = scale, offset

    def column(self) -> pa.Array:
        """(zone,) `SKETCH`; of a zone without a valid cell, an empty one."""
        parts = [*self._whole, *self._open, (np.zeros(0, np.int64), Sketches.none(0))]
        found = Sketches.merged(parts, self._n, MOST)
        return sketch_column(found, found.values * self._scale + self._offset)

    def _merge(self) -> None:
        zones = np.unique(np.concatenate([zone for zone, _ in self._open]))
        parts = [(zones.searchsorted(zone), sketches) for zone, sketches in self._open]
        self._open = [(zones, Sketches.merged(parts, len(zones), MOST))]
        self._waiting = self._merged = len(self._open[0][1].keys)
        self._waiting = 0


def sketch_column(sketches: Sketches, values: NDArray[np.float64]) -> pa.Array:
    """Sketches with (key,) physical values as a column of `SKETCH`."""
    offsets = pa.array(sketches.offsets, pa.int32())
    lists = [
        pa.ListArray.from_arrays(offsets, pa.array(column))
        for column in (values, sketches.weights * UNIT)
    ]
    return pa.StructArray.from_arrays([pa.array(sketches.exact), *lists], fields=list(SKETCH))


def sketches_from(column: pa.StructArray) -> tuple[Sketches, NDArray[np.bool_]]:
    """The sketches of a column without nulls, and which of them are exact."""
    values, weights = (column.field(name) for name in ("values", "weights"))
    first = values.offsets[0].as_py()
    offsets = values.offsets.to_numpy().astype(np.int64) - first
    units = np.rint(weights.flatten().to_numpy() / UNIT).astype(np.int64)
    keys = KEYS.from_values(values.flatten().to_numpy())
    sketches = Sketches(offsets, keys, units, np.zeros(len(column), np.int64))
    return sketches, column.field("exact").to_numpy(zero_copy_only=False)


@kernel()
def _gather(keys, weights, reasons, offsets, inner, cell_span, fractions, whole, unit, ends):
    """Bring the keys of each piece's valid cells to the front, sorted; how many there are."""
    n = 0
    for piece in range(len(inner)):
        start, first = n, offsets[piece] + inner[piece]
        for i in range(offsets[piece], offsets[piece + 1]):
            if len(reasons) and reasons[i] != 0:
                continue
            weight = whole
            if i >= first:
                weight = np.int64(np.rint(fractions[cell_span[piece, 0] + i - first] / unit))
            if weight > 0:
                keys[n], weights[n] = keys[i], weight
                n += 1
        order = np.argsort(keys[start:n])
        keys[start:n], weights[start:n] = keys[start:n][order], weights[start:n][order]
        ends[piece + 1] = n
    return n
