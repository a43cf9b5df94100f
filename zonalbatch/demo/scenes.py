"""Scenes: the pixels of a year, drawn with the season of each crop, under clouds with shadows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import from_origin
from shapely.geometry.base import BaseGeometry

from zonalbatch.demo.covers import CROPS, OTHERS, Cover
from zonalbatch.demo.fields import Terrain
from zonalbatch.demo.land import CELL, LEFT, TOP

__all__ = ["Ground", "Weather", "draw", "make_ground", "make_year"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What lies in each cell, ready to be drawn at any date. Arrays are (row, col)."""

    unit: NDArray[np.int32]
    """Index into ``covers``."""
    covers: tuple[Cover, ...]
    """One for each parcel, then one for each of OTHERS."""
    delay: NDArray[np.float64]
    """Days by which each unit's season is late."""
    vigour: NDArray[np.float64]
    """Factor on each unit's green cover."""
    soil: Floats
    """Factor on the brightness of bare ground."""
    growth: Floats
    """Relative departure of green cover within fields, standard deviation 1."""


@dataclass(frozen=True, slots=True)
class Weather:
    """When a scene was taken, and what hid the ground."""

    when: datetime
    """UTC."""
    cloudy: float
    """Share of the scene under cloud, 0 to 1."""
    swath: bool = False
    """True if the edge of the swath crosses the scene."""


def make_ground(rng: np.random.Generator, side: int, terrain: Terrain) -> Ground:
    """The terrain drawn on cells, with its soils and its better and worse spots."""
    count, names = len(terrain.parcels), list(OTHERS)
    shapes: list[tuple[BaseGeometry, int]] = list(
        zip(terrain.parcels.geometry, range(count), strict=True)
    )
    shapes += [(shape, count + names.index(name)) for name, shape in terrain.others.items()]
    unit = rasterize(
        [(shape, i) for shape, i in shapes if not shape.is_empty],
        out_shape=(side, side),
        fill=count + names.index("verge"),
        transform=from_origin(LEFT, TOP, CELL, CELL),
        dtype="int32",
    )
    covers = [Cover(CROPS[crop][1]) for crop in terrain.parcels["crop"]]
    delay, vigour = rng.normal(0, 6, count + 5), rng.normal(0.97, 0.05, count + 5)
    soil = np.exp(0.13 * _noise(rng, side, 1.6)).astype(np.float32)
    return Ground(unit, (*covers, *OTHERS.values()), delay, vigour, soil, _noise(rng, side, 1.1))


def _noise(rng: np.random.Generator, side: int, slope: float) -> Floats:
    """Random hills with mean 0 and deviation 1; a steeper spectrum makes them smoother."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = np.inf  # no mean
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) * frequency**-slope
    hills = np.fft.irfft2(spectrum, s=(side, side))
    return (hills / hills.std()).astype(np.float32)


def make_year(rng: np.random.Generator, dates: int) -> list[Weather]:
    """The dates of a year: one nearly clear, one nearly all cloud, one at the swath's edge."""
    clear, cloudy, swath = int(0.42 * dates), int(0.85 * dates), int(0.25 * dates)
    start = datetime(2025, 1, 1, 10, 46, 31, tzinfo=UTC)
    year = []
    for i in range(dates):
        day = round((i + 0.5) * 365 / dates + rng.uniform(-0.2, 0.2) * 365 / dates)
        share = 0.012 if i == clear else 0.97 if i == cloudy else rng.uniform(0.05, 0.5)
        year.append(Weather(start + timedelta(days=day), share, i == swath and i != clear))
    return year


def draw(
    rng: np.random.Generator, ground: Ground, weather: Weather
) -> tuple[dict[str, NDArray[np.uint16]], NDArray[np.uint8]]:
    """Digital numbers of B04 and B08, and the classes of SCL at half their resolution."""
    side = len(ground.unit)
    green = _green(rng, ground, weather.when.timetuple().tm_yday)
    cloud = _clouds(rng, side, weather.cloudy)
    # North of the tropics the sun stands in the south: shadows fall to the north-west at 10:46.
    shadow = np.roll(cloud, (-34, -14), axis=(0, 1)) * (1 - cloud)
    bright = 0.42 + 0.07 * _noise(rng, side, 1.3)
    seen = ~_beyond_swath(side) if weather.swath else np.ones((side, side), dtype=bool)
    wet = np.float32(rng.uniform(0.85, 1.1))
    bands = {}
    for i, name in enumerate(("B04", "B08")):
        surface = _blur(_surface(ground, green, i, wet)) * (1 - 0.62 * shadow)
        measured = surface * (1 - cloud) + bright * (1.0, 1.04)[i] * cloud
        measured += 0.0012 * rng.standard_normal(measured.shape, dtype=np.float32)
        bands[name] = np.where(seen, np.clip(measured * 10_000, 1, 65535), 0).astype(np.uint16)
    return bands, _classes(ground, green, cloud, shadow, seen)


def _green(rng: np.random.Generator, ground: Ground, day: int) -> Floats:
    """Share of green cover in each cell on a day of the year."""
    late = day - ground.delay
    seasons = [c.season.green(late[i]) for i, c in enumerate(ground.covers)]
    of_unit = (np.array(seasons) * ground.vigour).astype(np.float32)
    grain = np.array([c.grain for c in ground.covers], dtype=np.float32)
    spots = rng.standard_normal(ground.unit.shape, dtype=np.float32)
    mean = of_unit[ground.unit]
    # Patches matter most while a crop is growing, least where there is no plant or a closed canopy.
    patches = 0.45 * ground.growth * mean * (1.05 - mean)
    return np.clip(mean + patches + 0.6 * grain[ground.unit] * spots, 0, 1)


def _surface(ground: Ground, green: Floats, band: int, wet: np.float32) -> Floats:
    """Reflectance of the ground in one band: bare and green cover, mixed."""
    bare = np.array([c.bare[band] for c in ground.covers], dtype=np.float32)[ground.unit]
    leaf = np.array([c.leaf[band] for c in ground.covers], dtype=np.float32)[ground.unit]
    return bare * ground.soil * wet * (1 - green) + leaf * green


def _blur(image: Floats) -> Floats:
    """The image through a lens: each cell takes 18 % from each neighbour along an axis."""
    wide = np.pad(image, 1, mode="edge")
    rows = wide[1:-1] + 0.18 * (wide[:-2] - 2 * wide[1:-1] + wide[2:])
    both: Floats = rows[:, 1:-1] + 0.18 * (rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
    return both


def _clouds(rng: np.random.Generator, side: int, share: float) -> Floats:
    """Opacity from 0 to 1; about ``share`` of the cells are more than thinly covered."""
    hills = _noise(rng, side, 1.75)
    edge = np.float32(np.quantile(hills, 1 - share))
    return np.clip((hills - edge) / np.float32(0.35) + np.float32(0.2), 0, 1)


def _beyond_swath(side: int) -> NDArray[np.bool_]:
    """True for the cells east of a slanted edge that leaves two thirds of the scene."""
    row, col = np.ogrid[:side, :side]
    return col + 0.22 * row > 0.78 * side


def _classes(
    ground: Ground, green: Floats, cloud: Floats, shadow: Floats, seen: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Scene classes of Sentinel-2 at 20 m: what a good classifier would have found."""
    water = len(ground.covers) - len(OTHERS) + list(OTHERS).index("water")
    wet = _pool(ground.unit == water) > 0.5
    opaque, dark = _pool(cloud), _pool(shadow)
    choices = [~(_pool(seen) == 1), opaque > 0.65, opaque > 0.2, opaque > 0.05, dark > 0.15, wet]
    return np.select([*choices, _pool(green) > 0.33], [0, 9, 8, 10, 3, 6, 4], 5).astype(np.uint8)


def _pool(image: NDArray[Any]) -> Floats:
    """Means of squares of four cells."""
    side = len(image) // 2
    return image.reshape(side, 2, side, 2).mean(axis=(1, 3), dtype=np.float32)
