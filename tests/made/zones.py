"""Zones: squares in rows, windows of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from tests.made.places import CELL, CRS, LEFT, TOP

CROPS = ("wheat", "maize", "grass")


def frame(
    *shapes: shapely.Geometry | None, crs: Any = CRS, **columns: Any
) -> geopandas.GeoDataFrame:
    """A GeoDataFrame of some shapes."""
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def wkb(shapes: Sequence[shapely.Geometry | None]) -> NDArray[np.object_]:
    """Shapes as workers are given them; None stays None."""
    return np.asarray(shapely.to_wkb(np.array(shapes, dtype=object)))


def cells(row: int, col: int, rows: int, cols: int, shift: float = 0.0) -> shapely.Polygon:
    """The cells of a window as a shape, moved by a share of a cell to the east."""
    left, top = LEFT + CELL * (col + shift), TOP - CELL * row
    return shapely.box(left, top - CELL * rows, left + CELL * cols, top)


WINDOWS = (np.s_[20:25, 30:36], np.s_[0:4, 0:4], np.s_[10:11, 5:6])
"""(row, col) cells of the zones that ``three`` makes, in their order."""


def three() -> geopandas.GeoDataFrame:
    """Three zones on edges of cells, with an index in an order of its own."""
    shapes = [
        cells(row.start, col.start, row.stop - row.start, col.stop - col.start)
        for row, col in WINDOWS
    ]
    found = frame(*shapes, name=["c", "a", "b"], weight=[1.5, 2.5, 3.5])
    return found.set_axis(pd.Index([30, 10, 20], name="number"))


def squares(
    count: int, *, left: float = LEFT, top: float = TOP, side: float = 100.0
) -> geopandas.GeoDataFrame:
    """count × count squares with gaps between them, numbered row by row from 0.

    Args:
        count: squares in a row, and rows.
        left: x of the upper left corner of them all, metres.
        top: y of that corner.
        side: of a square with the gap around it, metres.
    """
    return squares_within((left, top - count * side, left + count * side, top), count)


def squares_within(
    bounds: tuple[float, float, float, float], count: int, crs: Any = CRS
) -> geopandas.GeoDataFrame:
    """count × count boxes that fill bounds, a tenth of each left free on every side.

    They have a number, ``id``, and a ``crop``.
    """
    left, bottom, right, top = bounds
    width, height = (right - left) / count, (top - bottom) / count
    row, col = np.divmod(np.arange(count**2), count)
    shapes = shapely.box(
        left + (col + 0.1) * width, top - (row + 0.9) * height,
        left + (col + 0.9) * width, top - (row + 0.1) * height,
    )  # fmt: skip
    crops = [CROPS[i % len(CROPS)] for i in range(count**2)]
    return frame(*shapes, crs=crs, id=np.arange(count**2), crop=crops)
