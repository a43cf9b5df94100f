"""Engine: bands that other tools' interfaces were given, and what the engine says of them.

Zones are taken to lie in the rasters' CRS, as those tools take them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.compat.plane import trusting
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.expression import bare
from zonalbatch.layers import Asset, Layer, Scene
from zonalbatch.measure import Measurement
from zonalbatch.planning.plan import on_one_lattice
from zonalbatch.recipe import Recipe
from zonalbatch.sources import Pixels, open_pixels
from zonalbatch.statistics import Column, OfCells, parse_statistics
from zonalbatch.work.ground import Shapes
from zonalbatch.work.summarise import summarise
from zonalbatch.zones import fit_shapes

__all__ = ["OpenBand", "columns_of"]

MEMORY = 1536 * 1024**2
"""Bytes that buffers are cut to."""

VALUE = "value"
"""The measurement of every band."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OpenBand:
    """One band, opened."""

    pixels: Pixels
    href: str | None
    """The file, if the engine may open it by itself."""
    band: int
    """Number of the band, from 1."""
    nodata: Any = None
    """As an asset has it; None asks the pixels' header."""
    scaling: tuple[float, float] | None = None
    """(scale, offset); None asks the pixels' header."""

    def layer(self, name: str) -> Layer:
        """The band as a layer of its own."""
        scale, offset = self.scaling or (None, None)
        asset = _asset(self.href or name, self.pixels, self.band)
        told = replace(asset, nodata=self.nodata, scale=scale, offset=offset)
        return Layer(id=name, datetime=None, scenes=(Scene(assets={VALUE: told}),))


def _asset(href: str, pixels: Pixels, band: int) -> Asset:
    """A band by what its pixels say."""
    header = pixels.header
    return Asset(href=href, band=band, grid=header.grid, dtype=header.dtypes[band - 1])


def columns_of(
    shapes: NDArray[np.object_],
    bands: Sequence[OpenBand],
    statistics: Sequence[str | OfCells],
    rule: CoverageRule,
    *,
    min_fraction: float = 0.0,
    default: float | None = None,
    weights: Pixels | None = None,
) -> list[Mapping[str, Column]]:
    """Results by the column of their statistic, for each band.

    Args:
        shapes: geometries in the CRS of the bands, which have the same.
        bands: what to summarise.
        statistics: what is wanted.
        rule: how zones take cells.
        min_fraction: cells of which an area covers less are left out.
        default: physical value of cells that have none.
        weights: an open raster in the CRS of the bands, whose first band weighs cells.

    Raises:
        OSError: pixels cannot be read.
    """
    asked = parse_statistics(statistics)
    recipe = Recipe(
        measurements=(Measurement(VALUE, bare(VALUE), (), default),),
        statistics=tuple(one.asked for one in asked), coverage=rule, min_fraction=min_fraction,
        weights=None if weights is None else _asset("array:weights", weights, 1),
    )  # fmt: skip
    layers = on_one_lattice(one.layer(f"array:{i}") for i, one in enumerate(bands))
    arrays = {} if weights is None else {"array:weights": weights}
    arrays |= {f"array:{i}": one.pixels for i, one in enumerate(bands) if one.href is None}
    crs = layers[0].assets[0].grid.lattice.crs
    found: list[Mapping[str, Column]] = []
    access = trusting()
    for summary in summarise(
        Shapes(fit_shapes(shapes, crs), crs), layers, recipe,
        open_pixels=lambda href: open_pixels(href, arrays, access), memory=MEMORY,
    ):  # fmt: skip
        for failure in summary.failures:
            raise OSError(str(failure.error)) from failure.error
        found.append({one.name: summary.columns[VALUE, one.column] for one in asked})
    return found
