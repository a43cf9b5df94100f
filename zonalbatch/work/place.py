"""Place: where a layer is measured; it follows from the layer alone, whatever others are there."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

from pyproj import CRS

from zonalbatch.lattice import Lattice, Window, nesting_factor
from zonalbatch.layers import Asset, Layer, Scene
from zonalbatch.work.schedule import nesting

__all__ = ["Place", "extent_of", "extent_of_scene", "place_of", "union"]


class Place(NamedTuple):
    """A measuring lattice, and where its zones are cut if it leaves −180..180 degrees."""

    lattice: Lattice
    west: float | None
    """Westernmost longitude of a layer on a grid such as 0..360; None on all others."""


def _window_on(asset: Asset, lattice: Lattice) -> Window | None:
    """The cells of ``lattice`` in an asset's extent, or None if the grids do not nest."""
    if nesting_factor(asset.grid.lattice, lattice) is None:
        return None
    factor, row, col = nesting(asset.grid.lattice, lattice)
    w = asset.grid.window
    return Window(w.top * factor, w.left * factor, w.bottom * factor, w.right * factor).shift(
        row, col
    )


def union(a: Window, b: Window) -> Window:
    """The least window that holds both."""
    return Window(
        min(a.top, b.top), min(a.left, b.left), max(a.bottom, b.bottom), max(a.right, b.right)
    )


def place_of(layer: Layer, lattice: Lattice) -> Place:
    """Where a layer is measured; it follows from that layer alone, whatever others are there."""
    left, _, right, _ = lattice.bounds(extent_of(layer, lattice))
    leaves = left < -180 - lattice.dx or right > 180 + lattice.dx
    turns = leaves and CRS.from_user_input(lattice.crs).is_geographic
    return Place(lattice, left if turns else None)


def extent_of(layer: Layer, lattice: Lattice) -> Window:
    """The cells of ``lattice`` in the files of a layer whose grids nest with it."""
    return reduce(union, [extent_of_scene(scene, lattice) for scene in layer.scenes])


def extent_of_scene(scene: Scene, lattice: Lattice) -> Window:
    """The cells of ``lattice`` in the files of a scene whose grids nest with it."""
    windows = [_window_on(asset, lattice) for asset in scene.assets.values()]
    return reduce(union, [window for window in windows if window is not None])
