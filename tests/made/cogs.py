"""Small GeoTIFFs with bands of any name, and their days."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine


def raster(path: Path, names: tuple[str, ...] = ("",), dtype: str = "int16", **tags: Any) -> str:
    """A small GeoTIFF with a band for each name; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(names),
        height=4,
        width=5,
        dtype=dtype,
        crs="EPSG:32631",
        transform=Affine(10, 0, 500000, 0, -10, 5600000),
        nodata=tags.get("nodata"),
    ) as file:
        file.write(np.zeros((len(names), 4, 5), dtype=dtype))
        for i, name in enumerate(names, 1):
            if name:
                file.set_band_description(i, name)
        file.scales = (tags.get("scale", 1.0),) * len(names)
        file.offsets = (tags.get("offset", 0.0),) * len(names)
    return str(path)


def day(text: str) -> datetime:
    """Midnight UTC of a date."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
