"""Items: scenes described in STAC, with all that a reader needs before it opens a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from pyproj import Transformer

from zonalbatch.demo.land import CELL, CRS, LEFT, TOP, extent_of
from zonalbatch.demo.scenes import Weather

__all__ = ["write_items"]


def write_items(path: Path, year: list[Weather], scenes: tuple[Path, ...], side: int) -> None:
    """Write the scenes as a STAC 1.1 ItemCollection."""
    items = [_item(path.parent, w, s, side) for w, s in zip(year, scenes, strict=True)]
    document = {"type": "FeatureCollection", "features": items}
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _item(root: Path, weather: Weather, scene: Path, side: int) -> dict[str, Any]:
    """One scene as a STAC item, with all that a reader needs before it opens a file."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    outline = shapely.segmentize(extent_of(side), side * CELL)
    outline = shapely.transform(outline, lambda p: np.column_stack(to_degrees.transform(*p.T)))
    when = weather.when.isoformat().replace("+00:00", "Z")
    extensions = ("eo", "projection", "raster")
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [
            f"https://stac-extensions.github.io/{name}/v2.0.0/schema.json" for name in extensions
        ],
        "id": f"demo_{weather.when:%Y%m%d}",
        "geometry": shapely.geometry.mapping(outline.normalize()),
        "bbox": [round(x, 7) for x in outline.bounds],
        "properties": {
            "datetime": when,
            "platform": "demo-1",
            "proj:code": CRS,
            "eo:cloud_cover": _cloud_cover(scene / "SCL.tif"),
        },
        "links": [],
        "assets": dict(_assets(root, scene, side)),
    }


def _cloud_cover(path: Path) -> float:
    """Percentage of the seen cells that are cloud or cirrus."""
    with rasterio.open(path) as file:
        classes = file.read(1)
    cloudy = np.isin(classes, (8, 9, 10)).sum()
    return round(100 * float(cloudy) / max(1, int((classes > 0).sum())), 2)


def _assets(root: Path, scene: Path, side: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The three files of a scene as STAC assets."""
    for name, colour, nm in (("B04", "red", 0.665), ("B08", "nir", 0.842), ("SCL", None, 0.0)):
        cell = CELL if colour else 2 * CELL
        band: dict[str, Any] = {"name": name}
        if colour:
            band |= {"eo:common_name": colour, "eo:center_wavelength": nm}
        yield (
            name,
            {
                "href": f"./{(scene / name).relative_to(root).as_posix()}.tif",
                "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                "roles": ["data", "reflectance"] if colour else ["data"],
                "proj:shape": [round(side * CELL / cell)] * 2,
                "proj:transform": [cell, 0.0, LEFT, 0.0, -cell, TOP],
                "data_type": "uint16" if colour else "uint8",
                "nodata": 0,
                "raster:spatial_resolution": cell,
                **({"raster:scale": 0.0001, "raster:offset": 0.0} if colour else {}),
                "bands": [band],
            },
        )
