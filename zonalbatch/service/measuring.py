"""Measuring: the numbers of one area on one raster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer

from zonalbatch.breakdown import Bins, Breakdown
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.given import given_recipe
from zonalbatch.layers import Layer
from zonalbatch.recipe import LISTS
from zonalbatch.service.areas import WGS84, Area, area_of
from zonalbatch.service.desk import Desk, OpenRaster
from zonalbatch.service.figures import BINS, Numbers, engine_statistics, figures_of
from zonalbatch.service.refusals import TOO_LARGE, Refusal
from zonalbatch.statistics import Column
from zonalbatch.work.ground import Shapes
from zonalbatch.work.summarise import summarise

__all__ = ["RasterQuestion", "measured", "raster_answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterQuestion:
    """What is asked of one raster."""

    aoi: Mapping[str, Any]
    """GeoJSON."""
    url: str
    bands: tuple[int, ...]
    """From 1."""
    stats: tuple[str, ...]
    """Names of `FIGURES`, and percentiles."""
    coverage: CoverageRule
    approximate: bool
    """True reads overviews, whatever the size of the area."""


def raster_answer(desk: Desk, question: RasterQuestion) -> dict[str, dict[str, Any]]:
    """``band_<n>`` -> its figures, and the areas of the shape and of its data.

    Raises:
        Refusal: link or area may not be asked for.
        ZonalbatchError: the raster cannot be read.
    """
    area = area_of(question.aoi, desk.settings, bounded=not question.approximate)
    return measured(desk, question, area, desk.href(question.url))


def measured(
    desk: Desk, question: RasterQuestion, area: Area, href: str
) -> dict[str, dict[str, Any]]:
    """The answer for an area and a file that may be asked for."""
    raster = desk.raster(href, question.bands, approximate=question.approximate)
    if not question.approximate:
        _check_pixels(area, raster.layers.layers[0], desk.settings.pixels)
    numbers = _numbers(desk, question, area, raster)
    return {
        f"band_{n}": figures_of(question.stats, numbers[f"band_{n}"], area.metres)
        for n in question.bands
    }


def _numbers(
    desk: Desk, question: RasterQuestion, area: Area, raster: OpenRaster
) -> dict[str, Numbers]:
    """The engine's statistics of each band."""
    names = engine_statistics(question.stats)
    coverage = "fraction" if area.is_point else question.coverage
    breakdown = Breakdown(bins=Bins(count=BINS)) if "histogram" in names else LISTS
    recipe = given_recipe(raster.layers, names, None, None, coverage, breakdown=breakdown)
    found = summarise(
        Shapes(np.array([area.shape]), WGS84), raster.layers.layers, recipe,
        open_pixels=raster.opened, memory=desk.settings.memory,
    )  # fmt: skip
    (summary,) = found
    for failure in summary.failures:
        raise failure.error
    told: dict[str, dict[str, Any]] = {}
    for (band, name), column in summary.columns.items():
        told.setdefault(band, {})[name] = _value(column)
    return told


def _value(column: Column) -> Any:
    """The number of the only zone, or its (class, value) pairs."""
    if isinstance(column, np.ndarray):
        return float(column[0])
    found = column[0].as_py()
    return found and [(pair["class"], pair["value"]) for pair in found]


def _check_pixels(area: Area, layer: Layer, most: int) -> None:
    """Refuse an area whose box holds more pixels of a raster than are measured at once."""
    asset = layer.assets[0]
    grid = asset.grid
    if grid is None:
        return
    lattice, (rows, cols) = grid.lattice, grid.shape
    onto = Transformer.from_crs(WGS84, lattice.crs, always_xy=True)
    left, bottom, right, top = onto.transform_bounds(*area.shape.bounds, densify_pts=21)
    if not np.isfinite([left, bottom, right, top]).all() or right < left:
        return  # beyond the projection, or across its seam: the time limit holds
    west, south, east, north = lattice.bounds(grid.window)
    width, height = min(right, east) - max(left, west), min(top, north) - max(bottom, south)
    share = max(width, 0.0) * max(height, 0.0) / ((east - west) * (north - south))
    if share * rows * cols > most:
        raise Refusal(
            TOO_LARGE,
            f"the box around the area holds {share * rows * cols:,.0f} pixels, and at most "
            f"{most:,} are measured at once; ask for less, or approx_stats",
        )
