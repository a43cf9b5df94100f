"""Waiting: cells that are kept for functions until their zones are whole, foreseen by coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zonalbatch.cover.cells import Covered
from zonalbatch.statistics.functions import FunctionError

__all__ = ["Waiting"]

KEPT = 42
"""Bytes of a cell that waits: the arrays of `ZoneCells`, values of eight bytes among them."""

CALLED = 128
"""Bytes of a cell of the zone that is whole: joined, put in order, and copied for the function."""

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Waiting:
    """What functions take at the worst moment of a layer: known before a pixel is read."""

    cells: int
    """How many cells are kept then."""
    zone: int
    """Index of the zone that has just become whole, or to which the last cells came."""
    bytes: int

    @classmethod
    def of(cls, covered: Covered, measurements: int = 1) -> Waiting:
        """Of some measurements of the zones of a coverage, tile after tile."""
        coverage = covered.coverage
        zone = coverage.zone
        if not len(zone):
            return cls(0, 0, 0)
        cells = coverage.inner + coverage.cell_span[:, 1] - coverage.cell_span[:, 0]
        last = np.zeros(coverage.n_zones, np.int64)
        np.maximum.at(last, zone, np.arange(len(zone)))
        whole = last[zone] == np.arange(len(zone))
        sizes = np.zeros(coverage.n_zones, np.int64)
        np.add.at(sizes, zone, cells)
        called = np.where(whole, sizes[zone], 0)
        kept = np.cumsum(cells) - np.cumsum(called) + called
        taken = KEPT * measurements * kept + CALLED * called
        worst = int(taken.argmax())
        return cls(int(kept[worst]), int(zone[worst]), int(taken[worst]))

    def check(self, room: int) -> None:
        """Refuse what does not fit.

        It is no number that is left out: then results would follow from limits.

        Raises:
            FunctionError: it takes more than ``room`` bytes.
        """
        if self.bytes > room:
            raise FunctionError(
                "functions are shown all cells of a zone at once, but",
                self.zone,
                f" {self.cells:,} cells would be kept, in {self.bytes / MIB:,.3g} MiB, and half of "
                f"limits.memory is {room / MIB:,.3g} MiB; raise limits.memory, read overviews "
                "(resolution), or leave the functions out",
            )
