"""Fit: whether weights lie on the cells of the values, or on parts or groups of these."""

from __future__ import annotations

from zonalbatch.compat.exactextract.raster import RasterSource

__all__ = ["check_fit"]


def check_fit(values: RasterSource, weights: RasterSource, tolerance: float) -> None:
    """Refuse weights whose cells neither are, nor divide, nor group those of the values.

    Args:
        values: one raster.
        weights: the other.
        tolerance: how far sides may be off each other, in the smaller of both cells.

    Raises:
        RuntimeError: they do not fit.
    """
    (x, _, _, y), (left, _, _, top) = values.extent(), weights.extent()
    for axis, shift in ((0, left - x), (1, y - top)):
        sizes = values.res()[axis], weights.res()[axis]
        small, ratio = min(sizes), max(sizes) / min(sizes)
        if abs(ratio - round(ratio)) > tolerance:
            raise RuntimeError(f"Incompatible resolutions: {sizes[0]} and {sizes[1]}")
        if abs(shift / small - round(shift / small)) > tolerance:
            raise RuntimeError(
                f"Incompatible extents: values and weights are {shift} off each other along "
                f"{'xy'[axis]}, cells are {small}"
            )
