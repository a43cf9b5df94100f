"""A Web Coverage Service on loopback: MapServer, asked as a web server asks it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import rasterio

from tests.made.apis import need

__all__ = ["wcs_server"]

_LAYER = """
  LAYER
    NAME "{name}" TYPE RASTER STATUS ON DATA "{path}"
    PROJECTION "init={crs}" END
    METADATA
      "wcs_label" "{name}" "ows_srs" "{srs}" "wcs_formats" "{mode}" "wcs_nativeformat" "{mode}"
      "wcs_rangeset_nullvalue" "{nodata}" "wcs_nilvalues" "{nodata}" "wcs_imagemode" "{mode}"
      "ows_extent" "{left} {bottom} {right} {top}" "wcs_size" "{width} {height}"
    END
  END
"""
_FORMAT = """
  OUTPUTFORMAT
    NAME "{mode}" DRIVER "GDAL/GTiff" MIMETYPE "image/tiff" IMAGEMODE {mode} EXTENSION "tif"
    FORMATOPTION "NULLVALUE={nodata}"
  END
"""
_MAP = """
MAP
  NAME "made"
  STATUS ON
  SIZE 200 200
  MAXSIZE 5000
  EXTENT -180 -90 180 90
  UNITS DD
  PROJECTION "init=epsg:4326" END
  WEB
    METADATA
      "wcs_enable_request" "*" "wcs_label" "made" "ows_onlineresource" "{url}?"
      "ows_srs" "EPSG:4326 EPSG:32632"
    END
  END
  {formats}
  {layers}
END
"""


@contextmanager
def wcs_server(folder: Path, files: Mapping[str, Path], word: str = "") -> Iterator[str]:
    """The URL of a service with these coverages; with a word, it wants user ``me`` and that."""
    need(shutil.which("mapserv") is not None, "MapServer (mapserver-bin) is not installed")
    config = folder / "mapserver.conf"
    config.write_text('CONFIG\n  ENV\n    MS_MAP_PATTERN "."\n  END\nEND\n')
    names = {"MAPSERVER_CONFIG_FILE": str(config), "MS_MAPFILE": str(folder / "made.map")}

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if word and self.headers.get("Authorization") != _basic("me", word):
                self.send_error(401)
                return
            query = {"REQUEST_METHOD": "GET", "QUERY_STRING": self.path.partition("?")[2]}
            told = subprocess.run(
                ["mapserv"], env={**os.environ, **names, **query}, capture_output=True, check=False
            ).stdout
            head, _, body = told.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head.decode().splitlines():
                self.send_header(*line.split(": ", 1))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Asked) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/wcs"
        (folder / "made.map").write_text(_map(url, files))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield url
        finally:
            server.shutdown()
            thread.join()


def _basic(user: str, word: str) -> str:
    from base64 import b64encode

    return f"Basic {b64encode(f'{user}:{word}'.encode()).decode()}"


def _map(url: str, files: Mapping[str, Path]) -> str:
    layers, modes = "", dict[str, float]()
    for name, path in files.items():
        with rasterio.open(path) as file:
            mode, bounds = file.dtypes[0].upper(), file.bounds
            modes[mode] = file.nodata
            layers += _LAYER.format(
                name=name, path=path, crs=f"epsg:{file.crs.to_epsg()}", mode=mode,
                srs=f"EPSG:{file.crs.to_epsg()}", nodata=file.nodata, left=bounds.left,
                bottom=bounds.bottom, right=bounds.right, top=bounds.top, width=file.width,
                height=file.height,
            )  # fmt: skip
    formats = "".join(
        _FORMAT.format(mode=mode, nodata=f"{nodata:g}") for mode, nodata in modes.items()
    )
    return _MAP.format(url=url, layers=layers, formats=formats)
