"""Touched: which cells of a window a zone covers some of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.figures import cover_figures
from zonalbatch.lattice import TILE, Lattice, Window

__all__ = ["touched"]


def touched(zone: Any, crs: str, lattice: Lattice, window: Window) -> NDArray[np.bool_]:
    """(row, col) True where a zone covers some of a cell, however little.

    Args:
        zone: a geometry.
        crs: its CRS.
        lattice: where cells lie.
        window: which of them are asked for.
    """
    shapes = np.array([zone], dtype=object)
    found = cover_figures(shapes, crs, lattice, extent=window)
    mask = np.zeros(window.shape, dtype=bool)
    for piece in range(len(found.zone)):
        runs, cells = slice(*found.run_span[piece]), slice(*found.cell_span[piece])
        starts, lengths = found.run_at[runs], found.run_length[runs]
        inner = [np.arange(at, at + length) for at, length in zip(starts, lengths, strict=True)]
        at = np.concatenate([*inner, found.cell_at[cells]]).astype(np.int64)
        rows = at // TILE + int(found.tile_row[piece]) * TILE - window.top
        cols = at % TILE + int(found.tile_col[piece]) * TILE - window.left
        height, width = window.shape
        inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        mask[rows[inside], cols[inside]] = True
    return mask
