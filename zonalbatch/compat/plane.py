"""Plane: rasters without a CRS, which lie in the same plane as their zones, that is all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import ReadError, SourceError
from zonalbatch.lattice import grid_of
from zonalbatch.sources import Header, Pixels, open_pixels
from zonalbatch.sources.access import Access, access_given

__all__ = ["PLANE", "MatrixPixels", "open_file", "trusting"]

PLANE = (
    'ENGCRS["plane",EDATUM["plane"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],'
    'LENGTHUNIT["metre",1]]'
)
"""The CRS of what has none."""


def trusting() -> Access:
    """How files are read that are named in a call of another tool's interface; for that call."""
    return access_given(None, trusted=True)


def open_file(path: str) -> tuple[str, Pixels]:
    """A file and its pixels; one without a CRS is seen through a VRT in the plane.

    As in the tools themselves, whoever names a file trusts it.

    Raises:
        OSError: it cannot be read, either way.
    """
    causes = []
    for name in (path, f"vrt://{path}?a_srs={PLANE}"):
        pixels = open_pixels(name, access=trusting())
        try:
            _ = pixels.header
        except (SourceError, ReadError) as error:
            causes.append(error)
        else:
            return name, pixels
    raise OSError(str(causes[0])) from causes[0]


class MatrixPixels:
    """A NumPy array of two axes as an open raster in the plane."""

    def __init__(self, values: NDArray[Any], affine: Sequence[float]) -> None:
        """What it is.

        Args:
            values: (row, col) values.
            affine: (a, b, c, d, e, f), and perhaps more, of the array.

        Raises:
            ValueError: it has other axes, or holds no numbers.
        """
        if values.ndim != 2:
            raise ValueError(f"an array of shape {values.shape} is no raster; give one of two axes")
        if values.dtype.kind not in "iufb" or values.dtype.itemsize > 8:
            raise ValueError(f"an array of {values.dtype} is no raster; give real numbers")
        self._values = values
        self.header = Header(
            grid=grid_of(PLANE, tuple(affine)[:6], values.shape, name="the array"),
            dtypes=(str(values.dtype),), nodata=(None,), scales=(1.0,), offsets=(0.0,),
            descriptions=(None,), block=values.shape, masked=False, version="",
        )  # fmt: skip

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Values, shape (1, row, col), of a half-open (top, left, bottom, right) window."""
        top, left, bottom, right = window
        return self._values[None, top:bottom, left:right]

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """All valid: it has no mask."""
        top, left, bottom, right = window
        return np.ones((bottom - top, right - left), dtype=bool)

    def close(self) -> None:
        """Nothing to let go of."""
