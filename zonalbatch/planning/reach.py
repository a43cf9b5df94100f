"""Reach: which scenes the zones of a cell may meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from zonalbatch.lattice import Window
from zonalbatch.layers import Scene

__all__ = ["Reach"]

Box: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right, top."""


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Where scenes lie in the zones' CRS, to leave out those that no zone of a cell can meet."""

    boxes: NDArray[np.float64]
    """(scene, 4) left, bottom, right, top, a little too large rather than too small."""
    crs: str

    @classmethod
    def of(cls, scenes: Sequence[Scene], crs: str, cells: int = 0) -> Reach:
        """The boxes of some scenes in the CRS of the zones, grown by some cells of each."""
        seen: dict[tuple[str, Box], Box] = {}
        boxes = []
        for scene in scenes:
            parts = []
            for asset in scene.assets.values():
                lattice = asset.grid.lattice
                key = (lattice.crs, lattice.bounds(_grown(asset.grid.window, cells)))
                if key not in seen:
                    seen[key] = _box_in(crs, *key)
                parts.append(seen[key])
            box = np.array(parts)
            boxes.append([*box[:, :2].min(axis=0), *box[:, 2:].max(axis=0)])
        return cls(np.array(boxes), crs)

    def shares(self, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        """(scene,) share of a scene's box within the bounds of some zones; 0 if they miss it."""
        some = bounds[np.isfinite(bounds).all(axis=1)]
        if not len(some):
            return np.zeros(len(self.boxes))
        low, high = some[:, :2].min(axis=0), some[:, 2:].max(axis=0)
        sides = np.minimum(self.boxes[:, 2:], high) - np.maximum(self.boxes[:, :2], low)
        meets = (sides >= 0).all(axis=1)
        area = np.prod(np.maximum(sides, 0), axis=1)
        whole = np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return np.where(meets, np.clip(area / whole, 1e-9, 1.0), 0.0)


def _grown(window: Window, cells: int) -> Window:
    return Window(
        window.top - cells, window.left - cells, window.bottom + cells, window.right + cells
    )


def _box_in(crs: str, own: str, bounds: Box) -> Box:
    """Bounds of a box in another CRS, with a margin for curved sides; all of it if in doubt."""
    if crs == own:
        return bounds
    transformer = Transformer.from_crs(own, crs, always_xy=True)
    left, bottom, right, top = transformer.transform_bounds(*bounds, densify_pts=21)
    box = np.array([left, bottom, right, top])
    turned = transformer.target_crs is not None and transformer.target_crs.is_geographic
    if not np.isfinite(box).all() or right < left or (turned and (left < -180 or right > 180)):
        return (-math.inf, bottom if math.isfinite(bottom) else -math.inf, math.inf,
                top if math.isfinite(top) else math.inf)  # fmt: skip
    margin = 0.01 * max(right - left, top - bottom)
    return left - margin, bottom - margin, right + margin, top + margin
