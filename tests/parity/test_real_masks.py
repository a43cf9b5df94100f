"""Masks on real scenes, as NumPy on whole files: Landsat's bits by name, Sentinel-2's classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray

import zonalbatch as zb

LANDSAT = "scenes/landsat_c2l2/LC08_L2SP_017036_20130419_20200913_02_T2_{}.TIF"
ITEM = "stac_items/stactools-landsat/example_LC08_L2SP_047027_20201204_02_T1.json"
FLANDERS = "timeseries/worldcereal_flanders/00002806639B424A"
STATISTICS = "count,sum,n_masked,n_nodata,clear_fraction"


def grown(where: NDArray[np.bool_], metres: float, dy: float, dx: float) -> NDArray[np.bool_]:
    """(row, col) True within some metres of a True cell, by moving the whole array about."""
    far = int(metres // min(dy, dx))
    wide = np.pad(where, far)
    out = np.zeros_like(where)
    height, width = where.shape
    for row in range(-far, far + 1):
        for col in range(-far, far + 1):
            if (row * dy) ** 2 + (col * dx) ** 2 <= metres**2:
                out |= wide[far + row :, far + col :][:height, :width]
    return out


def squares(file: Any, side: int) -> gpd.GeoDataFrame:
    """Squares of whole cells over a raster, row by row."""
    a, _, left, _, e, top = tuple(file.transform)[:6]
    boxes = [
        shapely.box(left + a * c, top + e * (r + side), left + a * (c + side), top + e * r)
        for r in range(0, file.height, side)
        for c in range(0, file.width, side)
    ]
    return gpd.GeoDataFrame(geometry=boxes, crs=file.crs)


def by_square(values: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Sums of the cells of each square, row by row."""
    rows, cols = values.shape[0] // side, values.shape[1] // side
    return values.astype(float).reshape(rows, side, cols, side).sum(axis=(1, 3)).reshape(-1)


def agrees(
    found: gpd.GeoDataFrame,
    values: NDArray[Any],
    nodata: NDArray[np.bool_],
    masked: NDArray[np.bool_],
    side: int,
) -> None:
    """Assert that sums and counts are those of NumPy."""
    valid = ~nodata & ~masked
    count, hidden = by_square(valid, side), by_square(masked & ~nodata, side)
    np.testing.assert_array_equal(found["count"], count)
    np.testing.assert_array_equal(found["n_masked"], hidden)
    np.testing.assert_array_equal(found["n_nodata"], by_square(nodata, side))
    np.testing.assert_allclose(
        found["sum"].fillna(0), by_square(np.where(valid, values, 0), side), rtol=1e-9
    )
    seen = count + hidden
    clear = np.divide(count, seen, out=np.full(len(seen), np.nan), where=seen > 0)
    np.testing.assert_allclose(found["clear_fraction"], clear, rtol=1e-12)


def landsat_item(data_dir: Path) -> dict[str, Any]:
    """An item over local files, with the bit fields of a real one."""
    said = json.loads((data_dir / ITEM).read_text())["assets"]["qa_pixel"]
    kind = {"type": "image/tiff", "roles": ["data"]}
    assets: dict[str, Any] = {
        name: {"href": str(data_dir / LANDSAT.format(band)), **kind}
        for name, band in (("red", "SR_B4"), ("qa", "QA_PIXEL"))
    }
    key = "classification:bitfields"
    assets["qa"][key] = said[key]
    return {
        "type": "Feature", "stac_version": "1.1.0", "id": "scene", "geometry": None, "links": [],
        "properties": {"datetime": "2013-04-19T16:00:00Z"}, "assets": assets,
    }  # fmt: skip


def test_landsat_bits_by_name(data_dir: Path) -> None:
    """Clouds, their shadows and half-certain ones, grown by a kilometre, over 64 squares."""
    with rasterio.open(data_dir / LANDSAT.format("SR_B4")) as file:
        zones, red, (dx, dy) = squares(file, 64), file.read(1), file.res
    with rasterio.open(data_dir / LANDSAT.format("QA_PIXEL")) as file:
        qa = file.read(1).astype(int)
    cloud = (qa >> 3 & 1) | (qa >> 4 & 1) | np.isin(qa >> 8 & 3, [2, 3])
    bits = {"cloud": None, "cloud_shadow": None, "cloud_confidence": ["medium", "high"]}
    for metres in (0.0, 1000.0):
        found = zb.zonal_stats(
            zones, [landsat_item(data_dir)], STATISTICS, bands={"red": "red", "qa": "qa"},
            mask={"band": "qa", "bits": bits, "dilate": metres}, scale_offset="none",
        )  # fmt: skip
        agrees(found, red, red == 0, grown(cloud.astype(bool), metres, dy, dx), 64)


def test_sentinel_classes_of_coarser_cells(data_dir: Path) -> None:
    """SCL of 20 m over bands of 10 m, grown by 35 m, on a cloudy day."""
    date = "20180416"
    folder = data_dir / FLANDERS
    with rasterio.open(folder / "scl" / f"S2_L2A_{date}_SCL.tif") as file:
        classes = file.read(1)
    (path,) = folder.glob(f"b10m/S2_L2A_{date}_*.tif")
    with rasterio.open(path) as file:
        zones, band, (dx, dy), nodata = squares(file, 8), file.read(1), file.res, file.nodata
    unwanted = [2, 8]
    cloud = np.isin(np.kron(classes, np.ones((2, 2), int)), unwanted)
    item = landsat_item(data_dir)
    item["assets"]["red"]["href"] = str(path)
    item["assets"]["scl"] = {**item["assets"].pop("qa")}
    item["assets"]["scl"]["href"] = str(folder / "scl" / f"S2_L2A_{date}_SCL.tif")
    found = zb.zonal_stats(
        zones, [item], STATISTICS, bands={"red": "red", "scl": "scl"}, scale_offset="none",
        mask={"band": "scl", "exclude": unwanted, "dilate": 35},
    )  # fmt: skip
    empty = np.zeros(band.shape, bool) if nodata is None else band == nodata
    agrees(found, band, empty, grown(cloud, 35, dy, dx), 8)
