"""A box over a real land cover of 36,000 x 36,000 cells, by a real STAC API."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.windows import from_bounds

import zonalbatch as zb
from tests.made.apis import full_api
from tests.made.commands import PEAK
from zonalbatch.catalog.named import named

ITEM = "stac_items/stactools-esa-worldcover/ESA_WorldCover_10m_2021_v200_N00E006.json"
FILE = "scenes/esa_worldcover/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif"
BOX = (6.9711, 1.0301, 7.5333, 2.0111)
MEASURED = f"""{PEAK}
import sys
import zonalbatch as zb
name, out = sys.argv[1:]
zb.extract_raster(name, bbox=(6.0, 0.0, 9.0, 3.0), output_dir=out, filename="whole.tif")
print(peak())
"""


@pytest.fixture(scope="module")
def worldcover(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The catalogue's own data set, at an API on loopback that tells of one real item."""
    folder = tmp_path_factory.mktemp("worldcover")
    item: dict[str, Any] = json.loads((data_dir / ITEM).read_text())
    asset = item["assets"]["map"] | {"href": str(data_dir / FILE)}
    item |= {"assets": {"map": asset}, "links": []}
    with full_api(folder, [item]) as url:
        data = named("esa_worldcover:map").data
        place = data.place.model_copy(update={"api": url, "trusted": True})
        path = folder / "esa_worldcover.yaml"
        path.write_text(data.model_copy(update={"place": place}).model_dump_json())
        yield f"{path}:map"


@pytest.mark.long
def test_a_box_is_the_window_of_the_file(worldcover: str, data_dir: Path, tmp_path: Path) -> None:
    """Byte for byte, with its colours, and the names of its classes."""
    found = zb.extract_raster(worldcover, bbox=BOX, output_dir=tmp_path)
    with rasterio.open(found.path) as file, rasterio.open(data_dir / FILE) as source:
        window = from_bounds(*file.bounds, source.transform).round_offsets().round_lengths()
        pixels = source.read(1, window=window)
        assert file.read(1).tobytes() == pixels.tobytes()
        assert file.colormap(1)[10] == source.colormap(1)[10]
        assert json.loads(file.tags()["CLASSES"])["10"] == "Tree cover"
        west, south, east, north = BOX
        left, bottom, right, top = file.bounds
        cell = source.res[0] * (1 + 1e-6)
        assert 0 <= west - left < cell
        assert 0 <= right - east < cell
        assert 0 <= south - bottom < cell
        assert 0 <= top - north < cell
    assert set(np.unique(pixels)) > {0, 10, 80}
    assert found.license.name == "CC BY 4.0"


@pytest.mark.long
def test_the_whole_tile_in_little_memory(worldcover: str, data_dir: Path, tmp_path: Path) -> None:
    """1.3 thousand million cells in less than 512 MiB, the program itself included."""
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, worldcover, str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    most = int(told.stdout)
    assert most < 512, f"{most} MiB"
    with rasterio.open(tmp_path / "whole.tif") as file, rasterio.open(data_dir / FILE) as source:
        assert file.shape == source.shape
        for row in range(0, 36_000, 6_000):
            window = rasterio.windows.Window(0, row, 36_000, 500)
            assert np.array_equal(file.read(1, window=window), source.read(1, window=window))


@pytest.mark.long
def test_jobs_over_it(worldcover: str, data_dir: Path, tmp_path: Path) -> None:
    """A job that names the data set has the rows of one that names the file."""
    import geopandas
    import shapely

    zones = geopandas.GeoDataFrame(
        {"id": [1, 2]}, geometry=[shapely.box(*BOX), shapely.Point(7.3, 1.5).buffer(0.05)],
        crs="EPSG:4326",
    )  # fmt: skip
    data = {"kind": "dataset", "name": worldcover}
    told = zb.zonal_stats(zones, data, ["mode", "variety", "count"])
    expected = zb.zonal_stats(zones, str(data_dir / FILE), ["mode", "variety", "count"])
    names = ["mode", "variety", "count"]
    assert told[names].equals(expected[names])
    job = zb.Job(
        zones={"path": zones, "id": "id"}, source=data, statistics=names,
        output={"path": str(tmp_path / "out")},
    )  # fmt: skip
    zb.run(job)
    rows = zb.open_results(tmp_path / "out").gdf.sort_values("zone_id")
    assert rows["map_mode"].tolist() == expected["mode"].tolist()
    assert rows["map_count"].tolist() == expected["count"].tolist()
