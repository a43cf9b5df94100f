"""Supplies: the files that pages speak of, from the landscape of the demo."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from tests.made.datasets import tile
from zonalbatch.demo import Landscape, make_landscape
from zonalbatch.demo.land import CELL, CRS, LEFT, TOP

__all__ = ["catalogue", "make_supplies"]


def make_supplies(folder: Path) -> Landscape:
    """The landscape of `zonalbatch demo`, and whatever else a page names, in a folder."""
    land = make_landscape(folder)
    fields = geopandas.read_parquet(land.fields)
    fields["farm"] = [f"farm {number % 9}" for number in fields["field_id"]]
    fields.to_parquet(land.fields, write_covering_bbox=True)
    fields.to_file(folder / "fields.gpkg")
    land.job.unlink()
    _write_districts(folder, fields)
    _write_dates(folder, land)
    _write_others(folder, fields)
    _write_world(folder / "web")
    shutil.copytree(folder / "scenes", folder / "web" / "scenes", copy_function=os.link)
    return land


def catalogue(land: Landscape, root: str) -> list[dict[str, Any]]:
    """Items of the landscape, of the year before, of heights and of land cover, at a server."""
    items = json.loads(land.items.read_text())["features"]
    for item in items:
        item["collection"] = "sentinel-2-l2a"
        item["properties"]["datetime"] = item["properties"]["datetime"].replace("2025", "2024")
        for name, asset in list(item["assets"].items()):
            asset["href"] = asset["href"].replace("./", f"{root}/")
            also = {"B04": "red", "B08": "nir", "SCL": "scl"}[name]
            item["assets"][also] = asset
    tiles = json.loads((land.folder / "web" / "tiles.json").read_text())
    for one in tiles:
        for asset in one["assets"].values():
            asset["href"] = f"{root}/{Path(asset['href']).name}"
    return [*items, *tiles]


def _write_districts(folder: Path, fields: geopandas.GeoDataFrame) -> None:
    left, bottom, right, top = fields.total_bounds
    middle = (left + right) / 2
    halves = geopandas.GeoDataFrame(
        {"district": ["west", "east"]},
        geometry=geopandas.GeoSeries.from_wkt([
            f"POLYGON(({a} {bottom},{b} {bottom},{b} {top},{a} {top},{a} {bottom}))"
            for a, b in ((left, middle), (middle, right))
        ]), crs=CRS,
    )  # fmt: skip
    halves.to_file(folder / "districts.gpkg")
    stations = fields.head(5)[["field_id"]].set_geometry(fields.head(5).geometry.centroid)
    stations.set_crs(CRS, allow_override=True).to_file(folder / "stations.gpkg")


def _write_dates(folder: Path, land: Landscape) -> None:
    """Files by date and band, files of four bands, and the NDVI of one date."""
    (folder / "s2").mkdir()
    for place in land.scenes:
        for band in place.glob("*.tif"):
            os.link(band, folder / "s2" / f"S2_{place.name}_{band.name}")
    for name in ("20250521", "20250616"):
        place = folder / "scenes" / name
        red, nir = (_read(place / name) for name in ("B04.tif", "B08.tif"))
        bands = np.stack([red, red, red, nir])
        _write(folder / f"s2_{place.name}.tif", bands, scale=0.0001, nodata=0)
    red, nir = (_read(folder / "scenes/20250616" / n).astype(float) for n in ("B04.tif", "B08.tif"))
    with np.errstate(invalid="ignore"):
        ndvi = np.where(red > 0, (nir - red) / (nir + red), np.nan)
    _write(folder / "ndvi.tif", ndvi.astype("float32")[None], nodata=np.nan)


def _write_others(folder: Path, fields: geopandas.GeoDataFrame) -> None:
    side = _read(folder / "ndvi.tif").shape[0]
    rng = np.random.default_rng(1)
    classes = rng.integers(1, 4, (side, side)).astype("uint8")
    labels = (np.indices((side, side)) // 20 * [[[10]], [[1]]]).sum(axis=0) + 1
    _write(folder / "landcover.tif", classes[None], nodata=0)
    _write(folder / "segments.tif", labels.astype("int32")[None], nodata=0)
    _write(folder / "flood_depth.tif", rng.random((1, side, side), "float32"), nodata=-1)
    half = rng.random((1, side // 2, side // 2), "float32")
    _write(folder / "population.tif", half, cell=2 * CELL, nodata=-1)


def _write_world(folder: Path) -> None:
    """What a server has: a wide scene, heights and land cover about the fields and elsewhere."""
    folder.mkdir()
    y, x = np.mgrid[0:1000, 0:4000]
    wide = (1000 + 10 * (x % 100) + y % 100).astype("uint16")
    _write(folder / "scene.tif", wide[None], cell=100.0, left=270_000.0, top=5_730_000.0, nodata=0)
    tiles = []
    for name, kind, most in (("cop-dem-glo-30", "int16", 300), ("esa-worldcover", "uint8", 90)):
        rng = np.random.default_rng(2)
        for number, (left, top) in enumerate(((3.0, 51.5), (10.0, 51.0))):
            values = (10 + rng.integers(0, most // 10, (400, 400)) * 10).astype(kind)
            nodata = 0 if kind == "uint8" else -32767
            one = tile(folder, f"{name}-{number}", values, left, top, 0.005, nodata=nodata)
            one["collection"] = name
            one["properties"]["datetime"] = "2021-01-01T00:00:00Z"
            one["assets"]["map"] = one["assets"]["data"]
            tiles.append(one)
    (folder / "tiles.json").write_text(json.dumps(tiles))


def _read(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as file:
        values: NDArray[Any] = file.read(1)
        return values


def _write(
    path: Path, bands: NDArray[Any], *, cell: float = CELL, left: float = LEFT, top: float = TOP,
    scale: float = 1.0, **profile: Any,
) -> None:  # fmt: skip
    count, height, width = bands.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=count, dtype=bands.dtype,
        crs=CRS, transform=from_origin(left, top, cell, cell), tiled=True, blockxsize=256,
        blockysize=256, compress="deflate", **profile,
    ) as file:  # fmt: skip
        file.write(bands)
        file.scales = [scale] * count
