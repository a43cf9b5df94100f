"""Grids of arrays: where the cells of an xarray object lie."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import SourceError
from zonalbatch.lattice import Grid, grid_of
from zonalbatch.sources.crs import crs_text

__all__ = ["array_grid"]

TOLERANCE = 1e-4
"""Coordinates are regular if no step differs from the mean by more than this share of it."""


def array_grid(cube: Any, name: str) -> Grid:
    """The grid of an array (…, y, x) with a CRS.

    Args:
        cube: its last two dimensions are rows and columns.
        name: of the array, for errors.

    Raises:
        SourceError: it has no transform, or irregular coordinates.
    """
    transform = tuple(_transform(cube, name))[:6]
    return grid_of(crs_text(cube.rio.crs), transform, cube.shape[-2:], name=f"array {name!r}")


def _transform(cube: Any, name: str) -> Any:
    """The affine of a cube: the stored one if the coordinates agree, else theirs.

    A sliced array keeps the attribute of the whole, so the coordinates have the last word; but
    where both agree the stored one is exact and theirs is rounded. Coordinates are of centres,
    unless the array's attribute tells that they are of corners, as stackstac's are by default.
    """
    stored = _affine(cube, name, recalc=False)
    y, x = cube.dims[-2:]
    if x not in cube.coords or y not in cube.coords:
        return stored
    xs, ys = cube[x].values, cube[y].values
    _check_regular(xs, x, name)
    _check_regular(ys, y, name)
    if (corners := _of_corners(cube, xs, ys)) is not None:
        return corners
    return stored if _agrees(stored, xs, ys) else _affine(cube, name, recalc=True)


def _of_corners(cube: Any, xs: NDArray[Any], ys: NDArray[Any]) -> Any:
    """The affine of a cube whose attribute tells that its coordinates are of corners, else None.

    rioxarray takes coordinates for centres, and asks the attribute only where there are none.
    """
    told = cube.attrs.get("transform")
    if told is None or len(told) < 6:
        return None
    a, b, c, d, e, f = (float(number) for number in tuple(told)[:6])
    if b or d or not a or not e:
        return None
    first = round((float(xs[0]) - c) / a), round((float(ys[0]) - f) / e)
    corners = (a, b, c + a * first[0], d, e, f + e * first[1])
    return corners if _agrees(corners, xs + a / 2, ys + e / 2) else None


def _affine(cube: Any, name: str, *, recalc: bool) -> Any:
    from rioxarray.exceptions import RioXarrayError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of affine 3, about how rasterio multiplies
            return cube.rio.transform(recalc=recalc)
    except RioXarrayError as error:
        raise SourceError(
            f"array {name!r} has no grid ({error}); write it (data.rio.write_transform)"
        ) from error


def _agrees(affine: Any, xs: NDArray[Any], ys: NDArray[Any]) -> bool:
    a, _, c, _, e, f = tuple(affine)[:6]
    ends = (0, -1)
    wanted_x = [c + a * (i % len(xs) + 0.5) for i in ends]
    wanted_y = [f + e * (i % len(ys) + 0.5) for i in ends]
    near_x = np.allclose(wanted_x, xs[list(ends)], rtol=0, atol=1e-6 * abs(a))
    return near_x and np.allclose(wanted_y, ys[list(ends)], rtol=0, atol=1e-6 * abs(e))


def _check_regular(values: NDArray[Any], dim: Hashable, name: str) -> None:
    steps = np.diff(values.astype(np.float64))
    mean = steps.mean() if len(steps) else 1.0
    if len(steps) and (mean == 0 or np.abs(steps - mean).max() > TOLERANCE * abs(mean)):
        raise SourceError(
            f"array {name!r} has irregular coordinates along {dim} (steps {steps.min()} to "
            f"{steps.max()}); interpolate it to a regular grid first"
        )
