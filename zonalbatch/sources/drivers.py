"""Drivers: the formats that are read without trust, because they open no file but their own.

GDAL's other formats are descriptions of further files and services (VRT, WMS, STACIT and the like),
or may hold names of such: HDF5 keeps pixels in any file that it names, and netCDF 4 is HDF5. A
classic netCDF file cannot, and is known by its first bytes.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import rasterio
from rasterio._path import _parse_path
from rasterio.env import ensure_env_with_credentials

__all__ = ["ALONE", "drivers_of", "opened_by"]

ALONE = (
    "GTiff", "COG", "JP2OpenJPEG", "PNG", "JPEG", "WEBP", "GIF", "BMP", "PNM", "TGA", "SGI",
    "HFA", "ENVI", "EHdr", "AAIGrid", "GRASSASCIIGrid", "GSAG", "GSBG", "GS7BG", "AIG", "XYZ",
    "RST", "SAGA", "PCRaster", "LAN", "LCP", "BT", "RMF", "KRO", "SIGDEM", "ZMap", "Terragen",
    "SRTMHGT", "DTED", "USGSDEM", "GTX", "NTv2", "NITF", "GRIB", "GPKG", "MBTiles", "Zarr",
)  # fmt: skip
"""Names of GDAL's drivers that read a file, or a folder, and at most what lies beside it under its
name."""

_CLASSIC = re.compile(rb"CDF[\x01\x02\x05]")
_NAMED = re.compile(r"netcdf:(?:\"([^\"]+)\"|([^:]+)):.*", re.IGNORECASE | re.DOTALL)
"""A variable of a netCDF file, as GDAL calls it."""


def drivers_of(href: str) -> list[str]:
    """The drivers that may open a file that is not trusted."""
    named = _NAMED.fullmatch(href)
    file = (named[1] or named[2]) if named else href
    if file.startswith("/vsi"):  # no path of the system's
        return list(ALONE)
    with suppress(OSError, ValueError), open(file.removeprefix("file://"), "rb") as stream:
        if _CLASSIC.match(stream.read(4)):
            return [*ALONE, "netCDF"]
    return list(ALONE)


@ensure_env_with_credentials  # as rasterio.open, which takes but one driver
def opened_by(href: str, drivers: list[str] | None, **options: Any) -> Any:
    """A rasterio dataset.

    Args:
        href: path, URL or GDAL name.
        drivers: those that may open it; None lets all.
        options: of the driver.
    """
    return rasterio.DatasetReader(_parse_path(href), driver=drivers, sharing=False, **options)
