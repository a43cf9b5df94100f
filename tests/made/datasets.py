"""Data sets of tests: their files, items and documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rasterio
import yaml
from numpy.typing import NDArray
from rasterio.transform import from_origin

from tests.made.apis import scene

__all__ = ["NONE", "data_set", "tile"]

NONE = -1
"""Nodata of tiles."""


def tile(
    folder: Path, name: str, values: NDArray[Any], left: float, top: float, step: float = 0.05,
    **profile: Any,
) -> dict[str, Any]:  # fmt: skip
    """A file of these cells, and the item that tells of it."""
    height, width = values.shape
    path = folder / f"{name}.tif"
    with rasterio.open(
        path, "w", **({
            "driver": "GTiff", "width": width, "height": height, "count": 1, "crs": "EPSG:4326",
            "dtype": values.dtype, "transform": from_origin(left, top, step, step), "nodata": NONE,
        } | profile),
    ) as file:  # fmt: skip
        file.write(values, 1)
    asset = {"href": str(path), "type": "image/tiff; application=geotiff", "roles": ["data"]}
    side = width * step
    return scene(
        name, left, top - side, side=side, collection="dem", day="2020-01-01",
        assets={"data": asset},
    )  # fmt: skip


def data_set(folder: Path, place: Mapping[str, Any], name: str = "own", **keys: Any) -> str:
    """The path of a data set's file, with one variable, ``height``, unless ``keys`` say others."""
    height = {"about": "Height.", "asset": "data", "units": "m", "nodata": NONE, "resolution": "1"}
    document = {
        "title": "Hills", "about": "Made hills.", "place": dict(place),
        "variables": {"height": height},
        "license": {"name": "CC0", "text": "Free for all uses.", "url": "https://example.org/cc0"},
        "citation": "Nobody (2020). Hills.",
    }  # fmt: skip
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document | keys))
    return str(path)
