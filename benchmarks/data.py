"""What the benchmarks run on: generated once from fixed seeds, kept in a folder.

The yardstick is the one of the project's first measurements: 10,000 fields of about 4.6 ha on
uint16 COGs of 5490 by 5490 cells with DEFLATE blocks of 512, noisy enough to compress like
Sentinel-2 (about 10 bits a cell). The basins are polygons that share every vertex of their
edges, so that they tile their grid exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.transform import from_origin

__all__ = ["FULL", "QUICK", "Data", "Scale"]

CRS = "EPSG:32631"
LEFT, TOP, CELL = 500_000.0, 5_700_000.0, 10.0
FIELD_HECTARES = 4.6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large the benchmark is."""

    name: str
    """Part of the cached files' names."""
    side: int
    """Cells along one side of a scene."""
    fields: int
    """Number of fields on a scene."""
    scenes: int
    """Number of scenes on one grid."""
    growth: tuple[int, ...]
    """Numbers of zones for the growth of cost."""
    basins: tuple[int, int]
    """Rows and columns of basins."""
    grid: int
    """Cells along one side of the grid that the basins tile."""
    giant: int
    """Cells along one side of the raster that one zone covers."""
    giant_vertices: int
    """Vertices of that zone."""
    tiles: tuple[int, int]
    """Tiles along one side of a mosaic, and cells along one side of each."""


FULL = Scale(
    name="full",
    side=5490,
    fields=10_000,
    scenes=24,
    growth=(1_000, 10_000, 100_000),
    basins=(250, 400),
    grid=8000,
    giant=10_980,
    giant_vertices=100_000,
    tiles=(10, 3600),
)
QUICK = Scale(
    name="quick",
    side=1830,
    fields=1_000,
    scenes=4,
    growth=(100, 1_000, 10_000),
    basins=(50, 80),
    grid=1600,
    giant=3660,
    giant_vertices=10_000,
    tiles=(3, 1200),
)


@dataclass(frozen=True, slots=True)
class Data:
    """The cached files of one scale; whatever is missing is made when it is asked for."""

    folder: Path
    """Where the files lie."""
    scale: Scale
    """How large they are."""

    def fields(self, count: int | None = None) -> Path:
        """GeoParquet of ``count`` fields (field_id, geometry) spread over one scene."""
        count = count or self.scale.fields
        path = self._root / f"fields-{count}.parquet"
        return _once(path, lambda: _write_zones(path, make_fields(count, self.scale.side)))

    def scenes(self, count: int | None = None) -> list[Path]:
        """COGs on one grid, one for each date, named ``S2_<date>_B08.tif``."""
        count = count or self.scale.scenes
        return [self._scene(i) for i in range(count)]

    def classified(self) -> Path:
        """A uint8 COG of land cover: twelve classes in patches, with some cells of others."""
        path, side = self._root / "classified.tif", self.scale.side
        return _once(path, lambda: _write_cog(path, make_classes(side)))

    def tiles(self) -> list[Path]:
        """COGs of int16 hills that meet, first row by row from the north."""
        many, side = self.scale.tiles
        return [self._tile(row, col, side) for row in range(many) for col in range(many)]

    def _tile(self, row: int, col: int, side: int) -> Path:
        path = self._root / "tiles" / f"{row:02}_{col:02}.tif"
        return _once(path, lambda: _write_tile(path, make_hills(row, col, side), row, col))

    def noise(self) -> Path:
        """A uint16 COG of noise: nearly every cell of a zone has a value of its own."""
        path, side = self._root / "noise.tif", self.scale.side
        return _once(path, lambda: _write_cog(path, make_noise(side)))

    def dates(self, count: int) -> Path:
        """A folder of ``count`` dates: links to the scenes, over and over."""
        folder, scenes = self._root / f"dates-{count}", self.scenes()
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            link = folder / f"S2_{_day(i):%Y%m%d}_B08.tif"
            if not link.exists():
                link.symlink_to(scenes[i % len(scenes)].resolve())
        return folder

    def basins(self) -> NDArray[np.object_]:
        """Polygons that tile the basin grid exactly (not cached: it takes a second)."""
        return make_basins(*self.scale.basins, self.scale.grid * CELL)

    def basin_grid(self) -> NDArray[np.float32]:
        """The float32 raster that the basins tile, in memory."""
        rng = np.random.default_rng(5)
        return _hills(rng, self.scale.grid) + rng.standard_normal(
            (self.scale.grid,) * 2, dtype=np.float32
        )

    def giant(self) -> tuple[Path, Path]:
        """One zone of very many vertices, and the raster that it covers."""
        side, zone = self.scale.giant, self._root / "giant.parquet"
        raster = self._root / "giant.tif"
        _once(zone, lambda: _write_zones(zone, make_giant(side, self.scale.giant_vertices)))
        return zone, _once(raster, lambda: _write_scene(raster, side, seed=99))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of the scenes, metres."""
        reach = self.scale.side * CELL
        return LEFT, TOP - reach, LEFT + reach, TOP

    @property
    def basin_bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of the basin grid, metres."""
        reach = self.scale.grid * CELL
        return LEFT, TOP - reach, LEFT + reach, TOP

    @property
    def _root(self) -> Path:
        return self.folder / self.scale.name

    def _scene(self, index: int) -> Path:
        path = self._root / "scenes" / f"S2_{_day(index):%Y%m%d}_B08.tif"
        return _once(path, lambda: _write_scene(path, self.scale.side, seed=100 + index))


def make_fields(count: int, side: int, *, seed: int = 1) -> NDArray[np.object_]:
    """Irregular polygons of 8 to 24 vertices and about 4.6 ha, one in each cell of a lattice."""
    rng = np.random.default_rng(seed)
    per_side = math.ceil(math.sqrt(count))
    spacing = side * CELL / per_side
    row, col = np.divmod(rng.permutation(per_side**2)[:count], per_side)
    area = 1.05 * FIELD_HECTARES * 1e4 * rng.lognormal(-0.08, 0.4, count)  # corners cost 5 %
    vertices = rng.integers(8, 25, count)
    ring = _stars(rng, vertices, np.sqrt(area / math.pi))
    jitter = rng.uniform(-0.2, 0.2, (count, 2)) * spacing
    centre = np.column_stack([LEFT + (col + 0.5) * spacing, TOP - (row + 0.5) * spacing]) + jitter
    ring += np.repeat(centre, vertices, axis=0)
    left, right, bottom, top = LEFT, LEFT + side * CELL, TOP - side * CELL, TOP
    ring = np.clip(ring, (left, bottom), (right, top))
    rings = shapely.linearrings(ring, indices=np.repeat(range(count), vertices))
    return np.asarray(shapely.polygons(rings))


def _stars(rng: np.random.Generator, vertices: NDArray[np.int64], radius: Floats) -> Floats:
    """Vertices of stretched, ragged, turned shapes around (0, 0), shape after shape."""
    offsets = np.concatenate([[0], np.cumsum(vertices)[:-1]])
    step = np.arange(vertices.sum()) - np.repeat(offsets, vertices)
    angle = (
        2 * math.pi * (step + rng.uniform(-0.35, 0.35, len(step))) / np.repeat(vertices, vertices)
    )
    reach = np.repeat(radius, vertices) * rng.uniform(0.85, 1.15, len(step))
    stretch = np.repeat(rng.uniform(1.0, 1.5, len(vertices)), vertices)
    turn = np.repeat(rng.uniform(0, math.pi, len(vertices)), vertices)
    x, y = reach * np.cos(angle) * stretch, reach * np.sin(angle) / stretch
    turned = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    return np.column_stack(turned)


def make_basins(
    rows: int, cols: int, reach: float, *, wiggles: int = 5, seed: int = 2
) -> NDArray[np.object_]:
    """Irregular polygons that tile a square of side ``reach`` exactly: neighbours share vertices.

    The corners of a lattice are moved, and each edge between two corners gets ``wiggles``
    vertices beside its straight line. Only the rim stays straight.
    """
    rng = np.random.default_rng(seed)
    corner = _moved_corners(rng, rows, cols, reach)
    # Edges as (row, col, vertex, xy), from west to east and from north to south.
    east = _wiggled(rng, corner[:, :-1], corner[:, 1:], wiggles, rim=0)
    south = _wiggled(rng, corner[:-1], corner[1:], wiggles, rim=1)
    sides = (
        *(corner[:-1, :-1, None], east[:-1]),
        *(corner[:-1, 1:, None], south[:, 1:]),
        *(corner[1:, 1:, None], east[1:, :, ::-1]),
        *(corner[1:, :-1, None], south[:, :-1, ::-1]),
        corner[:-1, :-1, None],
    )
    rings = np.concatenate(sides, axis=2).reshape(rows * cols, -1, 2)
    return np.asarray(shapely.polygons(rings))


def _moved_corners(rng: np.random.Generator, rows: int, cols: int, reach: float) -> Floats:
    """Corners of a lattice, (row, col, xy), moved by up to a fifth of a cell inside the rim."""
    y, x = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, cols + 1), indexing="ij")
    free = (y > 0) & (y < 1), (x > 0) & (x < 1)
    x = x + rng.uniform(-0.2, 0.2, x.shape) / cols * free[1]
    y = y + rng.uniform(-0.2, 0.2, y.shape) / rows * free[0]
    return np.stack([LEFT + reach * x, TOP - reach * y], axis=-1)


def _wiggled(
    rng: np.random.Generator, start: Floats, end: Floats, wiggles: int, *, rim: int
) -> Floats:
    """Vertices between corners; the first and last edges along the axis ``rim`` stay straight."""
    share = (np.arange(1, wiggles + 1) / (wiggles + 1))[:, None]
    along = (end - start)[:, :, None]
    normal = along[..., ::-1] * (-1, 1)
    amount = rng.uniform(-0.05, 0.05, (*start.shape[:2], wiggles, 1))
    inner = np.arange(start.shape[rim])
    amount *= np.expand_dims((inner > 0) & (inner < inner[-1]), (3, 2, 1 - rim))
    return start[:, :, None] + share * along + amount * normal


def make_giant(side: int, vertices: int, *, seed: int = 3) -> NDArray[np.object_]:
    """One polygon that covers a whole raster but for a ragged rim a few cells wide."""
    rng = np.random.default_rng(seed)
    t = np.arange(vertices) / vertices * 4
    leg, along = np.divmod(t, 1)
    x = np.choose(leg.astype(int), [along, np.ones_like(t), 1 - along, np.zeros_like(t)])
    y = np.choose(leg.astype(int), [np.zeros_like(t), along, np.ones_like(t), 1 - along])
    ragged = 1 - rng.uniform(0, 6, vertices) / side  # toward the middle, so rings never cross
    ring = 0.5 + (np.column_stack([x, y]) - 0.5) * ragged[:, None]
    reach = side * CELL
    return np.array([shapely.Polygon(ring * (reach, -reach) + (LEFT, TOP))], dtype=object)


def _write_zones(path: Path, shapes: NDArray[np.object_]) -> None:
    """Write polygons with their number as ``field_id``."""
    table = gpd.GeoDataFrame({"field_id": np.arange(len(shapes))}, geometry=shapes, crs=CRS)
    table.to_parquet(path, write_covering_bbox=True)


def make_classes(side: int, *, seed: int = 8) -> NDArray[np.uint8]:
    """Land cover: classes 1 to 12 by height, 3 % of the cells of any class."""
    rng = np.random.default_rng(seed)
    hills = _hills(rng, side)
    bounds = np.quantile(hills[::16, ::16], np.arange(1, 12) / 12)
    classes = (np.searchsorted(bounds, hills) + 1).astype(np.uint8)
    other = rng.random((side, side), dtype=np.float32) < 0.03
    classes[other] = rng.integers(1, 13, int(other.sum()), dtype=np.uint8)
    return classes


def make_noise(side: int, *, seed: int = 9) -> NDArray[np.uint16]:
    """All values of uint16 but 0, each as likely as the others."""
    return np.random.default_rng(seed).integers(1, 65536, (side, side), dtype=np.uint16)


def _write_scene(path: Path, side: int, *, seed: int) -> None:
    """Write one uint16 COG of soft hills under noise; 0 is nodata and does not occur."""
    rng = np.random.default_rng(seed)
    noise = 20 * rng.standard_normal((side, side), dtype=np.float32)
    image = np.clip(2200 + 500 * _hills(rng, side) + noise, 1, 65535).astype(np.uint16)
    _write_cog(path, image)


def _write_cog(path: Path, image: NDArray[Any]) -> None:
    """Write a square image as a COG; 0 is nodata."""
    side = len(image)
    with rasterio.open(
        path,
        "w",
        driver="COG",
        width=side,
        height=side,
        count=1,
        dtype=image.dtype.name,
        crs=CRS,
        transform=from_origin(LEFT, TOP, CELL, CELL),
        nodata=0,
        compress="DEFLATE",
        predictor="YES",
        blocksize=512,
        overviews="NONE",
        num_threads="ALL_CPUS",
    ) as file:
        file.write(image, 1)


def _hills(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """Random heights every 30 cells, interpolated between: mean 0, deviation below 1."""
    knots = side // 30 + 2
    x = np.linspace(0, knots - 1, side)
    left = np.minimum(x.astype(int), knots - 2)
    tent = np.zeros((side, knots), dtype=np.float32)
    tent[np.arange(side), left] = 1 - (x - left)
    tent[np.arange(side), left + 1] = x - left
    height = rng.standard_normal((knots, knots), dtype=np.float32)
    hills: NDArray[np.float32] = np.linalg.multi_dot([tent, height, tent.T])
    return hills


def _day(index: int) -> date:
    """Every third day from the start of 2020."""
    return date(2020, 1, 1) + timedelta(days=3 * index)


def _once(path: Path, write: Callable[[], None]) -> Path:
    """The path, after writing it if it is not there yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
    return path


def make_hills(row: int, col: int, side: int) -> NDArray[np.int16]:
    """Heights that go on from tile to tile, with two metres of noise."""
    y, x = np.mgrid[row * side : (row + 1) * side, col * side : (col + 1) * side].astype("float32")
    hills = 800 + 300 * np.sin(x / 517) + 250 * np.cos(y / 391) + 60 * np.sin((x + y) / 37)
    noise = np.random.default_rng([row, col]).normal(0, 2, hills.shape)
    return np.asarray((hills + noise).astype(np.int16))


def _write_tile(path: Path, heights: NDArray[np.int16], row: int, col: int) -> None:
    side = len(heights)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="int16",
        crs="EPSG:4326", transform=from_origin(10 + col, 60 - row, 1 / side, 1 / side),
        nodata=-32768, tiled=True, blockxsize=512, blockysize=512, compress="deflate", predictor=2,
    ) as file:  # fmt: skip
        file.write(heights, 1)
