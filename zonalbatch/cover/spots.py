"""Spots: the cells that points take, each its own or, for a bilinear value, four."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.cover.coverage import Coverage
from zonalbatch.cover.domain import come_back, moved
from zonalbatch.cover.visits import Visits, coverage_of, in_cells
from zonalbatch.lattice import Lattice, Window
from zonalbatch.projections import transformer

__all__ = ["Spots", "cover_points", "spots"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Points in one CRS."""

    zone: Ints
    """(point,) index of the zone that the point belongs to, ascending."""
    xy: Floats
    """(point, 2) units of the CRS."""


def spots(shapes: Objects, crs: str, lattice_crs: str, *, west: float | None = None) -> Spots:
    """The points of zones in the CRS of a lattice.

    A point that the projection does not show is left out.

    Args:
        shapes: (zone,) points and multipoints; null and empty ones give none.
        crs: CRS of the points.
        lattice_crs: CRS of the lattice.
        west: westernmost longitude of a grid beyond -180..180.
    """
    xy, zone = shapely.get_coordinates(shapes, return_index=True)
    source, target = CRS.from_user_input(crs), CRS.from_user_input(lattice_crs)
    if crs != lattice_crs and not source.equals(target, ignore_axis_order=True):
        xy = _projected(xy, source, target)
    shown = np.isfinite(xy).all(axis=1)
    xy, zone = xy[shown], zone[shown]
    if target.is_geographic:
        west = -180.0 if west is None else west
        outside = (xy[:, 0] < west) | (xy[:, 0] >= west + 360)
        xy[outside, 0] = (xy[outside, 0] - west) % 360 + west
    return Spots(zone, xy)


def _projected(xy: Floats, source: CRS, target: CRS) -> Floats:
    """Places in another CRS; NaN where one does not come back, as beyond a horizon."""
    change = transformer(source, target)
    there = moved(change, xy)
    there[~come_back(change, source, xy, there)] = np.nan
    return there


def cover_points(
    points: Spots,
    lattice: Lattice,
    n_zones: int,
    *,
    bilinear: bool = False,
    extent: Window | None = None,
    once: bool = False,
) -> Coverage:
    """The cells that each zone's points take; a cell weighs as much as it has points.

    A point on an edge of cells belongs to the cell on its right and below. Of a bilinear value the
    cells are the four whose centres are around the point, with the usual weights; those of weight
    0 are left out.

    Args:
        points: the points in the lattice's CRS.
        lattice: where the cells lie.
        n_zones: how many zones there are; some may have no point.
        bilinear: True takes the four cells around each point.
        extent: fold tiles outside of this window are left out (but for the zones' totals).
        once: True gives every cell the weight 1 (``all_touched``).
    """
    at = in_cells(points.xy, lattice)
    if bilinear and extent is not None:  # where the heaviest cell is must be known to the end
        extent = Window(extent.top - 1, extent.left - 1, extent.bottom + 1, extent.right + 1)
    visits = _around(points.zone, at - 0.5) if bilinear else _inside(points.zone, at)
    return coverage_of(visits, lattice, n_zones, extent=extent, once=once)


def _inside(zone: Ints, at: Floats) -> Visits:
    """The cell that each point lies in."""
    col, row = np.floor(at).astype(np.int64).T
    return Visits(zone, row, col, np.ones(len(zone)))


def _around(zone: Ints, at: Floats) -> Visits:
    """The four cells around each point, given in cells from the centre of the first."""
    first = np.floor(at)
    right, below = (at - first).T
    col, row = first.astype(np.int64).T
    weights = [(1 - right) * (1 - below), right * (1 - below), (1 - right) * below, right * below]
    weight = np.stack(weights, axis=1)
    some = weight > 0
    rows = np.stack([row, row, row + 1, row + 1], axis=1)[some]
    cols = np.stack([col, col + 1, col, col + 1], axis=1)[some]
    return Visits(np.repeat(zone, 4).reshape(-1, 4)[some], rows, cols, weight[some])
