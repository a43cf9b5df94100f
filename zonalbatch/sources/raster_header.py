"""The header of one raster file: what it says of itself without its pixels."""

from __future__ import annotations

import os
from typing import Any

from zonalbatch.errors import SourceError
from zonalbatch.lattice import grid_of
from zonalbatch.sources.access import OPEN, Access, Grant, using
from zonalbatch.sources.causes import no_grid, reading, shown
from zonalbatch.sources.crs import crs_text
from zonalbatch.sources.fingerprint import fingerprint
from zonalbatch.sources.gdal import opened
from zonalbatch.sources.masks import has_own_mask, refuse_several_masks
from zonalbatch.sources.nodata import nodata_of
from zonalbatch.sources.parts import header_of_part
from zonalbatch.sources.protocol import Header, is_remote
from zonalbatch.sources.view import View

__all__ = ["file_header", "read_header"]


def read_header(href: str, access: Access = OPEN) -> Header:
    """What a file, or a view of one, says of itself; opened without rioxarray, asked and closed.

    The types of complex pixels are told as they are: only a band that is wanted is refused.

    Args:
        href: the file or the view, without a signature.
        access: how the right to read it is come by.

    Raises:
        SourceError: the file has no CRS, a rotated grid, or pixels of an unusable kind.
        ReadError: it cannot be opened.
    """
    view = View.of(href)

    def read(grant: Grant) -> Header:
        with reading(view.href), opened(view, grant) as handle:
            return file_header(handle, view)

    header = using(access, view.href, read)
    return header if view.part is None else header_of_part(header, view.part, view.href)


def file_header(handle: Any, view: View) -> Header:
    """What an open rasterio dataset says of itself, whatever part of its pixels is wanted."""
    href = view.href
    _check_kind(handle, href)
    # CInt16 is read as complex64, which holds it.
    dtypes = tuple(str(name).replace("complex_int16", "complex64") for name in handle.dtypes)
    crs = _crs_of(handle, href)
    return Header(
        grid=grid_of(crs, tuple(handle.transform)[:6], handle.shape, name=shown(href)),
        dtypes=dtypes,
        nodata=nodata_of(handle, dtypes),
        scales=tuple(map(float, handle.scales)),
        offsets=tuple(map(float, handle.offsets)),
        descriptions=tuple(text or None for text in handle.descriptions),
        block=tuple(handle.block_shapes[0]),
        masked=has_own_mask(handle),
        version=_version(handle, view),
        overviews=tuple(handle.overviews(1)) if view.overview is None else (),
    )


def _check_kind(handle: Any, href: str) -> None:
    if not handle.count and not handle.subdatasets:
        raise SourceError(f"{shown(href)} holds no raster; give one that does")
    if handle.subdatasets:
        raise SourceError(
            f"{shown(href)} holds {len(handle.subdatasets)} rasters; "
            f"name one of them, such as {shown(handle.subdatasets[0])!r}"
        )
    if len(set(handle.dtypes)) > 1:
        raise SourceError(
            f"{shown(href)} has bands of different types {tuple(handle.dtypes)}; "
            "give one file for each type (gdal_translate -b)"
        )
    refuse_several_masks(handle, href)


def _crs_of(handle: Any, href: str) -> str:
    if handle.transform.is_identity:
        raise no_grid(href, gcps=bool(handle.gcps[0]), rpcs=handle.rpcs is not None)
    if not handle.crs:
        raise SourceError(
            f"{shown(href)} has no CRS; write the one it was made in (gdal_edit -a_srs EPSG:n)"
        )
    return crs_text(handle.crs)


def _version(handle: Any, view: View) -> str:
    """The fingerprint of a local file, and of the overviews beside it if they are what is read.

    Empty for remote ones (GDAL does not show an ETag) and for folders.
    """
    if is_remote(view.href):
        return ""
    path = _path(handle, view.href)
    beside = f"{path}.ovr" if view.overview is not None else ""
    return "+".join(fingerprint(one) for one in (path, beside) if os.path.isfile(one))


def _path(handle: Any, href: str) -> str:
    """The file that a path or a GDAL name such as ``NETCDF:"file.nc":ndvi`` names; or nothing."""
    named = [href] if os.path.isfile(href) else [one for one in handle.files if one in href]
    return named[0] if named else ""
