"""Bands of STAC items: which asset holds which, by key, index, name or common name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from zonalbatch.errors import SourceError
from zonalbatch.sources.bands import unknown_band
from zonalbatch.sources.documents import Doc
from zonalbatch.sources.protocol import Band

__all__ = ["Place", "all_places", "band_docs", "chosen_places", "data_assets"]

_RASTER_TYPES = re.compile(r"image/(tiff|jp2|vnd\.stac\.geotiff)", re.IGNORECASE)
_RASTER_NAMES = re.compile(r"\.(tiff?|jp2|vrt)$", re.IGNORECASE)
_OTHER_TYPES = re.compile(
    r"text/|application/(json|geo\+json|xml|gml|pdf|zip|vnd\+?.?zarr|.*parquet)|image/(png|jpe?g)",
    re.IGNORECASE,
)
_OTHER_NAMES = re.compile(r"\.(json|geojson|xml|txt|html?|pdf|zarr|parquet|png|jpe?g)$", re.I)
_NOT_DATA = {"thumbnail", "overview", "visual", "metadata"}


@dataclass(frozen=True, slots=True)
class Place:
    """One band of one asset of an item."""

    key: str
    """Of the asset."""
    index: int
    """1-based."""


def _is_raster(asset: Doc) -> bool:
    kind = asset.get("type")
    return bool(_RASTER_TYPES.match(kind) if kind else _RASTER_NAMES.search(_path(asset)))


def _is_other(asset: Doc) -> bool:
    """True if an asset is surely no raster with a grid."""
    kind = asset.get("type")
    return bool(_OTHER_TYPES.match(kind) if kind else _OTHER_NAMES.search(_path(asset)))


def _path(asset: Doc) -> str:
    return str(asset["href"]).partition("?")[0]


def data_assets(doc: Doc) -> dict[str, Doc]:
    """The assets of an item that are rasters of data, by key."""
    return {
        key: asset
        for key, asset in doc["assets"].items()
        if _is_raster(asset) and _NOT_DATA.isdisjoint(asset.get("roles") or ())
    }


def all_places(doc: Doc) -> dict[str, Place]:
    """Every band of every raster asset: its key, and ``key_i`` where it has several."""
    places: dict[str, Place] = {}
    for key, asset in data_assets(doc).items():
        count = max(1, len(band_docs(asset)))
        names = [key] if count == 1 else [f"{key}_{i}" for i in range(1, count + 1)]
        places.update({name: Place(key, i) for i, name in enumerate(names, 1)})
    return places


def chosen_places(bands: Mapping[str, Band], docs: Sequence[Doc]) -> list[dict[str, Place]]:
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
            raise unknown_band(name, band, _known(docs))
    return chosen


def _known(docs: Sequence[Doc]) -> list[str]:
    """The names that a band could have been asked for by."""
    every = (
        label
        for doc in docs
        for key, asset in data_assets(doc).items()
        for label in (key, *(one for band in band_docs(asset) for one in _labels(band)))
    )
    return list(dict.fromkeys(every))


def _place(band: Band, doc: Doc) -> Place | None:
    label = band.asset or band.description
    if label is not None and label in doc["assets"]:
        _refuse_other(label, doc)
        return _within(label, band, doc)
    if label is not None:
        return _by_label(label, doc)
    keys = list(data_assets(doc))
    if len(keys) > 1:
        raise SourceError(
            f"band {band.index} is asked for, but item {doc.get('id')!r} has the assets "
            f"{', '.join(keys[:20])}; say which by asset"
        )
    return Place(keys[0], band.index or 1) if keys else None


def _refuse_other(key: str, doc: Doc) -> None:
    asset = doc["assets"][key]
    if _is_other(asset):
        raise SourceError(
            f"asset {key!r} of item {doc.get('id')!r} is {asset.get('type') or _path(asset)}, "
            f"not a raster with a grid; choose one of {', '.join(data_assets(doc)) or 'none'}"
        )


def _within(key: str, band: Band, doc: Doc) -> Place | None:
    """A band of a known asset: by its index, or by its own description."""
    if band.index is not None or band.description in (None, key):
        return Place(key, band.index or 1)
    labels = [_labels(one) for one in band_docs(doc["assets"][key])]
    found = [i for i, own in enumerate(labels, 1) if band.description in own]
    return Place(key, found[0]) if found else None


def _by_label(label: str, doc: Doc) -> Place | None:
    """A band by its name or common name; names are asked before common names."""
    for nth in (0, 1):
        found = [
            Place(key, i)
            for key, asset in data_assets(doc).items()
            for i, band in enumerate(band_docs(asset), 1)
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


def band_docs(asset: Doc) -> list[Doc]:
    """What is said of each band, in order: ``bands``, ``raster:bands`` and ``eo:bands`` merged."""
    said = [_dicts(asset.get(key)) for key in ("eo:bands", "raster:bands", "bands")]
    return [
        {key: value for doc in docs for key, value in doc.items()}
        for docs in zip_longest(*said, fillvalue=Doc())
    ]


def _dicts(value: Any) -> list[Doc]:
    listed = value if isinstance(value, list | tuple) else ()
    return [one for one in listed if isinstance(one, dict)]  # STAC 0.7 has indexes here
