"""An archive that exists in its items alone: Sentinel-2's tiles and dates, and fields over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

__all__ = ["fields", "job", "write_items"]

CRS = "EPSG:32631"
STEP, WIDTH = 99_960, 109_800
"""Metres from one tile to the next, and that a tile is wide: neighbours overlap."""
LEFT, TOP = 399_960, 5_700_000
TILES = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))
"""(row, col) of five tiles."""
BANDS = {"B04": ("uint16", 10), "B08": ("uint16", 10), "SCL": ("uint8", 20)}
"""Type and metres of a cell."""


def write_items(path: Path, dates: int) -> Path:
    """Write an item for each tile and date, five days apart; returns the path."""
    items = [_item(tile, day) for day in _days(dates) for tile in TILES]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    return path


def fields(path: Path, count: int) -> Path:
    """Write fields of 200 m, spread evenly over the tiles; returns the path."""
    rng = np.random.default_rng(5)
    row, col = np.array(TILES)[np.arange(count) % len(TILES)].T
    left = LEFT + STEP * col + rng.uniform(0, STEP - 200, count)
    top = TOP - STEP * row - rng.uniform(0, STEP - 200, count)
    shapes = shapely.box(left, top - 200, left + 200, top)
    gpd.GeoDataFrame({"field_id": np.arange(count)}, geometry=shapes, crs=CRS).to_parquet(path)
    return path


def job(zones: Path, items: Path, out: Path) -> dict[str, Any]:
    """NDVI without clouds for each field and item."""
    return {
        "zones": {"path": str(zones), "id": "field_id"},
        "source": {"kind": "stac", "items": str(items)},
        "bands": {"red": "B04", "nir": "B08", "scl": "SCL"},
        "measurements": {"ndvi": "(nir - red) / (nir + red)"},
        "mask": {"band": "scl", "exclude": [0, 1, 3, 8, 9, 10]},
        "statistics": ["count", "mean", "std", "median"],
        "output": {"path": str(out)},
    }


def _days(count: int) -> Iterator[date]:
    return (date(2023, 1, 1) + timedelta(days=5 * i) for i in range(count))


def _item(tile: tuple[int, int], day: date) -> dict[str, Any]:
    left, top = LEFT + STEP * tile[1], TOP - STEP * tile[0]
    name = f"S2A_31U{'DEF'[tile[1]]}{'SR'[tile[0]]}_{day:%Y%m%d}"
    return {
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": name, "links": [],
        "geometry": None, "bbox": None,
        "properties": {"datetime": f"{day}T10:30:00Z", "proj:code": CRS},
        "assets": {
            band: {
                "href": f"https://example.com/{name}/{band}.tif",
                "type": "image/tiff; application=geotiff",
                "proj:shape": [WIDTH // cell] * 2,
                "proj:transform": [cell, 0, left, 0, -cell, top],
                "data_type": dtype, "nodata": 0, "raster:scale": 1e-4, "raster:offset": -0.1,
            }
            for band, (dtype, cell) in BANDS.items()
        },
    }  # fmt: skip
