"""Dilation: cells that lie within some metres of others, by their centres.

In projected grids metres are those of the CRS. In degrees they are those on the ellipsoid along the
meridian and the parallel through the cell that is reached; beyond 85° of latitude a degree is taken
as long as there. Either follows from a cell's row alone, however the work is cut.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE, Lattice, Window

__all__ = ["around", "dilated", "reach"]

POLEWARD = np.radians(85.0)
ROUNDING = 1e-9
"""Share of a cell by which a distance may be missed, so that 20 m are two cells of 10 m."""


def reach(lattice: Lattice, metres: float, tile_row: int) -> tuple[int, int]:
    """How many rows and columns away the cells may lie that some metres from a tile's can reach."""
    if not metres:
        return 0, 0
    height, width = _cell_metres(lattice, np.arange(tile_row * TILE, (tile_row + 1) * TILE))
    return _whole(metres / height.min()), _whole(metres / width.min())


def around(lattice: Lattice, metres: float, tile_row: int, tile_col: int) -> Window:
    """The window of a tile and of all cells that can lie within some metres of one of its."""
    rows, cols = reach(lattice, metres, tile_row)
    top, left = tile_row * TILE, tile_col * TILE
    return Window(top - rows, left - cols, top + TILE + rows, left + TILE + cols)


def dilated(
    where: NDArray[np.bool_], lattice: Lattice, metres: float, tile_row: int
) -> NDArray[np.bool_]:
    """(512, 512) True in a tile's cells that lie within some metres of a True one.

    Args:
        where: (row, col) of the window `around` the tile.
        lattice: of the tile's cells.
        metres: the largest distance of centres.
        tile_row: which row of tiles.
    """
    out = np.zeros((TILE, TILE), bool)
    if where.any():
        rows, cols = reach(lattice, metres, tile_row)
        _dilate(where, _spans(lattice, metres, tile_row, rows), cols, out)
    return out


def _spans(lattice: Lattice, metres: float, tile_row: int, rows: int) -> NDArray[np.int64]:
    """(512, 2 · rows + 1) columns to either side that are near, some rows up and down; -1: none."""
    height, width = _cell_metres(lattice, np.arange(tile_row * TILE, (tile_row + 1) * TILE))
    away = np.arange(-rows, rows + 1) * height[:, None] / metres
    left = 1 - away**2
    spans = np.floor(metres * np.sqrt(np.maximum(left, 0)) / width[:, None] + ROUNDING)
    return np.where(left < -ROUNDING, -1, spans).astype(np.int64)


def _cell_metres(
    lattice: Lattice, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(row,) height and width of the cells of some rows, metres."""
    unit, ellipsoid = _measures(lattice.crs)
    if ellipsoid is None:
        one = np.ones(len(rows))
        return one * lattice.dy * unit, one * lattice.dx * unit
    a, es = ellipsoid
    latitude = (lattice.y0 - (rows + 0.5) * lattice.dy) * unit
    latitude = np.clip(latitude, -POLEWARD, POLEWARD)
    w = np.sqrt(1 - es * np.sin(latitude) ** 2)
    meridian = a * (1 - es) / w**3  # radii of curvature: Torge, Geodesy, 4.1
    parallel = a / w * np.cos(latitude)
    return meridian * lattice.dy * unit, parallel * lattice.dx * unit


@cache
def _measures(crs: str) -> tuple[float, tuple[float, float] | None]:
    """Metres of a unit of a CRS; of one in degrees, radians of a unit and the (a, e²) of its
    ellipsoid."""
    known = CRS.from_user_input(crs)
    unit = known.axis_info[0].unit_conversion_factor if known.axis_info else 1.0
    if not known.is_geographic:
        return unit or 1.0, None
    geod = known.get_geod()
    return unit, (6378137.0, 0.0066943799901413165) if geod is None else (geod.a, geod.es)


def _whole(cells: float) -> int:
    return int(np.floor(cells + ROUNDING))


@kernel()
def _dilate(where, spans, margin, out):
    """For each row up and down, is any cell of its span true? Counts along rows tell."""
    counts = np.zeros((where.shape[0], where.shape[1] + 1), np.int32)
    for row in range(where.shape[0]):
        for col in range(where.shape[1]):
            counts[row, col + 1] = counts[row, col] + where[row, col]
    for row in range(out.shape[0]):
        for k in range(spans.shape[1]):
            span, line = spans[row, k], counts[row + k]
            if span < 0 or line[-1] == 0:
                continue
            for col in range(out.shape[1]):
                at = col + margin
                if line[at + span + 1] > line[at - span]:
                    out[row, col] = True
