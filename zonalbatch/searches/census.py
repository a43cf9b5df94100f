"""Census: what was found, collection by collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from zonalbatch.sources import times_of

__all__ = ["Count", "census", "cloud_cover", "table"]


@dataclass(frozen=True, slots=True)
class Count:
    """The items of one collection."""

    collection: str
    items: int
    first: datetime | None
    """Earliest time, UTC; None if none has one."""
    last: datetime | None
    """Latest time, UTC."""
    clouds: tuple[float, float, float] | None
    """Least, median and largest cloud cover, percent; None if none says it."""


def cloud_cover(item: Mapping[str, Any]) -> float | None:
    """Cloud cover of an item in percent; None if it does not say."""
    value = item["properties"].get("eo:cloud_cover")
    return float(value) if isinstance(value, int | float) else None


def census(items: Iterable[dict[str, Any]]) -> list[Count]:
    """Counts by collection, in order of their names."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(str(item.get("collection") or ""), []).append(item)
    return [_count(name, groups[name]) for name in sorted(groups)]


def _count(name: str, items: list[dict[str, Any]]) -> Count:
    times = [time for item in items for time in times_of(item) if time is not None]
    covers = [cover for item in items if (cover := cloud_cover(item)) is not None]
    return Count(
        collection=name,
        items=len(items),
        first=min(times, default=None),
        last=max(times, default=None),
        clouds=(min(covers), median(covers), max(covers)) if covers else None,
    )


def table(counts: Iterable[Count]) -> str:
    """Counts as lines of text: collection, dates, items, cloud cover."""
    head = ("collection", "first", "last", "items", "cloud cover, %: least, median, most")
    rows = [head, *(_row(count) for count in counts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if place == 3 else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _row(count: Count) -> tuple[str, str, str, str, str]:
    clouds = "-" if count.clouds is None else "  ".join(f"{cover:5.1f}" for cover in count.clouds)
    days = [f"{day:%Y-%m-%d}" if day else "-" for day in (count.first, count.last)]
    return count.collection or "-", days[0], days[1], f"{count.items:,}", clouds
