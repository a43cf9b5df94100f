"""Together: what is said of each of many areas on one raster, by one call of the engine.

Each has its own answer, whatever becomes of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from zonalbatch.service.areas import Area, area_of
from zonalbatch.service.desk import Desk, OpenRaster
from zonalbatch.service.rasters.measuring import Measure, check_pixels, measured, pixels_of
from zonalbatch.service.rasters.opening import asset_raster, file_raster
from zonalbatch.service.refusals import NO_SOURCE, TOO_LATE
from zonalbatch.service.said import Said, said_by

__all__ = ["asset_answers", "figures_said", "raster_answers"]

SMALL = 1_000_000
"""Pixels in the box around an area that keeps no others waiting: some ten milliseconds."""


def raster_answers(
    desk: Desk, measure: Measure, url: str, aois: Sequence[Mapping[str, Any]]
) -> list[Said | None]:
    """What is said of each of some areas on a file.

    Args:
        desk: of this process.
        measure: what is told.
        url: of the file.
        aois: GeoJSON.

    Returns:
        Figures, or why there are none; None of an area that would keep others waiting.
    """

    def opened() -> OpenRaster:
        return file_raster(desk, url, measure.bands, approximate=measure.approximate)

    return _said_of_each(desk, measure, aois, opened)


def asset_answers(
    desk: Desk, measure: Measure, url: str, asset: str | None, aois: Sequence[Mapping[str, Any]]
) -> list[Said | None]:
    """What is said of each of some areas on an asset of a STAC item.

    Args:
        desk: of this process.
        measure: what is told.
        url: of the item.
        asset: its name; None takes the first raster.
        aois: GeoJSON.

    Returns:
        Figures, or why there are none; None of an area that would keep others waiting.
    """

    def opened() -> OpenRaster:
        return asset_raster(desk, url, asset, measure.bands, approximate=measure.approximate)

    return _said_of_each(desk, measure, aois, opened)


def _said_of_each(
    desk: Desk,
    measure: Measure,
    aois: Sequence[Mapping[str, Any]],
    opened: Callable[[], OpenRaster],
) -> list[Said | None]:
    said = partial(said_by, root=desk.settings.root)
    bounded = not measure.approximate
    areas = [said(partial(area_of, aoi, desk.settings, bounded=bounded)) for aoi in aois]
    if all(area.status for area in areas):
        return list(areas)
    raster = said(opened)
    if raster.status:
        return [area if area.status else raster for area in areas]
    looked_at = partial(_looked_at, desk, measure, raster.answer, alone=len(aois) == 1)
    areas = [area if area.status else said(partial(looked_at, area.answer)) for area in areas]
    figures = iter(
        figures_said(desk, measure, [a.answer for a in areas if a.answer], raster.answer)
    )
    later = (None if area.status == 0 and area.answer is None else area for area in areas)
    return [area if area is None or area.status else next(figures) for area in later]


def _looked_at(
    desk: Desk, measure: Measure, raster: OpenRaster, area: Area, *, alone: bool
) -> Area | None:
    """The area; None of one that would keep others waiting.

    Raises:
        Refusal: it holds too many pixels.
    """
    pixels = pixels_of([area], raster)
    if pixels > SMALL and not alone:
        return None
    if not measure.approximate:
        check_pixels(pixels, desk.settings.pixels)
    return area


def figures_said(
    desk: Desk, measure: Measure, areas: Sequence[Area], raster: OpenRaster
) -> list[Said]:
    """The figures of each area; one by one if they cannot be had together.

    Where it is an area that is at fault, the others have theirs. A host that does not answer is
    asked once for all.
    """
    if not areas:
        return []
    said = said_by(partial(measured, desk, measure, areas, raster), desk.settings.root)
    if not said.status:
        return [Said(answer) for answer in said.answer]
    if len(areas) == 1 or said.status in (NO_SOURCE, TOO_LATE):
        return [said] * len(areas)
    return [one for area in areas for one in figures_said(desk, measure, [area], raster)]
