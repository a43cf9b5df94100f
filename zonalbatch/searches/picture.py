"""Picture: when items were taken, and under how many clouds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zonalbatch.errors import InputError
from zonalbatch.pictures import check_picture, write_picture
from zonalbatch.searches.census import cloud_cover
from zonalbatch.sources import times_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, told apart by colour-blind eyes."""
MARKERS = ("o", "s", "^", "D", "v", "P")
UNKNOWN = -7.0
"""Where items lie that say no cloud cover, below 0 percent."""

LEAST = timedelta(days=4)
"""Time that an axis shows at least before and after what is drawn."""


def draw(items: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw dates against cloud cover, a colour for each collection.

    Raises:
        InputError: matplotlib is missing, or no item has a date.
        OutputError: the file cannot be written.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    groups = _by_collection(items)
    if not groups:
        raise InputError("there is nothing to draw: no item has a date")
    figure = Figure(figsize=(9, 4.2), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for place, (name, points) in enumerate(groups.items()):
        _scatter(axes, name, points, place)
    _dress(axes, groups)
    write_picture(figure, path)


def _by_collection(
    items: Sequence[dict[str, Any]],
) -> dict[str, list[tuple[Any, float | None]]]:
    """(time, cloud cover) of each item with a date, by collection in order of names."""
    groups: dict[str, list[tuple[Any, float | None]]] = {}
    for item in sorted(items, key=lambda item: str(item.get("collection") or "")):
        start, _ = times_of(item)
        if start is not None:
            name = str(item.get("collection") or "no collection")
            groups.setdefault(name, []).append((start, cloud_cover(item)))
    return groups


def _scatter(axes: Axes, name: str, points: list[tuple[Any, float | None]], place: int) -> None:
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    known = [(when, cover) for when, cover in points if cover is not None]
    bare = [when for when, cover in points if cover is None]
    alpha = 0.85 if len(points) <= 300 else 0.45
    looks: dict[str, Any] = {"color": colour, "alpha": alpha, "linewidths": 0}
    label = f"{name} ({len(points):,})"
    if known:
        days, covers = zip(*known, strict=True)
        axes.scatter(days, covers, s=26, marker=marker, label=label, **looks)
        label = ""
    if bare:
        spots = [UNKNOWN] * len(bare)
        axes.scatter(bare, spots, s=60, marker="|", label=label, **looks | {"linewidths": 1.2})


def _dress(axes: Axes, groups: dict[str, list[tuple[Any, float | None]]]) -> None:
    """Axes, title and legend."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    points = [point for group in groups.values() for point in group]
    bare = sum(cover is None for _, cover in points)
    locator = AutoDateLocator(minticks=3, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    days = [day for day, _ in points]
    if max(days) - min(days) < LEAST:  # else matplotlib shows years around a single date
        axes.set_xlim(min(days) - LEAST, max(days) + LEAST)
    axes.set_ylim(-12 if bare else -3, 103)
    axes.set_yticks([*([UNKNOWN] if bare else []), 0, 25, 50, 75, 100])
    axes.set_yticklabels([*(["not said"] if bare else []), "0", "25", "50", "75", "100"])
    axes.set_ylabel("cloud cover, %")
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    count = f"{len(points):,} item{'s' * (len(points) != 1)}"
    axes.set_title(count, loc="left", fontsize=11)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=min(3, len(groups)), frameon=False,
        fontsize=9, borderaxespad=0.2, handletextpad=0.2, columnspacing=1.2,
    )  # fmt: skip
