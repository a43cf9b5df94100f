"""Measuring: the numbers of areas on one raster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer

from zonalbatch.breakdown import Bins, Breakdown
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.given import given_recipe
from zonalbatch.lattice import Grid
from zonalbatch.projections import transformer
from zonalbatch.recipe import LISTS
from zonalbatch.service.areas import WGS84, Area
from zonalbatch.service.desk import Desk, OpenRaster
from zonalbatch.service.figures import BINS, Numbers, engine_statistics, figures_of
from zonalbatch.service.rasters.nearby import nearby
from zonalbatch.service.refusals import TOO_LARGE, Refusal
from zonalbatch.statistics import Column
from zonalbatch.work.ground import Shapes
from zonalbatch.work.layer_work import LayerSummary
from zonalbatch.work.summarise import summarise

__all__ = ["Answer", "Measure", "check_pixels", "measured", "pixels_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is told of a raster."""

    bands: tuple[int, ...]
    """From 1."""
    stats: tuple[str, ...]
    """Names of `FIGURES`, and percentiles."""
    coverage: CoverageRule
    approximate: bool
    """True reads overviews, whatever the size of the area."""


Answer = dict[str, dict[str, Any]]
"""``band_<n>`` -> its figures, and the areas of the shape and of its data."""


def measured(
    desk: Desk, measure: Measure, areas: Sequence[Area], raster: OpenRaster
) -> list[Answer]:
    """The figures of each of some areas.

    Raises:
        ReadError: the raster cannot be read.
    """
    near = nearby(areas, raster.layers.layers[0].assets[0].grid)
    columns = _summary(desk, measure, near, raster).columns
    return [
        {
            name: figures_of(measure.stats, _numbers(columns, name, i), whole.metres, part.metres)
            for name in (f"band_{n}" for n in measure.bands)
        }
        for i, (whole, part) in enumerate(zip(areas, near, strict=True))
    ]


def _summary(
    desk: Desk, measure: Measure, areas: Sequence[Area], raster: OpenRaster
) -> LayerSummary:
    names = engine_statistics(measure.stats)
    recipe = given_recipe(
        raster.layers, names, None, None, measure.coverage,
        breakdown=Breakdown(bins=Bins(count=BINS)) if "histogram" in names else LISTS,
    )  # fmt: skip
    shapes = Shapes(np.array([area.shape for area in areas]), WGS84)
    found = summarise(
        shapes, raster.layers.layers, recipe, open_pixels=raster.opened,
        memory=desk.settings.memory, pool=desk.pool,
    )  # fmt: skip
    (summary,) = found
    for failure in summary.failures:
        raise failure.error
    return summary


def _numbers(columns: Mapping[tuple[str, str], Column], band: str, zone: int) -> Numbers:
    """The engine's statistics of a zone on a band."""
    return {name: _value(column, zone) for (of, name), column in columns.items() if of == band}


def _value(column: Column, zone: int) -> Any:
    """A number, or (class, value) pairs."""
    if isinstance(column, np.ndarray):
        return float(column[zone])
    found = column[zone].as_py()
    return found and [(pair["class"], pair["value"]) for pair in found]


def check_pixels(pixels: float, most: int) -> None:
    """Refuse more pixels than are measured at once.

    Raises:
        Refusal: there are more.
    """
    if pixels > most:
        raise Refusal(
            TOO_LARGE,
            f"the box around the area holds {pixels:,.0f} pixels, and at most {most:,} are "
            "measured at once; ask for less, or approx_stats",
        )


def pixels_of(areas: Sequence[Area], raster: OpenRaster) -> float:
    """How many pixels of a raster the boxes around some areas hold."""
    grid = raster.layers.layers[0].assets[0].grid
    if grid is None:
        return 0.0
    onto = transformer(WGS84, grid.lattice.crs)
    return sum(_pixels(area, grid, onto) for area in areas)


def _pixels(area: Area, grid: Grid, onto: Transformer) -> float:
    """Of a raster, in the box around an area."""
    x0, y0, x1, y1 = area.shape.bounds
    left, bottom, right, top = onto.transform_bounds(x0, y0, x1, y1, densify_pts=21)
    west, south, east, north = grid.lattice.bounds(grid.window)
    rows, cols = grid.shape
    if not np.isfinite([left, bottom, right, top]).all() or right < left:
        return float(rows * cols)  # beyond the projection, or across its seam
    width, height = min(right, east) - max(left, west), min(top, north) - max(bottom, south)
    share = max(width, 0.0) * max(height, 0.0) / ((east - west) * (north - south))
    return share * rows * cols
