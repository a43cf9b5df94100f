"""Opening: the bands that a question is about, of a file or of an item's asset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from zonalbatch.errors import ReadError, SourceError
from zonalbatch.layers import Layers
from zonalbatch.planning.plan import on_one_lattice
from zonalbatch.service.desk import Desk, OpenRaster
from zonalbatch.service.items import asset_of, item_of
from zonalbatch.service.links import href_within
from zonalbatch.sources import (
    Access,
    Band,
    Resolution,
    cog_layers,
    from_header,
    read_headers,
    stac_layers,
)
from zonalbatch.sources.documents import Doc
from zonalbatch.sources.item_bands import data_assets
from zonalbatch.sources.protocol import is_remote

__all__ = ["asset_raster", "file_raster"]


def file_raster(desk: Desk, url: str, bands: Sequence[int], *, approximate: bool) -> OpenRaster:
    """Some bands of a file; its scale and offset are its own.

    Args:
        desk: of this process.
        url: as a question has it.
        bands: from 1.
        approximate: True reads an overview.

    Raises:
        Refusal: it may not be asked for.
        ZonalbatchError: it cannot be read, or has no such band.
    """
    href = desk.href(url)

    def opened(access: Access) -> Layers:
        found = cog_layers(
            files=[href], bands={f"band_{n}": Band(index=n) for n in bands}, access=access,
            resolution=_resolution(approximate),
        )  # fmt: skip
        return _complete(found)

    stamp = _stamp(href)
    return desk.kept((href, stamp, tuple(bands), approximate), opened, lasting=bool(stamp))


def asset_raster(
    desk: Desk, url: str, asset: str | None, bands: Sequence[int], *, approximate: bool
) -> OpenRaster:
    """Some bands of an asset; scale and offset are those of its item, if that says any.

    Args:
        desk: of this process.
        url: of the item.
        asset: its name; None takes the first raster of data.
        bands: from 1.
        approximate: True reads an overview.

    Raises:
        Refusal: there is none, or it may not be asked for.
        ZonalbatchError: it cannot be read, or has no such band.
    """

    def opened(access: Access) -> Layers:
        item = item_of(desk, url)
        name = asset_of(item, asset, data_assets(item), "raster")
        found = stac_layers(
            [_alone(item, name, desk)], access=access, resolution=_resolution(approximate),
            bands={f"band_{n}": Band(asset=name, index=n) for n in bands},
        )  # fmt: skip
        return _complete(_by_files(found, access))

    return desk.kept((url, asset, tuple(bands), approximate), opened)


def _alone(item: Doc, name: str, desk: Desk) -> Doc:
    """An item with one asset, which may be asked for."""
    asset = item["assets"][name]
    href = href_within(str(asset["href"]), desk.settings.root)
    return {**item, "assets": {name: {**asset, "href": href}}}


def _stamp(href: str) -> tuple[int, ...]:
    """What tells a file of this machine from one that took its place."""
    if is_remote(href):
        return ()
    told = os.stat(href)
    return told.st_ino, told.st_size, told.st_mtime_ns


def _resolution(approximate: bool) -> Resolution | None:
    return "approx" if approximate else None


def _by_files(found: Layers, access: Access) -> Layers:
    """Layers of items on the grids that their files have.

    Raises:
        ReadError: a file cannot be read.
    """
    headers = read_headers([a.href for one in found.layers for a in one.assets], access)
    for header in headers.values():
        if isinstance(header, ReadError):
            raise header
    return replace(found, layers=tuple(from_header(one, headers) for one in found.layers))


def _complete(found: Layers) -> Layers:
    """Layers that lack nothing.

    Raises:
        ReadError: a file cannot be read.
        SourceError: a band is not there.
    """
    for failure in found.failures:
        raise failure.error
    for scene in (scene for layer in found.layers for scene in layer.scenes):
        for why in scene.missing.values():
            raise SourceError(why)
    return replace(found, layers=on_one_lattice(found.layers))
