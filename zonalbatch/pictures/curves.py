"""Curves: a zone's values over time with their spread, and the dates without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.pictures.style import ALARM, INK
from zonalbatch.pictures.told import Told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SPREADS", "Curve", "curves_of", "draw_curve", "draw_unseen", "handles_of", "make_room"]

SPREADS = ("p10", "p90", "p25", "p75", "p20", "p80", "p5", "p95", "p05", "std")
"""Statistics that a spread is drawn from: the first pair of percentiles, else ± std."""
CENTRES = ("mean", "median", "weighted_mean")
"""Statistics that have a spread."""
WHOLE = 0.8
"""Share of a zone's cells with which it counts as seen."""
FIRST, STEP = 0.03, 0.04
"""Where marks of dates without a value are, shares of the axes' height: the first zone's, the
next."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """A column of one zone over time."""

    zone: Any
    times: NDArray[np.datetime64]
    """(time,)"""
    values: Floats
    """(time,) NaN where there is none."""
    spread: tuple[Floats, Floats] | None
    """(time,) each, from where to where."""
    spread_told: str
    """What the spread is."""
    partly: NDArray[np.bool_]
    """(time,) True where there is a value of a part of the zone only."""
    lost: NDArray[np.bool_]
    """(time,) True where there is no value, as something could not be read."""
    unseen: NDArray[np.bool_]
    """(time,) True where there is no value for any other cause."""
    none: str
    """What such a row saw."""


def curves_of(told: Told) -> list[Curve]:
    """A curve for each zone."""
    low, high, name = _spread(told)
    there = told.there
    lost = told.lost
    return [
        Curve(
            zone=zone, times=told.times, values=told.values[at],
            spread=None if low is None or high is None else (low[at], high[at]),
            spread_told=name, partly=there[at] & (told.seen[at] < WHOLE), lost=lost[at],
            unseen=~there[at] & ~lost[at] & (told.status[at] != ""), none=told.none,
        )
        for at, zone in enumerate(told.zones)
    ]  # fmt: skip


def _spread(told: Told) -> tuple[Floats | None, Floats | None, str]:
    """From where to where values of a zone spread about its centre, and by what."""
    if told.column.statistic not in CENTRES:
        return None, None, ""
    for low, high in zip(SPREADS[::2], SPREADS[1::2], strict=False):
        if {low, high} <= set(told.beside):
            name = f"{int(low[1:])}th to {int(high[1:])}th percentile"
            return told.beside[low], told.beside[high], name
    if "std" in told.beside and told.column.statistic == "mean":
        std = told.beside["std"]
        return told.values - std, told.values + std, "± standard deviation"
    return None, None, ""


def draw_curve(axes: Axes, curve: Curve, colour: str, size: float = 4.5) -> None:
    """Values, their spread, and which of them are of a part of the zone only (hollow)."""
    there = np.isfinite(curve.values)
    times, values = curve.times[there], curve.values[there]
    if curve.spread is not None:
        low, high = (side[there] for side in curve.spread)
        axes.fill_between(times, low, high, color=colour, alpha=0.16, lw=0, gid="spread")
    axes.plot(times, values, color=colour, lw=1.1, alpha=0.75, gid="values")
    for some, fill, name in ((~curve.partly, colour, "whole"), (curve.partly, "white", "partly")):
        at = some & there
        axes.plot(
            curve.times[at], curve.values[at], "o", ms=size, mfc=fill, mec=colour, mew=1.0,
            gid=name,
        )  # fmt: skip


def draw_unseen(axes: Axes, curve: Curve, colour: str = INK, place: int = 0) -> None:
    """Marks, near the axes' lower edge, of dates without a value."""
    across = axes.get_xaxis_transform()
    height = FIRST + STEP * place
    looks: Mapping[str, Mapping[str, Any]] = {
        "unseen": {"marker": "|", "color": colour, "ms": 6, "mew": 0.9, "alpha": 0.8},
        "lost": {"marker": "x", "color": ALARM, "ms": 4.5, "mew": 1.3},
    }
    for name, some in (("unseen", curve.unseen), ("lost", curve.lost)):
        times = curve.times[some]
        axes.plot(times, np.full(len(times), height), lw=0, transform=across, gid=name,
                  **looks[name])  # fmt: skip


def make_room(axes: Axes, zones: int) -> None:
    """Move values up from where the dates without one are marked."""
    low, high = axes.get_ylim()
    free = FIRST + STEP * zones
    axes.set_ylim(high - (high - low) / (1 - free), high)


def handles_of(curves: list[Curve], colours: list[str]) -> list[Any]:
    """What a legend tells of curves: only what is drawn."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    several = len(curves) > 1
    colour = INK if several else colours[0]
    found: list[Any] = [
        Line2D([], [], color=own, marker="o", ms=4.5, lw=1.1, label=f"zone {curve.zone}")
        for own, curve in zip(colours, curves, strict=True)
        if several
    ]
    if curves[0].spread is not None:
        found.append(Patch(color=colour, alpha=0.2, lw=0, label=curves[0].spread_told))
    if any(curve.partly.any() for curve in curves):
        told = f"less than {WHOLE:.0%} of it seen"
        found.append(Line2D([], [], lw=0, marker="o", ms=4.5, mfc="white", mec=colour, label=told))
    for name, mark, own in (("unseen", "|", INK), ("lost", "x", ALARM)):
        count = sum(int(getattr(curve, name).sum()) for curve in curves)
        if count:
            told = curves[0].none if name == "unseen" else "could not be read"
            told = told if several else f"{told} ({count:,})"
            found.append(Line2D([], [], lw=0, marker=mark, ms=6, color=own, label=told))
    return found
