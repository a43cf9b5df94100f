"""Ground: what follows from zones and lattices alone, made once for all layers of a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.cover.areas import zone_areas
from zonalbatch.cover.cells import Covered
from zonalbatch.cover.figures import cover_figures
from zonalbatch.cover.outlines import shapes_of
from zonalbatch.lattice import Lattice, Window, nesting_factor
from zonalbatch.layers import Asset, Layer
from zonalbatch.recipe import Recipe, lattices_of
from zonalbatch.work.schedule import Pass, Schedule, Sheet, Step, nesting, steps_of

__all__ = ["Ground", "Place", "Shapes", "extent_of", "place_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """The geometries of some zones."""

    wkb: Any
    """(zone,) WKB, pyarrow or object array, or an object array of geometries."""
    crs: str


class Place(NamedTuple):
    """A measuring lattice, and where its zones are cut if it leaves −180..180 degrees."""

    lattice: Lattice
    west: float | None
    """Westernmost longitude of a layer on a grid such as 0..360; None on all others."""


@dataclass(slots=True, eq=False)
class Ground:
    """What follows from zones and lattices alone, made once and used for every layer."""

    shapes: Shapes
    recipe: Recipe
    cells_at_once: int
    extents: dict[Place, Window]
    _passes: dict[Place, Pass] = field(default_factory=dict)
    _steps: dict[tuple[Place, ...], tuple[Step, ...]] = field(default_factory=dict)
    _schedules: dict[Any, Schedule] = field(default_factory=dict)
    _areas: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls, shapes: Shapes, layers: Sequence[Layer], recipe: Recipe, cells_at_once: int
    ) -> Ground:
        """The ground of some zones under some layers; coverage is found when it is asked for."""
        extents: dict[Place, Window] = {}
        for layer in layers:
            for lattice in lattices_of(layer, recipe):
                window = extent_of(layer, lattice)
                place = place_of(layer, lattice)
                extents[place] = _union(extents.get(place, window), window)
        return cls(shapes, recipe, cells_at_once, extents)

    def passes(self, places: Sequence[Place]) -> tuple[Pass, ...]:
        """The covered cells of some lattices."""
        return tuple(self._pass(place) for place in places)

    def _pass(self, place: Place) -> Pass:
        if place not in self._passes:
            lattice, extent = place.lattice, self.extents[place]
            coverage = cover_figures(
                self.shapes.wkb, self.shapes.crs, lattice, rule=self.recipe.coverage,
                densify=self.recipe.densify, west=place.west, extent=extent,
            )  # fmt: skip
            self._passes[place] = Pass(lattice, Covered.of(coverage, self.areas))
        return self._passes[place]

    def areas(self) -> NDArray[np.float64]:
        """(zone,) geodesic areas of the zones, m²; worked out once."""
        if self._areas is None:
            self._areas = zone_areas(shapes_of(self.shapes.wkb), self.shapes.crs)
        return self._areas

    def steps(self, places: tuple[Place, ...]) -> tuple[Step, ...]:
        """In which order the tiles of some lattices are visited."""
        if places not in self._steps:
            self._steps[places] = steps_of(self.passes(places), self.cells_at_once)
        return self._steps[places]

    def schedule(self, sheet: Sheet, block: tuple[int, int], places: tuple[Place, ...]) -> Schedule:
        """When the blocks of a sheet are needed; the same for all sheets of the same grid."""
        key = (sheet.grid, block, places)
        if key not in self._schedules:
            usable = [nesting_factor(sheet.grid.lattice, place.lattice) for place in places]
            steps = [s for s in self.steps(places) if usable[s.of] is not None]
            self._schedules[key] = Schedule.of(sheet.grid, block, self.passes(places), steps)
        return self._schedules[key]


def _window_on(asset: Asset, lattice: Lattice) -> Window | None:
    """The cells of ``lattice`` in an asset's extent, or None if the grids do not nest."""
    if nesting_factor(asset.grid.lattice, lattice) is None:
        return None
    factor, row, col = nesting(asset.grid.lattice, lattice)
    w = asset.grid.window
    return Window(w.top * factor, w.left * factor, w.bottom * factor, w.right * factor).shift(
        row, col
    )


def _union(a: Window, b: Window) -> Window:
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
    windows = [_window_on(asset, lattice) for asset in layer.assets.values()]
    return reduce(_union, [window for window in windows if window is not None])
