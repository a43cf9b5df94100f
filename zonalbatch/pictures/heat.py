"""Heat: a column of all zones over time, a row of colours for each zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.pictures.labels import some_of
from zonalbatch.pictures.style import GREY, RAMP, axes_of, colour_bar, dated, legend_below, nothing
from zonalbatch.pictures.told import Told, told_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from zonalbatch.explore.rows import Rows

__all__ = ["draw", "spans"]

NAMED = 40
"""Most zones whose ids are written beside their rows."""
UNREAD = "#e9a3a8"
"""Of what could not be read; no colour of the ramp is red."""
USUAL = 0.9
"""Share of the steps from date to date that are no gap."""


def draw(rows: Rows, column: str | None, zones: Any, ax: Axes | None) -> Axes:
    """See `Pictures.heat`."""
    told = told_of(rows, column, zones).by_day()
    axes = axes_of(ax, (9, float(np.clip(1.6 + 0.2 * len(told.zones), 2.6, 8))))
    if not told.there.any():
        nothing(axes, told.why_none)
        return axes
    edges, places = _across(told)
    shown = np.full((len(told.zones), len(edges) - 1), np.nan)
    shown[:, places] = told.values
    _grey(axes, told, edges, places)
    ends = np.arange(len(told.zones) + 1) - 0.5
    image = axes.pcolorfast(edges, ends, np.ma.masked_invalid(shown), cmap=RAMP)  # type: ignore[arg-type]
    image.set_gid("values")
    _dress(axes, told, edges)
    colour_bar(axes, image, told.label, pad=0.02)
    return axes


def spans(days: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Edges of columns for days at their true places, and which of the columns are days.

    A day reaches half way to those beside it, but not far into a time without any.
    """
    if len(days) == 1:
        return np.array([days[0] - 0.5, days[0] + 0.5]), np.zeros(1, np.int64)
    steps = np.diff(days)
    reach = np.quantile(steps, USUAL, method="lower") / 2
    half = np.minimum(steps / 2, reach)
    first = days - np.concatenate([half[:1], half])
    last = days + np.concatenate([half, half[-1:]])
    edges, places = [float(first[0])], list[int]()
    for start, end in zip(first, last, strict=True):
        if start - edges[-1] > 1e-6:
            edges.append(float(start))
        places.append(len(edges) - 1)
        edges.append(float(end))
    return np.array(edges), np.array(places)


def _across(told: Told) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Edges of columns, and which of them are times."""
    if told.dated:
        return spans(told.times.astype("datetime64[s]").astype(np.int64) / 86_400)
    count = len(told.times)
    return np.arange(count + 1).astype(np.float64) - 0.5, np.arange(count, dtype=np.int64)


def _grey(axes: Axes, told: Told, edges: NDArray[np.float64], places: NDArray[np.int64]) -> None:
    """What has a row, but no value: 1, or 2 where it could not be read."""
    from matplotlib.colors import ListedColormap

    ground = np.zeros((len(told.zones), len(edges) - 1), np.int8)
    ground[:, places] = np.where(told.there | (told.status == ""), 0, np.where(told.lost, 2, 1))
    ends = np.arange(len(told.zones) + 1) - 0.5
    shown = np.ma.masked_equal(ground, 0)
    image = axes.pcolorfast(edges, ends, shown, cmap=ListedColormap([GREY, UNREAD]), vmin=1, vmax=2)  # type: ignore[arg-type]
    image.set_gid("none")


def _dress(axes: Axes, told: Told, edges: NDArray[np.float64]) -> None:
    from matplotlib.patches import Patch

    if told.dated:
        axes.xaxis_date()
        dated(axes)
    else:
        axes.set_xticks(range(len(told.times)), told.times, rotation=45, ha="right", fontsize=8)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(len(told.zones) - 0.5, -0.5)
    if len(told.zones) <= NAMED:
        axes.set_yticks(range(len(told.zones)), [str(zone) for zone in told.zones], fontsize=8)
        axes.set_ylabel("zone")
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{some_of(len(told.zones), 'zone')}, in the order of their ids")
    axes.spines[:].set_visible(False)
    unseen = ~told.there & ~told.lost & (told.status != "")
    handles = [Patch(color=GREY, label=told.none)] if unseen.any() else []
    handles += [Patch(color=UNREAD, label="could not be read")] if told.lost.any() else []
    legend_below(axes, handles, 32 if told.dated else 90)
