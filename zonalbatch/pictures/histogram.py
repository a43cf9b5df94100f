"""Histogram: how a column is distributed over zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zonalbatch.pictures.labels import day_told, some_of
from zonalbatch.pictures.style import COLOURS, axes_of, bare, nothing, title
from zonalbatch.pictures.told import told_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from zonalbatch.explore.rows import Rows

__all__ = ["draw"]

MOST, LEAST = 60, 5
"""Bins."""


def draw(rows: Rows, column: str | None, time: Any, ax: Axes | None) -> Axes:
    """See `Pictures.histogram`."""
    told = told_of(rows, column)
    told = told if time is None else told.by_day(time)
    axes = axes_of(ax, (6.4, 4))
    at = told.when(time) if time is not None else np.arange(len(told.times))
    values = told.values[:, at]
    there = values[np.isfinite(values)]
    if not len(there):
        nothing(axes, told.why_none)
        return axes
    first, last = (day_told(told.times[place]) for place in (at[0], at[-1]))
    title(axes, first if len(at) == 1 else f"{first} to {last}, {some_of(len(at), 'date')}")
    bins = len(np.histogram_bin_edges(there, "auto")) - 1
    axes.hist(there, bins=int(np.clip(bins, LEAST, MOST)), color=COLOURS[0], ec="white", lw=0.6)
    middle = float(np.median(there))
    axes.axvline(middle, color=COLOURS[1], lw=1.6, gid="median")
    axes.annotate(
        f"median {middle:.4g}", (middle, 1), xycoords=("data", "axes fraction"), xytext=(4, -4),
        textcoords="offset points", va="top", fontsize=9, color=COLOURS[1],
        bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1},
    )  # fmt: skip
    bare(axes)
    axes.set_xlabel(told.label)
    axes.set_ylabel("zones" if len(at) == 1 else "zones × dates")
    axes.yaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    _lacking(axes, int((~np.isfinite(values) & (told.status[:, at] != "")).sum()), len(at))
    return axes


def _lacking(axes: Axes, count: int, times: int) -> None:
    """How many have no value."""
    if count:
        what = some_of(count, "zone" if times == 1 else "row")
        axes.set_title(f"{what} without a value", loc="right", fontsize=9, color="#4d4d4d")
