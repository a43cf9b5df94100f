"""Mosaic: several scenes answered as one, cell by cell by the first that has a valid value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import UNREAD, Cells
from zonalbatch.measure import Encoding

__all__ = ["Mosaic", "mosaicked"]


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """One measurement at the covered cells of a tile."""

    cells: Cells
    encoding: Encoding
    scene: NDArray[np.uint16]
    """(cell,) which of the scenes answered; of length 0 if it was the first for all."""


FIRST = np.zeros(0, np.uint16)


def mosaicked(told: Sequence[tuple[Cells, Encoding]]) -> Mosaic:
    """What several scenes say of one tile, in each cell the first that has a valid value there.

    A scene that could not be read in a cell might have been the first: the cell is unread, unless
    an earlier one is valid. Where none is valid, the one answers that came furthest: seen and
    masked before nodata, nodata before outside of the file.

    Args:
        told: each scene's cells, in the order in which they answer; all encoded alike.
    """
    cells, encoding = told[0]
    scene = FIRST
    for number, (later, _) in enumerate(told[1:], 1):
        if not len(cells.reasons):
            break
        after = later.reasons if len(later.reasons) else np.zeros(cells.layout.size, np.uint8)
        before = cells.reasons
        taken = (before > UNREAD) & ((after <= UNREAD) | (after > before))
        if not taken.any():
            continue
        values = np.where(taken, later.values, cells.values)
        cells = Cells(cells.layout, values, np.where(taken, after, before))
        known = scene if len(scene) else np.zeros(cells.layout.size, np.uint16)
        scene = np.where(taken, np.uint16(number), known)
    return Mosaic(cells, encoding, scene)
