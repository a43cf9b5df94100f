"""Table: rows of zones and periods, from rows of zones and layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.periods import DAY
from zonalbatch.recipe import Recipe
from zonalbatch.rollup.columns import state_columns, states_of
from zonalbatch.rollup.groups import Groups
from zonalbatch.rollup.numbers import numbers
from zonalbatch.sinks.table import (
    APPROXIMATE,
    TIME,
    Form,
    carried_columns,
    place_fields,
    refuse_twins,
    zone_columns,
)
from zonalbatch.statistics import Rolled
from zonalbatch.temporal.temporal import Temporal

__all__ = ["Maker", "check_temporal_names", "temporal_schema"]

HEAD = [
    pa.field("datetime", TIME),
    pa.field("datetime_end", TIME),
    pa.field("n_layers", pa.int64()),
]
"""When a period begins, when the next one does, and how many layers the zone meets in it."""


def temporal_schema(temporal: Temporal, recipe: Recipe, form: Form, zones: pa.Schema) -> pa.Schema:
    """The schema of the table over time."""
    carried = [zones.field(name) for name in carried_columns(zones)]
    return pa.schema(
        [zones.field("zone_id"), *carried, *_own(temporal, recipe, form), *place_fields(form)]
    )


def check_temporal_names(
    temporal: Temporal, recipe: Recipe, form: Form, carried: Sequence[str]
) -> None:
    """See that all column names are unique.

    Raises:
        SchemaError: two columns would have one name.
    """
    own = [field.name for field in _own(temporal, recipe, form)]
    refuse_twins(["zone_id", *own, "geometry", "bbox", *carried])


def _own(temporal: Temporal, recipe: Recipe, form: Form) -> list[pa.Field]:
    """The columns that say something of periods."""
    told = [
        pa.field(form.column(m.name, s.column), s.kind)
        for m in recipe.measurements
        for s in temporal.statistics
    ]
    capped = any(one.capped for one in temporal.statistics)
    rough = [pa.field(APPROXIMATE, pa.bool_())] if capped else []
    return [*HEAD, *told, *rough, pa.field("status", pa.string())]


@dataclass(frozen=True, slots=True, eq=False)
class Maker:
    """Makes rows of periods."""

    temporal: Temporal
    recipe: Recipe
    form: Form
    schema: pa.Schema

    @property
    def states(self) -> tuple[tuple[str, ...], ...]:
        """Of each measurement, the columns of its states."""
        return state_columns(self.recipe, self.form, sketched="values" in self.temporal.states)

    def table(self, zones: pa.Table, rows: pa.Table) -> pa.Table:
        """The rows of some zones, in order of (zone, time).

        States are merged in order of (datetime, layer), whatever files the rows come from, so that
        the same rows give the same bits.

        Args:
            zones: the zones, as plans keep them.
            rows: ``zone`` (its place among them), ``datetime``, ``layer`` and the states.
        """
        order = [(name, "ascending") for name in ("zone", "datetime", "layer")]
        rows = rows.sort_by(order).combine_chunks()
        zone, start = rows["zone"].to_numpy(), self._starts(rows)
        fresh = np.ones(len(zone), bool)
        fresh[1:] = (zone[1:] != zone[:-1]) | (start[1:] != start[:-1])
        group, first = np.cumsum(fresh) - 1, np.flatnonzero(fresh)
        groups = self._groups(rows, fresh, group)
        columns: dict[str, Any] = zone_columns(zones.take(pa.array(zone[first])), self.form)
        columns |= {
            "datetime": _times(start[first]),
            "datetime_end": _times(self.temporal.period.after(start[first])),
            "n_layers": np.bincount(group),
        }
        columns |= numbers(groups, self.recipe.measurements, self.form, self.temporal.statistics)
        return pa.table([columns[name] for name in self.schema.names], schema=self.schema)

    def _starts(self, rows: pa.Table) -> NDArray[np.int64]:
        """(row,) the day on which its period begins."""
        return self.temporal.period.start(rows["datetime"].cast(pa.int64()).to_numpy() // DAY)

    def _groups(self, rows: pa.Table, fresh: NDArray[np.bool_], group: NDArray[np.int64]) -> Groups:
        """The states of each zone and period, its area counted once."""
        n = int(group[-1]) + 1
        rolled = (
            Rolled.merged([(group, states_of(rows, columns, fresh))], n) for columns in self.states
        )
        return Groups(np.arange(n), tuple(rolled))


def _times(days: NDArray[np.int64]) -> pa.Array:
    return pa.array(days * DAY, TIME)
