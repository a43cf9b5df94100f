"""A small believable landscape made from a seed: fields, a year of scenes, and a job for them.

Nothing here is downloaded. Parcels are cut by repeated splitting, bent by a smooth warp that they
all share (so neighbours never cross), and drawn through a year with the season of their crop,
under clouds with shadows. The demo, the documentation and the tests live on it.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.features import rasterize
from rasterio.transform import from_origin
from shapely.geometry.base import BaseGeometry

__all__ = ["JOB", "Landscape", "make_landscape"]

CRS = "EPSG:32631"
LEFT, TOP = 548_160.0, 5_632_000.0
CELL = 10.0
HECTARES_PER_FIELD = 6.4
"""Land for each field asked for, with its share of roads, river, forest and village."""

Floats = NDArray[np.float32]

JOB = """\
# One row per field and date: red and NDVI, with clouds and shadows left out.
version: 1
zones: {path: fields.parquet, id: field_id, columns: [crop]}
source: {kind: stac, items: items.json}
bands: {red: B04, nir: B08, scl: SCL}
measurements: {red: red, ndvi: "(nir - red) / (nir + red)"}
mask: {band: scl, exclude: [0, 1, 3, 8, 9, 10]}
statistics: [count, mean, std, median, p10, p90, valid_fraction]
output: {path: out/}
cluster: {kind: local, workers: 2}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """Where the parts of a landscape lie on disk."""

    folder: Path
    """Holds everything below."""
    fields: Path
    """GeoParquet of the field boundaries: field_id, crop, geometry."""
    items: Path
    """STAC ItemCollection of the scenes, with hrefs relative to itself."""
    job: Path
    """A job document for both, with paths relative to itself."""
    scenes: tuple[Path, ...]
    """One folder for each date, in order, with B04.tif, B08.tif and SCL.tif."""


@dataclass(frozen=True, slots=True)
class Season:
    """How green a cover is through the year: a double logistic curve and what follows it."""

    rest: float
    """Share of green cover out of season."""
    peak: float
    """Share of green cover at its height."""
    up: float
    """Day of the year when half of the rise is done."""
    down: float
    """Day of the year when half of the fall is done (harvest)."""
    width: float
    """Days that the logistic rise takes."""
    after: float = 0.0
    """Green cover of weeds and catch crops that come after the harvest."""

    def green(self, day: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of green cover at days of the year."""
        rise, fall = _logistic((day - self.up) / self.width), _logistic((day - self.down) / 5.0)
        catch = self.after * _logistic((day - self.down - 45.0) / 9.0)
        return self.rest + (self.peak - self.rest) * rise * (1.0 - fall) + catch


CROPS = {
    "winter wheat": (0.30, Season(0.16, 0.95, 88, 191, 12, 0.30)),
    "maize": (0.20, Season(0.05, 0.92, 172, 272, 8, 0.05)),
    "sugar beet": (0.12, Season(0.04, 0.97, 162, 308, 9)),
    "potato": (0.12, Season(0.03, 0.93, 158, 244, 7, 0.10)),
    "grass": (0.14, Season(0.52, 0.86, 92, 318, 18)),
    "spring barley": (0.07, Season(0.05, 0.88, 122, 203, 9, 0.35)),
    "rapeseed": (0.05, Season(0.42, 0.93, 78, 187, 9, 0.22)),
}
"""Crop → (share of the fields, season)."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a land cover looks like: a season, and (red, nir) reflectance bare and green."""

    season: Season
    bare: tuple[float, float] = (0.15, 0.24)
    leaf: tuple[float, float] = (0.035, 0.44)
    grain: float = 0.05
    """Standard deviation of green cover from cell to cell."""


OTHERS = {
    "verge": Cover(Season(0.40, 0.70, 100, 320, 18), (0.14, 0.22)),
    "road": Cover(Season(0.12, 0.16, 100, 300, 20), (0.165, 0.20), grain=0.02),
    "water": Cover(Season(0.0, 0.0, 1, 2, 1), (0.045, 0.028), grain=0.0),
    "village": Cover(Season(0.22, 0.42, 105, 310, 15), (0.19, 0.25), (0.04, 0.36), grain=0.30),
    "forest": Cover(Season(0.50, 0.96, 118, 300, 7), (0.075, 0.17), (0.022, 0.33), grain=0.10),
}


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """The shapes of a landscape, in metres of the CRS."""

    parcels: gpd.GeoDataFrame
    """Every parcel with its crop; the first of them are the fields, the rest belong to nobody."""
    others: dict[str, BaseGeometry]
    """Shapes of the covers that are not parcels, drawn in this order."""


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


def make_landscape(
    folder: Path, *, fields: int = 1000, dates: int = 12, seed: int = 7
) -> Landscape:
    """Write a landscape: field boundaries, scenes as COGs, STAC items and a job.

    Args:
        folder: where to write; made if absent, files of the same name are replaced.
        fields: number of field polygons; the land grows with it (6.4 ha a field).
        dates: number of scenes, spread over one year.
        seed: the same seed makes the same landscape.
    """
    rng = np.random.default_rng(seed)
    side = _side(fields)
    terrain = _terrain(rng, side, fields)
    ground = _ground(rng, side, terrain)
    folder.mkdir(parents=True, exist_ok=True)
    terrain.parcels[:fields].to_parquet(folder / "fields.parquet", write_covering_bbox=True)
    year = _year(rng, dates)
    scenes = tuple(_write_scene(folder, rng, ground, weather) for weather in year)
    _write_items(folder / "items.json", year, scenes, side)
    (folder / "job.yaml").write_text(JOB, encoding="utf-8")
    return Landscape(
        folder=folder,
        fields=folder / "fields.parquet",
        items=folder / "items.json",
        job=folder / "job.yaml",
        scenes=scenes,
    )


# --- shapes --------------------------------------------------------------------------------------


def _side(fields: int) -> int:
    """Cells along one side of the scenes; even, so that 20 m cells nest in it."""
    cells = math.sqrt(fields * HECTARES_PER_FIELD * 10_000) / CELL
    return max(64, 2 * round(cells / 2))


def _extent(side: int) -> BaseGeometry:
    """The square that the scenes cover."""
    return shapely.box(LEFT, TOP - side * CELL, LEFT + side * CELL, TOP)


def _terrain(rng: np.random.Generator, side: int, fields: int) -> Terrain:
    """Roads, river, village, forests, and at least ``fields`` parcels between them."""
    extent = _extent(side)
    blocks = _split(rng, [extent.buffer(150, join_style="mitre")], max(4, fields // 16), wild=0.5)
    warp = _warp(rng)
    roads = _bend(shapely.union_all([shapely.boundary(block) for block in blocks]), warp).buffer(5)
    river = _river(rng, side)
    village, *woods = (_blob(rng, side, share) for share in (0.065, 0.085, 0.05))
    forest = shapely.union_all(woods).difference(roads)
    barred = shapely.union_all([river.buffer(14), village, forest.buffer(8)])
    wanted = math.ceil(1.4 * fields) + 8
    plots = _split(rng, [block.buffer(-8) for block in blocks], wanted, wild=0.06)
    inside = extent.difference(barred)
    shapes = _parcels(rng, [_bend(plot.buffer(-3.5), warp) for plot in plots], inside)
    parcels = _with_crops(rng, shapes, river, fields)
    others = {"road": roads, "forest": forest, "village": village.difference(roads), "water": river}
    return Terrain(parcels, others)


def _split(
    rng: np.random.Generator, pieces: list[BaseGeometry], wanted: int, *, wild: float
) -> list[BaseGeometry]:
    """Cut the largest piece in two, again and again; ``wild`` is the spread of angles, radians."""
    # A factor inherited from the first pieces makes quarters of small fields and of large ones.
    heap = [(-p.area * rng.lognormal(0, 0.45), i, p) for i, p in enumerate(pieces)]
    heapq.heapify(heap)
    while len(heap) < wanted:
        weight, order, piece = heapq.heappop(heap)
        for i, half in enumerate(_halves(rng, piece, wild)):
            share = half.area / piece.area * rng.lognormal(0, 0.25)
            heapq.heappush(heap, (weight * share, 2 * order + 7 * wanted + i, half))
    return [piece for _, _, piece in heap]


def _halves(rng: np.random.Generator, piece: BaseGeometry, wild: float) -> list[BaseGeometry]:
    """A piece cut across its long side, sometimes along it, sometimes at a corner (an L)."""
    corners = shapely.get_coordinates(piece.minimum_rotated_rectangle)[:4]
    along, across = corners[1] - corners[0], corners[3] - corners[0]
    if np.hypot(*along) < np.hypot(*across):
        along, across = across, along
    if rng.random() < 0.15 and np.hypot(*along) < 2 * np.hypot(*across):
        along, across = across, along
    start = corners[0] + along * np.clip(rng.normal(0.5, 0.08), 0.3, 0.7)
    slant = across + along * rng.normal(0, wild) * np.hypot(*across) / np.hypot(*along)
    middle = start + 0.5 * across
    reach = 0.05 if wild < 0.2 and rng.random() < 0.12 else 2.0  # a short cut leaves an L
    low, high = middle - 2 * slant, middle + reach * slant
    knife = shapely.Polygon([low, high, high + 2 * along, low + 2 * along])
    halves = [piece.intersection(knife), piece.difference(knife)]
    return [part for half in halves for part in shapely.get_parts(half) if part.area > 0]


def _warp(rng: np.random.Generator) -> list[tuple[float, ...]]:
    """A smooth bending of the plane: waves of (amplitude, wave vector, phase, direction)."""
    waves: list[tuple[float, ...]] = []
    for length, amplitude in ((2600, 70), (1900, 45), (700, 10), (420, 5)):
        angle, toward, phase = rng.uniform(0, 2 * math.pi, 3)
        kx, ky = 2 * math.pi / length * np.array([math.cos(angle), math.sin(angle)])
        waves.append((amplitude, kx, ky, phase, math.cos(toward), math.sin(toward)))
    return waves


def _bend(shape: BaseGeometry, warp: list[tuple[float, ...]]) -> BaseGeometry:
    """A shape carried along by a warp, with no more vertices than it needs."""

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        shift = np.zeros_like(points)
        for amplitude, kx, ky, phase, x, y in warp:
            wave = amplitude * np.sin(points @ [kx, ky] + phase)
            shift += wave[:, None] * [x, y]
        return points + shift

    fine = shapely.segmentize(shape, 30)
    return shapely.simplify(shapely.transform(fine, moved), 0.5)


def _river(rng: np.random.Generator, side: int) -> BaseGeometry:
    """A winding river from the western to the eastern edge, wider downstream."""
    size = side * CELL
    t = np.linspace(-0.05, 1.05, 240)
    phase = rng.uniform(0, 2 * math.pi, 3)
    bends = (0.07, 5.0), (0.028, 13.0), (0.012, 31.0)
    y = 0.58 + sum(a * np.sin(f * t + p) for (a, f), p in zip(bends, phase, strict=True))
    points = np.column_stack([LEFT + size * t, TOP - size * y])
    reaches = (shapely.LineString(points[i : i + 2]).buffer(14 + 18 * t[i]) for i in range(239))
    return shapely.union_all(list(reaches)).intersection(_extent(side))


def _blob(rng: np.random.Generator, side: int, share: float) -> BaseGeometry:
    """A ragged round shape with about this share of the land's side as its radius."""
    angle = np.linspace(0, 2 * math.pi, 90, endpoint=False)
    radius = np.full_like(angle, 1.0)
    for k in range(2, 9):
        radius += rng.normal(0, 0.35 / k) * np.sin(k * angle + rng.uniform(0, 2 * math.pi))
    reach = share * side * CELL * np.maximum(radius, 0.4)
    x, y = LEFT + CELL * side * rng.uniform(0.15, 0.85), TOP - CELL * side * rng.uniform(0.15, 0.85)
    ring = np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])
    return shapely.Polygon(ring).buffer(0)


def _parcels(
    rng: np.random.Generator, shapes: list[BaseGeometry], inside: BaseGeometry
) -> list[BaseGeometry]:
    """The parts of shapes that lie inside and are worth farming, in random order."""
    shapely.prepare(inside)
    cut = [s if inside.contains_properly(s) else s.intersection(inside) for s in shapes]
    parts = [part for shape in cut for part in shapely.get_parts(shape)]
    parts = [_yard(rng, p) for p in parts if p.area > 3_000 and p.area > 9 * p.length]
    return [parts[i] for i in rng.permutation(len(parts))]


def _yard(rng: np.random.Generator, parcel: BaseGeometry) -> BaseGeometry:
    """The parcel, rarely with a pond or a farmyard cut out of its middle (a hole)."""
    if rng.random() > 0.015:
        return parcel
    hole = parcel.point_on_surface().buffer(rng.uniform(12, 22), quad_segs=3)
    return parcel.difference(hole) if parcel.contains_properly(hole) else parcel


def _with_crops(
    rng: np.random.Generator, shapes: list[BaseGeometry], river: BaseGeometry, fields: int
) -> gpd.GeoDataFrame:
    """The parcels as a table; meadows lie along the river, and where nobody farms."""
    names, shares = list(CROPS), np.array([share for share, _ in CROPS.values()])
    crop = rng.choice(np.array(names, dtype=object), len(shapes), p=shares / shares.sum())
    wet = shapely.distance(np.array(shapes), river) < rng.uniform(0, 350, len(shapes))
    crop[wet] = "grass"
    crop[fields:] = "grass"
    ids = np.arange(1, len(shapes) + 1)
    return gpd.GeoDataFrame({"field_id": ids, "crop": crop}, geometry=shapes, crs=CRS)


# --- pixels --------------------------------------------------------------------------------------


def _ground(rng: np.random.Generator, side: int, terrain: Terrain) -> Ground:
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


def _year(rng: np.random.Generator, dates: int) -> list[Weather]:
    """The dates of a year: one nearly clear, one nearly all cloud, one at the swath's edge."""
    clear, cloudy, swath = int(0.42 * dates), int(0.85 * dates), int(0.25 * dates)
    start = datetime(2025, 1, 1, 10, 46, 31, tzinfo=UTC)
    year = []
    for i in range(dates):
        day = round((i + 0.5) * 365 / dates + rng.uniform(-0.2, 0.2) * 365 / dates)
        share = 0.012 if i == clear else 0.97 if i == cloudy else rng.uniform(0.05, 0.5)
        year.append(Weather(start + timedelta(days=day), share, i == swath and i != clear))
    return year


def _write_scene(folder: Path, rng: np.random.Generator, ground: Ground, weather: Weather) -> Path:
    """Draw and write the three files of one scene; returns their folder."""
    scene = folder / "scenes" / f"{weather.when:%Y%m%d}"
    scene.mkdir(parents=True, exist_ok=True)
    bands, classes = _draw(rng, ground, weather)
    for name, band in bands.items():
        _write_cog(scene / f"{name}.tif", band, CELL, block=512, scale=0.0001)
    _write_cog(scene / "SCL.tif", classes, 2 * CELL, block=256)
    return scene


def _draw(
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


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


# --- files ---------------------------------------------------------------------------------------


def _write_cog(
    path: Path, image: NDArray[Any], cell: float, *, block: int, scale: float = 1.0
) -> None:
    """Write one band as a cloud-optimised GeoTIFF with nodata 0."""
    height, width = image.shape
    with rasterio.open(
        path,
        "w",
        driver="COG",
        width=width,
        height=height,
        count=1,
        dtype=image.dtype,
        crs=CRS,
        transform=from_origin(LEFT, TOP, cell, cell),
        nodata=0,
        compress="DEFLATE",
        predictor="YES" if image.dtype == np.uint16 else "NO",
        blocksize=block,
        overview_resampling="AVERAGE" if image.dtype == np.uint16 else "NEAREST",
    ) as file:
        file.write(image, 1)
        file.scales = (scale,)


def _write_items(path: Path, year: list[Weather], scenes: tuple[Path, ...], side: int) -> None:
    """Write the scenes as a STAC 1.1 ItemCollection."""
    items = [_item(path.parent, w, s, side) for w, s in zip(year, scenes, strict=True)]
    document = {"type": "FeatureCollection", "features": items}
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _item(root: Path, weather: Weather, scene: Path, side: int) -> dict[str, Any]:
    """One scene as a STAC item, with all that a reader needs before it opens a file."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    outline = shapely.segmentize(_extent(side), side * CELL)
    outline = shapely.transform(outline, lambda p: np.column_stack(to_degrees.transform(*p.T)))
    when = weather.when.isoformat().replace("+00:00", "Z")
    extensions = ("eo", "projection", "raster")
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [
            f"https://stac-extensions.github.io/{name}/v2.0.0/schema.json" for name in extensions
        ],
        "id": f"demo_{weather.when:%Y%m%d}",
        "geometry": shapely.geometry.mapping(outline.normalize()),
        "bbox": [round(x, 7) for x in outline.bounds],
        "properties": {
            "datetime": when,
            "platform": "demo-1",
            "proj:code": CRS,
            "eo:cloud_cover": _cloud_cover(scene / "SCL.tif"),
        },
        "links": [],
        "assets": dict(_assets(root, scene, side)),
    }


def _cloud_cover(path: Path) -> float:
    """Percentage of the seen cells that are cloud or cirrus."""
    with rasterio.open(path) as file:
        classes = file.read(1)
    cloudy = np.isin(classes, (8, 9, 10)).sum()
    return round(100 * float(cloudy) / max(1, int((classes > 0).sum())), 2)


def _assets(root: Path, scene: Path, side: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The three files of a scene as STAC assets."""
    for name, colour, nm in (("B04", "red", 0.665), ("B08", "nir", 0.842), ("SCL", None, 0.0)):
        cell = CELL if colour else 2 * CELL
        band: dict[str, Any] = {"name": name}
        if colour:
            band |= {"eo:common_name": colour, "eo:center_wavelength": nm}
        yield (
            name,
            {
                "href": f"./{(scene / name).relative_to(root).as_posix()}.tif",
                "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                "roles": ["data", "reflectance"] if colour else ["data"],
                "proj:shape": [round(side * CELL / cell)] * 2,
                "proj:transform": [cell, 0.0, LEFT, 0.0, -cell, TOP],
                "data_type": "uint16" if colour else "uint8",
                "nodata": 0,
                "raster:spatial_resolution": cell,
                **({"raster:scale": 0.0001, "raster:offset": 0.0} if colour else {}),
                "bands": [band],
            },
        )
