"""Series: a column over time, of one zone or some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from zonalbatch.errors import InputError
from zonalbatch.pictures.curves import (
    SPREADS,
    Curve,
    curves_of,
    draw_curve,
    draw_unseen,
    handles_of,
    make_room,
)
from zonalbatch.pictures.style import (
    COLOURS,
    INK,
    axes_of,
    bare,
    dated,
    legend_below,
    nothing,
    title,
)
from zonalbatch.pictures.told import Told, told_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from zonalbatch.explore.rows import Rows

__all__ = ["check_dated", "draw"]

STAGES = {"start": ":", "peak": "-", "end": "--"}
"""Of a season -> how its line is drawn."""
HEADROOM = 0.28
"""Room above values for the names of these, in parts of their own."""


def draw(
    rows: Rows, zone: Any, column: str | None, smooth: str | None, season: bool, ax: Axes | None
) -> Axes:
    """See `Pictures.series`."""
    told = told_of(rows, column, zone, SPREADS)
    check_dated(told)
    if len(told.zones) > len(COLOURS):
        raise InputError(
            f"{len(told.zones)} zones are too many for one picture of series, in which "
            f"{len(COLOURS)} can be told apart; name fewer, or draw multiples or heat"
        )
    axes = axes_of(ax, (9, 4.2))
    one = len(told.zones) == 1
    title(axes, f"zone {told.zones[0]}" if one else "")
    if not told.there.any():
        nothing(axes, told.why_none)
        return axes
    curves = curves_of(told)
    colours = list(COLOURS[: len(curves)])
    for place, (curve, colour) in enumerate(zip(curves, colours, strict=True)):
        draw_curve(axes, curve, colour)
        draw_unseen(axes, curve, INK if one else colour, place)
    more = _smooth(axes, told, smooth, colours) if smooth is not None else []
    _dress(axes, told, curves)
    if season:
        _seasons(axes, told, colours)
    legend_below(axes, [*handles_of(curves, colours), *more])
    return axes


def check_dated(told: Told) -> None:
    """Say that there is nothing over time.

    Raises:
        InputError: layers have no dates.
    """
    if not told.dated:
        raise InputError(
            f"{told.column.name} has no dates, and so no series; draw its histogram or choropleth"
        )


def _dress(axes: Axes, told: Told, curves: list[Curve]) -> None:
    make_room(axes, len(curves))
    bare(axes)
    dated(axes, list(told.times.astype("datetime64[s]").astype(object)))
    axes.set_ylabel(told.label)


def _frame(told: Told) -> pd.DataFrame:
    """(time, zone)"""
    return pd.DataFrame(
        told.values.T, pd.DatetimeIndex(told.times, name="datetime"), pd.Index(told.zones)
    )


def _smooth(axes: Axes, told: Told, method: str, colours: list[str]) -> list[Any]:
    """A smooth line for each zone, of every day; its entry of the legend."""
    from matplotlib.lines import Line2D

    from zonalbatch.explore.smoothing import daily

    curves = daily(_frame(told), method, {})
    for (_, curve), colour in zip(curves.items(), colours, strict=True):
        axes.plot(curve.index, curve.to_numpy(), color=colour, lw=2.4, gid="smooth")
    colour = INK if len(colours) > 1 else colours[0]
    return [Line2D([], [], color=colour, lw=2.4, label=f"smoothed ({method})")]


def _seasons(axes: Axes, told: Told, colours: list[str]) -> None:
    """Lines where seasons start, peak and end, with their dates where there is one zone."""
    from zonalbatch.explore.seasons import phenology

    found = phenology(_frame(told), 0.5, 0.25, "whittaker", {})
    by_zone = dict(zip(told.zones, colours, strict=True))
    if len(colours) == 1:
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + HEADROOM * (high - low))
    for row in found.to_dict("records"):
        for stage, style in STAGES.items():
            when = row[stage]
            if pd.isna(when):
                continue
            colour = by_zone[row["zone_id"]]
            axes.axvline(when, color=colour, lw=1.1, ls=style, alpha=0.7, gid=stage)
            if len(colours) == 1:
                _named(axes, when, f"{stage} {when.day} {when:%b}", colour)


def _named(axes: Axes, when: pd.Timestamp, text: str, colour: str) -> None:
    """What a line stands for, along it."""
    axes.annotate(
        text, (when, 1), xycoords=("data", "axes fraction"), xytext=(-2, -2),  # type: ignore[arg-type]
        textcoords="offset points", ha="right", va="top", rotation=90, fontsize=7.5, color=colour,
    )  # fmt: skip
