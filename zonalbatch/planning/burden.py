"""Burden: what some zones put on a worker, from their outlines alone: cells, runs, vertices.

Of each zone the plan knows its bounds, its length, its area and the size of its WKB. An edge that
is n cells long touches 1 + 4/π · n of them on average, a row of a zone holds a run or more, and
cells inside are as many as the area. All of this is an estimate, a little too large.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from zonalbatch.lattice import TILE, Lattice
from zonalbatch.planning.zone_rows import ZoneRows

__all__ = ["Burden"]

TOUCHED = 1.3
"""Cells that an edge touches by its length in cells: 4/π on average over all directions."""
VERTEX = 16
"""Bytes of a vertex."""


@dataclass(frozen=True, slots=True, eq=False)
class Burden:
    """What each of some zones puts on a worker."""

    wkb: NDArray[np.float64]
    """(zone,) bytes of its geometry."""
    edge: NDArray[np.float64]
    """(zone,) boundary cells, on all lattices together."""
    runs: NDArray[np.float64]
    """(zone,) runs of inner cells, on all lattices together."""
    pieces: NDArray[np.float64]
    """(zone,) pieces: fold tiles that it touches, on all lattices together."""
    cells: NDArray[np.float64]
    """(zone,) cells that it covers, on the lattice where these are most."""
    width: NDArray[np.float64]
    """(zone,) cells that it is wide on that lattice."""
    tile: NDArray[np.int64]
    """(zone, 2) row and column of its fold tile."""

    def __getitem__(self, some: slice) -> Burden:
        """That of some of the zones."""
        return Burden(*(getattr(self, one.name)[some] for one in fields(self)))

    def __len__(self) -> int:
        return len(self.wkb)

    @property
    def vertices(self) -> NDArray[np.float64]:
        """(zone,) how many its outline has."""
        return self.wkb / VERTEX

    @property
    def straddling(self) -> NDArray[np.float64]:
        """(zone,) likelihood that it lies in several fold tiles."""
        side = np.sqrt(self.cells) + self.edge / 4
        return np.minimum(1.0, 2 * side / TILE)

    @classmethod
    def of(
        cls, rows: ZoneRows, some: NDArray[np.int64], crs: str, lattices: Iterable[Lattice]
    ) -> Burden:
        """That of some rows of zones in a CRS on the lattices that layers are measured on."""
        wkb, length, area = rows.figures[some].astype(float).T
        bounds = rows.bounds[some]
        edge, runs, pieces, cells, width = np.zeros((5, len(some)))
        for lattice in lattices:
            x, y = _cells_per_unit(bounds, crs, lattice)
            wide, high = (bounds[:, 2] - bounds[:, 0]) * x, (bounds[:, 3] - bounds[:, 1]) * y
            wide, high = np.nan_to_num(wide), np.nan_to_num(high)
            touched = wkb / VERTEX + TOUCHED * length * max(x, y)
            columns = 1 + wide / TILE
            edge += touched
            runs += touched / 2 + high * columns
            pieces += np.ceil(columns) * (1 + np.ceil(high / TILE))
            covered = touched + area * x * y
            width = np.where(covered > cells, wide, width)
            cells = np.maximum(cells, covered)
        return cls(wkb, edge, runs, pieces, cells, width, rows.tiles[some])


def _cells_per_unit(bounds: NDArray[np.float64], crs: str, lattice: Lattice) -> tuple[float, float]:
    """Cells that a unit of the zones' CRS is wide and high, in the middle of their bounds."""
    if crs == lattice.crs or not np.isfinite(bounds).any():
        return 1 / lattice.dx, 1 / lattice.dy
    low, high = np.nanmin(bounds[:, :2], axis=0), np.nanmax(bounds[:, 2:], axis=0)
    (x, y), step = (low + high) / 2, max(1e-3, float((high - low).max()) * 1e-3)
    transformer = Transformer.from_crs(crs, lattice.crs, always_xy=True)
    found: Any = transformer.transform([x, x + step, x], [y, y, y + step])
    across, up = np.array(found)[:, 1:].T - np.array(found)[:, 0]
    if not np.isfinite([across, up]).all():
        return 1 / lattice.dx, 1 / lattice.dy  # nowhere near the lattice: no cell is covered
    size = np.abs([across, up]).max(axis=0) / step
    return float(size[0] / lattice.dx), float(size[1] / lattice.dy)
