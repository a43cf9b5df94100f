"""Thinning: as many cells of a raster as a picture shows, with little memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine

from zonalbatch.cog.frame import Frame, transform_of
from zonalbatch.sources import Pixels
from zonalbatch.sources.protocol import Header

__all__ = ["Thinned", "thinned"]

STRIP = 2**23
"""Cells that are held at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Thinned:
    """Every so many cells of one band, along rows and columns."""

    values: NDArray[Any]
    """(row, col) raw values."""
    valid: NDArray[np.bool_]
    """(row, col) True where there is data."""
    transform: Any
    """Of the (row, col) cells that they stand for, affine."""


def thinned(
    pixels: Pixels, file: Header, band: int, window: tuple[int, int, int, int], frame: Frame
) -> Thinned:
    """The cells of a window in the middle of each square that is no larger than a frame's cell.

    Args:
        pixels: a file, or an overview of it.
        file: what the file says of itself.
        band: from 1.
        window: (top, left, bottom, right).
        frame: what the cells are for.
    """
    top, left, bottom, right = window
    grid = pixels.header.grid
    step = _step(grid.lattice.dx, grid.lattice.dy, frame, grid.lattice.crs)
    rows, cols = _middles(top, bottom, step), _middles(left, right, step)
    values = np.zeros((len(rows), len(cols)), file.dtypes[band - 1])
    valid = np.zeros(values.shape, bool)
    for strip in _strips(window, pixels.header.block[0]):
        here = (rows >= strip[0]) & (rows < strip[2])
        cells = np.ix_(rows[here] - strip[0], cols - left)
        values[here] = (found := pixels.read([band], strip)[0][cells])
        valid[here] = _has_data(found, file.nodata[band - 1])
        if pixels.header.masked:
            valid[here] &= pixels.read_mask(strip)[cells]
    return Thinned(values, valid, transform_of(grid, window) @ Affine.scale(step))


def _step(dx: float, dy: float, frame: Frame, crs: str) -> int:
    """How many cells a cell of the frame is wide or high at least."""
    west, south, east, north = frame.bounds_in(crs)
    wide, high = (east - west) / frame.shape[1] / dx, (north - south) / frame.shape[0] / dy
    return max(1, int(min(wide, high)))


def _middles(start: int, stop: int, step: int) -> NDArray[np.int64]:
    """Of each ``step`` cells from start to stop the middle one; of fewer at the end, the last."""
    return np.minimum(np.arange(start, stop, step) + step // 2, stop - 1)


def _strips(window: tuple[int, int, int, int], block: int) -> Iterator[tuple[int, int, int, int]]:
    """A window in strips of whole rows of blocks, so that no block is decoded twice."""
    top, left, bottom, right = window
    if right <= left:
        return
    height = max(1, STRIP // (right - left) // block) * block
    first = top // block * block
    for start in range(first, bottom, height):
        yield max(top, start), left, min(bottom, start + height), right


def _has_data(values: NDArray[Any], nodata: float | int | None) -> NDArray[np.bool_]:
    there: NDArray[np.bool_] = np.ones(values.shape, bool)
    if values.dtype.kind == "f":
        there = np.isfinite(values)
    return there if nodata is None else there & (values != nodata)
