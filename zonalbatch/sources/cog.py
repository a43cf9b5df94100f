"""Layers from raster files: a list of them, or a pattern that their names follow."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from zonalbatch.errors import PassingReadError, ReadError, SourceError
from zonalbatch.layers import Layer, Layers, Scene
from zonalbatch.sources.access import OPEN, Access
from zonalbatch.sources.bands import unknown_band, wish
from zonalbatch.sources.causes import shown
from zonalbatch.sources.headers import asset_of, offered, read_headers
from zonalbatch.sources.overviews import at_resolution
from zonalbatch.sources.pattern import Pattern
from zonalbatch.sources.protocol import Band, Header, Resolution, ScaleOffset
from zonalbatch.sources.scenes import FileScene, scenes_of
from zonalbatch.sources.view import View

__all__ = ["cog_layers"]


def cog_layers(
    *,
    files: Sequence[str] | None = None,
    pattern: str | None = None,
    bands: Mapping[str, Band] | None = None,
    scale_offset: ScaleOffset = "auto",
    datetime_pattern: str | None = None,
    resolution: Resolution | None = None,
    access: Access = OPEN,
) -> Layers:
    """The layers that raster files make, in order of (datetime, id); reads headers, no pixel.

    Where each of the bands is an asset, that is a value of ``{band}``, the other files of a
    pattern are never opened. A band by description, or by a name that is no such value, may lie
    in any file: then the headers of all are read.

    A layer none of whose wanted headers can be read is a failure and no layer, so that a result
    has no rows for it: where it lies is unknown, and so which zones it would have met.

    Args:
        files: paths, globs or URLs; each file is a layer, named by its stem.
        pattern: a local path with ``{date:%Y%m%d}``, ``{band}``, other fields and globs; files
            equal in all fields but ``{band}`` make one layer.
        bands: name → where it lies; None takes all bands of the files.
        scale_offset: whose scale and offset to apply, for bands that do not say.
        datetime_pattern: a strptime format to find in the names (``%Y%m%d``).
        resolution: metres, or "approx": read the coarsest overviews that are no coarser; None
            reads the files themselves.
        access: how the right to read the files is come by; signatures that it would replace are
            left out of layers.

    Raises:
        SourceError: nothing matches, a listed file does not exist, a band is in no file, a file
            has no usable grid, or no wanted file can be read.
        PassingReadError: no wanted file can be read, but perhaps another time.
    """
    notes: dict[str, None] = {}
    files = None if files is None else [access.bare(os.fspath(file)) for file in files]
    scenes = scenes_of(files, pattern, datetime_pattern, notes)
    if bands is not None:
        scenes = _narrowed(scenes, bands)
    hrefs = [href for scene in scenes for href in scene.files.values()]
    headers = read_headers(hrefs, access)
    _refuse_all_unreadable(headers)
    if resolution is not None:
        scenes, headers = _coarser(scenes, at_resolution(headers, resolution, access))
    fields = () if pattern is None else Pattern.parse(pattern).fields
    if bands is None:
        places = _all_places(scenes, headers)
    else:
        places = _places(bands, scenes, headers, fields)
    made = [
        (_layer(scene, found, bands or {}, scale_offset, notes), scene.files.values())
        for scene, found in zip(scenes, places, strict=True)
    ]
    return offered(made, headers, notes)


def _narrowed(scenes: Sequence[FileScene], bands: Mapping[str, Band]) -> list[FileScene]:
    """The scenes with only those files that may hold a wanted band."""
    asked = {band.asset for band in bands.values()}
    if not asked <= set(_assets(scenes)):
        return list(scenes)
    return [
        replace(scene, files={key: href for key, href in scene.files.items() if key in asked})
        for scene in scenes
    ]


def _coarser(
    scenes: Sequence[FileScene], views: Mapping[str, tuple[str, Header | ReadError]]
) -> tuple[list[FileScene], dict[str, Header | ReadError]]:
    """The scenes with the overviews of their files that serve, and what those say."""
    seen = [
        replace(scene, files={key: views[href][0] for key, href in scene.files.items()})
        for scene in scenes
    ]
    return seen, dict(views.values())


def _assets(scenes: Iterable[FileScene]) -> list[str]:
    """The values of ``{band}``, each once."""
    every = (asset for scene in scenes for asset in scene.files)
    return list(dict.fromkeys(asset for asset in every if asset is not None))


def _refuse_all_unreadable(headers: Mapping[str, Header | ReadError]) -> None:
    errors = [header for header in headers.values() if isinstance(header, ReadError)]
    if not errors or len(errors) < len(headers):
        return
    told = str(errors[0])
    if len(errors) > 1:
        told = f"none of {len(errors)} files can be read, the first: {told}"
    if isinstance(errors[0], PassingReadError):
        raise PassingReadError(told) from errors[0]
    raise SourceError(told) from errors[0]


# --- which band lies where --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """One band of one file whose header was read."""

    href: str
    header: Header
    index: int
    """1-based."""


_Places = dict[str, _Place | str]
"""Band name → where it lies in a scene, or why it does not."""


def _all_places(
    scenes: Sequence[FileScene], headers: Mapping[str, Header | ReadError]
) -> list[_Places]:
    """All bands of all files, by the names they go by, for each scene."""
    own = [_own_places(scene, headers) for scene in scenes]
    names = dict.fromkeys(name for found in own for name in found)
    return [
        {name: found.get(name) or _why_none(scene, headers) for name in names}
        for scene, found in zip(scenes, own, strict=True)
    ]


def _own_places(scene: FileScene, headers: Mapping[str, Header | ReadError]) -> dict[str, _Place]:
    read = {asset: (href, headers[href]) for asset, href in scene.files.items()}
    return {
        name: _Place(href, header, i)
        for asset, (href, header) in read.items()
        if isinstance(header, Header)
        for i, name in enumerate(_own_names(asset, header), 1)
    }


def _own_names(asset: str | None, header: Header) -> list[str]:
    count = len(header.dtypes)
    if asset is not None:
        return [asset] if count == 1 else [f"{asset}_{i}" for i in range(1, count + 1)]
    described = [text for text in header.descriptions if text]
    if len(set(described)) == count:
        return described
    return [f"band_{i}" for i in range(1, count + 1)]


def _why_none(scene: FileScene, headers: Mapping[str, Header | ReadError]) -> str:
    unread = [h for h in map(headers.__getitem__, scene.files.values()) if isinstance(h, ReadError)]
    return str(unread[0]) if unread else "the layer has no such band"


def _places(
    bands: Mapping[str, Band],
    scenes: Sequence[FileScene],
    headers: Mapping[str, Header | ReadError],
    fields: Sequence[str],
) -> list[_Places]:
    """Where each of the job's bands lies, for each scene.

    Raises:
        SourceError: a band is in none of them.
    """
    assets = _assets(scenes)
    places = [
        {name: _place(band, band.asset in assets, scene, headers) for name, band in bands.items()}
        for scene in scenes
    ]
    for name, band in bands.items():
        if any(isinstance(found[name], _Place) for found in places):
            continue
        own = [scene.files[band.asset] for scene in scenes if band.asset in scene.files]
        asked = [headers[href] for href in own] if band.asset in assets else headers.values()
        labels = [label for h in asked if isinstance(h, Header) for label in _labels(h)]
        if labels or band.asset not in assets:  # else no file of that asset could be read
            known = labels if band.asset in assets else [*assets, *labels]
            raise unknown_band(name, band, list(dict.fromkeys(known)), fields)
    return places


def _labels(header: Header) -> list[str]:
    return [text or str(i) for i, text in enumerate(header.descriptions, 1)]


def _place(
    band: Band, by_asset: bool, scene: FileScene, headers: Mapping[str, Header | ReadError]
) -> _Place | str:
    """The first file of a scene that holds a band, or why none does."""
    hrefs = _candidates(scene, band, by_asset)
    if not hrefs:
        return f"the layer has no file of {band.asset!r}"
    unread = ""
    for href in hrefs:
        header = headers[href]
        if isinstance(header, ReadError):
            unread = unread or str(header)
            continue
        index = _index_in(header, band, by_asset)
        if index is not None:
            return _Place(href, header, index)
    return unread or f"{shown(hrefs[0])} has no band {wish(band)}"


def _candidates(scene: FileScene, band: Band, by_asset: bool) -> list[str]:
    """The files of a scene that may hold a band."""
    if by_asset:
        return [href for asset, href in scene.files.items() if asset == band.asset]
    if band.index is not None and len(scene.files) > 1:
        raise SourceError(
            f"band {band.index} is asked for, but layer {scene.id!r} has the files "
            f"{sorted(map(str, scene.files))}; say which by asset"
        )
    return list(scene.files.values())


def _index_in(header: Header, band: Band, by_asset: bool) -> int | None:
    """1-based index of a band in a file, or None."""
    label = band.description or (None if by_asset else band.asset)
    index = band.index
    if label is not None:
        if label in header.descriptions:
            return header.descriptions.index(label) + 1
        if band.description is not None or not label.isdigit():
            return None
        index = int(label)
    index = 1 if index is None else index
    return index if 1 <= index <= len(header.dtypes) else None


# --- layers -----------------------------------------------------------------------------------


def _layer(
    scene: FileScene,
    places: _Places,
    bands: Mapping[str, Band],
    scale_offset: ScaleOffset,
    notes: dict[str, None],
) -> Layer:
    assets, missing = {}, {}
    for name, place in places.items():
        if isinstance(place, str):
            missing[name] = place
            continue
        band = bands.get(name) or Band()
        asset = asset_of(place.href, place.index, place.header, band, scale_offset)
        if asset.nodata == "none" and band.nodata not in (None, "none"):
            notes[
                f"nodata {band.nodata} of band {name!r} does not fit {asset.dtype} and means none"
            ] = None
        assets[name] = asset
    items = tuple(shown(View.of(href).href) for href in scene.files.values())
    made = Scene(items=items, assets=assets, missing=missing)
    return Layer(id=scene.id, datetime=scene.datetime, scenes=(made,))
