"""Choropleth: zones on a map, coloured by a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.errors import InputError
from zonalbatch.explore.selection import listed
from zonalbatch.pictures.labels import day_told, some_of
from zonalbatch.pictures.panels import Panels, panels_of
from zonalbatch.pictures.style import (
    GREY,
    HATCH,
    RAMP,
    axes_of,
    colour_bar,
    nothing,
    scale_bar,
    title,
)
from zonalbatch.pictures.told import Told, told_of

if TYPE_CHECKING:
    import geopandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zonalbatch.explore.rows import Rows

__all__ = ["draw", "draw_several"]

EDGED = 2_000
"""Most zones whose edges are drawn."""
MAPS = 12
"""Maps of a picture that nobody names dates for."""

Floats = NDArray[np.float64]


def draw(rows: Rows, column: str | None, time: Any, ax: Axes | None) -> Axes:
    """See `Pictures.choropleth`."""
    if isinstance(time, list | tuple):
        raise InputError(f"time has {len(time)} dates, and a map shows one; draw choropleths")
    told = told_of(rows, column).by_day(time)
    shapes = rows.zones
    axes = axes_of(ax, _size(shapes), "compressed")
    if not told.there.any() or not len(shapes):
        nothing(axes, told.why_none)
        return axes
    at = told.when(time)
    values, name = _of(told, at)
    title(axes, name)
    shown = _map(axes, shapes, values, _ends(values))
    if shown is not None:
        colour_bar(axes, shown, told.label, pad=0.02, shrink=0.9)
    if np.isnan(values).any():
        _legend(axes, f"{some_of(int(np.isnan(values).sum()), 'zone')}: no value")
    return axes


def draw_several(
    rows: Rows, column: str | None, times: Sequence[Any] | None, cols: int, fig: Figure | None
) -> Panels:
    """See `Pictures.choropleths`."""
    times = list(listed(times)) if times is not None else None
    told = told_of(rows, column).by_day(times[0] if times else None)
    shapes = rows.zones
    chosen = _chosen(told) if times is None else [told.when(time) for time in times]
    chosen = [at for at in chosen if len(at)]
    size = (2.6, 2.6 * _tall(shapes) + 0.25)
    empty = not told.there.any() or not chosen
    count = 1 if empty else len(chosen)
    panels = panels_of(fig, count, cols, size, (1.0, 0.4), "compressed")
    if empty:
        nothing(panels.axes[0], told.why_none)
        return panels
    every = [_of(told, at) for at in chosen]
    ends = _ends(np.concatenate([values for values, _ in every]))
    shown: Any = None
    for axes, (values, name) in zip(panels.axes, every, strict=True):
        axes.set_title(name, loc="left", fontsize=8.5)
        shown = _map(axes, shapes, values, ends, small=True) or shown
    if shown is not None:
        colour_bar(panels.axes[0], shown, told.label, ax=list(panels.axes), shrink=0.8)
    if any(np.isnan(values).any() for values, _ in every):
        panels.legend([_lacking("no value")])
    return panels


def _chosen(told: Told) -> list[NDArray[np.int64]]:
    """Of each month, or of as many stretches as there can be maps, the date with most values."""
    counts = told.there.sum(axis=0)
    if not told.dated:
        return [np.array([at]) for at in np.flatnonzero(counts)[:MAPS]]
    months = told.times.astype("datetime64[M]").astype(np.int64)
    step = max(1, -(-(int(np.ptp(months)) + 1) // MAPS)) if len(months) else 1
    groups = (months - months.min()) // step if len(months) else months
    best = [
        max(np.flatnonzero(groups == one), key=lambda at: (counts[at], -at))
        for one in np.unique(groups)
    ]
    return [np.array([at]) for at in best if counts[at]]


def _of(told: Told, at: NDArray[np.int64]) -> tuple[Floats, str]:
    """(zone,) the value of some times, their median if there are several; what it is."""
    valued = at[told.there[:, at].any(axis=0)]
    at = valued if len(valued) else at[:1]
    if len(at) == 1:
        return told.values[:, at[0]], day_told(told.times[at[0]])
    values = told.values[:, at]
    middle = np.full(len(values), np.nan)
    there = np.isfinite(values).any(axis=1)
    middle[there] = np.nanmedian(values[there], axis=1)
    first, last = day_told(told.times[at[0]]), day_told(told.times[at[-1]])
    return middle, f"median of {some_of(len(at), 'date')}\n{first} to {last}"


def _ends(values: Floats) -> tuple[float, float]:
    there = values[np.isfinite(values)]
    return (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)


def _size(shapes: geopandas.GeoDataFrame) -> tuple[float, float]:
    """Inches for a map in its true shape beside its bar."""
    tall = _tall(shapes)
    wide = 7.0 if tall <= 1 else 7.0 / tall**0.5
    return wide, 0.84 * wide * tall + 0.8


def _tall(shapes: geopandas.GeoDataFrame) -> float:
    """How much higher than wide a map is, within bounds."""
    left, bottom, right, top = shapes.total_bounds if len(shapes) else (0, 0, 1, 1)
    tall = _aspect(shapes) * (top - bottom) / max(right - left, 1e-12)
    return float(np.clip(tall if np.isfinite(tall) else 1, 0.35, 1.8))


def _aspect(shapes: geopandas.GeoDataFrame) -> float:
    """How much higher than wide a unit is."""
    if shapes.crs is None or not shapes.crs.is_geographic or not len(shapes):
        return 1.0
    _, bottom, _, top = shapes.total_bounds
    return float(1 / max(0.05, np.cos(np.radians((bottom + top) / 2))))


def _map(
    axes: Axes, shapes: geopandas.GeoDataFrame, values: Floats, ends: tuple[float, float],
    small: bool = False,
) -> Any:  # fmt: skip
    """Zones by value, hatched where there is none; what a colour bar is of, None without values."""
    there = np.isfinite(values)
    areas = shapes.geom_type.isin(["Polygon", "MultiPolygon"]).any()
    edge: dict[str, Any] = {"linewidth": 0 if areas else 2}  # a line is all edge
    if areas and len(values) <= EDGED:
        edge = {"edgecolor": "white", "linewidth": 0.3}
    aspect = _aspect(shapes)
    if not there.all():
        shapes[~there].plot(
            ax=axes, facecolor=GREY, edgecolor=HATCH, linewidth=0.3, hatch="////", aspect=aspect,
            gid="none",
        )  # fmt: skip
    shown = None
    if there.any():
        shapes[there].plot(
            values[there], ax=axes, cmap=RAMP, vmin=ends[0], vmax=ends[1], aspect=aspect,
            gid="values", **edge,
        )  # fmt: skip
        shown = next(one for one in axes.collections if one.get_gid() == "values")
    _ground(axes, shapes.crs, small)
    return shown


def _ground(axes: Axes, crs: CRS | None, small: bool) -> None:
    """Degrees along the sides, or a bar of metres."""
    axes.spines[:].set_visible(False)
    axes.set_xlabel("")
    axes.set_ylabel("")
    if crs is not None and crs.is_geographic:
        axes.xaxis.set_major_formatter("{x:g}°")
        axes.yaxis.set_major_formatter("{x:g}°")
        axes.locator_params(nbins=3 if small else 5)
        axes.tick_params(labelsize=6 if small else 8)
        return
    axes.set_xticks([])
    axes.set_yticks([])
    if crs is not None and not small:
        scale_bar(axes, crs.axis_info[0].unit_conversion_factor)


def _lacking(label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(facecolor=GREY, edgecolor=HATCH, hatch="////", lw=0.3, label=label)


def _legend(axes: Axes, label: str) -> None:
    """Zones without a value, under the right end of the map."""
    axes.legend(
        handles=[_lacking(label)], loc="upper right", bbox_to_anchor=(1, 0), frameon=False,
        fontsize=8, borderaxespad=0.2,
    )  # fmt: skip
