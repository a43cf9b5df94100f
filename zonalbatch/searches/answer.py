"""Answer: the items that a search finds where zones lie, each once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from zonalbatch.errors import InputError
from zonalbatch.searches.area import EVERYWHERE, Area
from zonalbatch.searches.question import Question
from zonalbatch.searches.service import Service
from zonalbatch.sources import shown, times_of
from zonalbatch.sources.documents import of_the_web
from zonalbatch.zones import ZoneReader, open_zones

__all__ = ["Answer", "area_of", "find", "search"]

Doc = dict[str, Any]
"""An item as JSON has it."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What an API found."""

    address: str
    """Of its landing page."""
    items: tuple[Doc, ...]
    searches: int
    """How many places were asked for."""
    dropped: int
    """How many items were left out that it sent though they do not fit."""

    @property
    def note(self) -> str:
        """What was found, in a sentence."""
        searches = f"{self.searches} search{'es' * (self.searches > 1)}"
        left = f"; {self.dropped:,} more were left out, as they do not fit" if self.dropped else ""
        count = f"{len(self.items):,} item{'s' * (len(self.items) != 1)}"
        return f"{count} came from {shown(self.address)} in {searches}{left}"


def search(
    api: str,
    zones: Any = None,
    *,
    collections: str | Sequence[str] | None = None,
    datetime: Any = None,
    query: Mapping[str, Any] | str | Sequence[str] | None = None,
    filter: Mapping[str, Any] | str | None = None,
    bbox: Sequence[float] | None = None,
    intersects: Any = None,
    ids: str | Sequence[str] | None = None,
    fields: Mapping[str, Any] | str | Sequence[str] | None = None,
    sortby: Any = None,
    limit: int | None = None,
    max_items: int | None = None,
) -> list[Doc]:
    """Items of a STAC API that meet zones, each once, as dicts.

    What comes back is a source: ``zonal_stats(zones, items)``, or in a job ``source={"kind":
    "stac", "items": items}``.

    Args:
        api: URL of the landing page, or ``planetary-computer``, ``earth-search``, ``copernicus``.
        zones: what ``zonal_stats`` takes for zones. They are asked for as a few boxes, and items
            that meet no zone, as seen from some kilometres away, are left out.
        collections: ids of collections.
        datetime: ``"2024-06-01"``, ``"2024-06/2024-08"``, ``"2024-06/.."``, or Python's dates.
        query: ``{"eo:cloud_cover": {"lt": 20}}`` or ``"eo:cloud_cover<20"``, or a list of such.
        filter: CQL2, as JSON or as text.
        bbox: west, south, east, north in degrees, in place of zones; west > east crosses 180°.
        intersects: a geometry in degrees, GeoJSON or shapely, in place of zones.
        ids: ids of items.
        fields: what items hold; what a source needs is asked for anyway.
        sortby: ``"-properties.datetime"`` and the like.
        limit: items of a page, 100 by default.
        max_items: items in all; the first by ``sortby``.

    Raises:
        InputError: an argument makes no sense, the API does not know it, or has no such collection.
        ReadError: the API cannot be reached, or sends what is broken.
    """
    question = Question.of(
        collections=collections, datetime=datetime, query=query, filter=filter, ids=ids,
        fields=fields, sortby=sortby, limit=limit, max_items=max_items,
    )  # fmt: skip
    reader = None if zones is None else open_zones(zones)
    return list(find(api, question, area_of(reader, bbox, intersects)).items)


def area_of(zones: ZoneReader | None, bbox: Sequence[float] | None, intersects: Any | None) -> Area:
    """Where to search: a box or a shape if one is given, else where the zones lie.

    Raises:
        InputError: box and shape are both given, or make no sense.
    """
    if bbox is not None and intersects is not None:
        raise InputError("bbox and intersects both say where to search; give one of them")
    if bbox is not None:
        return Area.of_box(bbox)
    if intersects is not None:
        return Area.of_shape(intersects)
    return EVERYWHERE if zones is None else Area.of_zones(zones)


def find(api: str, question: Question, area: Area) -> Answer:
    """Ask an API for items in an area.

    Raises:
        SourceError: it is no API, has no such collection, or does not know what is asked.
        ReadError: it cannot be reached, or sends what is broken.
    """
    service = Service.open(api)
    service.check(question)
    found: dict[tuple[str, str], Doc] = {}
    sent: dict[tuple[str, str], bool] = {}
    for place in area.asked:
        fitting = _fitting(service.pages(question, place), question, area, sent)
        for item in islice(fitting, question.max_items):
            found.setdefault(_key(item), of_the_web(item, service.address))
    held = {collection for collection, _ in sent}
    for collection in question.collections or ():
        if collection not in held:
            service.refuse_unknown(collection)
    items = _first(list(found.values()), question)
    dropped = len(sent) - sum(sent.values())
    return Answer(service.address, tuple(items), len(area.asked), dropped)


def _fitting(
    pages: Iterable[list[Doc]], question: Question, area: Area, sent: dict[tuple[str, str], bool]
) -> Iterable[Doc]:
    """The items of pages that are what was asked for: not every API heeds every word.

    ``sent`` notes of each item that was looked at whether it is.
    """
    for page in pages:
        met = area.meets([item["geometry"] for item in page])
        for item, meets in zip(page, met, strict=True):
            sent[_key(item)] = fits = bool(meets) and _is_asked(item, question)
            if fits:
                yield item


def _key(item: Doc) -> tuple[str, str]:
    return str(item.get("collection") or ""), str(item["id"])


def _is_asked(item: Doc, question: Question) -> bool:
    """Whether an item has one of the ids and collections, and a time within the span."""
    if question.ids is not None and item["id"] not in question.ids:
        return False
    collection = item.get("collection")
    if question.collections is not None and (collection or "") not in (*question.collections, ""):
        return False
    first, last = question.span
    times = _times(item)
    late = last is not None and bool(times) and min(times).replace(microsecond=0) > last
    early = first is not None and bool(times) and max(times) < first
    return not (late or early)


def _times(item: Doc) -> list[dt.datetime]:
    """All times of an item: a range counts also where an instant stands beside it."""
    ranged = {**item, "properties": {**item["properties"], "datetime": None}}
    return [time for time in (*times_of(item), *times_of(ranged)) if time is not None]


def _first(items: list[Doc], question: Question) -> list[Doc]:
    """Items of several places in the order that is asked for, as many as are wanted."""
    for rule in reversed(question.sortby or ()):
        name, down = rule["field"], rule["direction"] == "desc"
        there = [item for item in items if _field(item, name) is not None]
        bare = [item for item in items if _field(item, name) is None]
        items = sorted(there, key=lambda item: _rank(_field(item, name)), reverse=down) + bare
    return items[: question.max_items]


def _rank(value: Any) -> tuple[bool, Any]:
    """Numbers go by size, before everything else, which goes by letters."""
    number = isinstance(value, int | float)
    return (False, value) if number else (True, str(value))


def _field(item: Doc, name: str) -> Any:
    """A property, or a field of the item itself, by its name."""
    name = name.removeprefix("properties.")
    return item["properties"].get(name, item.get(name))
