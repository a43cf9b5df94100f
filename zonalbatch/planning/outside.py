"""Outside: what is said of zones that take no cell of any raster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.lattice import crs_label
from zonalbatch.layers import Layer
from zonalbatch.planning.plan import Plan
from zonalbatch.planning.reach import Reach

__all__ = ["outside", "with_outside"]

SIDES = ("left", "bottom", "right", "top")


def with_outside(plan: Plan) -> Plan:
    """The plan with a note that no zone takes a cell of any raster, once, and where both lie."""
    table = pq.read_table((plan.folder / "zones.parquet").source(), columns=list(SIDES))
    bounds = np.column_stack([table[side].to_numpy() for side in SIDES])
    told = outside(bounds, plan.layers, plan.crs)
    return plan if told in plan.notes else replace(plan, notes=(*plan.notes, told))


def outside(bounds: NDArray[np.float64], layers: Sequence[Layer], crs: str) -> str:
    """The sentence that no zone takes a cell of any raster, and where both lie.

    Args:
        bounds: (zone, 4) left, bottom, right, top, NaN where a zone is empty.
        layers: the rasters.
        crs: of the zones, in which both are told.
    """
    zones = _extent(bounds)
    scenes = [scene for layer in layers for scene in layer.scenes]
    rasters = _extent(Reach.of(scenes, crs).boxes)
    if zones is None:
        return "every zone is empty, and so is every row"
    place = f"in {crs_label(crs)} zones span {zones}"
    told = f"no zone takes a cell of any raster, and every row is empty: {place}"
    return told if rasters is None else f"{told}, rasters {rasters}"


def _extent(boxes: NDArray[np.float64]) -> str | None:
    """What lies around all boxes (left, bottom, right, top) that are finite; None if none is."""
    finite = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(finite):
        return None
    left, bottom = finite[:, :2].min(axis=0)
    right, top = finite[:, 2:].max(axis=0)
    return f"x {left:.8g} to {right:.8g}, y {bottom:.8g} to {top:.8g}"
