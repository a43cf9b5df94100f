"""Acquisitions: of several items of one, the last processed is taken.

Archives are processed again, and catalogues then hold one acquisition twice. Taken for two, it
would be counted twice, or the older processing would answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from zonalbatch.sources.documents import Doc

__all__ = ["SUPERSEDED", "last_processed"]

SUPERSEDED = "superseded"
"""Key of an item's document that lists the ids it was taken instead of."""

_TILES = (
    ("s2:mgrs_tile",),
    ("mgrs:utm_zone", "mgrs:latitude_band", "mgrs:grid_square"),
    ("sentinel:utm_zone", "sentinel:latitude_band", "sentinel:grid_square"),
    ("landsat:wrs_type", "landsat:wrs_path", "landsat:wrs_row"),
    ("grid:code",),
)
"""How items name their tile, the first that is stated in full."""
_KINDS = ("s2:product_type", "landsat:correction", "processing:level")
"""How items say which product of an acquisition they are."""
_STRIP = re.compile(r"_S(\d{8}T\d{6})_")
"""When sensing of a datastrip began, in the id of a Sentinel-2 datastrip (Sentinel-2 Products
Specification Document, naming of products): a pass that was received in two strips makes two items
of one tile and time, neither of which replaces the other."""


def last_processed(docs: Sequence[Doc], notes: dict[str, None]) -> list[Doc]:
    """One item for each acquisition, in the order of their first; the others are named in it.

    Items of a collection are of one acquisition if platform, tile and time are the same. The one
    with the highest processing baseline is taken, then the last created, then the one of the
    highest id. Items that do not say all three are acquisitions of their own.
    """
    found: dict[Any, list[Doc]] = {}
    for number, doc in enumerate(docs):
        found.setdefault(_acquisition(doc) or number, []).append(doc)
    if len(found) < len(docs):
        count = len(docs) - len(found)
        notes[
            f"{count} items are of an acquisition that another has in a later processing, which "
            "was taken"
        ] = None
    return [_taken(some) for some in found.values()]


def _taken(docs: Sequence[Doc]) -> Doc:
    *older, last = sorted(docs, key=_processing)
    return {**last, SUPERSEDED: [str(doc.get("id")) for doc in older]} if older else last


def _acquisition(doc: Doc) -> tuple[str, ...] | None:
    """What tells one acquisition of a product from all others; None if the item does not say."""
    properties = doc.get("properties") or {}
    platform, when = properties.get("platform"), properties.get("datetime")
    tile = next(filter(None, (_stated(properties, keys) for keys in _TILES)), None)
    if not platform or not when or tile is None:
        return None
    strip = _STRIP.search(str(properties.get("s2:datastrip_id") or "") + "_")
    return (
        str(doc.get("collection")),
        *(str(properties.get(key)) for key in _KINDS),
        str(platform).lower(),
        *tile,
        str(_time(when)),
        strip[1] if strip else "",
    )


def _stated(properties: Doc, keys: Iterable[str]) -> tuple[str, ...] | None:
    """Some properties as text, numbers without leading zeros; None if one is not stated."""
    values = [properties.get(key) for key in keys]
    if any(value is None for value in values):
        return None
    return tuple(str(value).lstrip("0") for value in values)


def _time(when: Any) -> datetime | str:
    try:
        time = when if isinstance(when, datetime) else datetime.fromisoformat(str(when))
    except ValueError:  # it is told where layers are made
        return str(when)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _processing(doc: Doc) -> tuple[tuple[int, ...], str, str]:
    """What later processings have more of."""
    properties = doc.get("properties") or {}
    baseline = str(properties.get("s2:processing_baseline") or "")
    numbers = tuple(int(digits) for digits in re.findall(r"\d+", baseline))
    return numbers, str(properties.get("created") or ""), str(doc.get("id"))
