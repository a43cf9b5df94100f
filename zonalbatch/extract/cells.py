"""Cells: those of a result, of the source's own size or coarser."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.extract.asked import Resampling
from zonalbatch.extract.frame import Frame, outward
from zonalbatch.extract.mosaic import Mosaic
from zonalbatch.extract.resampled import REACH, resampled
from zonalbatch.lattice import Window

__all__ = ["BLOCK", "Cells"]

BLOCK = 512
"""Side of a block of the file that is written."""
AT_ONCE = 2048
"""Side of what is read at once, cells of the source."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What a result holds, window by window."""

    mosaic: Mosaic
    frame: Frame
    resampling: Resampling

    def windows(self) -> Iterator[Window]:
        """All of the frame, in row-major order, of about as many cells of the source each."""
        whole, side = self.frame.window, 2 ** int(math.log2(max(1.0, AT_ONCE / self._ratio)))
        for top in range(whole.top, whole.bottom, side):
            for left in range(whole.left, whole.right, side):
                yield Window(top, left, top + side, left + side).intersect(whole)

    @property
    def _ratio(self) -> float:
        """How many cells of the source one of the result has to a side."""
        own = self.mosaic.lattice
        return max(1.0, self.frame.lattice.dx / own.dx, self.frame.lattice.dy / own.dy)

    def read(self, window: Window) -> NDArray[Any]:
        """The cells of a window; nodata where there is none.

        Raises:
            ReadError: a file cannot be read.
        """
        pieces = self.mosaic.pieces
        if self.frame.lattice == self.mosaic.lattice:
            values, there = self.mosaic.read(window)
            pieces.check(there)
            return values
        own = self.mosaic.lattice
        reach = 0 if self.resampling == "nearest" else REACH * math.ceil(self._ratio)
        around = outward(own, self.frame.lattice.bounds(window))
        wide = Window(around.top - reach, around.left - reach, around.bottom + reach,
                      around.right + reach).intersect(self.mosaic.extent)  # fmt: skip
        if wide.empty:
            pieces.check(np.zeros(1, dtype=bool))
            return np.full(window.shape, pieces.fill, pieces.dtype)
        values, valid = self.mosaic.read(wide)
        to = Frame(self.frame.lattice, window)
        found, there = resampled(values, valid, Frame(own, wide), to, self.resampling)
        pieces.check(there)
        if self.resampling != "nearest" and pieces.nodata is not None:
            found = _aside(found, pieces.fill)
        return np.where(there, found, pieces.fill)


def _aside(values: NDArray[Any], nodata: Any) -> NDArray[Any]:
    """Means that happen to be the nodata value are moved by the least step, as GDAL does."""
    if values.dtype.kind == "f":
        return np.where(values == nodata, np.nextafter(values, np.inf), values)
    step = -1 if nodata == np.iinfo(values.dtype).max else 1
    return np.where(values == nodata, nodata + values.dtype.type(step), values)
