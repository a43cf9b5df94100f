"""The header of one raster file: what it says of itself without its pixels."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from zonalbatch.errors import PermanentReadError, SourceError
from zonalbatch.lattice import TILE, grid_of
from zonalbatch.sources.access import OPEN, Access, Grant, using
from zonalbatch.sources.causes import no_grid, reading, shown
from zonalbatch.sources.crs import crs_text
from zonalbatch.sources.fingerprint import fingerprint
from zonalbatch.sources.gdal import opened
from zonalbatch.sources.masks import has_own_mask, refuse_several_masks
from zonalbatch.sources.nodata import held_nodata, nodata_of
from zonalbatch.sources.parts import header_of_part
from zonalbatch.sources.protocol import Header, is_remote
from zonalbatch.sources.view import View
from zonalbatch.sources.warp import Warp

__all__ = ["asked_of", "check_window", "file_header", "gdal_header", "warped_header"]

T = TypeVar("T")


def gdal_header(href: str, access: Access = OPEN) -> Header:
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
    header = asked_of(view, access, lambda handle: file_header(handle, view))
    if view.warp is not None:
        return warped_header(header, view.warp, view.href)
    return header if view.part is None else header_of_part(header, view.part, view.href)


def asked_of(view: View, access: Access, ask: Callable[[Any], T]) -> T:
    """What is asked of a file's rasterio dataset, which is opened for it and closed.

    Raises:
        ReadError: it cannot be opened, or read.
    """

    def asked(grant: Grant) -> T:
        with reading(view.href), opened(view, grant) as handle:
            return ask(handle)

    return using(access, view.href, asked)


def warped_header(header: Header, warp: Warp, href: str) -> Header:
    """What a file says of itself on another grid.

    Where a band has no nodata, a mask of ours tells the cells that no pixel reaches.
    """
    grid = warp.common.grid(header.grid, shown(href))
    if grid is None:
        raise SourceError(f"{shown(href)} lies outside of the bounds; leave its item out")
    nodata = header.nodata
    if warp.nodata is not None:
        stated = None if warp.nodata == "none" else warp.nodata
        nodata = tuple(held_nodata(stated, dtype) for dtype in header.dtypes)
    height, width = grid.shape
    return replace(
        header, grid=grid, nodata=nodata, block=(min(TILE, height), min(TILE, width)),
        masked=header.masked or None in nodata, overviews=(),
    )  # fmt: skip


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


def check_window(window: tuple[int, int, int, int], shape: tuple[int, int], href: str) -> None:
    """Raise a PermanentReadError if a window reaches beyond a raster's (row, col) shape."""
    top, left, bottom, right = window
    if not (0 <= top <= bottom <= shape[0] and 0 <= left <= right <= shape[1]):
        raise PermanentReadError(
            f"{shown(href)} has {shape[0]} × {shape[1]} cells but the window {tuple(window)} was "
            "asked of it: its grid is not the one it was planned with; plan again"
        )
