"""Cells: the values of a raster at the cells that zones cover, tile by tile.

A *layout* says where each piece's cells lie in arrays of gathered values: inner cells first, in
runs, then boundary cells. It follows from the coverage alone and serves every layer and band.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.coverage import Coverage
from zonalbatch.kernels import kernel

if TYPE_CHECKING:
    from zonalbatch.cover.weighing import Weighed

__all__ = [
    "ALL_VALID", "FILE_MASK", "NODATA", "NOT_A_NUMBER", "OUTSIDE", "REASONS", "UNREAD", "USER_MASK",
    "VALID", "Cells", "Covered", "Layout", "first_reason", "gather", "layouts",
]  # fmt: skip

VALID, UNREAD, OUTSIDE, NODATA, NOT_A_NUMBER, FILE_MASK, USER_MASK = range(7)
"""Why a cell has no value. Where several reasons hold, the smallest wins."""
REASONS = 7

ALL_VALID = np.zeros(0, np.uint8)
"""Reasons where every cell has a value."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the covered cells of one fold tile lie in gathered arrays."""

    tile_row: int
    tile_col: int
    pieces: slice
    """The tile's pieces in the coverage."""
    zone: NDArray[np.int32]
    """(piece,) index of the zone."""
    offsets: NDArray[np.int64]
    """(piece + 1,) first gathered cell of each piece, and the number of all."""
    inner: NDArray[np.int64]
    """(piece,) number of inner cells; they come first."""
    cell_span: NDArray[np.int64]
    """(piece, 2) the piece's boundary cells in ``shares``."""
    shares: NDArray[np.float64]
    """(boundary cell,) share of each; that of an inner cell is 1."""
    total: NDArray[np.float64]
    """(piece,) sum of shares."""
    coverage: Coverage
    averaging: Layout | None = None
    """The same cells with the shares that averages take; None if they take these."""
    weighted: Weighed | None = None
    """The same cells with the weights of a raster; None where none are wanted."""

    @property
    def size(self) -> int:
        """Number of gathered cells."""
        return int(self.offsets[-1])


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One measurement of one layer at the covered cells of one fold tile."""

    layout: Layout
    values: NDArray[Any]
    """(cell,) raw or physical values, in the order of the layout."""
    reasons: NDArray[np.uint8]
    """(cell,) why a cell has no value, 0 where it has one; of length 0 if all have one."""

    @property
    def averaged(self) -> Cells:
        """The same with the shares that averages take."""
        other = self.layout.averaging
        return self if other is None else Cells(other, self.values, self.reasons)

    @property
    def weighted(self) -> Cells:
        """The same with the weights of a raster; a cell without a weight has no value."""
        found = self.layout.weighted
        assert found is not None, "a layout without weights"
        return Cells(found.layout, self.values, first_reason(self.reasons, found.lacking))


def first_reason(*reasons: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(cell,) the smallest reason that is not 0 (valid); arrays of length 0 are all valid."""
    given = [r for r in reasons if len(r)]
    if not given:
        return ALL_VALID
    first = given[0]
    for other in given[1:]:
        first = np.minimum(first - np.uint8(1), other - np.uint8(1)) + np.uint8(1)  # 0 wraps to 255
    return first


def layouts(coverage: Coverage) -> Iterator[Layout]:
    """The layouts of all fold tiles that hold a covered cell, in row-major order of tiles."""
    if not coverage.n_pieces:
        return
    sizes = coverage.inner + (coverage.cell_span[:, 1] - coverage.cell_span[:, 0])
    new_tile = np.diff(coverage.tile_row).astype(bool) | np.diff(coverage.tile_col).astype(bool)
    edges = np.concatenate([[0], np.flatnonzero(new_tile) + 1, [coverage.n_pieces]])
    for start, stop in pairwise(edges):
        pieces = slice(int(start), int(stop))
        yield Layout(
            tile_row=int(coverage.tile_row[start]),
            tile_col=int(coverage.tile_col[start]),
            pieces=pieces,
            zone=coverage.zone[pieces],
            offsets=np.concatenate([[0], np.cumsum(sizes[pieces])]),
            inner=coverage.inner[pieces],
            cell_span=coverage.cell_span[pieces],
            shares=coverage.cell_fraction,
            total=coverage.total[pieces],
            coverage=coverage,
        )


@dataclass(frozen=True, eq=False)
class Covered:
    """A coverage with the layouts of its tiles: made once, used for every layer and measurement."""

    coverage: Coverage
    layouts: tuple[Layout, ...]
    areas: Callable[[], NDArray[np.float64]]
    """Gives the (zone,) areas of the zones, m²; asked only where a statistic wants them."""
    averaging: Callable[[Layout], Layout] | None = None
    """Gives a tile's cells the shares that averages take; None if these are those of the layout."""

    @classmethod
    def of(
        cls,
        coverage: Coverage,
        areas: Callable[[], NDArray[np.float64]] | None = None,
        averaging: Callable[[Layout], Layout] | None = None,
    ) -> Covered:
        """The coverage, tile by tile."""
        unknown = partial(np.full, coverage.n_zones, np.nan)
        return cls(coverage, tuple(layouts(coverage)), areas or unknown, averaging)

    @cached_property
    def pieces_of_zone(self) -> NDArray[np.int64]:
        """(zone,) in how many fold tiles a zone lies."""
        return np.bincount(self.coverage.zone, minlength=self.coverage.n_zones)


def gather(tile: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """The values of a (512, 512) tile at the covered cells, in the order of the layout."""
    out = np.empty(layout.size, tile.dtype)
    coverage = layout.coverage
    _gather(
        tile.reshape(-1), coverage.run_span[layout.pieces], coverage.run_at, coverage.run_length,
        layout.cell_span, coverage.cell_at, out,
    )  # fmt: skip
    return out


@kernel()
def _gather(flat, run_span, run_at, run_length, cell_span, cell_at, out):
    n = 0
    for piece in range(len(run_span)):
        for run in range(run_span[piece, 0], run_span[piece, 1]):
            at = run_at[run]
            for i in range(run_length[run]):
                out[n + i] = flat[at + i]
            n += run_length[run]
        for cell in range(cell_span[piece, 0], cell_span[piece, 1]):
            out[n] = flat[cell_at[cell]]
            n += 1
