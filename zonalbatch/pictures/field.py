"""Field: a zone over its pixels, on the date that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zonalbatch.errors import InputError
from zonalbatch.explore.columns import Column, numbers
from zonalbatch.explore.selection import narrowed
from zonalbatch.explore.stored_job import stored_job
from zonalbatch.near import hint
from zonalbatch.pictures.style import axes_of, legend_below, nothing, title
from zonalbatch.pictures.told import Told, told_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from zonalbatch.explanation.explanation import Explanation
    from zonalbatch.explore.rows import Rows

__all__ = ["draw"]


def draw(rows: Rows, zone: Any, time: Any, measurement: str | None, ax: Axes | None) -> Axes:
    """See `Pictures.field`."""
    column = _column(rows, measurement)
    told = told_of(rows, column.name, [zone])
    layer = _layer(rows, told, time)
    if layer is None:
        axes = axes_of(ax, (6.4, 4))
        title(axes, f"zone {zone}")
        nothing(axes, told.why_none)
        return axes
    return _drawn(_explained(rows, zone, layer, column), ax)


def _column(rows: Rows, name: str | None) -> Column:
    """A column of the measurement that is meant.

    Raises:
        InputError: there is none of that name, or it has to be said which.
    """
    by_name = {one.measurement: one for one in reversed(numbers(rows.columns))}
    known = ", ".join(sorted(by_name))
    if name is None and len(by_name) == 1:
        return next(iter(by_name.values()))
    if name is None:
        raise InputError(f"say which measurement; there are {known}")
    if not isinstance(name, str) or name not in by_name:
        near = hint(name, by_name) or f"; there are {known}"
        raise InputError(f"nothing was measured by the name {name!r}{near}")
    return by_name[name]


def _layer(rows: Rows, told: Told, time: Any) -> str | None:
    """The layer of the zone that is meant: of those of its time, one that has values.

    None if the zone meets no layer.
    """
    if not told.dated:
        at = told.when(time)
        return str(told.times[at[0]]) if len(at) else None
    at = told.when(time)
    if not len(at):
        return None
    best = at[np.nan_to_num(told.seen[0, at], nan=0.5).argmax()]
    found = narrowed(rows, told.zones.tolist()).read(["layer", "datetime", "status"])
    there = found.to_pandas().dropna(subset="layer")
    times = pd.DatetimeIndex(there["datetime"]).tz_localize(None).astype("datetime64[ns]")
    some = there[times == pd.Timestamp(told.times[best])]
    order = some["status"].map({"ok": 0, "partial": 1}).fillna(2)
    return str(some.loc[order.sort_values(kind="stable").index[0], "layer"])


def _explained(rows: Rows, zone: Any, layer: str, column: Column) -> Explanation:
    """The zone's cells, read again."""
    from zonalbatch.explanation.inquiry import explain_job

    prefix = rows.output.manifest().get("form", {}).get("prefix", "")
    measurement = column.measurement.removeprefix(prefix)
    zone = zone.item() if isinstance(zone, np.generic) else zone
    return explain_job(stored_job(rows.output), zone, layer=layer, measurement=measurement)


def _drawn(found: Explanation, ax: Axes | None) -> Axes:
    from zonalbatch.explanation.picture import LEGEND, draw_on, size_of

    if not found.n_cells:
        axes = axes_of(ax, (6.4, 4))
        title(axes, f"zone {found.zone_id} · {found.layer}")
        nothing(axes, "no value: the zone covers no cell of the layer")
        return axes
    axes = axes_of(ax, size_of(found), "compressed")
    handles = draw_on(axes, found)
    figure = axes.get_figure()
    if ax is None and figure is not None:
        figure.legend(handles=handles, **LEGEND)
    else:
        legend_below(axes, handles, 36)
    return axes
