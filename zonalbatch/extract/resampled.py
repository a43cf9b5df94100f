"""Resampled: cells of one grid made of those of another, in the same CRS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.extract.asked import Resampling
from zonalbatch.extract.frame import Frame

__all__ = ["REACH", "resampled"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]

REACH = 3
"""Cells around a place that ways of resampling look at."""
EDGE = 1e-6
"""Of a cell: a centre so near to the edge of two is taken to lie in the second."""


def resampled(
    values: Array, valid: Mask, at: Frame, to: Frame, how: Resampling
) -> tuple[Array, Mask]:
    """Cells of another grid, and which of them have a value; only valid cells have a part.

    Args:
        values: (row, col) cells.
        valid: which of them count.
        at: where they lie.
        to: where the cells to make lie.
        how: by what rule.
    """
    if how == "nearest":
        return _nearest(values, valid, at, to)
    return _warped(values, valid, at, to, how)


def _nearest(values: Array, valid: Mask, at: Frame, to: Frame) -> tuple[Array, Mask]:
    dx, _, left, _, dy, top = at.transform
    ex, _, west, _, ey, north = to.transform
    height, width = to.window.shape
    rows = np.floor((north + (np.arange(height) + 0.5) * ey - top) / dy + EDGE).astype(np.int64)
    cols = np.floor((west + (np.arange(width) + 0.5) * ex - left) / dx + EDGE).astype(np.int64)
    inside = _within(rows, values.shape[0])[:, None] & _within(cols, values.shape[1])
    places = np.ix_(rows.clip(0, values.shape[0] - 1), cols.clip(0, values.shape[1] - 1))
    return values[places], valid[places] & inside


def _within(places: NDArray[np.int64], size: int) -> Mask:
    return np.asarray((places >= 0) & (places < size))


def _warped(
    values: Array, valid: Mask, at: Frame, to: Frame, how: Resampling
) -> tuple[Array, Mask]:
    """By GDAL's warper, in float64; whole numbers are rounded to the nearest."""
    from rasterio.enums import Resampling as Rule
    from rasterio.warp import reproject

    given = np.where(valid, values.astype(np.float64), np.nan)
    found = np.full(to.window.shape, np.nan)
    # A CRS has to be named. Both grids lie in the same, so that any plane one will do.
    reproject(
        given, found, src_crs="EPSG:3857", dst_crs="EPSG:3857", src_transform=at.transform,
        dst_transform=to.transform, src_nodata=np.nan, dst_nodata=np.nan, resampling=Rule[how],
    )  # fmt: skip
    there = ~np.isnan(found)
    if values.dtype.kind == "f":
        return found.astype(values.dtype), there
    span = np.iinfo(values.dtype)
    return np.where(there, found, 0).round().clip(span.min, span.max).astype(values.dtype), there
