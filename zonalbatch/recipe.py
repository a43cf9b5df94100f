"""Recipe: how numbers are made, and on which lattices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from zonalbatch.breakdown import Breakdown
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.errors import SourceError
from zonalbatch.lattice import Lattice, nesting_factor
from zonalbatch.layers import Asset, Layer
from zonalbatch.measure import Measurement
from zonalbatch.statistics import Statistic, broken_down, parse_statistics

__all__ = ["LISTS", "Recipe", "cell_area", "lattices_of", "wanted"]

LISTS = Breakdown()
"""No classes or bins are given: what is told by them is a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How numbers are made: all that a result depends on beside zones and layers."""

    measurements: tuple[Measurement, ...]
    statistics: tuple[str, ...]
    coverage: CoverageRule = "fraction"
    densify: Literal["auto", "none"] = "auto"
    breakdown: Breakdown = LISTS
    """The classes and bins that statistics are told by."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of all bands that are read."""
        return tuple(dict.fromkeys(b for m in self.measurements for b in m.bands))

    @property
    def asked(self) -> tuple[Statistic, ...]:
        """The statistics of each measurement, in the order of their columns.

        Raises:
            StatisticError: no statistic is told by the classes or bins that are given.
        """
        return broken_down(parse_statistics(self.statistics), self.breakdown)


def wanted(layer: Layer, recipe: Recipe) -> Layer:
    """A layer with the bands that are read; with all if it lacks those, which say where it lies."""
    assets = {name: layer.assets[name] for name in recipe.bands if name in layer.assets}
    return replace(layer, assets=assets) if assets else layer


def lattices_of(layer: Layer, recipe: Recipe) -> dict[Lattice, list[Measurement]]:
    """The measurements of a layer by the lattice they are made on: the finest of their bands.

    Raises:
        SourceError: the grids of the bands do not nest.
    """
    found: dict[Lattice, list[Measurement]] = {}
    for measurement in recipe.measurements:
        assets = {b: layer.assets[b] for b in measurement.bands if b in layer.assets}
        assets = assets or dict(layer.assets)
        finest = min(assets.values(), key=cell_area).grid.lattice
        for band, asset in assets.items():
            if nesting_factor(asset.grid.lattice, finest) is None:
                raise SourceError(_do_not_nest(layer, measurement, band, asset, finest))
        found.setdefault(finest, []).append(measurement)
    return found


def cell_area(asset: Asset) -> float:
    """Area of a cell of an asset, square units of its CRS."""
    return asset.grid.lattice.dx * asset.grid.lattice.dy


def _do_not_nest(
    layer: Layer, measurement: Measurement, band: str, asset: Asset, finest: Lattice
) -> str:
    coarse = asset.grid.lattice
    return (
        f"measurement {measurement.name!r} of layer {layer.id!r} needs band {band!r} with cells of "
        f"{coarse.dx:g} × {coarse.dy:g} on cells of {finest.dx:g} × {finest.dy:g} ({finest.crs}), "
        "which do not nest; bring the bands to one grid first, with gdalwarp -tap -tr and a "
        "resampling you choose (-r near, bilinear, cubic, average, mode)"
    )
