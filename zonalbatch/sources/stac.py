"""Layers from STAC items: a collection file, item files, a static catalog, or items in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from zonalbatch.errors import ReadError, SourceError
from zonalbatch.layers import Layer, Layers, Scene
from zonalbatch.sources.access import OPEN, Access, Trusting
from zonalbatch.sources.acquisitions import SUPERSEDED, last_processed
from zonalbatch.sources.classification import legends_of
from zonalbatch.sources.documents import Doc, read_items, unique_items
from zonalbatch.sources.headers import from_header, offered, read_headers
from zonalbatch.sources.item_bands import Place, all_places, chosen_places
from zonalbatch.sources.item_fields import Sketch, footprint_told, sketch_of, times_of
from zonalbatch.sources.links import refuse_asset
from zonalbatch.sources.offsets import doubts_of
from zonalbatch.sources.overviews import at_resolution
from zonalbatch.sources.protocol import Band, Header, Resolution, ScaleOffset

__all__ = ["stac_layers"]


def stac_layers(
    items: str | Path | Sequence[Any],
    *,
    bands: Mapping[str, Band] | None = None,
    scale_offset: ScaleOffset = "auto",
    resolution: Resolution | None = None,
    access: Access = OPEN,
) -> Layers:
    """The layers that STAC items make, in order of (datetime, id); reads no pixel.

    Headers are read of those files alone that hold a wanted band and whose item does not say
    their grid; of all wanted ones where a resolution is asked for. A layer none of whose headers
    can be read is a failure and no layer, so that a result has no rows for it: where it lies is
    unknown, and so which zones it would have met.

    Args:
        items: an ItemCollection, item, catalog or collection file (path or URL), or a sequence
            of item files, dicts and pystac items.
        bands: name → asset key or common name; None takes all raster assets of role data.
        scale_offset: whose scale and offset to apply; "auto" is the item's if it states any.
        resolution: metres, or "approx": read the coarsest overviews that are no coarser; None
            reads the files themselves.
        access: how the right to read the files is come by; signatures that it would replace are
            left out of layers.

    Raises:
        SourceError: there is no item, a band is in none of them, or an asset is no raster.
        ReadError: headers are needed, because the items do not say their grids, and not one
            file can be read; or the document itself cannot be.
    """
    notes: dict[str, None] = {}
    docs = last_processed(unique_items(read_items(items), notes), notes)
    docs = [_bare(doc, access) for doc in docs]
    places = [all_places(doc) for doc in docs] if bands is None else chosen_places(bands, docs)
    if not isinstance(access, Trusting):
        _refuse_links(docs, places)
    names = list(dict.fromkeys(name for found in places for name in found))
    drafts = [
        _draft(doc, found, names, bands or {}, scale_offset, notes)
        for doc, found in zip(docs, places, strict=True)
    ]
    _note_without_bands(drafts, notes)
    told = ((d.item, name, sketch.scaling) for d in drafts for name, sketch in d.bands.items())
    found = _completed([draft for draft in drafts if draft.bands], notes, resolution, access)
    return replace(found, doubts=tuple(doubts_of(told)), legends=legends_of(docs, places))


def _refuse_links(docs: Sequence[Doc], places: Sequence[Mapping[str, Place]]) -> None:
    """Refuse items that name, for a wanted band, what they may not."""
    for doc, found in zip(docs, places, strict=True):
        for key in {place.key for place in found.values()}:
            refuse_asset(str(doc["assets"][key]["href"]), doc)


def _bare(doc: Doc, access: Access) -> Doc:
    """An item whose links have no signature that would be replaced when they are opened."""
    assets = {
        key: {**asset, "href": access.bare(str(asset["href"]))}
        for key, asset in doc["assets"].items()
    }
    return {**doc, "assets": assets}


@dataclass(frozen=True, slots=True)
class _Draft:
    """A layer as its item tells it."""

    id: str
    item: str
    """Id of the item."""
    times: tuple[datetime | None, datetime | None]
    """(datetime, datetime_end), UTC."""
    bands: Mapping[str, Sketch]
    missing: Mapping[str, str]
    """Band name → why it is absent."""
    footprint: bytes | None
    """WKB, degrees."""
    superseded: tuple[str, ...]
    """Ids of the items that it was taken instead of."""


def _draft(
    doc: Doc,
    places: Mapping[str, Place],
    names: Sequence[str],
    bands: Mapping[str, Band],
    scale_offset: ScaleOffset,
    notes: dict[str, None],
) -> _Draft:
    item = str(doc.get("id"))
    return _Draft(
        id=str(doc["layer"]),
        item=item,
        times=times_of(doc),
        bands={
            name: sketch_of(doc, place, bands.get(name) or Band(), scale_offset, notes)
            for name, place in places.items()
        },
        missing={name: f"item {item} has no such asset" for name in names if name not in places},
        footprint=footprint_told(doc),
        superseded=tuple(doc.get(SUPERSEDED) or ()),
    )


def _note_without_bands(drafts: Sequence[_Draft], notes: dict[str, None]) -> None:
    bare = [draft.item for draft in drafts if not draft.bands]
    if len(bare) == len(drafts):
        raise SourceError(
            f"none of {len(drafts)} items has a raster asset (the first is {bare[0]!r}); "
            "name the assets in bands"
        )
    if bare:
        notes[f"{len(bare)} items have none of the bands and were left out, first {bare[0]}"] = None


def _completed(
    drafts: Sequence[_Draft],
    notes: Mapping[str, None],
    resolution: Resolution | None,
    access: Access,
) -> Layers:
    """Layers of drafts; headers are read, each once, where the items do not say the grid."""
    if resolution is not None:
        drafts = [_without_grids(draft) for draft in drafts]
    headers = read_headers(
        (sketch.href for d in drafts for sketch in d.bands.values() if sketch.grid is None), access
    )
    if resolution is not None:
        views = at_resolution(headers, resolution, access)
        drafts = [_seen(draft, views) for draft in drafts]
        headers = dict(views.values())
    layers = [_layer(draft, headers) for draft in drafts]
    if not any(layer.assets for layer in layers):
        raise _nothing_readable(layers, headers)
    files = [[sketch.href for sketch in draft.bands.values()] for draft in drafts]
    return offered(zip(layers, files, strict=True), headers, notes)


def _without_grids(draft: _Draft) -> _Draft:
    """A draft that leaves it to the files where cells lie: items tell nothing of overviews."""
    return replace(draft, bands={n: replace(s, grid=None) for n, s in draft.bands.items()})


def _seen(draft: _Draft, views: Mapping[str, tuple[str, Header | ReadError]]) -> _Draft:
    """A draft with views in place of its files."""
    return replace(
        draft, bands={n: replace(s, href=views[s.href][0]) for n, s in draft.bands.items()}
    )


def _layer(draft: _Draft, headers: Mapping[str, Header | ReadError]) -> Layer:
    assets, missing = {}, dict(draft.missing)
    # Where the item told the grid, its word stands: only files it left open are asked.
    asked = {s.href: headers[s.href] for s in draft.bands.values() if s.grid is None}
    for name, sketch in draft.bands.items():
        header = asked.get(sketch.href)
        if sketch.grid is not None:
            assets[name] = sketch.asset(sketch.grid)
        elif isinstance(header, ReadError):
            missing[name] = str(header)
        elif header is not None:
            assets[name] = sketch.asset(header.grid)
    when, end = draft.times
    scene = Scene(
        items=(draft.item,), assets=assets, missing=missing, footprint=draft.footprint,
        superseded=draft.superseded,
    )  # fmt: skip
    layer = Layer(id=draft.id, datetime=when, datetime_end=end, scenes=(scene,))
    return from_header(layer, asked)


def _nothing_readable(
    layers: Sequence[Layer], headers: Mapping[str, Header | ReadError]
) -> ReadError | SourceError:
    for header in headers.values():
        if isinstance(header, ReadError):
            return header
    why = next(reason for layer in layers for reason in layer.missing.values())
    return SourceError(f"no item has any of the bands: {why}; correct their index")
