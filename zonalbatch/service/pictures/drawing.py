"""Drawing: a picture of one band of a raster, in which longitude and latitude run straight.

    the raster's box -> a frame of degrees -> the overview that is fine enough -> thinned -> colours

A column of the picture is a longitude and a row a latitude, each as far from the next as all are,
so that a page places an area on it by two multiplications.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from zonalbatch.cog.frame import Bounds, Frame, brought, level_for, window_of
from zonalbatch.lattice import Grid
from zonalbatch.pictures.thinning import thinned
from zonalbatch.projections import transformer
from zonalbatch.service.areas import WGS84
from zonalbatch.service.desk import Desk, OpenRaster
from zonalbatch.service.pictures.colours import STEPS, png
from zonalbatch.service.rasters.opening import file_raster
from zonalbatch.service.refusals import BAD, TOO_LARGE, Refusal
from zonalbatch.sources.view import View

__all__ = ["MOST_PIXELS", "Picture", "PictureQuestion", "picture"]

MOST_PIXELS = 1024
"""Of the longer side of a picture."""
SEEN = (2.0, 98.0)
"""Percentiles of what is seen that have the first and the last colour."""
EARTH: Bounds = (-180.0, -90.0, 180.0, 90.0)
LEAST = 1e-9
"""Degrees that bounds are wide and high: a tenth of a millimetre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureQuestion:
    """What is to be drawn."""

    url: str
    band: int
    """From 1."""
    bounds: Bounds | None
    """West, south, east, north, degrees; None draws all of the raster."""
    size: int
    """Pixels of the longer side."""
    values: tuple[float, float] | None
    """Physical values of the first and the last colour; None takes `SEEN`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, and what is seen on it."""

    png: bytes
    bounds: Bounds
    """West, south, east, north of its edges, degrees."""
    values: tuple[float, float] | None
    """Physical values of the first and the last colour; None if there is no data."""


def picture(desk: Desk, question: PictureQuestion) -> Picture:
    """Draw a band; what has no data is transparent.

    Raises:
        Refusal: the link may not be asked for, the raster is elsewhere, or has too many pixels.
        ZonalbatchError: the raster cannot be read, or has no such band.
    """
    _check(question)
    raster = file_raster(desk, question.url, (question.band,), approximate=False)
    href = raster.layers.layers[0].assets[0].href
    bounds = _seen(_bounds_of(raster.opened(href).header.grid), question.bounds)
    frame = Frame(WGS84, bounds, _shape(bounds, question.size))
    values = _physical(raster, href, question.band, frame, desk.settings.pixels)
    ends = question.values or _ends(values)
    return Picture(png(_steps(values, ends)), bounds, ends)


def _check(question: PictureQuestion) -> None:
    """Refuse what is out of order, which a schema cannot say."""
    west, south, east, north = question.bounds or EARTH
    if not (east - west > LEAST and north - south > LEAST):
        raise Refusal(BAD, "the bounds hold nothing; give west, south, east, north")
    low, high = question.values or (0, 0)
    if high < low:
        raise Refusal(BAD, "the values fall; give that of the first colour first")


def _bounds_of(grid: Grid) -> Bounds:
    """Where a raster lies on the Earth."""
    own = grid.lattice.bounds(grid.window)
    try:
        onto = transformer(grid.lattice.crs, WGS84)
        west, south, east, north = onto.transform_bounds(*own, densify_pts=101)
    except ProjError:
        west = south = east = north = math.inf
    if not all(map(math.isfinite, (west, south, east, north))):
        raise Refusal(BAD, "the raster lies where there is no longitude and latitude")
    if east < west:  # across the 180th meridian, where longitudes begin anew
        west, east = EARTH[0], EARTH[2]
    return west, south, east, north


def _seen(whole: Bounds, asked: Bounds | None) -> Bounds:
    """The part of a raster's box that is asked for."""
    boxes = (whole, EARTH, asked or whole)
    west, south = (max(box[side] for box in boxes) for side in (0, 1))
    east, north = (min(box[side] for box in boxes) for side in (2, 3))
    if not (west < east and south < north):
        told = ", ".join(f"{one:.5g}" for one in whole)
        raise Refusal(BAD, f"the raster is not there; its west, south, east, north are {told}")
    return west, south, east, north


def _shape(bounds: Bounds, size: int) -> tuple[int, int]:
    """Rows and columns, such that a pixel is about as high as wide on the ground."""
    west, south, east, north = bounds
    wide = (east - west) * max(math.cos(math.radians((south + north) / 2)), 0.01)
    high = north - south
    longer = max(wide, high)
    return max(1, round(size * high / longer)), max(1, round(size * wide / longer))


def _physical(
    raster: OpenRaster, href: str, band: int, frame: Frame, most: int
) -> NDArray[np.float64]:
    """(row, col) physical values of a frame, NaN where there are none."""
    file = raster.opened(href).header
    level = level_for(file.grid, tuple(map(float, file.overviews)), frame)
    pixels = raster.opened(str(View(href=href, overview=level)))
    top, left, bottom, right = window_of(pixels.header.grid, frame)
    if (cells := (bottom - top) * (right - left)) > most:
        raise Refusal(
            TOO_LARGE,
            f"the picture is of {cells:,} pixels, and at most {most:,} are read; ask for smaller "
            "bounds, or give the file overviews",
        )
    few = thinned(pixels, file, band, (top, left, bottom, right), frame)
    found, there = brought(
        few.values[None], few.valid[None], few.transform, file.grid.lattice.crs, frame, "nearest", 0
    )
    physical = found[0] * np.float64(file.scales[band - 1]) + file.offsets[band - 1]
    return np.where(there[0], physical, np.nan)


def _ends(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """What has the first and the last colour."""
    there = values[~np.isnan(values)]
    if not there.size:
        return None
    low, high = np.percentile(there, SEEN)
    return float(low), float(high)


def _steps(values: NDArray[np.float64], ends: tuple[float, float] | None) -> NDArray[np.uint8]:
    """(row, col) steps of the ramp, 0 where there is no data; the middle one if all are equal."""
    steps = np.zeros(values.shape, np.uint8)
    there = ~np.isnan(values)
    if ends is None:
        return steps
    low, high = ends
    share = (values[there] - low) / (high - low) if high > low else np.full(there.sum(), 0.5)
    steps[there] = 1 + np.rint(np.clip(share, 0, 1) * (STEPS - 1))
    return steps
