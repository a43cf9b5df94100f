"""Coverage: how much of each cell each zone covers.

The exact share of a cell that a polygon covers is found by *signed-area accumulation* (the idea
behind anti-aliased font rendering): every edge adds its signed area to the cells of the rows it
crosses, and a running sum along each row turns these into shares. Holes and multipolygons need no
case of their own: they follow from the orientation of the rings.

The result for one zone in one fold tile depends on nothing but that zone and that tile. Edges to
the left of the tile are moved to its left side, where they add to the whole row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.accumulation import cover_zones, measure_zones
from zonalbatch.cover.outlines import Outlines
from zonalbatch.lattice import TILE, Lattice, Window

__all__ = ["Coverage", "CoverageRule", "cover"]

CoverageRule = Literal["fraction", "center", "all_touched", "bilinear"]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """The cells that each zone covers, as pieces: one zone in one fold tile.

    Pieces are ordered by tile (row-major), then by zone. A cell's position is its flat index in
    its tile, ``row * 512 + col``. Inner cells, covered whole, are kept as runs; boundary cells one
    by one with their share.
    """

    lattice: Lattice
    n_zones: int
    zone: NDArray[np.int32]
    """(piece,) index of the zone."""
    tile_row: NDArray[np.int32]
    """(piece,) row of the fold tile in the lattice."""
    tile_col: NDArray[np.int32]
    """(piece,) column of the fold tile in the lattice."""
    window: NDArray[np.int32]
    """(piece, 4) top, left, bottom, right of the zone's bounds in the tile, half-open."""
    run_span: NDArray[np.int64]
    """(piece, 2) first run and the one after the last."""
    cell_span: NDArray[np.int64]
    """(piece, 2) first boundary cell and the one after the last."""
    inner: NDArray[np.int64]
    """(piece,) number of inner cells."""
    total: NDArray[np.float64]
    """(piece,) sum of shares, cells."""
    run_at: NDArray[np.int32]
    """(run,) position of the first cell."""
    run_length: NDArray[np.int32]
    """(run,) number of cells; a run never leaves its row."""
    cell_at: NDArray[np.int32]
    """(boundary cell,) position."""
    cell_fraction: NDArray[np.float64]
    """(boundary cell,) share of the cell that the zone covers, 0 < share < 1."""
    zone_total: NDArray[np.float64]
    """(zone,) sum of shares over all tiles, also those left out; of a zone in very many tiles, its
    area or the number of centres inside, which is the same but for rounding."""
    beyond: NDArray[np.bool_]
    """(zone,) True if the zone covers cells in tiles that were left out."""

    @property
    def n_pieces(self) -> int:
        """Number of (zone, fold tile) pairs with at least one covered cell."""
        return len(self.zone)


def cover(
    outlines: Outlines,
    lattice: Lattice,
    *,
    rule: CoverageRule = "fraction",
    min_fraction: float = 0.0,
    extent: Window | None = None,
) -> Coverage:
    """The cells of ``lattice`` that each zone covers.

    Args:
        outlines: the zones' rings in the lattice's CRS, exteriors counter-clockwise.
        lattice: where the cells lie.
        rule: ``fraction`` gives the exact share of each cell; ``center`` takes cells whose centre
            is inside, half-open, so that neighbours never share a cell; ``all_touched`` takes
            every cell whose open interior the zone meets.
        min_fraction: cells of which a zone covers less are left out; not for ``center``.
        extent: fold tiles outside of this window are left out (but for the zones' totals).
    """
    spans, areas, touched = measure_zones(
        outlines.xy, outlines.rings, outlines.zones, lattice.x0, lattice.y0, lattice.dx, lattice.dy
    )
    inside = _tile_extent(spans, extent)
    n_pieces = _count_tiles(spans, inside)
    capacity = _capacity(spans, inside, touched)
    n_zones = len(outlines.zones) - 1
    zone, tile_row, tile_col = (np.empty(n_pieces, np.int32) for _ in range(3))
    window = np.empty((n_pieces, 4), np.int32)
    run_span, cell_span = (np.empty((n_pieces, 2), np.int64) for _ in range(2))
    inner, total = np.empty(n_pieces, np.int64), np.empty(n_pieces)
    run_at, run_length = (np.empty(capacity, np.int32) for _ in range(2))
    fractional = rule == "fraction"
    cell_at = np.empty(capacity if fractional else 0, np.int32)
    cell_fraction = np.empty(capacity if fractional else 0)
    zone_total, beyond = np.zeros(n_zones), np.zeros(n_zones, np.bool_)
    n, n_runs, n_cells = cover_zones(
        outlines.xy, outlines.rings, outlines.zones, _by_tile(spans, inside), spans, areas, inside,
        lattice.x0, lattice.y0, lattice.dx, lattice.dy, fractional, rule == "center",
        min_fraction,
        zone, tile_row, tile_col, window, run_span, cell_span, inner, total,
        run_at, run_length, cell_at, cell_fraction, zone_total, beyond,
    )  # fmt: skip
    order = np.lexsort((zone[:n], tile_col[:n], tile_row[:n]))
    return Coverage(
        lattice=lattice,
        n_zones=n_zones,
        zone=zone[order],
        tile_row=tile_row[order],
        tile_col=tile_col[order],
        window=window[order],
        run_span=run_span[order],
        cell_span=cell_span[order],
        inner=inner[order],
        total=total[order],
        run_at=run_at[:n_runs],
        run_length=run_length[:n_runs],
        cell_at=cell_at[:n_cells],
        cell_fraction=cell_fraction[:n_cells],
        zone_total=zone_total,
        beyond=beyond,
    )


def _tile_extent(spans: NDArray[np.int64], extent: Window | None) -> NDArray[np.int64]:
    """(4,) tiles (top, left, bottom, right) that are wanted; for None all that zones touch."""
    if extent is not None:
        first, last = np.array(extent[:2]) // TILE, -(-np.array(extent[2:]) // TILE)
        return np.concatenate([first, last]).astype(np.int64)
    if not len(spans):
        return np.zeros(4, np.int64)
    return np.concatenate([spans[:, 4:6].min(axis=0), spans[:, 6:8].max(axis=0)])


def _by_tile(spans: NDArray[np.int64], inside: NDArray[np.int64]) -> NDArray[np.int64]:
    """All zones in the order of the tile that they begin in.

    What is found of a tile's zones then lies together, and whoever visits tile by tile, layer
    after layer, runs through memory once.
    """
    row, col = np.clip(spans[:, 4:6], inside[:2], inside[2:]).T
    return np.argsort(row * (inside[3] + 1 - inside[1]) + col, kind="stable")


def _clipped(spans: NDArray[np.int64], inside: NDArray[np.int64]) -> NDArray[np.int64]:
    """(zone, 2): height and width, tiles, of what is wanted of each zone."""
    first = np.maximum(spans[:, 4:6], inside[:2])
    return np.maximum(np.minimum(spans[:, 6:8], inside[2:]) - first, 0)


def _count_tiles(spans: NDArray[np.int64], inside: NDArray[np.int64]) -> int:
    return int(_clipped(spans, inside).prod(axis=1).sum())


def _capacity(spans: NDArray[np.int64], inside: NDArray[np.int64], touched: float) -> int:
    """An upper bound on boundary cells and on runs: what edges touch, and two for each row."""
    tiles = _clipped(spans, inside)
    rows = np.minimum(tiles[:, 0] * TILE, spans[:, 2] - spans[:, 0]) * tiles[:, 1]
    one_tile = TILE * TILE  # room for a tile that is looked at and left out
    return int(touched + 2 * rows.sum()) + one_tile
