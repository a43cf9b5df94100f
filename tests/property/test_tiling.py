"""The law of fold tiles: how work is cut changes no bit of any statistic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.transform import Affine

import zonalbatch as zb
from tests.oracles import (
    CRS,
    STATISTICS,
    Raster,
    bits,
    lattice_at,
    layer_of,
    measured,
    placed,
    raster,
)
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.lattice import TILE, Lattice
from zonalbatch.masks.mask import Mask
from zonalbatch.work.layer_work import LayerSummary

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
EDGE = 700
"""Side of the rasters, cells; their first cell is not that of a fold tile."""
ROW, COL = TILE - 200, -300

seeds = st.integers(0, 2**32 - 1)
rules = st.sampled_from(("fraction", "center", "all_touched"))


def zones_of(rng: np.random.Generator, count: int, reach: float = 250.0) -> list[shapely.Geometry]:
    """Triangles and stars of all sizes about the raster, across tiles and beyond its border."""
    found = []
    for _ in range(count):
        n = int(rng.integers(3, 9))
        ring = rng.uniform(0, EDGE, 2) + rng.choice([0.3, 5, 60, reach]) * rng.normal(size=(n, 2))
        shape = shapely.convex_hull(shapely.MultiPoint(ring))
        found.append(placed(shape, CELLS, ROW, COL))
    return found


def scene(rng: np.random.Generator, dtype: str = "uint16", **about: Any) -> Raster:
    """A raster with nodata here and there."""
    values = rng.integers(0, 200, (EDGE, EDGE)).astype(dtype)
    return raster(values, CELLS, ROW, COL, **({"nodata": 7} | about))


def of_zones(summary: LayerSummary, zones: Sequence[int]) -> dict[str, bytes]:
    """Every column of some zones as bytes."""
    return {
        "_".join(key): np.ascontiguousarray(column[list(zones)]).tobytes()
        for key, column in summary.columns.items()
    }


# --- what is computed together ----------------------------------------------------------------


@given(seeds, rules, st.sampled_from(("uint16", "float64")))
@settings(max_examples=15)
def test_zones_beside_change_no_bit(seed: int, rule: CoverageRule, dtype: str) -> None:
    """A zone has the same bits alone, with some zones, and with all."""
    rng = np.random.default_rng(seed)
    zones, rasters = zones_of(rng, 12), {"a": scene(rng, dtype)}
    (together,) = measured(zones, rasters, rule=rule)
    for chosen in ([0], [5], [3, 4, 11], [11, 3]):
        (some,) = measured([zones[i] for i in chosen], rasters, rule=rule)
        assert bits(some) == of_zones(together, chosen)


def test_zones_beside_change_no_bit_of_an_expression() -> None:
    """Functions of floats give a cell the same bits wherever it lies among others."""
    rng = np.random.default_rng(11)
    zones = zones_of(rng, 25, 100.0)
    rasters = {"a": scene(rng), "b": scene(rng, "float32", nodata=None)}
    layer = layer_of("one", red="a", nir="b")(rasters)
    asked: Mapping[str, Any] = {
        "measurements": {
            "v": "exp(red / 100) + log(nir + 1) + sqrt(red) * (nir + 0.1) ** 0.37",
            "ndvi": "(nir - red) / (nir + red)",
        }
    }
    (together,) = measured(zones, rasters, [layer], **asked)
    for i in range(len(zones)):
        (alone,) = measured([zones[i]], rasters, [layer], **asked)
        assert bits(alone) == of_zones(together, [i])


@given(seeds)
@settings(max_examples=10)
def test_layers_beside_change_no_bit(seed: int) -> None:
    """A layer has the same bits alone and among layers of the same extent."""
    rng = np.random.default_rng(seed)
    zones = zones_of(rng, 8)
    rasters = {"a": scene(rng), "b": scene(rng, nodata=None), "c": scene(rng, "float32")}
    together = measured(zones, rasters)
    for name, summary in zip(rasters, together, strict=True):
        (alone,) = measured(zones, {name: rasters[name]})
        assert bits(alone) == bits(summary)


@given(seeds)
@settings(max_examples=10)
def test_layers_of_other_extents_change_no_bit(seed: int) -> None:
    """A layer has the same bits alone and beside layers that reach into other fold tiles."""
    rng = np.random.default_rng(seed)
    zones = zones_of(rng, 30)
    wide = raster(np.zeros((2 * EDGE, 2 * EDGE), np.uint16), CELLS, ROW - 300, COL - 500)
    rasters = {"a": scene(rng), "wide": wide}
    (alone,) = measured(zones, {"a": rasters["a"]})
    beside, _ = measured(zones, rasters)
    changed = [name for name, column in bits(alone).items() if bits(beside)[name] != column]
    assert changed == []


@pytest.mark.parametrize("first_col", [0, 760])
def test_layers_of_other_longitudes_change_no_bit(first_col: int) -> None:
    """On a grid in 0..360 degrees a layer of a few of them has its bits beside one of all."""
    rng = np.random.default_rng(2)
    degrees = Lattice("EPSG:4326", 0.25, 0.25, 0.0, 0.0)
    part, world = (rng.integers(0, 99, (80, width)).astype(np.uint8) for width in (80, 1440))
    rasters = {
        "part": raster(part, degrees, -40, first_col), "world": raster(world, degrees, -40, 0),
    }  # fmt: skip
    zones = [
        shapely.Point(rng.uniform(*lon), rng.uniform(-8, 8)).buffer(rng.uniform(0.1, 6))
        for lon in ((-8, 12), (-172, -160))
        for _ in range(20)
    ]
    (alone,) = measured(zones, {"part": rasters["part"]})
    beside, _ = measured(zones, rasters)
    changed = [name for name, column in bits(alone).items() if bits(beside)[name] != column]
    assert changed == []


@pytest.mark.parametrize(
    ("crs", "cell", "left", "top"),
    [
        pytest.param("+proj=ortho +lat_0=60 +lon_0=10", 1e4, -5e5, 5e5, id="half the Earth"),
        pytest.param("EPSG:32633", 2e4, -5e5, 6e6, id="UTM"),
        pytest.param("EPSG:3413", 5e4, -2e6, 1e6, id="polar"),
        pytest.param("EPSG:3857", 1e5, 0, 1.2e7, id="Mercator"),
        pytest.param("EPSG:3832", 1e5, -1.9e7, 1.2e7, id="Mercator about 150 degrees east"),
        pytest.param("+proj=sinu +R=6371007.181", 5e4, -1e6, 8e6, id="sinusoidal"),
        pytest.param("EPSG:3035", 5e4, 2e6, 4e6, id="azimuthal"),
        pytest.param("+proj=gnom +lat_0=50 +lon_0=10", 1e5, -2e6, 3e6, id="gnomonic"),
    ],
)
def test_layers_beside_change_no_bit_where_the_projection_ends(
    crs: str, cell: float, left: float, top: float
) -> None:
    """A zone that reaches beyond what a projection can show has its bits beside a wider layer."""
    lattice = Lattice(pyproj.CRS(crs).to_wkt(), cell, cell, 0.0, 0.0)
    row, col = round(-top / cell), round(left / cell)
    rng = np.random.default_rng(4)
    narrow, wide = (rng.integers(0, 99, (side, side)).astype(np.uint8) for side in (50, 250))
    rasters = {
        "narrow": raster(narrow, lattice, row, col),
        "wide": raster(wide, lattice, row - 100, col - 100),
    }
    boxes = (
        (-180, -90, 180, 90), (-80, -90, 100, 90), (-180, -10, 180, 90), (-10, -80, 30, 70),
        (2, 50, 20, 70),
    )  # fmt: skip
    zones = [shapely.box(*box) for box in boxes]
    (alone,) = measured(zones, {"narrow": rasters["narrow"]}, crs="EPSG:4326")
    beside, _ = measured(zones, rasters, crs="EPSG:4326")
    changed = [name for name, column in bits(alone).items() if bits(beside)[name] != column]
    assert changed == []
    total, count = (alone.columns["value", name] for name in ("n_total", "count"))
    np.testing.assert_allclose(count[0], narrow.size, rtol=1e-9)  # it lies in the world whole
    assert (total[:4] > 2 * count[:4]).all()


def test_bands_that_are_not_read_change_no_bit() -> None:
    """A layer has its bits whatever else it holds, also where that lies on a grid in 0..360."""
    rng = np.random.default_rng(2)
    degrees = Lattice("EPSG:4326", 0.25, 0.25, 0.0, 0.0)
    part, world = (rng.integers(0, 99, (80, width)).astype(np.uint8) for width in (80, 1440))
    rasters = {"part": raster(part, degrees, -40, 0), "world": raster(world, degrees, -40, 0)}
    zones = [
        shapely.Point(rng.uniform(-8, 12), rng.uniform(-8, 8)).buffer(rng.uniform(0.1, 6))
        for _ in range(20)
    ]
    found = [
        bits(*measured(zones, rasters, [layer(rasters)], measurements={"red": "red"}))
        for layer in (layer_of("one", red="part"), layer_of("one", red="part", other="world"))
    ]
    assert found[0] == found[1]


def test_measurements_beside_change_no_bit() -> None:
    """A measurement has the same bits alone and with others, on its own lattice or another."""
    rng = np.random.default_rng(3)
    coarse = Lattice("EPSG:32631", 2.0, 2.0, 0.0, 0.0)
    values = rng.integers(0, 99, (EDGE // 2, EDGE // 2)).astype(np.uint8)
    rasters = {"a": scene(rng), "c": raster(values, coarse, ROW // 2, COL // 2)}
    layer = layer_of("one", red="a", scl="c")(rasters)
    zones = zones_of(rng, 10)
    texts = {"red": "red", "scl": "scl", "both": "red + scl"}
    (together,) = measured(zones, rasters, [layer], measurements=texts)
    for name, text in texts.items():
        (alone,) = measured(zones, rasters, [layer], measurements={name: text})
        assert bits(alone).items() <= bits(together).items()


# --- memory and blocks ------------------------------------------------------------------------


def test_tiles_are_folded_in_their_order() -> None:
    """Sums of floats over a row of tiles have the same bits one tile at a time and all at once."""
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (40, 5 * TILE)) * 10.0 ** rng.integers(-8, 8, 5 * TILE)
    there = {"a": raster(values, CELLS, ROW, COL)}
    zone = placed(shapely.box(5, 7, 5 * TILE - 3, 30), CELLS, ROW, COL)
    found = []
    for memory in (1, 512 * 2 * TILE * TILE, 2**30):
        (one,) = measured([zone], there, memory=memory)
        assert one.columns["value", "count"][0] == 23 * (5 * TILE - 8)
        found.append(bits(one))
    assert found[0] == found[1] == found[2]


@given(seeds, rules)
@settings(max_examples=10)
def test_memory_changes_no_bit(seed: int, rule: CoverageRule) -> None:
    """Tiles one at a time, two, or all at once: the same bits, also with masks and coarse bands."""
    rng = np.random.default_rng(seed)
    coarse = Lattice("EPSG:32631", 4.0, 4.0, 0.0, 0.0)
    classes = rng.integers(0, 12, (EDGE // 4, EDGE // 4)).astype(np.uint8)
    rasters = {
        "a": scene(rng, block=(300, 170)),
        "c": raster(classes, coarse, ROW // 4, COL // 4, block=(64, 64)),
    }
    layers = [layer_of(name, red="a", scl="c")(rasters) for name in ("one", "two")]
    asked: Mapping[str, Any] = {
        "measurements": {"red": "red", "scl": "scl"}, "mask": Mask("scl", (3, 8, 9), keep=False),
    }  # fmt: skip
    zones = zones_of(rng, 10)
    found = [
        [bits(one) for one in measured(zones, rasters, layers, rule=rule, memory=memory, **asked)]
        for memory in (1, 512 * 2 * TILE * TILE, 2**30)
    ]
    assert found[0] == found[1] == found[2]


def written(path: Path, values: NDArray[Any], *, south_up: bool = False, **profile: Any) -> str:
    """A GeoTIFF of (row, col) values, north row first; its path."""
    lattice = lattice_at()
    top, left = lattice.y0 - lattice.dy * ROW, lattice.x0 + lattice.dx * COL
    transform = Affine(10, 0, left, 0, -10, top)
    if south_up:
        transform = Affine(10, 0, left, 0, 10, top - 10 * len(values))
    settings: dict[str, Any] = {
        "driver": "GTiff", "count": 1, "height": len(values), "width": values.shape[1],
        "dtype": values.dtype.name, "crs": CRS, "transform": transform, "nodata": 7,
    }  # fmt: skip
    with rasterio.open(path, "w", **(settings | profile)) as file:
        file.write(values[::-1] if south_up else values, 1)
        file.scales = (0.1,)
    return str(path)


def in_metres(zones: Sequence[shapely.Geometry]) -> gpd.GeoDataFrame:
    """Zones given on ``CELLS``, on the lattice of the files."""
    return gpd.GeoDataFrame(
        geometry=[shapely.transform(zone, lambda xy: xy * 10) for zone in zones], crs=CRS
    )


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_the_form_of_the_file_changes_no_bit(tmp_path: Path, dtype: str) -> None:
    """Tiled, in stripes of one row, in one block, compressed, south-up: the same bits."""
    rng = np.random.default_rng(5)
    values, zones = rng.integers(0, 200, (EDGE, EDGE)).astype(dtype), in_metres(zones_of(rng, 30))
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256}
    forms: dict[str, dict[str, Any]] = {
        "plain": tiles,
        "deflate": {**tiles, "compress": "deflate"},
        "small": {"tiled": True, "blockxsize": 128, "blockysize": 64},
        "stripes": {"blockysize": 1},
        "whole": {"blockysize": EDGE},
        "south": {**tiles, "south_up": True},
        "south_stripes": {"blockysize": 1, "south_up": True},
    }
    found = {
        name: zb.zonal_stats(
            zones, written(tmp_path / f"{name}.tif", values, **form), STATISTICS, geometry=False
        )
        for name, form in forms.items()
    }
    expected = found["plain"].to_numpy().tobytes()
    assert [name for name, table in found.items() if table.to_numpy().tobytes() != expected] == []


def test_projected_zones_beside_change_no_bit(tmp_path: Path) -> None:
    """Zones in degrees on a grid in metres have the same bits alone and among others."""
    rng = np.random.default_rng(6)
    path = written(tmp_path / "a.tif", rng.integers(0, 200, (EDGE, EDGE)).astype(np.uint8))
    metres = in_metres(zones_of(rng, 12))
    shift = (500_000, 5_000_000)  # into the UTM zone
    moved = metres.geometry.translate(*shift).set_crs(CRS)
    with rasterio.open(path, "r+") as file:
        file.transform = Affine.translation(*shift) @ file.transform
    zones = gpd.GeoDataFrame(geometry=moved.to_crs("EPSG:4326"))
    together = zb.zonal_stats(zones, path, STATISTICS, geometry=False)
    assert (together["count"] > 0).any()
    for i in range(len(zones)):
        alone = zb.zonal_stats(zones.iloc[[i]], path, STATISTICS, geometry=False)
        assert alone.to_numpy().tobytes() == together.iloc[[i]].to_numpy().tobytes()


# --- another place of the fold tiles ----------------------------------------------------------


@given(seeds, rules, st.sampled_from(("uint8", "uint16", "float32", "float64")))
@settings(max_examples=20)
def test_other_fold_tiles_change_sums_by_rounding_only(
    seed: int, rule: CoverageRule, dtype: str
) -> None:
    """Raster and zones moved together against the fold tiles: extremes equal, sums to 1e-12.

    Coordinates are multiples of 1/64 cell, so that the zones cover the same shares of cells.
    """
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 200, (EDGE, EDGE)).astype(dtype)
    shapes = []
    for _ in range(6):
        ring = rng.uniform(0, EDGE, 2) + rng.choice([2, 60, 250]) * rng.normal(size=(5, 2))
        shapes.append(shapely.convex_hull(shapely.MultiPoint(np.round(ring * 64) / 64)))

    def at(row: int, col: int) -> dict[str, NDArray[np.float64]]:
        zones = [placed(shape, CELLS, row, col) for shape in shapes]
        (found,) = measured(zones, {"a": raster(values, CELLS, row, col, nodata=7)}, rule=rule)
        return {name: column for (_, name), column in found.columns.items()}

    here = at(0, 0)
    for row, col in ((301, -77), (-513, 4000)):
        there = at(row, col)
        for name in ("min", "max", "range"):
            np.testing.assert_array_equal(there[name], here[name])
        for name in ("count", "sum", "mean", "n_total", "n_nodata", "n_outside"):
            np.testing.assert_allclose(there[name], here[name], rtol=1e-12, atol=1e-9)
        for name in ("variance", "std", "p10", "median", "p90"):
            np.testing.assert_allclose(there[name], here[name], rtol=1e-9, atol=1e-9)
