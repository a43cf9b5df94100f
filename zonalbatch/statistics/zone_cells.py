"""Zone cells: what a function is shown of a zone, all its cells from north to south."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import OUTSIDE, VALID, Cells, Layout, gather
from zonalbatch.lattice import TILE, Lattice

__all__ = ["ZoneCells", "joined", "pieces_of"]

POSITIONS = np.arange(TILE * TILE, dtype=np.int32).reshape(TILE, TILE)
"""The position of every cell in its tile."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ZoneCells:
    """The cells that a zone covers in a raster, row by row from the north-west."""

    row: NDArray[np.int64]
    """(cell,) row in the lattice."""
    col: NDArray[np.int64]
    """(cell,) column in the lattice."""
    raw: NDArray[Any]
    """(cell,) values as they were measured, in their own type; arbitrary where there is none."""
    share: NDArray[np.float64]
    """(cell,) share that the zone covers; of lines metres, of points their number."""
    reason: NDArray[np.uint8]
    """(cell,) why a cell has no value, 0 where it has one."""
    weight: NDArray[np.float64]
    """(cell,) weight by a second raster; NaN where there is none, or none are wanted."""
    unweighed: NDArray[np.uint8]
    """(cell,) why a cell has no weight, 0 where it has one, or none are wanted."""
    scale: float
    """Physical = raw × scale + offset."""
    offset: float
    lattice: Lattice

    @property
    def valid(self) -> ZoneCells:
        """Those that have a value."""
        return self.only(self.reason == VALID)

    @property
    def inside(self) -> ZoneCells:
        """Those that lie in the raster."""
        return self.only(self.reason != OUTSIDE)

    @property
    def physical(self) -> NDArray[np.float64]:
        """(cell,) values with scale and offset applied."""
        return self.raw.astype(np.float64) * self.scale + self.offset

    def copied(self) -> ZoneCells:
        """The same in memory of their own: what waits must not hold the cells of a whole tile."""
        return replace(self, **{name: getattr(self, name).copy() for name in OF_CELLS})

    def only(self, which: NDArray[Any]) -> ZoneCells:
        """Some of the cells: where True, or in an order of indices."""
        changed = {name: getattr(self, name)[which] for name in OF_CELLS}
        same = {name: getattr(self, name) for name in OF_ALL}
        return ZoneCells(**changed, **same)


OF_ALL = ("scale", "offset", "lattice")
OF_CELLS = tuple(field.name for field in fields(ZoneCells) if field.name not in OF_ALL)


def pieces_of(cells: Cells, scale: float, offset: float) -> Iterator[tuple[int, ZoneCells]]:
    """The index and the cells of each zone that has some in a tile, in the layout's order."""
    layout = cells.layout
    at = gather(POSITIONS, layout).astype(np.int64)
    row, col = layout.tile_row * TILE + at // TILE, layout.tile_col * TILE + at % TILE
    reasons, shares = _of_all(cells.reasons, layout), _shares(layout)
    weights, unweighed = np.full(layout.size, np.nan), np.zeros(layout.size, np.uint8)
    if layout.weighted is not None:
        unweighed = _of_all(layout.weighted.lacking, layout)
        weights = np.where(unweighed == VALID, layout.weighted.weight, np.nan)
    for zone, start, stop in zip(
        layout.zone.tolist(), layout.offsets[:-1], layout.offsets[1:], strict=True
    ):
        some = slice(start, stop)
        yield zone, ZoneCells(
            row=row[some], col=col[some], raw=cells.values[some], share=shares[some],
            reason=reasons[some], weight=weights[some], unweighed=unweighed[some],
            scale=scale, offset=offset, lattice=layout.coverage.lattice,
        )  # fmt: skip


def _of_all(reasons: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """(cell,) reasons, also where all cells are valid."""
    return reasons if len(reasons) else np.zeros(layout.size, np.uint8)


def _shares(layout: Layout) -> NDArray[np.float64]:
    """(cell,) shares in the order of the layout."""
    shares = np.ones(layout.size)
    boundary = layout.cell_span[:, 1] - layout.cell_span[:, 0]
    first = layout.offsets[:-1] + layout.inner
    step = np.arange(int(boundary.sum())) - np.repeat(np.cumsum(boundary) - boundary, boundary)
    shares[np.repeat(first, boundary) + step] = layout.shares[
        np.repeat(layout.cell_span[:, 0], boundary) + step
    ]
    return shares


def joined(pieces: Sequence[ZoneCells]) -> ZoneCells:
    """The cells of a whole zone from its pieces, put in order."""
    first = pieces[0]
    together: dict[str, Any] = {
        name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in OF_CELLS
    }
    whole = ZoneCells(**together, **{name: getattr(first, name) for name in OF_ALL})
    return whole.only(np.lexsort((whole.col, whole.row)))
