"""Frames: the box and the shape of what is wanted, and pixels brought to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cog.given import a_box, a_whole, one_of
from zonalbatch.errors import InputError
from zonalbatch.lattice import Grid

__all__ = [
    "Bounds", "Frame", "Resampling", "brought", "check_resampling", "check_window", "frame_of",
    "level_for", "transform_of", "window_of",
]  # fmt: skip

Resampling = Literal["nearest", "bilinear", "cubic", "average", "mode"]
Bounds = tuple[float, float, float, float]
"""(left, bottom, right, top)."""

MARGIN = 3
"""Cells around a box that resampling may look at."""
MOST = 2**27
"""Cells of an array: half a gigabyte of float32."""
MOST_LOOKED_AT = 2**28
"""Cells of a band of a file that an array is made of: warping holds them as float64."""
ALIGNED = 1e-6
"""Shares of a cell by which a box may miss the edges of cells and still be taken as it is."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A box in a CRS, cut into rows and columns."""

    crs: str
    bounds: Bounds
    shape: tuple[int, int]
    """Rows and columns."""

    @property
    def transform(self) -> Any:
        """Of its cells, north up."""
        from rasterio.transform import from_bounds

        return from_bounds(*self.bounds, self.shape[1], self.shape[0])

    def bounds_in(self, crs: str) -> Bounds:
        """A box in another CRS that holds it."""
        if crs == self.crs:
            return self.bounds
        from rasterio.warp import transform_bounds

        left, bottom, right, top = transform_bounds(self.crs, crs, *self.bounds)
        return left, bottom, right, top


def frame_of(
    grid: Grid, bounds: Bounds | None, shape: tuple[int, int] | None, max_size: int | None
) -> Frame:
    """The frame of a box in a file's CRS.

    Args:
        grid: of the file.
        bounds: the box; None takes the file's.
        shape: rows and columns; None takes the file's own cells.
        max_size: the longer side is no more than this, if shape is None.

    Raises:
        InputError: the box is empty, or the array cannot be held.
    """
    lattice = grid.lattice
    box = lattice.bounds(grid.window) if bounds is None else a_box(bounds)
    if shape is None:
        most = math.inf if max_size is None else a_whole("max_size", max_size, 1)
        rows, cols = (box[3] - box[1]) / lattice.dy, (box[2] - box[0]) / lattice.dx
        times = max(1.0, max(rows, cols) / most)
        shape = max(1, round(rows / times)), max(1, round(cols / times))
    return Frame(lattice.crs, box, _checked(shape))


def _checked(shape: Any) -> tuple[int, int]:
    """Rows and columns of an array that can be held."""
    try:
        rows, cols = shape
    except (TypeError, ValueError):
        raise InputError(f"shape is {shape!r}; give rows and columns") from None
    rows, cols = a_whole("a side of shape", rows, 1), a_whole("a side of shape", cols, 1)
    if rows * cols > MOST:
        raise InputError(f"an array of {rows} × {cols} cells is too large; give max_size")
    return rows, cols


def check_resampling(name: Any) -> None:
    """Refuse a way to bring pixels to other cells that is not known.

    Raises:
        InputError: it is none of `Resampling`.
    """
    one_of("resampling", name, get_args(Resampling))


def level_for(grid: Grid, factors: tuple[float, ...], frame: Frame) -> int | None:
    """The coarsest overview whose cells are no larger than the frame's; None is the file itself."""
    left, bottom, right, top = frame.bounds_in(grid.lattice.crs)
    wide = (right - left) / frame.shape[1] / grid.lattice.dx
    high = (top - bottom) / frame.shape[0] / grid.lattice.dy
    fine = [(factor, level) for level, factor in enumerate(factors) if factor <= min(wide, high)]
    return max(fine)[1] if fine else None


def window_of(grid: Grid, frame: Frame) -> tuple[int, int, int, int]:
    """The (top, left, bottom, right) cells of a file, in its rows, that a frame may look at."""
    lattice, (height, width) = grid.lattice, grid.shape
    left, bottom, right, top = frame.bounds_in(lattice.crs)
    west, south, _, north = lattice.bounds(grid.window)
    rows = (north - top) / lattice.dy, (north - bottom) / lattice.dy
    if grid.south_up:
        rows = (bottom - south) / lattice.dy, (top - south) / lattice.dy
    cols = (left - west) / lattice.dx, (right - west) / lattice.dx
    spans = [_span(one, size) for one, size in ((rows, height), (cols, width))]
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def check_window(window: tuple[int, int, int, int], name: str) -> None:
    """Refuse to read far more of a file than the array has, for want of overviews.

    Raises:
        InputError: it could not be held.
    """
    top, left, bottom, right = window
    if (bottom - top) * (right - left) > MOST_LOOKED_AT:
        raise InputError(
            f"{name} would have {bottom - top} × {right - left} cells read for this array; "
            "give smaller bounds, or write overviews into it (gdaladdo)"
        )


def _span(ends: tuple[float, float], size: int) -> tuple[int, int]:
    """Cells along a side of a file between two ends, with a margin; none if they lie beyond."""
    first = min(size, max(0, math.floor(ends[0]) - MARGIN))
    return first, max(first, min(size, math.ceil(ends[1]) + MARGIN))


def transform_of(grid: Grid, window: tuple[int, int, int, int]) -> Any:
    """Of the cells of a window, in the file's rows."""
    from rasterio.transform import Affine

    lattice = grid.lattice
    west, south, _, north = lattice.bounds(grid.window)
    top, left, _, _ = window
    x = west + left * lattice.dx
    if grid.south_up:
        return Affine(lattice.dx, 0.0, x, 0.0, lattice.dy, south + top * lattice.dy)
    return Affine(lattice.dx, 0.0, x, 0.0, -lattice.dy, north - top * lattice.dy)


def brought(
    pixels: NDArray[Any],
    valid: NDArray[np.bool_],
    transform: Any,
    crs: str,
    frame: Frame,
    resampling: Resampling,
    fill: float,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Pixels (band, row, col) in a frame, and which of them are data.

    Cells of the frame are taken as they are where they are cells of the file; else GDAL warps the
    valid ones alone, so that nothing that is no data has a part in a value.
    """
    out = np.full((len(pixels), *frame.shape), fill, pixels.dtype)
    there = np.zeros(out.shape, bool)
    if not pixels.size:
        return out, there
    shift = _shift(transform, frame) if crs == frame.crs else None
    if shift is not None:
        _copied(pixels, valid, shift, out, there)
        return out, there
    from rasterio.warp import Resampling as Methods
    from rasterio.warp import reproject

    warped = np.full(out.shape, np.nan)
    reproject(
        np.where(valid, pixels, np.nan).astype(np.float64), warped, src_transform=transform,
        src_crs=crs, src_nodata=np.nan, dst_transform=frame.transform, dst_crs=frame.crs,
        dst_nodata=np.nan, resampling=Methods[resampling],
    )  # fmt: skip
    there = ~np.isnan(warped)
    out[there] = _held(warped[there], out.dtype)
    return out, there


def _held(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values as a type holds them; cubic gives some beyond those that it was given."""
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        values = np.clip(np.rint(values), float(ends.min), np.nextafter(float(ends.max) + 1, 0))
    return values.astype(dtype)


def _shift(transform: Any, frame: Frame) -> tuple[int, int] | None:
    """Rows and columns of the pixels at which the frame begins, if its cells are theirs."""
    own = frame.transform
    if not (math.isclose(own.a, transform.a) and math.isclose(own.e, transform.e)):
        return None
    row, col = (own.f - transform.f) / transform.e, (own.c - transform.c) / transform.a
    if abs(row - round(row)) > ALIGNED or abs(col - round(col)) > ALIGNED:
        return None
    return round(row), round(col)


def _copied(
    pixels: NDArray[Any], valid: NDArray[np.bool_], shift: tuple[int, int], out: NDArray[Any],
    there: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Fill in the part of a frame that the pixels hold."""
    spans = []
    for first, size, wanted in zip(shift, pixels.shape[1:], out.shape[1:], strict=True):
        start, stop = max(0, first), min(size, first + wanted)
        if start >= stop:
            return
        spans.append((slice(start - first, stop - first), slice(start, stop)))
    (rows, own_rows), (cols, own_cols) = spans
    out[:, rows, cols] = np.where(
        valid[:, own_rows, own_cols], pixels[:, own_rows, own_cols], out[:, rows, cols]
    )
    there[:, rows, cols] = valid[:, own_rows, own_cols]
