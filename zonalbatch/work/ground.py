"""Ground: what follows from zones and lattices alone, made once for all layers of a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from zonalbatch.cover.areas import zone_areas
from zonalbatch.cover.cells import Covered, Layout
from zonalbatch.cover.figures import AREA, KINDS, cover_figures
from zonalbatch.cover.outlines import shapes_of
from zonalbatch.cover.weighing import area_averaging
from zonalbatch.lattice import Lattice, Window, nesting_factor
from zonalbatch.layers import Layer
from zonalbatch.recipe import Recipe, lattices_of
from zonalbatch.statistics import Waiting
from zonalbatch.work.place import Place, extent_of, place_of, union
from zonalbatch.work.schedule import Pass, Schedule, Sheet, Step, steps_of
from zonalbatch.work.weights import Weights, WeightTiles

__all__ = ["Ground", "Shapes"]


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """The geometries of some zones."""

    wkb: Any
    """(zone,) WKB, pyarrow or object array, or an object array of geometries."""
    crs: str


@dataclass(slots=True, eq=False)
class Ground:
    """What follows from zones and lattices alone, made once and used for every layer."""

    shapes: Shapes
    recipe: Recipe
    cells_at_once: int
    extents: dict[Place, Window]
    layers: Counter[Place]
    """How many layers are measured where."""
    weights: Weights | None
    """Weights of the cells, where the recipe wants them."""
    room: int | None
    """Bytes for cells that wait for functions; None for as many as come."""
    _passes: dict[Place, Pass] = field(default_factory=dict)
    _steps: dict[tuple[Place, ...], tuple[Step, ...]] = field(default_factory=dict)
    _schedules: dict[Any, Schedule] = field(default_factory=dict)
    _areas: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls,
        shapes: Shapes,
        layers: Sequence[Layer],
        recipe: Recipe,
        cells_at_once: int,
        weights: Weights | None = None,
        room: int | None = None,
    ) -> Ground:
        """The ground of some zones under some layers; coverage is found when it is asked for."""
        extents: dict[Place, Window] = {}
        counts = Counter[Place]()
        for layer in layers:
            for lattice in lattices_of(layer, recipe):
                window = extent_of(layer, lattice)
                place = place_of(layer, lattice)
                extents[place] = union(extents.get(place, window), window)
                counts[place] += 1
        return cls(shapes, recipe, cells_at_once, extents, counts, weights, room)

    def passes(self, places: Sequence[Place]) -> tuple[Pass, ...]:
        """The covered cells of some lattices."""
        return tuple(self._pass(place) for place in places)

    def _pass(self, place: Place) -> Pass:
        if place not in self._passes:
            lattice, extent = place.lattice, self.extents[place]
            coverage = cover_figures(
                self.shapes.wkb, self.shapes.crs, lattice, rule=self.recipe.coverage,
                min_fraction=self.recipe.min_fraction, densify=self.recipe.densify,
                west=place.west, extent=extent,
            )  # fmt: skip
            covered = Covered.of(coverage, self.areas, self._averaging(lattice))
            if self.room is not None and any(s.function for s in self.recipe.asked):
                Waiting.of(covered, len(self.recipe.measurements)).check(self.room)
            self._passes[place] = Pass(lattice, covered)
        return self._passes[place]

    def _averaging(self, lattice: Lattice) -> Callable[[Layout], Layout] | None:
        if self.recipe.weight_by != "area":
            return None
        kinds = KINDS[shapely.get_type_id(shapes_of(self.shapes.wkb))]
        return area_averaging(lattice, kinds == AREA)

    def weight_tiles(self, places: Sequence[Place]) -> tuple[WeightTiles, ...]:
        """The tiles of some lattices with their weights, for one layer; none without weights."""
        if self.weights is None:
            return ()
        return tuple(
            self.weights.along(
                place, self._pass(place).covered.layouts, keep=self.layers[place] > 1
            )
            for place in places
        )

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
        key = (sheet.grid, sheet.dilate, block, places)
        if key not in self._schedules:
            usable = [nesting_factor(sheet.grid.lattice, place.lattice) for place in places]
            steps = [s for s in self.steps(places) if usable[s.of] is not None]
            self._schedules[key] = Schedule.of(sheet, block, self.passes(places), steps)
        return self._schedules[key]
