"""Where pixels come from: files (cog), STAC items (stac, stack), arrays in memory (array).

A source turns what the user names into ``Layers``, from metadata alone; a worker opens the
pixels of one asset by its href with ``open_pixels``; an overview, a part of complex numbers, or
a file on a common grid has an href of its own (``view.py``). Only this package knows rasterio,
rioxarray, stackstac and STAC. Its modules are imported when first asked for: they are slow to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from zonalbatch.sources.access import OPEN, Access
from zonalbatch.sources.protocol import Band, GroupBy, Header, Pixels, Resolution, ScaleOffset
from zonalbatch.sources.view import View
from zonalbatch.sources.warp import CommonGrid, Resampling

if TYPE_CHECKING:
    from zonalbatch.sources.array import ArrayPixels, array_layers, identified, open_array
    from zonalbatch.sources.async_cog.session import limit_requests
    from zonalbatch.sources.causes import read_error, shown
    from zonalbatch.sources.cog import cog_layers
    from zonalbatch.sources.crs import crs_text
    from zonalbatch.sources.file import FilePixels
    from zonalbatch.sources.gdal import configure_gdal
    from zonalbatch.sources.groups import grouped
    from zonalbatch.sources.headers import from_header, read_headers
    from zonalbatch.sources.item_fields import geometry_told, times_of
    from zonalbatch.sources.item_shape import lacking
    from zonalbatch.sources.item_table import check_library, is_item_table, write_item_table
    from zonalbatch.sources.overviews import cells_read
    from zonalbatch.sources.raster import RasterPixels
    from zonalbatch.sources.stac import stac_layers
    from zonalbatch.sources.stack import stack_layers
    from zonalbatch.sources.weights import weights_asset

__all__ = [
    "OPEN",
    "Access",
    "ArrayPixels",
    "Band",
    "CommonGrid",
    "FilePixels",
    "GroupBy",
    "Header",
    "Pixels",
    "RasterPixels",
    "Resampling",
    "Resolution",
    "ScaleOffset",
    "array_layers",
    "cells_read",
    "check_library",
    "cog_layers",
    "configure_gdal",
    "crs_text",
    "from_header",
    "geometry_told",
    "grouped",
    "identified",
    "is_item_table",
    "lacking",
    "limit_requests",
    "open_array",
    "open_pixels",
    "read_error",
    "read_headers",
    "shown",
    "stac_layers",
    "stack_layers",
    "times_of",
    "weights_asset",
    "write_item_table",
]

_HOMES = {
    "ArrayPixels": "array",
    "FilePixels": "file",
    "RasterPixels": "raster",
    "array_layers": "array",
    "cells_read": "overviews",
    "check_library": "item_table",
    "cog_layers": "cog",
    "configure_gdal": "gdal",
    "crs_text": "crs",
    "from_header": "headers",
    "geometry_told": "item_fields",
    "grouped": "groups",
    "identified": "array",
    "is_item_table": "item_table",
    "lacking": "item_shape",
    "limit_requests": "async_cog.session",
    "open_array": "array",
    "read_error": "causes",
    "read_headers": "headers",
    "shown": "causes",
    "stac_layers": "stac",
    "stack_layers": "stack",
    "times_of": "item_fields",
    "weights_asset": "weights",
    "write_item_table": "item_table",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def open_pixels(
    href: str, arrays: Mapping[str, Pixels] | None = None, access: Access = OPEN
) -> Pixels:
    """The pixels of one href; nothing is read until they are asked.

    Args:
        href: path, URL or GDAL name of a raster, or ``array:<key>``.
        arrays: what ``array:`` hrefs stand for, as ``array_layers`` gives it.
        access: how the right to read a file is come by, each time that it is opened.

    Raises:
        SourceError: an ``array:`` href that is not in ``arrays``.
    """
    if href.startswith("array:"):
        from zonalbatch.sources.array import open_array

        return open_array(href, arrays or {})
    warp = View.of(href).warp
    if warp is not None:
        from zonalbatch.sources.warped import WarpedPixels

        return WarpedPixels(href, warp, access)
    from zonalbatch.sources.file import FilePixels

    return FilePixels(href, access)
