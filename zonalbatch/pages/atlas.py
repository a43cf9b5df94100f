"""Atlas: what a map knows of a column: zones, dates, values, and why some are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.explore.columns import Column
from zonalbatch.explore.grid import STATUS, Grid, grid_of
from zonalbatch.explore.reading import read_table, sealed_file
from zonalbatch.pages.levels import FINENESS, Levels, levels_of
from zonalbatch.pages.outlines import outlines
from zonalbatch.pages.packed import packed, packed_text
from zonalbatch.pages.times import times_document

if TYPE_CHECKING:
    import geopandas

    from zonalbatch.explore.rows import Rows

__all__ = ["Atlas", "atlas_of", "carried_table"]

SEEN_STEPS = 10
"""Into which the share of a zone that has values is told."""
UNTOLD = SEEN_STEPS + 1
BUDGET = 7 * 2**20
"""Characters of all values, at most, unless they are as coarse as can be."""
RANGE = (2.0, 98.0)
"""Percentiles of all values that have the first and the last colour."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Atlas:
    """A column over zones and dates, as a page holds it."""

    document: dict[str, Any]
    notes: tuple[str, ...]
    """What is not as it is, in sentences."""


def atlas_of(rows: Rows, column: Column) -> tuple[Atlas, Grid]:
    """The atlas of a column, and the grid that it was made of.

    Raises:
        OutputError: the run has not ended.
        InputError: some layers have a date and others none.
    """
    grid = grid_of(rows, [column])
    zones = rows.zones
    return atlas(grid, column.name, zones, carried_table(rows)), grid


def atlas(grid: Grid, name: str, zones: geopandas.GeoDataFrame, carried: pa.Table) -> Atlas:
    """The atlas of a column.

    Args:
        grid: which has the column.
        name: of the column.
        zones: their geometries, in the order of the grid.
        carried: their other columns, in the same order.
    """
    drawn = outlines(zones)
    values = grid.values[name]
    held, levels = _held(values)
    notes = (drawn.note, _rounding(levels))
    return Atlas(
        document={
            "column": name, "times": times_document(grid), "outlines": drawn.document,
            "ids": packed_text([str(one) for one in grid.zones.tolist()]),
            "carried": packed_text(_texts(carried)),
            "levels": levels.document, "values": held, "range": _range(values),
            "status": packed(grid.codes), "statuses": list(STATUS),
            "seen": packed(_steps(grid.seen)), "seen_steps": SEEN_STEPS,
        },
        notes=tuple(note for note in notes if note),
    )  # fmt: skip


def carried_table(rows: Rows) -> pa.Table:
    """The columns that zones brought with them, ordered by id."""
    place = sealed_file(rows.output, "zones.parquet")
    table = read_table(place, None, rows.zone_filter)
    kept = [name for name in table.column_names if name not in ("geometry", "bbox")]
    return table.select(kept).sort_by("zone_id").drop_columns(["zone_id"])


def _held(values: NDArray[np.float64]) -> tuple[dict[str, Any], Levels]:
    """Values as fine as the budget allows."""
    for count in FINENESS:
        levels = levels_of(values, count)
        held = levels.packed(values)
        if len(held["data"]) <= BUDGET:
            break
    return held, levels


def _rounding(levels: Levels) -> str:
    if not levels.step:
        return ""
    return f"Values on the map and in its chart are rounded to steps of {levels.step:.1g}."


def _steps(seen: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Shares as tenths, such that nothing is 0 and everything 10 only where it is."""
    inner = np.clip(np.rint(seen * SEEN_STEPS), 1, SEEN_STEPS - 1)
    steps = np.where(seen <= 0, 0, np.where(seen >= 1, SEEN_STEPS, inner))
    return np.where(np.isnan(seen), UNTOLD, steps).astype(np.uint8)


def _range(values: NDArray[np.float64]) -> list[float]:
    there = values[np.isfinite(values)]
    return [float(one) for one in np.percentile(there, RANGE)] if there.size else []


def _texts(table: pa.Table) -> dict[str, list[str | None]]:
    """Carried columns as text; None where there is none."""
    return {
        name: [None if one is None else _text(one) for one in table[name].to_pylist()]
        for name in table.column_names
    }


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
