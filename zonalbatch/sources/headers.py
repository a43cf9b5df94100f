"""Headers of many files, each read once, several at a time, and what follows from them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal

from rasterio.errors import NotGeoreferencedWarning

from zonalbatch.errors import ReadError
from zonalbatch.layers import Asset, Failure, Layer, Layers, Scene
from zonalbatch.sources.access import OPEN, Access
from zonalbatch.sources.file import read_header
from zonalbatch.sources.nodata import held_nodata
from zonalbatch.sources.parts import header_of_part, refuse_complex
from zonalbatch.sources.protocol import Band, Header, ScaleOffset, in_order, is_remote
from zonalbatch.sources.view import View

__all__ = ["asset_of", "from_header", "offered", "read_headers"]


def read_headers(
    hrefs: Iterable[str], access: Access = OPEN, *, threads: int = 64
) -> dict[str, Header | ReadError]:
    """The header of each file, or why it could not be read; each file is opened once.

    Args:
        hrefs: files, or views of them, without signatures.
        access: how the right to read them is come by.
        threads: how many are read at once where one is remote.

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
            return {name: _header_or_error(name, access) for name in names}
        with ThreadPoolExecutor(min(threads, len(names))) as pool:
            found = pool.map(lambda name: _header_or_error(name, access), names)
            return dict(zip(names, found, strict=True))


def _header_or_error(href: str, access: Access) -> Header | ReadError:
    try:
        return read_header(href, access)
    except ReadError as error:
        return error


def offered(
    made: Iterable[tuple[Layer, Iterable[str]]],
    headers: Mapping[str, Header | ReadError],
    notes: Iterable[str],
) -> Layers:
    """What a source offers: its layers in order, and failures in place of those without a band.

    A layer is without a band if headers could not be read. It has an entry in a run's failures
    and no rows: where it lies is unknown, and so which zones it would have met. Of a layer with
    other bands, only what may pass is told of here; its rows tell the rest.

    Args:
        made: each layer with the files that it was made from.
        headers: what those files say, or why they cannot be read.
        notes: sentences for the report.
    """
    layers, failures = list[Layer](), list[Failure]()
    for layer, hrefs in made:
        lost = _failures(layer, hrefs, headers)
        # A passing failure leaves the plan unsettled, so that a later run may find the band.
        failures += [one for one in lost if not (layer.assets and one.permanent)]
        if layer.assets or not lost:
            layers.append(layer)
    return Layers(in_order(layers), tuple(failures), tuple(notes))


def _failures(
    layer: Layer, hrefs: Iterable[str], headers: Mapping[str, Header | ReadError]
) -> list[Failure]:
    """One for each file, named once, whose header could not be read."""
    asked = {href: headers.get(href) for href in hrefs}
    return [
        Failure.of(layer.id, href, header)
        for href, header in asked.items()
        if isinstance(header, ReadError)
    ]


def asset_of(href: str, index: int, header: Header, band: Band, scale_offset: ScaleOffset) -> Asset:
    """A band (1-based) of a file as the job has it, and where the job is silent, the file.

    Args:
        href: the file, or a view of it.
        index: which of its bands.
        header: what the file says.
        band: what the job says of this band.
        scale_offset: what the job says of all bands.

    Raises:
        SourceError: the band is complex and the job says no part of it, or the other way round.
    """
    if band.part is not None:
        view = View.of(href)
        header = header_of_part(header, band.part, view.href)
        href = str(replace(view, part=band.part))
    scale, offset = _told(band.scaling(scale_offset))
    asset = Asset(
        href=href, band=index, grid=header.grid, nodata=band.nodata, scale=scale, offset=offset,
        scaled_by="file" if scale is None else "job",
    )  # fmt: skip
    return _as_filed(asset, header)


def _told(rule: ScaleOffset) -> tuple[float, float] | tuple[None, None]:
    """(scale, offset) by the job's rule where no item speaks; Nones ask the file."""
    if isinstance(rule, tuple):
        return rule
    return (None, None) if rule in ("auto", "file") else (1.0, 0.0)


def from_header(layer: Layer, headers: Mapping[str, Header | ReadError]) -> Layer:
    """A layer as its files' headers have it, for when item and file disagree.

    Grid, dtype and version become the file's; nodata, scale and offset that the plan knows
    are kept, others are filled in. Assets of files not in ``headers`` stay as they are; those
    that cannot be read, or lack the band, move to ``missing``.
    """
    return layer.each(lambda scene: _scene_from_header(scene, headers))


def _scene_from_header(scene: Scene, headers: Mapping[str, Header | ReadError]) -> Scene:
    assets, missing = {}, dict(scene.missing)
    for name, asset in scene.assets.items():
        header = headers.get(asset.href)
        if header is None:
            assets[name] = asset
        elif isinstance(header, ReadError):
            missing[name] = str(header)
        elif 1 <= asset.band <= len(header.dtypes):
            assets[name] = _as_filed(asset, header)
        else:
            count = len(header.dtypes)
            missing[name] = f"the file has {count} bands, and band {asset.band} was asked for"
    return replace(scene, assets=assets, missing=missing)


def _as_filed(asset: Asset, header: Header) -> Asset:
    i = asset.band - 1
    refuse_complex(header, View.of(asset.href).href, asset.band)
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
