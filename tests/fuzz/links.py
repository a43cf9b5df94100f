"""Hostile links: what items, jobs and catalogs name, so that a file of somebody else's is read."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from tests.fuzz.worker import SECRET
from zonalbatch.errors import ZonalbatchError
from zonalbatch.sources import documents, open_pixels, read_headers, stac_layers
from zonalbatch.sources.protocol import is_remote

SCHEMES = (
    "",
    "file://",
    "FILE://",
    "file:",
    "/vsicurl/",
    "/vsizip/",
    "/vsitar/",
    "/vsigzip/",
    "/vsisubfile/0_10000,",
    "/vsisparse/",
    "/vsicached?file=",
    "/vsicurl?url=file://",
    "/vsimem/",
    "/vsicrypt/key=x,file=",
    "zip://",
    "zip+file://",
    "tar://",
    "gzip://",
    "vrt://",
    "vrt:///",
    "NETCDF:",
    'NETCDF:"',
    "HDF5:",
    "GTIFF_RAW:",
    "GTIFF_DIR:1:",
    "DERIVED_SUBDATASET:LOGAMPLITUDE:",
    "WMS:",
    "WCS:",
    "MEM:::DATAPOINTER=",
    "ZARR:",
    "JPEG_SUBFILE:Q0,1,2,",
    "view:overview=0:",
    "view:part=abs:file://",
    "array:",
    "STACIT:",
    "view:warp=3035/10/10/////nearest/0:",
    "ftp://",
    "data:image/tiff,",
    "\n",
    "\0",
    " ",
    "http://h@",
    "https://",
    "s3://",
    "//",
    "../" * 20,
    "%2e%2e/",
    "\\\\",
    "http:/",
    "x://",
)
WRAPS = (
    "{}",
    '<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand band="1" dataType="Byte">'
    "<SimpleSource><SourceFilename>{}</SourceFilename></SimpleSource></VRTRasterBand>"
    "</VRTDataset>",
    "{}?sig=" + SECRET,
    "{}\0.tif",
    "{}#x",
    '{{"type": "gdal_streamed_alg", "command_line": "gdal raster read {}"}}',
    "{}\n",
    "<GDAL_WMS><Service>{}</Service></GDAL_WMS>",
    '"{}"',
    "{}:band",
    "{}!/a.tif",
    "https://me:" + SECRET + "@h/{}",
)
OPENERS = (
    "/vsisubfile/0_10000,",
    "/vsisparse/",
    "vrt://",
    "DERIVED_SUBDATASET:LOGAMPLITUDE:",
    "/vsicached?file=",
    "HDF5:",
    "WMS:",
    "STACIT:",
    "/vsicrypt/key=x,file=",
    "/vsigzip/",
)
"""Before the name of a file, ways to have it opened that no job may go without trust."""

_folder, _canary = Path(), ""


def ready(folder: Path) -> None:
    """Remember where documents are written; the canary lies beside that folder."""
    global _folder, _canary
    _folder = folder
    _canary = str(folder.parent / "outside" / "canary.tif")
    check(("item", "https://host/a.tif"))


def case(chance: Random) -> tuple[str, str]:
    """A way for a link to come in, and the link."""
    scheme = "".join(chance.choices(SCHEMES, k=chance.choice((1, 1, 1, 2, 3))))
    link = chance.choice(WRAPS).format(scheme + _canary)
    if chance.random() < 0.2 and SECRET not in link:
        at = chance.randrange(len(link) + 1)
        link = link[:at] + chr(chance.randrange(0x2100)) + link[at:]
    way = chance.choice(("item", "api", "child", "opener", "local"))
    if way == "opener":
        return way, chance.choice(OPENERS) + _canary
    return way, link


def check(case: tuple[str, str]) -> None:
    """What comes from the web names what lies in the web; what is made of files is not opened."""
    way, link = case
    if way == "opener":
        _refused(link)
        return
    if way == "child":
        _child(link)
        return
    where = "https://host/items.json" if way != "local" else str(_folder / "items.json")
    found = stac_layers([_item(link, where)] if way != "local" else _written(link))
    for asset in (asset for layer in found.layers for asset in layer.assets):
        web = asset.href.lower().startswith(
            ("http://", "https://", "s3://", "gs://", "az://", "ftp://")
        )
        assert web or way == "local", asset.href
        if not web:
            assert asset.href.startswith("/"), asset.href
            assert not asset.href.startswith("/vsi"), asset.href


def _refused(link: str) -> None:
    try:
        _ = open_pixels(link).header
    except ZonalbatchError:
        pass
    else:
        raise AssertionError(link)
    (error,) = read_headers([link]).values()
    assert isinstance(error, ZonalbatchError), link


def _child(link: str) -> None:
    """A catalog of the web, as it comes, that links to a file here."""
    catalog = {"type": "Catalog", "id": "c", "links": [{"rel": "child", "href": link}]}
    with patch.object(documents, "_from_file", _followed):
        found = list(documents._linked(catalog, "https://host/catalog.json", set()))
    assert all(is_remote(one["href"]) for one in found), found


def _followed(href: str, visited: set[str]) -> list[dict[str, Any]]:
    """Stands for what reads a document that is linked to: no network is asked."""
    return [{"href": href}]


def _written(link: str) -> str:
    path = _folder / "items.json"
    collection = {"type": "FeatureCollection", "features": [_item(link, None)]}
    path.write_text(json.dumps(collection))
    return str(path)


def _item(link: str, own: str | None) -> dict[str, Any]:
    """An item that says all of its grid, so that nothing of it is opened to plan."""
    return {
        "type": "Feature",
        "id": "i",
        "stac_version": "1.1.0",
        "bbox": [0, 0, 1, 1],
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        "links": [] if own is None else [{"rel": "self", "href": own}],
        "properties": {
            "datetime": "2024-06-01T00:00:00Z",
            "proj:code": "EPSG:32631",
            "proj:shape": [9, 9],
            "proj:transform": [10, 0, 0, 0, -10, 90],
        },
        "assets": {
            "a": {
                "href": link,
                "type": "image/tiff; application=geotiff",
                "roles": ["data"],
                "bands": [{"data_type": "uint8", "nodata": 0}],
            }
        },
    }
