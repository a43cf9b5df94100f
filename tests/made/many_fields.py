"""Many fields under many scenes: items that say all, so that no file is needed to plan them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

__all__ = ["write_fields", "write_items"]

LEFT, TOP, CELL, SIDE = 500_000, 5_700_000, 10, 10_980
"""The first tile, as those of Sentinel-2: left, top, metres of a cell, cells; in UTM 32 N."""


def write_fields(path: Path, count: int, column: str, tiles: int = 1) -> None:
    """Square fields of 2.5 ha all over so many tiles by so many, named 0, 1, … by a column."""
    per_row = int(np.ceil(np.sqrt(count)))
    step = tiles * SIDE * CELL / per_row
    left = LEFT + step * (np.arange(count) % per_row)
    top = TOP - step * (np.arange(count) // per_row)
    shapes = shapely.box(left + 20, top - 180, left + 180, top - 20)
    fields = geopandas.GeoDataFrame(
        {column: np.arange(count), "crop": "wheat"}, geometry=shapes, crs="EPSG:32632"
    )
    fields.to_parquet(path)


def write_items(
    path: Path, first: datetime, days: int, bands: Mapping[str, int], tiles: int = 1
) -> int:
    """An item of each tile every five days, with bands of so many metres; how many dates."""
    dates = [first + timedelta(days=day) for day in range(0, days, 5)]
    where = list(product(range(tiles), range(tiles)))
    items = [_item(date, bands, *tile) for date in dates for tile in where]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    return len(dates)


def _item(date: datetime, bands: Mapping[str, int], row: int, column: int) -> dict[str, Any]:
    left, top = LEFT + column * SIDE * CELL, TOP - row * SIDE * CELL
    name = f"S2A_32U{row}{column}_{date:%Y%m%d}_0_L2A"
    square = shapely.box(left, top - SIDE * CELL, left + SIDE * CELL, top)
    (shape,) = geopandas.GeoSeries([square], crs="EPSG:32632").to_crs("EPSG:4326")
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [
            "https://stac-extensions.github.io/projection/v1.1.0/schema.json",
            "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
        ],
        "id": name,
        "geometry": shapely.geometry.mapping(shape),
        "bbox": list(shape.bounds),
        "properties": {"datetime": date.astimezone(UTC).isoformat(), "proj:epsg": 32632},
        "links": [],
        "assets": {
            band: _asset(f"s3://scenes/{name}/{band}.tif", metres, left, top)
            for band, metres in bands.items()
        },
    }


def _asset(href: str, metres: int, left: int, top: int) -> dict[str, Any]:
    cells = SIDE * CELL // metres
    return {
        "href": href,
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "proj:shape": [cells, cells],
        "proj:transform": [metres, 0, left, 0, -metres, top],
        "raster:bands": [{"data_type": "uint8" if metres == 20 else "uint16", "nodata": 0}],
    }
