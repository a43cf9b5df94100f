"""Outside: what is said of zones that meet no raster at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.planning.plan import Plan
from zonalbatch.planning.reach import Reach

__all__ = ["with_outside"]

SIDES = ("left", "bottom", "right", "top")


def with_outside(plan: Plan) -> Plan:
    """The plan with a note that no zone meets any raster, once, and where both lie."""
    told = _told(plan)
    return plan if told in plan.notes else replace(plan, notes=(*plan.notes, told))


def _told(plan: Plan) -> str:
    table = pq.read_table(plan.folder / "zones.parquet", columns=list(SIDES))
    zones = _extent(np.column_stack([table[side].to_numpy() for side in SIDES]))
    scenes = [scene for layer in plan.layers for scene in layer.scenes]
    rasters = _extent(Reach.of(scenes, plan.crs).boxes)
    if zones is None:
        return "every zone is empty, and so is every row"
    told = f"no zone meets any raster, and every row is empty: in {plan.crs} zones span {zones}"
    return told if rasters is None else f"{told}, rasters {rasters}"


def _extent(boxes: NDArray[np.float64]) -> str | None:
    """What lies around all boxes (left, bottom, right, top) that are finite; None if none is."""
    finite = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(finite):
        return None
    left, bottom = finite[:, :2].min(axis=0)
    right, top = finite[:, 2:].max(axis=0)
    return f"x {left:.8g} to {right:.8g}, y {bottom:.8g} to {top:.8g}"
