"""Raster files by hand: zones on one, and their statistics as rasterio, GDAL and shapely have them.

Pixels are read with rasterio, GDAL's masks say what is valid, shapely says which share of a cell
a zone covers. Nothing of the package's reading takes part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window as Part

from tests.oracles import Told, areas, window_of, zonal
from zonalbatch.lattice import grid_of

__all__ = ["STATISTICS", "by_hand", "compare", "zones_on"]

STATISTICS = [
    "count", "n_nodata", "n_nan", "n_masked", "n_outside", "n_total",
    "sum", "mean", "min", "max", "std", "median",
]  # fmt: skip

Pair = NDArray[np.float64]
"""(x, y)."""


# --- zones ------------------------------------------------------------------------------------


def zones_on(file: DatasetReader, around: Pair | None = None) -> list[shapely.Geometry]:
    """Three rectangles and three stars where a raster has values, and two over its corner.

    Args:
        file: the raster.
        around: (column, row) of the place where they lie, in place of a cell that has a value.
    """
    rng = np.random.default_rng(0)
    whole = np.array([file.width, file.height], float)
    narrow = 150 / abs(file.transform.a) if file.crs.is_geographic else np.inf
    size = np.minimum(whole, min(120.0, narrow))  # an edge of half a turn goes the other way round
    around, made = with_values(file, rng) if around is None else around, []
    for share in (0.1, 0.3, 0.5):
        half = share * size * rng.uniform(0.5, 1, 2)
        middle = np.clip(around + rng.uniform(-0.5, 0.5, 2), 1.01 * half, whole - 1.01 * half)
        made += [shapely.box(*(middle - half), *(middle + half)), star(middle, half, rng)]
    if not (file.crs.is_geographic and file.bounds.left < -170):  # where nothing lies beyond
        made += [shapely.affinity.translate(one, *(-0.1 * size - around)) for one in made[2:4]]
    a, b, c, d, e, f = tuple(file.transform)[:6]
    return [shapely.affinity.affine_transform(one, [a, b, d, e, c, f]) for one in made]


def with_values(file: DatasetReader, rng: np.random.Generator) -> Pair:
    """(column, row) of the middle of a cell that has a value, or of any cell if none has."""
    shape = min(file.height, 512), min(file.width, 512)
    valid = np.argwhere(file.read_masks(1, out_shape=shape) > 0)
    row, col = valid[rng.integers(len(valid))] if len(valid) else np.array(shape) // 2
    return (np.array([col, row]) + 0.5) * [file.width / shape[1], file.height / shape[0]]


def star(middle: Pair, half: Pair, rng: np.random.Generator) -> shapely.Polygon:
    """A star-shaped polygon of nine corners."""
    angle, reach = np.sort(rng.uniform(0, 2 * np.pi, 9)), rng.uniform(0.3, 1, 9)
    way = reach[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return shapely.Polygon(middle + half * way)


# --- statistics -------------------------------------------------------------------------------


def by_hand(
    file: DatasetReader, band: int, zone: shapely.Geometry, whole: DatasetReader | None = None
) -> dict[str, float]:
    """The statistics of a zone on a band.

    Args:
        file: the raster.
        band: 1-based.
        zone: in the raster's CRS.
        whole: says what values mean, where the raster is an overview that does not.
    """
    grid = grid_of("here", tuple(file.transform)[:6], file.shape)
    window = window_of(zone, grid.lattice)
    part = grid.window.intersect(window)
    raw = np.zeros(window.shape, file.dtypes[band - 1])
    inside, valid = np.zeros(window.shape, bool), np.zeros(window.shape, bool)
    if not part.empty:
        here = part.shift(-window.top, -window.left)
        at = (slice(here.top, here.bottom), slice(here.left, here.right))
        top = part.top - grid.window.top
        if grid.south_up:
            top = grid.window.bottom - part.bottom
        there = Part(part.left - grid.window.left, top, part.shape[1], part.shape[0])
        way = slice(None, None, -1 if grid.south_up else 1)
        raw[at] = file.read(band, window=there)[way]
        valid[at] = unmasked(file, band, there)[way]
        inside[at] = True
    means = whole or file
    told = Told(
        nodata=None if whole is None else whole.nodatavals[band - 1],
        scale=means.scales[band - 1],
        offset=means.offsets[band - 1],
        inside=inside,
        valid=valid,
    )
    return zonal(raw, areas(zone, grid.lattice, window), told)


def unmasked(file: DatasetReader, band: int, window: Part) -> NDArray[np.bool_]:
    """What GDAL says is valid; a mask of all bands counts for an alpha band too."""
    valid = file.read_masks(band, window=window) > 0
    if any("per_dataset" in {flag.name for flag in flags} for flags in file.mask_flag_enums):
        valid &= file.dataset_mask(window=window) > 0
    return np.asarray(valid)


def compare(
    file: DatasetReader,
    zones: Sequence[shapely.Geometry],
    found: Mapping[int, Mapping[str, Any]],
    whole: DatasetReader | None = None,
) -> float:
    """Compare statistics with those by hand, and give how many cells they were of.

    Args:
        file: the raster.
        zones: in its CRS.
        found: 1-based band -> statistic -> its value for each zone.
        whole: as for `by_hand`.

    Raises:
        AssertionError: they differ.
    """
    cells = 0.0
    for band, columns in found.items():
        for i, zone in enumerate(zones):
            row = {name: float(columns[name][i]) for name in STATISTICS}
            wrong = differences(row, by_hand(file, band, zone, whole))
            assert not wrong, f"{file.name}, band {band}, zone {i}: {wrong}"
            cells += row["count"]
    return cells


def differences(found: dict[str, float], expected: dict[str, float]) -> dict[str, object]:
    """(found, expected) of what differs: shares by 1e-8 cells, values by 1e-8 of the largest."""
    near = {name: 1e-8 + 1e-9 * expected[name] for name in ("count", "n_outside", "n_total")}
    if expected["count"] > 1e-8:
        size = 1e-8 * max(abs(expected["min"]), abs(expected["max"]))
        near |= dict.fromkeys(("mean", "min", "max", "std", "median"), size)
        near["sum"] = size * max(1.0, expected["count"])
    pairs = {name: (found[name], expected[name]) for name in near}
    lost = sum(found[f"n_{why}"] for why in ("nodata", "nan", "masked", "outside"))
    pairs["all"], near["all"] = (found["count"] + lost, found["n_total"]), 1e-9 * found["n_total"]
    return {name: pair for name, pair in pairs.items() if not abs(pair[0] - pair[1]) <= near[name]}
