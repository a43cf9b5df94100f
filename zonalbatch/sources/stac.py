"""Layers from STAC items: a collection file, item files, a static catalog, or items in memory.

Items are read as plain dicts: that is fast for many of them, and pystac would rewrite their
projection fields. STAC 1.0 (``raster:bands``, ``eo:bands``) and 1.1 (``bands``) are both read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zonalbatch.errors import ReadError, SourceError
from zonalbatch.lattice import Grid, grid_of
from zonalbatch.layers import Asset, Failure, Layer, Layers
from zonalbatch.sources.cog import layer_order, unknown_band
from zonalbatch.sources.headers import from_header, read_headers
from zonalbatch.sources.protocol import Band, Header, ScaleOffset, is_remote
from zonalbatch.sources.raster import crs_text, held_nodata, read_error, shown

__all__ = ["stac_layers"]

Doc = dict[str, Any]

_RASTER_TYPES = re.compile(r"image/(tiff|jp2|vnd\.stac\.geotiff)", re.IGNORECASE)
_RASTER_NAMES = re.compile(r"\.(tiff?|jp2|vrt)$", re.IGNORECASE)
_OTHER_TYPES = re.compile(
    r"text/|application/(json|geo\+json|xml|gml|pdf|zip|vnd\+?.?zarr|.*parquet)|image/(png|jpe?g)",
    re.IGNORECASE,
)
_OTHER_NAMES = re.compile(r"\.(json|geojson|xml|txt|html?|pdf|zarr|parquet|png|jpe?g)$", re.I)
_NOT_DATA = {"thumbnail", "overview", "visual", "metadata"}
_DTYPES = re.compile(r"u?int(8|16|32|64)|float(16|32|64)")


@dataclass(frozen=True, slots=True)
class _Place:
    """One band of one asset of an item."""

    key: str
    index: int
    """1-based."""


def stac_layers(
    items: str | Path | Sequence[Any],
    *,
    bands: Mapping[str, Band] | None = None,
    scale_offset: ScaleOffset = "auto",
) -> Layers:
    """The layers that STAC items make, in order of (datetime, id); reads no pixel.

    Args:
        items: an ItemCollection, item, catalog or collection file (path or URL), or a sequence
            of item files, dicts and pystac items.
        bands: name → asset key or common name; None takes all raster assets of role data.
        scale_offset: whose scale and offset to apply; "auto" is the item's if it states any.

    Raises:
        SourceError: there is no item, a band is in none of them, or an asset is no raster.
        ReadError: headers are needed, because the items do not say their grids, and not one
            file can be read; or the document itself cannot be.
    """
    notes: dict[str, None] = {}
    docs = _unique(_documents(items), notes)
    if not docs:
        raise SourceError(f"{_source_name(items)} holds no STAC item; check the search or the path")
    places = [_all_places(doc) for doc in docs] if bands is None else _chosen(bands, docs)
    names = list(dict.fromkeys(name for found in places for name in found))
    drafts = [
        _draft(doc, found, names, bands or {}, scale_offset, notes)
        for doc, found in zip(docs, places, strict=True)
    ]
    _note_without_bands(drafts, notes)
    layers, failures = _completed([draft for draft in drafts if draft.places])
    return Layers(tuple(sorted(layers, key=layer_order)), failures, tuple(notes))


# --- reading documents ------------------------------------------------------------------------


def _documents(items: str | Path | Sequence[Any]) -> list[Doc]:
    """All items as dicts, with absolute asset hrefs."""
    if isinstance(items, str | os.PathLike):
        return _from_file(os.fspath(items), set())
    if isinstance(items, Mapping):
        items = [items]
    return [doc for item in items for doc in _from_entry(item)]


def _from_entry(item: Any) -> list[Doc]:
    if isinstance(item, str | os.PathLike):
        return _from_file(os.fspath(item), set())
    if hasattr(item, "to_dict"):
        base = item.get_self_href()
        return [_absolute(item.to_dict(transform_hrefs=False), base)]
    if isinstance(item, Mapping):
        return _from_document(dict(item), None, set())
    raise SourceError(f"{type(item).__name__} is no STAC item; give paths, dicts or pystac items")


def _from_file(href: str, visited: set[str]) -> list[Doc]:
    href = href if is_remote(href) else os.path.abspath(os.path.expanduser(href))
    if href in visited:
        return []
    visited.add(href)
    return _from_document(_read_json(href), href, visited)


def _read_json(href: str) -> Doc:
    import pystac

    try:
        document = json.loads(pystac.StacIO.default().read_text(href))
    except FileNotFoundError as error:
        raise SourceError(f"{shown(href)} does not exist; correct the path") from error
    except ValueError as error:
        raise SourceError(f"{shown(href)} is no JSON ({error}); give a STAC document") from error
    except Exception as error:  # pystac wraps what urllib raises in bare Exceptions
        raise read_error(href, error) from error
    if not isinstance(document, dict):
        raise SourceError(f"{shown(href)} is no JSON object; give a STAC item or collection")
    return document


def _from_document(document: Doc, href: str | None, visited: set[str]) -> list[Doc]:
    if document.get("type") == "FeatureCollection":
        features = document.get("features") or []
        return [_absolute(doc, _own_href(doc) or href) for doc in features]
    if "assets" in document and "properties" in document:
        return [_absolute(document, href or _own_href(document))]
    if "links" in document:
        return list(_linked(document, href or _own_href(document), visited))
    raise SourceError(
        f"{shown(href or 'a dict')} is no STAC item, item collection or catalog "
        f"(type {document.get('type')!r}); give one of these"
    )


def _linked(catalog: Doc, href: str | None, visited: set[str]) -> Iterator[Doc]:
    """The items below a static catalog; siblings are fetched several at a time."""
    links = [link for link in catalog["links"] if link.get("rel") in ("item", "child")]
    hrefs = [_resolved(str(link["href"]), href, catalog) for link in links]
    if not hrefs:
        return
    with ThreadPoolExecutor(min(16, len(hrefs))) as pool:
        for docs in pool.map(lambda below: _from_file(below, visited), hrefs):
            yield from docs


def _own_href(doc: Doc) -> str | None:
    """The item's absolute self link."""
    for link in doc.get("links") or ():
        if link.get("rel") == "self" and _is_absolute(str(link.get("href", ""))):
            return str(link["href"])
    return None


def _is_absolute(href: str) -> bool:
    return is_remote(href) or href.startswith(("/", "file://"))


def _absolute(doc: Doc, base: str | None) -> Doc:
    """The item with its assets' hrefs made absolute."""
    assets = {
        key: {**asset, "href": _resolved(str(asset.get("href", "")), base, doc)}
        for key, asset in (doc.get("assets") or {}).items()
    }
    return {**doc, "assets": assets}


def _resolved(href: str, base: str | None, doc: Doc) -> str:
    if _is_absolute(href):
        return href.removeprefix("file://")
    if base is None:
        raise SourceError(
            f"item {doc.get('id')!r} has the relative link {shown(href)!r} and no self link to "
            "resolve it by; read it from its file, or make its links absolute"
        )
    import pystac.utils

    return str(pystac.utils.make_absolute_href(href, base.removeprefix("file://")))


def _source_name(items: Any) -> str:
    return shown(os.fspath(items)) if isinstance(items, str | os.PathLike) else "the list of items"


# --- ids and times ----------------------------------------------------------------------------


def _unique(docs: Sequence[Doc], notes: dict[str, None]) -> list[Doc]:
    """Items with unique ids: the last updated of equal (collection, id), the others renamed."""
    newest: dict[tuple[str, str], Doc] = {}
    for doc in docs:
        key = (str(doc.get("collection") or ""), str(doc.get("id")))
        if key not in newest or _updated(doc) > _updated(newest[key]):
            newest[key] = doc
    if len(newest) < len(docs):
        count = len(docs) - len(newest)
        notes[f"{count} items were given more than once; the last updated of each was kept"] = None
    return _renamed(newest)


def _updated(doc: Doc) -> str:
    return str((doc.get("properties") or {}).get("updated") or "")


def _renamed(docs: Mapping[tuple[str, str], Doc]) -> list[Doc]:
    """The items as they are, but those of equal ids take ``@collection`` into their layer's id."""
    counts: dict[str, int] = {}
    for _, own in docs:
        counts[own] = counts.get(own, 0) + 1
    return [
        {**doc, "layer": f"{own}@{collection}" if counts[own] > 1 else own}
        for (collection, own), doc in docs.items()
    ]


def _times(doc: Doc) -> tuple[datetime | None, datetime | None]:
    """(datetime, datetime_end) of an item, UTC."""
    properties = doc.get("properties") or {}
    instant = properties.get("datetime")
    if instant is not None:
        return _time(instant, doc), None
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    return _time(start, doc), None if end == start else _time(end, doc)


def _time(text: Any, doc: Doc) -> datetime | None:
    if text is None:
        return None
    try:
        when = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    except ValueError as error:
        raise SourceError(
            f"item {doc.get('id')!r} has the datetime {text!r}; write it as RFC 3339"
        ) from error
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


# --- which assets -----------------------------------------------------------------------------


def _is_raster(asset: Doc) -> bool:
    kind = asset.get("type")
    return bool(_RASTER_TYPES.match(kind) if kind else _RASTER_NAMES.search(_path(asset)))


def _is_other(asset: Doc) -> bool:
    """True if an asset is surely no raster with a grid."""
    kind = asset.get("type")
    return bool(_OTHER_TYPES.match(kind) if kind else _OTHER_NAMES.search(_path(asset)))


def _path(asset: Doc) -> str:
    return str(asset["href"]).partition("?")[0]


def _data_assets(doc: Doc) -> dict[str, Doc]:
    return {
        key: asset
        for key, asset in doc["assets"].items()
        if _is_raster(asset) and _NOT_DATA.isdisjoint(asset.get("roles") or ())
    }


def _all_places(doc: Doc) -> dict[str, _Place]:
    """Every band of every raster asset: its key, and ``key_i`` where it has several."""
    places: dict[str, _Place] = {}
    for key, asset in _data_assets(doc).items():
        count = max(1, len(_band_docs(asset)))
        names = [key] if count == 1 else [f"{key}_{i}" for i in range(1, count + 1)]
        places.update({name: _Place(key, i) for i, name in enumerate(names, 1)})
    return places


def _chosen(bands: Mapping[str, Band], docs: Sequence[Doc]) -> list[dict[str, _Place]]:
    """Where each item has each of the job's bands.

    Raises:
        SourceError: a band is in no item, or its asset is no raster.
    """
    chosen = [
        {name: place for name, band in bands.items() if (place := _place(band, doc))}
        for doc in docs
    ]
    for name, band in bands.items():
        if not any(name in found for found in chosen):
            raise unknown_band(name, band, list(_known(docs)))
    return chosen


def _known(docs: Sequence[Doc]) -> dict[str, None]:
    return dict.fromkeys(
        label
        for doc in docs
        for key, asset in _data_assets(doc).items()
        for label in (key, *(one for band in _band_docs(asset) for one in _labels(band)))
    )


def _place(band: Band, doc: Doc) -> _Place | None:
    wish = band.asset or band.description
    if wish is not None and wish in doc["assets"]:
        _refuse_other(wish, doc)
        return _within(wish, band, doc)
    if wish is not None:
        return _by_label(wish, doc)
    keys = list(_data_assets(doc))
    if len(keys) > 1:
        raise SourceError(
            f"band {band.index} is asked for, but item {doc.get('id')!r} has the assets "
            f"{', '.join(keys[:20])}; say which by asset"
        )
    return _Place(keys[0], band.index or 1) if keys else None


def _refuse_other(key: str, doc: Doc) -> None:
    asset = doc["assets"][key]
    if _is_other(asset):
        raise SourceError(
            f"asset {key!r} of item {doc.get('id')!r} is {asset.get('type') or _path(asset)}, "
            f"not a raster with a grid; choose one of {', '.join(_data_assets(doc)) or 'none'}"
        )


def _within(key: str, band: Band, doc: Doc) -> _Place | None:
    """A band of a known asset: by its index, or by its own description."""
    if band.index is not None or band.description in (None, key):
        return _Place(key, band.index or 1)
    labels = [_labels(one) for one in _band_docs(doc["assets"][key])]
    found = [i for i, own in enumerate(labels, 1) if band.description in own]
    return _Place(key, found[0]) if found else None


def _by_label(label: str, doc: Doc) -> _Place | None:
    """A band by its name or common name; names are asked before common names."""
    for nth in (0, 1):
        found = [
            _Place(key, i)
            for key, asset in _data_assets(doc).items()
            for i, band in enumerate(_band_docs(asset), 1)
            if label in _labels(band)[nth : nth + 1]
        ]
        if len(found) > 1:
            keys = ", ".join(dict.fromkeys(place.key for place in found))
            raise SourceError(
                f"band {label!r} is in several assets of item {doc.get('id')!r} ({keys}); "
                "name one of them"
            )
        if found:
            return found[0]
    return None


def _labels(band: Doc) -> list[str]:
    """(name, common name) of a band, the common name twice where there is no name."""
    common = band.get("eo:common_name") or band.get("common_name")
    name = band.get("name") or band.get("description")
    return [str(label) for label in (name or common, common) if label]


def _band_docs(asset: Doc) -> list[Doc]:
    """What is said of each band, in order: ``bands``, ``raster:bands`` and ``eo:bands`` merged."""
    said = [_dicts(asset.get(key)) for key in ("eo:bands", "raster:bands", "bands")]
    count = max(map(len, said))
    return [{k: v for bands in said for k, v in _nth(bands, i).items()} for i in range(count)]


def _dicts(value: Any) -> list[Doc]:
    return [one for one in value or () if isinstance(one, dict)]  # STAC 0.7 has indexes here


def _nth(bands: Sequence[Doc], i: int) -> Doc:
    return bands[i] if i < len(bands) else {}


# --- what the item says of a band -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sketch:
    """An asset as its item tells it; without a grid until its header is read."""

    href: str
    band: int
    grid: Grid | None
    dtype: str | None
    nodata: Any
    scale_offset: tuple[float, float] | None
    version: str | None

    def asset(self, grid: Grid) -> Asset:
        scale, offset = self.scale_offset or (None, None)
        return Asset(
            href=self.href,
            band=self.band,
            grid=grid,
            dtype=self.dtype,
            nodata=self.nodata,
            scale=scale,
            offset=offset,
            version=self.version,
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A layer as its item tells it."""

    id: str
    item: str
    times: tuple[datetime | None, datetime | None]
    places: Mapping[str, _Sketch]
    missing: Mapping[str, str]


def _draft(
    doc: Doc,
    places: Mapping[str, _Place],
    names: Sequence[str],
    bands: Mapping[str, Band],
    scale_offset: ScaleOffset,
    notes: dict[str, None],
) -> _Draft:
    item = str(doc.get("id"))
    return _Draft(
        id=str(doc["layer"]),
        item=item,
        times=_times(doc),
        places={
            name: _sketch(doc, place, bands.get(name) or Band(), scale_offset, notes)
            for name, place in places.items()
        },
        missing={name: f"item {item} has no such asset" for name in names if name not in places},
    )


def _sketch(
    doc: Doc, place: _Place, band: Band, default: ScaleOffset, notes: dict[str, None]
) -> _Sketch:
    asset = doc["assets"][place.key]
    own = _nth(_band_docs(asset), place.index - 1)
    sources = (own, asset, doc.get("properties") or {})
    dtype = _first(sources, "data_type")
    dtype = dtype if dtype and _DTYPES.fullmatch(str(dtype)) else None
    rule = default if band.scale_offset is None else band.scale_offset
    return _Sketch(
        href=str(asset["href"]),
        band=place.index,
        grid=_grid(sources, f"asset {place.key!r} of item {doc.get('id')!r}"),
        dtype=dtype,
        nodata=_nodata(band, _first((own, asset), "nodata"), dtype, notes),
        scale_offset=_scale_offset(rule, (own, asset)),
        version=_version(asset),
    )


def _first(sources: Iterable[Doc], *keys: str) -> Any:
    """The value of the first key that any source has, the nearest source first; None if none."""
    for source in sources:
        for key in keys:
            if source.get(key) is not None:
                return source[key]
    return None


def _grid(sources: Sequence[Doc], name: str) -> Grid | None:
    """The grid that the projection fields make; None if they are incomplete or no affine grid."""
    crs = _first(sources, "proj:code", "proj:epsg", "proj:wkt2", "proj:projjson")
    transform, shape = _first(sources, "proj:transform"), _first(sources, "proj:shape")
    if crs is None or not transform or len(transform) < 6 or not shape or len(shape) != 2:
        return None
    try:
        text = crs_text(f"EPSG:{crs}" if isinstance(crs, int) else crs)
        affine = tuple(float(value) for value in transform[:6])
        return grid_of(text, affine, (int(shape[0]), int(shape[1])), name=name)
    except SourceError:  # GDAL's order of the six, or a swapped one: the file knows better
        return None


def _nodata(band: Band, stated: Any, dtype: str | None, notes: dict[str, None]) -> Any:
    """The job's nodata, else the item's; "none" where the dtype cannot hold it; None to ask."""
    if band.nodata is not None:
        stated = band.nodata
    if stated is None or stated == "none":
        return stated
    try:
        value = float(stated) if isinstance(stated, str) else stated  # "nan", "inf"
    except ValueError:
        return None
    held = value if dtype is None else held_nodata(value, dtype)
    if held is None:
        notes[f"nodata {stated} does not fit {dtype} and means none"] = None
    return "none" if held is None else held


def _scale_offset(rule: ScaleOffset, sources: Sequence[Doc]) -> tuple[float, float] | None:
    """(scale, offset) to apply; None asks the file."""
    if isinstance(rule, tuple):
        return rule
    if rule in ("file", "none"):
        return None if rule == "file" else (1.0, 0.0)
    scale = _first(sources, "raster:scale", "scale")
    offset = _first(sources, "raster:offset", "offset")
    if scale is None and offset is None:
        return None if rule == "auto" else (1.0, 0.0)
    return float(1.0 if scale is None else scale), float(offset or 0.0)


def _version(asset: Doc) -> str | None:
    told = _first((asset,), "file:checksum", "checksum:multihash", "file:size")
    return None if told is None else str(told)


# --- layers -----------------------------------------------------------------------------------


def _note_without_bands(drafts: Sequence[_Draft], notes: dict[str, None]) -> None:
    bare = [draft.item for draft in drafts if not draft.places]
    if len(bare) == len(drafts):
        raise SourceError(
            f"none of {len(drafts)} items has a raster asset (the first is {bare[0]!r}); "
            "name the assets in bands"
        )
    if bare:
        notes[f"{len(bare)} items have none of the bands and were left out, first {bare[0]}"] = None


def _completed(drafts: Sequence[_Draft]) -> tuple[list[Layer], tuple[Failure, ...]]:
    """Layers of drafts; headers are read, each once, where the items do not say the grid."""
    headers = read_headers(
        sketch.href for d in drafts for sketch in d.places.values() if sketch.grid is None
    )
    layers: list[Layer] = []
    failures: list[Failure] = []
    for draft in drafts:
        layer = _layer(draft, headers)
        lost = [] if layer.assets else list(_failures(draft, headers))
        failures.extend(lost)
        if not lost:
            layers.append(layer)
    if not any(layer.assets for layer in layers):
        raise _nothing_readable(layers, headers)
    return layers, tuple(failures)


def _nothing_readable(
    layers: Sequence[Layer], headers: Mapping[str, Header | ReadError]
) -> ReadError | SourceError:
    for header in headers.values():
        if isinstance(header, ReadError):
            return header
    why = next(reason for layer in layers for reason in layer.missing.values())
    return SourceError(f"no item has any of the bands: {why}; correct their index")


def _layer(draft: _Draft, headers: Mapping[str, Header | ReadError]) -> Layer:
    assets, missing = {}, dict(draft.missing)
    for name, sketch in draft.places.items():
        header = headers.get(sketch.href)
        if sketch.grid is not None:
            assets[name] = sketch.asset(sketch.grid)
        elif isinstance(header, ReadError):
            missing[name] = str(header)
        elif header is not None:
            assets[name] = sketch.asset(header.grid)
    when, end = draft.times
    layer = Layer(
        id=draft.id,
        datetime=when,
        datetime_end=end,
        items=(draft.item,),
        assets=assets,
        missing=missing,
    )
    # Where the item told the grid, its word stands: only files it left open are asked.
    unsaid = {s.href for s in draft.places.values() if s.grid is None}
    return from_header(layer, {href: headers[href] for href in unsaid})


def _failures(draft: _Draft, headers: Mapping[str, Header | ReadError]) -> Iterator[Failure]:
    for href in dict.fromkeys(sketch.href for sketch in draft.places.values()):
        header = headers.get(href)
        if isinstance(header, ReadError):
            yield Failure.of(draft.id, shown(href), header)
