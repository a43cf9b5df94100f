"""Headers of many files, each read once, several at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal

from rasterio.errors import NotGeoreferencedWarning

from zonalbatch.errors import ReadError
from zonalbatch.layers import Asset, Layer
from zonalbatch.sources.protocol import Header, is_remote
from zonalbatch.sources.raster import held_nodata, read_header

__all__ = ["from_header", "read_headers"]


def read_headers(hrefs: Iterable[str], *, threads: int = 16) -> dict[str, Header | ReadError]:
    """The header of each file, or why it could not be read; each file is opened once.

    Raises:
        SourceError: a file was read but cannot be used (no CRS, rotated); the first of them.
    """
    names = list(dict.fromkeys(hrefs))
    if not names:
        return {}
    with warnings.catch_warnings():
        # Filters belong to the process, so they are set around the threads, not in them.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        if not any(map(is_remote, names)):
            # Opening a local file is Python's work, and each new thread pays for PROJ's tables.
            return {name: _header_or_error(name) for name in names}
        with ThreadPoolExecutor(min(threads, len(names))) as pool:
            return dict(zip(names, pool.map(_header_or_error, names), strict=True))


def _header_or_error(href: str) -> Header | ReadError:
    try:
        return read_header(href)
    except ReadError as error:
        return error


def from_header(layer: Layer, headers: Mapping[str, Header | ReadError]) -> Layer:
    """A layer as its files' headers have it, for when item and file disagree.

    Grid, dtype and version become the file's; nodata, scale and offset that the plan knows
    are kept, others are filled in. Assets of files not in ``headers`` stay as they are; those
    that cannot be read, or lack the band, move to ``missing``.
    """
    assets, missing = {}, dict(layer.missing)
    for name, asset in layer.assets.items():
        header = headers.get(asset.href)
        lack = _why_absent(asset, header)
        if lack:
            missing[name] = lack
        else:
            assets[name] = asset if header is None else _as_filed(asset, header)
    return replace(layer, assets=assets, missing=missing)


def _why_absent(asset: Asset, header: Header | ReadError | None) -> str | None:
    if isinstance(header, ReadError):
        return str(header)
    if header is not None and not 1 <= asset.band <= len(header.dtypes):
        return f"the file has {len(header.dtypes)} bands, and band {asset.band} was asked for"
    return None


def _as_filed(asset: Asset, header: Header | ReadError) -> Asset:
    if isinstance(header, ReadError):
        raise header
    i = asset.band - 1
    return replace(
        asset,
        grid=header.grid,
        dtype=header.dtypes[i],
        nodata=_nodata(asset, header),
        scale=header.scales[i] if asset.scale is None else asset.scale,
        offset=header.offsets[i] if asset.offset is None else asset.offset,
        version=header.version or asset.version,
    )


def _nodata(asset: Asset, header: Header) -> float | int | Literal["none"]:
    """The plan's nodata if it has one, else the file's; "none" if neither, or if not holdable."""
    stated = asset.nodata
    if stated is None:
        stated = header.nodata[asset.band - 1]
    elif stated != "none":
        stated = held_nodata(stated, header.dtypes[asset.band - 1])
    return "none" if stated is None else stated
