"""Overviews of real rasters: a result at a resolution is that of the overview, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely

from tests.files_by_hand import STATISTICS, compare, zones_on
from tests.made.zones import wkb
from zonalbatch.expression import bare
from zonalbatch.layers import Asset
from zonalbatch.measure import Measurement
from zonalbatch.recipe import Recipe
from zonalbatch.sources import Band, Resolution, cog_layers, open_pixels
from zonalbatch.work.ground import Shapes
from zonalbatch.work.summarise import summarise

LEVELS = {
    "scenes/esa_worldcover/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif": 6,
    "scenes/titiler/B01.tif": 2,
    "scenes/titiler/B09.tif": 2,
    "scenes/titiler/TCI.tif": 5,
    "scenes/titiler/cog_scale.tif": 2,
    "tricky/rasterio/cogeo.tif": 6,
    "tricky/rasterio/goes.tif": 1,
    "tricky/rasterio/green.tif": 2,
    "tricky/rasterio/red.tif": 2,
    "tricky/rio_tiler/cog_cmap.tif": 4,
    "tricky/rio_tiler/cog_dateline.tif": 3,
    "tricky/rio_tiler/cog_fullearth.tif": 2,
    "tricky/rio_tiler/cog_ovr.tif": 4,
    "tricky/rio_tiler/cog_scale.tif": 2,
    "tricky/rio_tiler/cog_tags.tif": 1,
    "tricky/rio_tiler/cog_uint8_rgb_mask.tif": 2,
    "tricky/rio_tiler/cog_uint8_rgb_nodata.tif": 2,
    "tricky/rio_tiler/cog_uint8_rgba.tif": 2,
    "zonal_tools/stars_sf_olinda/L7_ETMs.tif": 4,
}
"""Raster → how many overviews it has, in the file or beside it."""

CASES = [(name, level) for name, count in LEVELS.items() for level in range(count)]


def assets_at(path: Path, bands: Sequence[int], resolution: Resolution) -> dict[str, Asset]:
    """The bands of a file, by their numbers."""
    wanted = {f"b{i}": Band(index=i) for i in bands}
    found = cog_layers(files=[str(path)], bands=wanted, resolution=resolution)
    return dict(found.layers[0].scenes[0].assets)


def measured(
    path: Path, bands: Sequence[int], zones: Sequence[shapely.Geometry], resolution: Resolution
) -> dict[int, Mapping[str, Any]]:
    """Band -> statistic -> its value for each zone."""
    wanted = {f"b{i}": Band(index=i) for i in bands}
    found = cog_layers(files=[str(path)], bands=wanted, resolution=resolution)
    recipe = Recipe(
        measurements=tuple(Measurement(name, bare(name)) for name in wanted),
        statistics=tuple(STATISTICS),
        coverage="fraction",
    )
    crs = found.layers[0].scenes[0].assets[f"b{bands[0]}"].grid.lattice.crs
    (summary,) = summarise(
        Shapes(wkb(zones), crs), found.layers, recipe, open_pixels=open_pixels, memory=2**28
    )
    return {i: {s: summary.columns[f"b{i}", s] for s in STATISTICS} for i in bands}


@pytest.mark.parametrize(("name", "level"), CASES)
def test_an_overview_is_read_as_it_is(data_dir: Path, name: str, level: int) -> None:
    """Asked for the cells of an overview, that overview is read: its cells, its masks, its place.

    What values mean the file says: an overview has no scale, and beside the file no nodata.
    """
    path = data_dir / name
    with rasterio.open(path) as whole, rasterio.open(path, OVERVIEW_LEVEL=level) as file:
        grid = assets_at(path, [1], asked := side_metres(file))["b1"].grid
        assert grid.shape == file.shape
        np.testing.assert_allclose(
            grid.lattice.bounds(grid.window), file.bounds, rtol=1e-12, atol=1e-12
        )
        zones = zones_on(file)
        found = measured(path, file.indexes, zones, asked)
        assert compare(file, zones, found, whole) > 0


def side_metres(file: rasterio.DatasetReader) -> float:
    """The longer side of a cell, metres; at the middle of a raster in degrees."""
    if not file.crs.is_geographic:
        return float(max(file.transform.a, -file.transform.e) * file.crs.linear_units_factor[1])
    middle = (file.bounds.bottom + file.bounds.top) / 2
    width = file.transform.a * np.cos(np.radians(middle))
    return float(np.radians(max(width, -file.transform.e)) * 6378137)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_none_is_left_out(data_dir: Path) -> None:
    """The table names all rasters that have overviews and can be used."""
    found = {}
    for folder in ("scenes", "tricky", "zonal_tools"):
        for path in (data_dir / folder).rglob("*.tif"):
            with rasterio.open(path) as file:
                if file.overviews(1) and file.crs and not file.transform.is_identity:
                    found[str(path.relative_to(data_dir))] = len(file.overviews(1))
    broken = {"tricky/rasterio/corrupt.tif", "tricky/derived/B01_truncated_60pct.tif"}
    assert {name: count for name, count in found.items() if name not in broken} == LEVELS


@pytest.mark.parametrize("name", LEVELS)
def test_an_approximate_result_has_a_thousand_cells_to_a_side(data_dir: Path, name: str) -> None:
    """The overview of the fewest cells that are still 1024 to a side, else the whole."""
    path = data_dir / name
    with rasterio.open(path) as file:
        sides = [max(file.shape)]
        for level in range(LEVELS[name]):
            with rasterio.open(path, OVERVIEW_LEVEL=level) as one:
                sides.append(max(one.shape))
    expected = min([side for side in sides if side >= 1024], default=sides[0])
    grid = assets_at(path, [1], "approx")["b1"].grid
    assert max(grid.shape) == expected
