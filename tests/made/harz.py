"""Harz: made elevation about the Brocken, in two tiles that a real STAC API tells of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.made.apis import light_api
from tests.made.datasets import data_set, tile

__all__ = ["TOP", "offered_harz"]

TOP = 1141.0
"""Of the Brocken, metres."""
BROCKEN = (10.617, 51.799)
STEP, SIDE = 0.001, 500
"""Degrees of a cell; cells of a tile."""


@contextmanager
def offered_harz(folder: Path) -> Iterator[str]:
    """The name of a data set whose variable is ``height``."""
    items = [_tile(folder, name, west) for name, west in (("west", 10.1), ("east", 10.6))]
    with light_api(folder, items) as url:
        place = {"kind": "stac", "api": url, "collections": ["dem"], "trusted": True}
        yield data_set(folder, place)


def _tile(folder: Path, name: str, west: float) -> dict[str, Any]:
    lon, lat = west + STEP * (np.arange(SIDE) + 0.5), 52.0 - STEP * (np.arange(SIDE) + 0.5)
    heights = _height(*np.meshgrid(lon, lat))
    return tile(folder, name, heights.astype("float32"), west, 52.0, STEP, tiled=True)


def _height(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """A plain, a plateau that rises from it, a dome, and valleys that lead away from its top."""
    east, north = (lon - BROCKEN[0]) * 69, (lat - BROCKEN[1]) * 111.3  # km
    away, angle = np.hypot(east, north), np.arctan2(north, east)
    plateau = 380 / (1 + np.exp((np.hypot(east / 22, (north + 6) / 13) - 1) * 9))
    dome = (TOP - 180 - 380) * np.exp(-away / 6)
    valleys = 0.5 + 0.5 * np.cos(9 * angle + 1.2 * np.sin(away / 2) + away / 9)
    depth = np.minimum(away / 5, 1) * (60 + plateau / 4)
    return np.round(180 + plateau + dome - depth * valleys**2, 1)
