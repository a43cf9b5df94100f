"""Zone arrays: one zone's cells as a masked array, for functions that want to see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.compat.rasterstats.names import get_percentile
from zonalbatch.compat.rasterstats.surface import Surface
from zonalbatch.cover.coverage import Coverage, CoverageRule
from zonalbatch.cover.figures import cover_figures
from zonalbatch.lattice import TILE, Window

__all__ = ["ZoneArray", "figures_of", "zone_array"]

Stats = dict[Any, Any]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ZoneArray:
    """The cells in the bounds of a zone, north up."""

    cells: Any
    """(row, col) masked array of raw values; masked where not in the zone or without a value."""
    inside: Flags
    """(row, col) True in the zone."""
    nodata: int
    """Number of the zone's cells that mean no data or lie beyond the raster."""
    nan: int
    """Number of the zone's cells that are NaN or infinite."""
    affine: tuple[float, ...]
    """(a, b, c, d, e, f) of the array."""

    def changed(self, function: Callable[[Any], Any] | None) -> ZoneArray:
        """The zone after a function has changed its cells, or returned others."""
        if function is None:
            return self
        returned = function(self.cells)
        return self if returned is None else replace(self, cells=returned)


def zone_array(
    shape: Any, span: NDArray[np.int64], surface: Surface, rule: CoverageRule
) -> ZoneArray:
    """The cells of one zone, as the engine covers it.

    Args:
        shape: its geometry.
        span: top, left, bottom, right of its bounds, cells of the lattice.
        surface: where the values are.
        rule: which cells are in the zone.
    """
    grid, window = surface.grid, Window(*span.tolist())
    shapes = np.array([shape], dtype=object)
    inside = _inside(cover_figures(shapes, grid.lattice.crs, grid.lattice, rule=rule), window)
    cells = surface.read(window)
    values, own = cells.data, np.ma.getmaskarray(cells)
    unknown = (values == surface.nodata) | _beyond(window, grid.window)
    nan = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(window.shape, bool)
    left, _, _, top = grid.lattice.bounds(window)
    return ZoneArray(
        cells=np.ma.masked_array(values, mask=unknown | nan | own | ~inside),
        inside=inside,
        nodata=int((unknown & ~own & inside).sum()),
        nan=int((nan & ~unknown & ~own & inside).sum()),
        affine=(grid.lattice.dx, 0.0, left, 0.0, -grid.lattice.dy, top),
    )


def _beyond(window: Window, whole: Window) -> Flags:
    """(row, col) True where a window lies beyond the raster."""
    beyond = np.ones(window.shape, bool)
    part = window.intersect(whole)
    if not part.empty:
        at = part.shift(-window.top, -window.left)
        beyond[at.top : at.bottom, at.left : at.right] = False
    return beyond


def _inside(coverage: Coverage, window: Window) -> Flags:
    """(row, col) True in the cells that the zone of a coverage covers."""
    inside = np.zeros(window.shape, bool)
    for piece in range(coverage.n_pieces):
        at = _positions(coverage, piece)
        row = at // TILE + TILE * int(coverage.tile_row[piece]) - window.top
        col = at % TILE + TILE * int(coverage.tile_col[piece]) - window.left
        inside[row, col] = True
    return inside


def _positions(coverage: Coverage, piece: int) -> NDArray[np.int64]:
    """Positions, in their tile, of the cells of a piece."""
    runs, cells = slice(*coverage.run_span[piece]), slice(*coverage.cell_span[piece])
    length = coverage.run_length[runs].astype(np.int64)
    start = np.repeat(coverage.run_at[runs] - (np.cumsum(length) - length), length)
    return np.concatenate([start + np.arange(length.sum()), coverage.cell_at[cells]])


def figures_of(
    zone: ZoneArray, stats: Sequence[str], *, categorical: bool = False
) -> tuple[Stats, Stats]:
    """The number of cells by value if they are counted, and the statistics of a zone.

    They are NumPy's on the masked array, in its own type, as the functions of users see it.
    """
    valid = zone.cells.compressed()
    told = {"nodata": float(zone.nodata), "nan": zone.nan}
    if valid.size:
        told |= {name: _of_valid(name, zone.cells, valid) for name in stats if name not in told}
    else:
        told["count"] = 0
    counts = _counts(valid) if categorical else {}
    return counts, {name: told.get(name) for name in stats}


def _counts(valid: NDArray[Any]) -> Stats:
    """Value -> number of cells."""
    values, counts = np.unique(valid, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _of_valid(name: str, cells: Any, valid: NDArray[Any]) -> float | int:
    if name in ("count", "unique"):
        return valid.size if name == "count" else len(np.unique(valid))
    if name in ("majority", "minority"):
        values, counts = np.unique(valid, return_counts=True)
        return float(values[(np.argmax if name == "majority" else np.argmin)(counts)])
    if name.startswith("percentile_"):
        return float(np.percentile(valid, get_percentile(name)))
    if name == "range":
        return float(valid.max()) - float(valid.min())
    if name == "median":
        return float(np.median(valid))
    wide = {"dtype": np.int64} if valid.dtype.kind in "iu" and name in ("sum", "mean") else {}
    return float(getattr(cells, name)(**wide))
