"""A zone as large as a scene: its quantiles in little memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.windows import Window

from tests.made.commands import PEAK, python
from tests.made.places import CRS, LEFT, TOP

SIDE = 10_980
"""Rows and columns of a scene of Sentinel-2."""

CODE = """
import warnings
import geopandas, shapely
import zonalbatch as zb
warnings.simplefilter("error")
zone = shapely.Point({x}, {y}).buffer({radius})
zones = geopandas.GeoDataFrame({{"id": [1]}}, geometry=[zone], crs={crs!r})
found = zb.zonal_stats(zones, {path!r}, "count,p10,median,p99,mode")
row = found.iloc[0]
print(peak(), row["approximate"], row["mode"], *(row[c] for c in ("count", "p10", "median", "p99")))
"""


def scene(path: Path) -> None:
    """A float32 scene, written block row by block row."""
    profile = {
        "driver": "GTiff", "count": 1, "height": SIDE, "width": SIDE, "dtype": "float32",
        "crs": CRS, "transform": from_origin(LEFT, TOP, 10, 10),
        "tiled": True, "blockxsize": 512, "blockysize": 512,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        for row in range(0, SIDE, 512):
            rows = min(512, SIDE - row)
            file.write(values(row, rows), 1, window=Window(0, row, SIDE, rows))


def values(row: int, rows: int) -> NDArray[np.float32]:
    """Rows of the scene: greenness, most of it low."""
    rng = np.random.default_rng(row)
    return (rng.standard_gamma(2, (rows, SIDE), np.float32) / 5).astype(np.float32)


@pytest.mark.long
def test_quantiles_of_a_scene_in_less_than_a_gibibyte(tmp_path: Path) -> None:
    """95 million float32 cells: a median within 0.05 % of the ranks, in less than 1 GiB."""
    path, radius, middle = tmp_path / "scene.tif", 5_489, SIDE * 10 / 2
    scene(path)
    place = {"x": LEFT + middle, "y": TOP - middle, "crs": str(CRS), "path": str(path)}
    python(PEAK + CODE.format(radius=6_000, **place))  # compiles what was not: 140 MiB, once
    told = python(PEAK + CODE.format(radius=radius * 10, **place)).split()
    assert int(told[0]) < 1024, "MiB"
    assert told[1:3] == ["True", "nan"]
    count, *quantiles = map(float, told[3:])
    assert count == pytest.approx(np.pi * radius**2, rel=0.002)
    total, below = 0, np.zeros(3)
    for row in range(0, SIDE, 512):
        rows = min(512, SIDE - row)
        y, x = np.ogrid[row : row + rows, :SIDE]
        inside = values(row, rows)[(y - middle / 10) ** 2 + (x - middle / 10) ** 2 < radius**2]
        total += inside.size
        below += [(inside <= one).sum() for one in quantiles]
    np.testing.assert_allclose(below / total, [0.1, 0.5, 0.99], atol=5e-4)
