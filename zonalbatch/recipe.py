"""Recipe: how numbers are made, and on which lattices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from zonalbatch.breakdown import Breakdown
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.errors import SourceError, StatisticError
from zonalbatch.lattice import TILE, Grid, Lattice, nesting_factor
from zonalbatch.layers import Asset, Layer, Layers, Scene
from zonalbatch.masks.dilation import reach
from zonalbatch.measure import Measurement
from zonalbatch.statistics import (
    KEPT,
    OfCells,
    QuantileMethod,
    Statistic,
    broken_down,
    parse_statistics,
    ranked,
    states_behind,
    states_needed,
)

__all__ = [
    "AT_POINTS", "LISTS", "Recipe", "WeightBy", "cell_area", "check_layers", "check_weighing",
    "lattices_of", "looked_up", "pieces_of", "wanted",
]  # fmt: skip

AT_POINTS: dict[str, CoverageRule] = {"nearest": "fraction", "bilinear": "bilinear"}
"""How the value at a point is found, and which cells it is found from."""
FARTHEST = 1024
"""Cells by which a mask may grow."""
LISTS = Breakdown()
"""No classes or bins are given: what is told by them is a list."""
WeightBy = Literal["fraction", "area"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How numbers are made: all that a result depends on beside zones and layers."""

    measurements: tuple[Measurement, ...]
    statistics: tuple[str | OfCells, ...]
    """Names of the vocabulary, and functions."""
    coverage: CoverageRule = "fraction"
    min_fraction: float = 0.0
    """Cells of which an area covers less than this share are left out."""
    min_clear: float = 0.0
    """Rows of a smaller ``clear_fraction`` have no statistics."""
    densify: Literal["auto", "none"] = "auto"
    weights: Asset | None = None
    """The band whose values weigh the cells of ``weighted_*``, whatever the layer."""
    weight_by: WeightBy = "fraction"
    """How averages weigh cells: by the share that is covered, or by its area on the ground."""
    quantile_method: QuantileMethod = "linear"
    """Where quantiles lie among the values."""
    sketch: bool = False
    """True if rows keep the states that their numbers are made from, so that they can be rolled
    up."""
    kept: tuple[str, ...] = ()
    """States that rows keep for reductions over time, beside those of ``sketch``."""
    breakdown: Breakdown = LISTS
    """The classes and bins that statistics are told by."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of all bands that are read."""
        return tuple(dict.fromkeys(b for m in self.measurements for b in m.bands))

    @property
    def dilations(self) -> dict[str, float]:
        """Band -> metres by which the masks grow that are told by it; the largest of several."""
        found: dict[str, float] = {}
        for mask in (mask for m in self.measurements for mask in m.masks):
            found[mask.band] = max(mask.dilate, found.get(mask.band, 0.0))
        return found

    @property
    def told(self) -> tuple[Statistic, ...]:
        """The statistics of each measurement, in the order of their columns.

        Raises:
            StatisticError: no statistic is told by the classes or bins that are given.
        """
        named = ranked(parse_statistics(self.statistics), self.quantile_method)
        return broken_down(named, self.breakdown)

    @property
    def states(self) -> tuple[str, ...]:
        """The states that rows keep."""
        sketched = states_needed(self.told) if self.sketch else ()
        return tuple(name for name in KEPT if name in (*sketched, *self.kept))

    @property
    def asked(self) -> tuple[Statistic, ...]:
        """All columns of each measurement: what is told, and then the states.

        Raises:
            StatisticError: no statistic is told by the classes or bins that are given.
        """
        return self.told + self.behind

    @property
    def behind(self) -> tuple[Statistic, ...]:
        """The states as columns."""
        return states_behind(self.states)

    @property
    def capped(self) -> bool:
        """True if a number may be approximate, so that rows say whether it is."""
        return any(s.capped for s in self.asked)


def check_weighing(statistics: Iterable[Statistic], weights: object) -> None:
    """Refuse weighted statistics without weights, and weights that no statistic uses.

    Raises:
        StatisticError: one was asked for without the other.
    """
    wanting = [s.name for s in statistics if s.weighted]
    if wanting and weights is None:
        raise StatisticError(f"{wanting[0]!r} needs weights; give a raster of them (weights)")
    if weights is not None and not wanting:
        raise StatisticError(
            "weights are given, but no statistic uses them; ask for weighted_mean, weighted_sum, "
            "weighted_std, weighted_variance or weighted_frac, or leave the weights out"
        )


def looked_up(recipe: Recipe, found: Layers) -> Recipe:
    """A recipe with masks in which a source's names are raw values and bits.

    Raises:
        SourceError: the source does not say what a name means.
    """
    measurements = (replace(m, masks=found.looked_up(m.masks)) for m in recipe.measurements)
    return replace(recipe, measurements=tuple(measurements))


def check_layers(layers: Iterable[Layer], recipe: Recipe) -> None:
    """See that what is asked for can be told of some layers.

    Raises:
        SourceError: the grids of a scene's bands do not nest.
        StatisticError: cells are to be numbered, but a layer is no single raster.
    """
    numbered = "cell_id" in recipe.statistics
    for layer in layers:
        pieces_of(layer, recipe)
        if numbered and len(layer.scenes) > 1:
            raise StatisticError(
                f"cell_id numbers the cells of one raster, but layer {layer.id!r} is made of "
                f"{len(layer.scenes)} scenes; use center_x and center_y, or group_by: item"
            )


def wanted(layer: Layer, recipe: Recipe) -> Layer:
    """A layer with the bands that are read; with all if it lacks those, which say where it lies."""

    def some(scene: Scene) -> Scene:
        assets = {name: scene.assets[name] for name in recipe.bands if name in scene.assets}
        return replace(scene, assets=assets) if assets else scene

    return layer.each(some)


def pieces_of(layer: Layer, recipe: Recipe) -> tuple[Layer, ...]:
    """A layer cut by the lattices that its scenes are measured on, each piece in their order.

    Raises:
        SourceError: the grids of a scene's bands do not nest.
    """
    found: dict[tuple[object, ...], list[Scene]] = {}
    for scene in layer.scenes:
        lattices = _lattices(layer.id, scene, recipe)
        key = tuple((lattice, *(m.name for m in some)) for lattice, some in lattices.items())
        found.setdefault(key, []).append(scene)
    if len(found) == 1:
        return (layer,)
    return tuple(replace(layer, scenes=tuple(scenes)) for scenes in found.values())


def lattices_of(piece: Layer, recipe: Recipe) -> dict[Lattice, list[Measurement]]:
    """The measurements of a piece by the lattice they are made on: the finest of their bands.

    Raises:
        SourceError: the grids of the bands do not nest.
    """
    return _lattices(piece.id, piece.scenes[0], recipe)


def _lattices(layer: str, scene: Scene, recipe: Recipe) -> dict[Lattice, list[Measurement]]:
    found: dict[Lattice, list[Measurement]] = {}
    for measurement in recipe.measurements:
        assets = {b: scene.assets[b] for b in measurement.bands if b in scene.assets}
        assets = assets or dict(scene.assets)
        finest = min(assets.values(), key=cell_area).grid.lattice
        for band, asset in assets.items():
            if nesting_factor(asset.grid.lattice, finest) is None:
                raise SourceError(_do_not_nest(layer, measurement, band, asset, finest))
        _check_weights(layer, finest, recipe)
        _check_reach(layer, min(assets.values(), key=cell_area).grid, measurement)
        found.setdefault(finest, []).append(measurement)
    return found


def _check_reach(layer: str, grid: Grid, measurement: Measurement) -> None:
    """Refuse masks that would grow by so many cells that it must be a mistake of units."""
    for mask in measurement.masks:
        rows = {grid.window.top // TILE, (grid.window.bottom - 1) // TILE}
        cells = max(max(reach(grid.lattice, mask.dilate, row)) for row in rows)
        if cells > FARTHEST:
            raise SourceError(
                f"the mask by {mask.band!r} grows by {mask.dilate:g} m, {cells:,} cells of layer "
                f"{layer!r}; at most {FARTHEST:,} are taken, so give fewer metres"
            )


def _check_weights(layer: str, lattice: Lattice, recipe: Recipe) -> None:
    """Refuse weights in another CRS: to warp them is a choice that changes numbers."""
    if recipe.weights is None or recipe.weights.grid.lattice.crs == lattice.crs:
        return
    from zonalbatch.sources.secrets import shown  # in a package that knows recipes

    here, name = lattice.crs if len(lattice.crs) < 40 else "CRS.wkt", shown(recipe.weights.href)
    raise SourceError(
        f"the weights {name} are in {_short(recipe.weights.grid.lattice)}, but "
        f"layer {layer!r} is in {_short(lattice)}; bring them there first: gdalwarp -t_srs "
        f"{here} -tr {lattice.dx:g} {lattice.dy:g} -r average {name} weights.tif"
    )


def _short(lattice: Lattice) -> str:
    return lattice.crs if len(lattice.crs) < 40 else "a CRS without a code"


def cell_area(asset: Asset) -> float:
    """Area of a cell of an asset, square units of its CRS."""
    return asset.grid.lattice.dx * asset.grid.lattice.dy


def _do_not_nest(
    layer: str, measurement: Measurement, band: str, asset: Asset, finest: Lattice
) -> str:
    coarse = asset.grid.lattice
    return (
        f"measurement {measurement.name!r} of layer {layer!r} needs band {band!r} with cells of "
        f"{coarse.dx:g} × {coarse.dy:g} on cells of {finest.dx:g} × {finest.dy:g} ({finest.crs}), "
        "which do not nest; bring the bands to one grid first, with gdalwarp -tap -tr and a "
        "resampling you choose (-r near, bilinear, cubic, average, mode)"
    )
