"""Flanders: a real series of Sentinel-2 as a STAC API and a server of files offer it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from tests.made.apis import light_api
from tests.made.ranges import serving_ranges

__all__ = ["offered_flanders"]

SERIES = "timeseries/worldcereal_flanders/00002806639B424A"
BANDS = {"blue": 1, "green": 2, "red": 3, "nir": 4}
"""Asset -> band of the files of the series."""
CLOUDS = (3, 8, 9, 10)


@contextmanager
def offered_flanders(data: Path, folder: Path) -> Iterator[str]:
    """The URL of an API with a collection ``sentinel-2-l2a``, an asset for each band.

    Args:
        data: of all real data.
        folder: where the assets are written, and the API keeps what it tells.
    """
    given = json.loads((data / SERIES / "items.generated.json").read_text())["features"]
    with serving_ranges(folder) as files:
        items = [_item(one, data / SERIES, folder, files.url) for one in given]
        with light_api(folder, items) as url:
            yield url


def _item(given: dict[str, Any], series: Path, folder: Path, url: str) -> dict[str, Any]:
    """A scene as Earth Search tells of it, but for files that are a patch of 640 m."""
    bands, scl = given["assets"]["bands"], given["assets"]["scl"]
    with rasterio.open(series / bands["href"]) as file:
        cells, profile = file.read(), file.profile | {"count": 1, "interleave": "band"}
    with rasterio.open(series / scl["href"]) as file:
        classes, own = file.read(1), file.profile
    told = {"data_type": "uint16", "nodata": 0, "scale": 0.0001, "offset": 0}
    assets = {
        name: _asset(folder, url, f"{given['id']}_{name}.tif", cells[band - 1], profile, told)
        for name, band in BANDS.items()
    }
    band = {"data_type": "uint8", "nodata": 0}
    assets["scl"] = _asset(folder, url, f"{given['id']}_scl.tif", classes, own, band)
    clouds = 100 * float(np.isin(classes, CLOUDS).mean())
    kept = {key: given[key] for key in ("type", "stac_version", "id", "geometry", "bbox", "links")}
    return {
        **kept, "collection": "sentinel-2-l2a", "assets": assets,
        "stac_extensions": given["stac_extensions"],
        "properties": given["properties"] | {"eo:cloud_cover": round(clouds, 2)},
    }  # fmt: skip


def _asset(
    folder: Path, url: str, name: str, cells: Any, profile: dict[str, Any], band: dict[str, Any]
) -> dict[str, Any]:
    """A file of one band, and what an item says of it."""
    with rasterio.open(folder / name, "w", **profile) as file:
        file.write(cells, 1)
    where = profile["transform"]
    return {
        "href": f"{url}/{name}", "type": "image/tiff; application=geotiff", "roles": ["data"],
        "proj:shape": list(cells.shape), "proj:transform": list(where)[:6], "raster:bands": [band],
    }  # fmt: skip
