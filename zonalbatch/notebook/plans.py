"""Plans in a notebook: what one costs, and its parts on a map."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.notebook.markup import ACCENT, bar, card, grid, table
from zonalbatch.progress import size_text

if TYPE_CHECKING:
    from zonalbatch.planning.plan import Plan

__all__ = ["plan_html"]

WIDTH, HEIGHT = 420.0, 260.0
"""Of the map, at most, pixels."""
MOST = 2_000
"""Parts that are drawn."""
LISTED = 50
"""Parts that are listed."""
SIDES = ["left", "bottom", "right", "top"]


def plan_html(plan: Plan) -> str:
    """What a plan will do, what of it is left, and where its parts lie."""
    cost, todo = plan.estimate, plan.todo
    left = todo.computed + todo.rewritten
    rows: list[tuple[str, object]] = [
        ("rows", f"{cost.rows:,} at most"),
        (
            "parts",
            f"{cost.parts:,}, {left:,} of them to do" if left < cost.parts else f"{cost.parts:,}",
        ),
        ("to decode", size_text(todo.decoded) if left else None),
        ("memory of a worker", size_text(cost.memory) if left else None),
        ("files", f"{plan.n_files:,}"),
        ("cannot be read", f"{len(plan.failures):,}" if plan.failures else None),
    ]
    notes = [bar(1 - left / cost.parts, "parts that are done")] if todo.kept and cost.parts else []
    notes += [f'<p style="margin:.4em 0">{escape(note)}</p>' for note in plan.notes]
    title = f"{cost.zones:,} zones × {cost.layers:,} layers"
    return card("Plan", title, [table(rows), *notes, _map(plan), _parts(plan)])


def _parts(plan: Plan) -> str:
    """The first parts, by a click."""
    head = ("part", "zones", "layers", "rows at most", "to decode")
    lines = [
        (part.id[:8], f"{part.stop - part.start:,}", f"{len(part.layers):,}", f"{part.pairs:,}",
         size_text(part.decoded))
        for part in plan.parts[:LISTED]
    ]  # fmt: skip
    more = f", the first {LISTED}" * (len(plan.parts) > LISTED)
    return grid(f"parts{more}", head, lines) if lines else ""


def _map(plan: Plan) -> str:
    """The box of each stretch of zones, the darker the more parts share it."""
    boxes = _boxes(plan)
    if not len(boxes):
        return ""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    size = np.maximum(high - low, 1e-9)
    scale = min(WIDTH / size[0], HEIGHT / size[1])
    drawn = "".join(_rectangle(box, low, high, scale) for box in boxes[:MOST])
    width, height = size * scale
    more = f" (the first {MOST:,})" * (len(boxes) > MOST)
    return (
        f'<svg role="img" aria-label="map of parts" width="{width + 2:.0f}" '
        f'height="{height + 2:.0f}" viewBox="-1 -1 {width + 2:.2f} {height + 2:.2f}" '
        f'style="display:block;margin:.6em 0 .2em">{drawn}</svg>'
        f'<span style="opacity:.65">{len(boxes):,} stretches of zones{more}, {escape(_crs(plan))}'
        "</span>"
    )


def _boxes(plan: Plan) -> NDArray[np.float64]:
    """(stretch, 4) bounds of the zones of parts, each stretch once, in the plan's CRS."""
    file = (plan.folder / "zones.parquet").source()
    sides = np.column_stack(
        [pq.read_table(file, columns=[side])[side].to_numpy() for side in SIDES]
    )
    spans = sorted({(part.start, part.stop) for part in plan.parts if part.stop > part.start})
    found = [_around(sides[start:stop]) for start, stop in spans]
    there = [one for one in found if np.isfinite(one).all()]
    return np.array(there).reshape(-1, 4)


def _around(sides: NDArray[np.float64]) -> NDArray[np.float64]:
    there = sides[np.isfinite(sides).all(axis=1)]
    if not len(there):
        return np.full(4, np.nan)
    return np.concatenate([there[:, :2].min(axis=0), there[:, 2:].max(axis=0)])


def _rectangle(
    box: NDArray[np.float64], low: NDArray[Any], high: NDArray[Any], scale: float
) -> str:
    left, bottom, right, top = box
    x, y = (left - low[0]) * scale, (high[1] - top) * scale
    width, height = max((right - left) * scale, 1.0), max((top - bottom) * scale, 1.0)
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
        f'fill="{ACCENT}" fill-opacity=".18" stroke="{ACCENT}" stroke-width="1"/>'
    )


def _crs(plan: Plan) -> str:
    from zonalbatch.lattice import crs_label

    return crs_label(plan.crs)
