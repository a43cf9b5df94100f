"""Pooled: zones put together into square cells, where a page cannot hold each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from zonalbatch.explore.grid import NONE, Grid
from zonalbatch.pages.atlas import Atlas, atlas

if TYPE_CHECKING:
    import geopandas

__all__ = ["Mapped", "mapped"]

PAIRS = 8_000_000
"""Zones × dates that a page holds one by one."""
CELLS = 60_000
"""That a map has, at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mapped:
    """What the map of a page shows."""

    atlas: Atlas
    pooled: bool
    """True if it shows cells in the place of zones."""


def mapped(grid: Grid, name: str, zones: geopandas.GeoDataFrame, carried: pa.Table) -> Mapped:
    """Zones, or cells where there are too many of them."""
    if grid.codes.size <= PAIRS:
        return Mapped(atlas=atlas(grid, name, zones, carried), pooled=False)
    owner, shapes = _cells(zones, max(1, min(CELLS, PAIRS // max(1, len(grid.times)))))
    together = _together(grid, name, owner, shapes["zone_id"].to_numpy())
    made = atlas(together, name, shapes, _counts(owner, shapes))
    note = (
        f"The map shows {len(shapes):,} square cells in the place of {len(grid.zones):,} zones: "
        "the mean of those whose middle lies in each."
    )
    return Mapped(atlas=replace(made, notes=(note, *made.notes)), pooled=True)


def _cells(
    zones: geopandas.GeoDataFrame, most: int
) -> tuple[NDArray[np.int64], geopandas.GeoDataFrame]:
    """The cell of each zone (-1 of one without a place), and the cells."""
    import geopandas

    bounds = shapely.bounds(zones.geometry.to_numpy())
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    there = np.isfinite(middle).all(axis=1)
    low = middle[there].min(axis=0)
    extent = middle[there].max(axis=0) - low
    side = float(np.sqrt(max(extent.prod(), (extent.max() ** 2) / most) / most)) or 1.0
    at = np.floor((middle[there] - low) / side).astype(np.int64)
    cells, owner = np.unique(at, axis=0, return_inverse=True)
    corners = low + cells * side
    boxes = shapely.box(*corners.T, *(corners + side).T)
    whole = np.full(len(zones), -1)
    whole[there] = owner.reshape(-1)
    names = [f"cell {col}, {row}" for col, row in cells.tolist()]
    return whole, geopandas.GeoDataFrame({"zone_id": names}, geometry=boxes, crs=zones.crs)


def _together(grid: Grid, name: str, owner: NDArray[np.int64], names: NDArray[Any]) -> Grid:
    """The grid of cells: means over their zones, date by date."""
    there, cells = owner >= 0, len(names)
    cell, shape = owner[there], (cells, len(grid.times))
    values, seen = np.full(shape, np.nan), np.full(shape, np.nan)
    codes = np.full(shape, NONE, np.int8)
    for time in range(shape[1]):
        values[:, time] = _mean(grid.values[name][there, time], cell, cells)
        seen[:, time] = _mean(grid.seen[there, time], cell, cells)
        lowest = np.full(cells, NONE, np.int8)
        np.minimum.at(lowest, cell, grid.codes[there, time])
        codes[:, time] = lowest
    return Grid(
        zones=names, times=grid.times, values={name: values},
        codes=codes, seen=seen,
    )  # fmt: skip


def _mean(values: NDArray[np.float64], cell: NDArray[np.int64], cells: int) -> NDArray[Any]:
    known = np.isfinite(values)
    total = np.bincount(cell[known], values[known], minlength=cells)
    count = np.bincount(cell[known], minlength=cells)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _counts(owner: NDArray[np.int64], shapes: geopandas.GeoDataFrame) -> pa.Table:
    return pa.table({"zones": np.bincount(owner[owner >= 0], minlength=len(shapes))})
