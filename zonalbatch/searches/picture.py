"""Picture: when items were taken, and under how many clouds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zonalbatch.errors import InputError
from zonalbatch.pictures import check_picture, write_picture
from zonalbatch.pictures.style import COLOURS, DPI, bare, dated, title
from zonalbatch.searches.census import cloud_cover
from zonalbatch.sources import times_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Of collections, as colours are."""
UNKNOWN = -7.0
"""Where items lie that say no cloud cover, below 0 percent."""


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
    figure = Figure(figsize=(9, 4.2), dpi=DPI, layout="constrained")
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
    points = [point for group in groups.values() for point in group]
    unsaid = sum(cover is None for _, cover in points)
    dated(axes, [day for day, _ in points])
    axes.set_ylim(-12 if unsaid else -3, 103)
    axes.set_yticks([*([UNKNOWN] if unsaid else []), 0, 25, 50, 75, 100])
    axes.set_yticklabels([*(["not said"] if unsaid else []), "0", "25", "50", "75", "100"])
    axes.set_ylabel("cloud cover, %")
    bare(axes)
    title(axes, f"{len(points):,} item{'s' * (len(points) != 1)}")
    axes.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=min(3, len(groups)), frameon=False,
        fontsize=9, borderaxespad=0.2, handletextpad=0.2, columnspacing=1.2,
    )  # fmt: skip
