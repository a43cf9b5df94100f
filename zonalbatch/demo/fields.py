"""Fields: parcels of land, with the roads, the river, the village and the woods between them.

Parcels are cut by repeated splitting and bent by a smooth warp that they all share, so that
neighbours never cross.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from zonalbatch.demo.covers import CROPS
from zonalbatch.demo.land import CELL, CRS, LEFT, TOP, extent_of

__all__ = ["Terrain", "make_terrain"]


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """The shapes of a landscape, in metres of the CRS."""

    parcels: gpd.GeoDataFrame
    """Every parcel with its crop; the first of them are the fields, the rest belong to nobody."""
    others: dict[str, BaseGeometry]
    """Shapes of the covers that are not parcels, drawn in this order."""


def make_terrain(rng: np.random.Generator, side: int, fields: int) -> Terrain:
    """Roads, river, village, forests, and at least ``fields`` parcels between them."""
    extent = extent_of(side)
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
    return shapely.union_all(list(reaches)).intersection(extent_of(side))


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
