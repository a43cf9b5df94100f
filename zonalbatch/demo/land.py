"""Land: where the demo lies, and how large it is."""

from __future__ import annotations

import math

import shapely
from shapely.geometry.base import BaseGeometry

__all__ = ["CELL", "CRS", "LEFT", "TOP", "extent_of", "side_of"]

CRS = "EPSG:32631"
LEFT, TOP = 548_160.0, 5_632_000.0
"""North-western corner, metres."""
CELL = 10.0
"""Side of a cell of B04 and B08, metres; SCL has cells of twice that."""
HECTARES_PER_FIELD = 6.4
"""Land for each field asked for, with its share of roads, river, forest and village."""


def side_of(fields: int) -> int:
    """Cells along one side of the scenes; even, so that 20 m cells nest in it."""
    cells = math.sqrt(fields * HECTARES_PER_FIELD * 10_000) / CELL
    return max(64, 2 * round(cells / 2))


def extent_of(side: int) -> BaseGeometry:
    """The square that the scenes cover."""
    return shapely.box(LEFT, TOP - side * CELL, LEFT + side * CELL, TOP)
