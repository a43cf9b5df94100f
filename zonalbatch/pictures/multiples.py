"""Multiples: a column over time, one small panel for each zone, all on the same axes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zonalbatch.pictures.curves import (
    SPREADS,
    Curve,
    curves_of,
    draw_curve,
    draw_unseen,
    handles_of,
    make_room,
)
from zonalbatch.pictures.labels import some_of
from zonalbatch.pictures.panels import Panels, panels_of
from zonalbatch.pictures.series import check_dated
from zonalbatch.pictures.style import COLOURS, bare, dated, nothing
from zonalbatch.pictures.told import told_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zonalbatch.explore.rows import Rows

__all__ = ["MOST", "draw"]

MOST = 36
"""Panels of a picture."""


def draw(rows: Rows, column: str | None, zones: Any, cols: int, fig: Figure | None) -> Panels:
    """See `Pictures.multiples`."""
    told = told_of(rows, column, _first(rows, zones), SPREADS)
    check_dated(told)
    curves = curves_of(told)
    size = (2.6, 1.75)
    if not told.there.any():
        panels = panels_of(fig, 1, 1, size)
        nothing(panels.axes[0], told.why_none)
        return panels
    panels = panels_of(fig, len(curves), cols, size, (0, 0.8), share=True)
    for axes, curve in zip(panels.axes, curves, strict=True):
        _panel(axes, curve)
    make_room(panels.axes[0], 1)
    dated(panels.axes[0], list(told.times.astype("datetime64[s]").astype(object)))
    _words(panels, told.label, curves, len(_ids(rows, zones)) - len(curves))
    return panels


def _ids(rows: Rows, zones: Any) -> list[Any]:
    """Ids that are asked for."""
    if zones is None:
        return list(rows.zones["zone_id"])
    return [zones] if isinstance(zones, str) or not hasattr(zones, "__iter__") else list(zones)


def _first(rows: Rows, zones: Any) -> list[Any]:
    """As many of them as there can be panels."""
    return _ids(rows, zones)[:MOST]


def _panel(axes: Axes, curve: Curve) -> None:
    draw_curve(axes, curve, COLOURS[0], size=2.6)
    draw_unseen(axes, curve)
    bare(axes)
    axes.tick_params(labelsize=7)
    axes.xaxis.get_offset_text().set_fontsize(7)
    axes.set_title(f"zone {curve.zone}", loc="left", fontsize=8.5, pad=3)


def _words(panels: Panels, label: str, curves: list[Curve], left_out: int) -> None:
    """What all panels share: the name of y, a legend, how many zones are left out."""
    panels.figure.supylabel(label, fontsize=10)
    if left_out > 0:
        told = f"{some_of(len(curves), 'zone')}; {left_out:,} more left out"
        panels.figure.suptitle(told, fontsize=10, x=0.01, ha="left")
    whole = _together(curves)
    panels.legend(handles_of(whole, [COLOURS[0]]))


def _together(curves: list[Curve]) -> list[Curve]:
    """One curve that has whatever any has, for the legend."""
    return [
        replace(
            curves[0], partly=np.concatenate([curve.partly for curve in curves]),
            lost=np.concatenate([curve.lost for curve in curves]),
            unseen=np.concatenate([curve.unseen for curve in curves]),
        )
    ]  # fmt: skip
