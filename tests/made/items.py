"""STAC items with one asset, and a file for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

GRID = {
    "proj:code": "EPSG:32631",
    "proj:shape": [4, 5],
    "proj:transform": [10, 0, 500000, 0, -10, 5600000],
}


def asset(href: Any = "https://example.com/a.tif", **fields: Any) -> dict[str, Any]:
    """A GeoTIFF asset that says its grid."""
    return {"href": href, "type": "image/tiff; application=geotiff", "roles": ["data"], **fields}


def item(id: str = "a", assets: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """An item of STAC 1.1 with one asset, ``red``."""
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": id,
        "geometry": None,
        "properties": {"datetime": "2020-01-01T10:00:00Z", **GRID, **properties},
        "links": [],
        "assets": {"red": asset()} if assets is None else assets,
    }


def raster(path: Path, **tags: Any) -> str:
    """A small GeoTIFF; its path."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=4,
        width=5,
        dtype="int16",
        crs="EPSG:32631",
        transform=Affine(10, 0, 500000, 0, -10, 5600000),
        **tags,
    ) as file:
        file.write(np.zeros((1, 4, 5), dtype="int16"))
        file.scales = (0.5,)
    return str(path)
