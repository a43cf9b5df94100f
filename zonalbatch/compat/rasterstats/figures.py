"""Figures: what the engine says of all zones of a batch, in rasterstats' names and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.compat.engine import columns_of
from zonalbatch.compat.rasterstats.names import engine_name
from zonalbatch.compat.rasterstats.surface import Surface
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.statistics import parse_statistics

__all__ = ["figures", "told"]

Stats = dict[Any, Any]


def told(
    shapes: NDArray[np.object_], surface: Surface, stats: Sequence[str], rule: CoverageRule
) -> Mapping[str, Any]:
    """What the engine says of shapes that lie in the surface's own CRS, by statistic."""
    return columns_of(shapes, [surface.opened()], stats, rule)[0]


def figures(
    shapes: NDArray[np.object_],
    surface: Surface,
    stats: Sequence[str],
    rule: CoverageRule,
    *,
    categorical: bool = False,
) -> list[tuple[Stats, Stats]]:
    """The statistics of each zone, and its number of cells by value if categories are counted."""
    wanted = ["count", *map(engine_name, stats)]
    wanted += ["frac"] * categorical + ["n_outside"] * ("nodata" in stats)
    found = told(shapes, surface, list(dict.fromkeys(wanted)), rule)
    classes = _Classes.of(found, surface.dtype) if "frac" in found else None
    columns = [_column(name, found, classes) for name in stats]
    rows = zip(*columns, strict=True) if columns else ((),) * len(shapes)
    counts = classes.counts() if classes is not None and categorical else [{}] * len(shapes)
    return [
        (dict(zip(stats, row, strict=True)), dict(own))
        for row, own in zip(rows, counts, strict=True)
    ]


def _column(name: str, found: Mapping[str, Any], classes: _Classes | None) -> list[Any]:
    if classes is not None and name in ("majority", "minority"):
        return classes.extreme(largest=name == "majority")
    if name == "count":
        return [round(value) for value in found["count"].tolist()]
    if name == "nodata":
        return (found["n_nodata"] + found["n_outside"]).round().tolist()
    values = found[parse_statistics([engine_name(name)])[0].name].tolist()
    kind = int if name == "unique" else float
    return [None if value is None or value != value else kind(value) for value in values]


@dataclass(frozen=True, slots=True, eq=False)
class _Classes:
    """How many cells of each value the zones have, ordered by zone, then by value."""

    n_zones: int
    zone: NDArray[np.int64]
    """(class,) index of the zone."""
    value: NDArray[np.float64]
    """(class,) value of the cells."""
    count: NDArray[np.int64]
    """(class,) number of cells."""
    whole: bool
    """True if values are integers."""

    @classmethod
    def of(cls, found: Mapping[str, Any], dtype: np.dtype[Any]) -> _Classes:
        lists = found["frac"]
        zone = pc.list_parent_indices(lists).to_numpy()
        value, share = (
            pc.struct_field(pc.list_flatten(lists), name).to_numpy() for name in ("class", "value")
        )
        count = np.rint(share * found["count"][zone]).astype(np.int64)
        order = np.lexsort((value, zone))
        return cls(len(lists), zone[order], value[order], count[order], dtype.kind in "iub")

    def extreme(self, *, largest: bool) -> list[float | None]:
        """The value of most or of fewest cells; of several the smallest."""
        order = np.lexsort((self.value, -self.count if largest else self.count, self.zone))
        zones, first = np.unique(self.zone[order], return_index=True)
        told: list[float | None] = [None] * self.n_zones
        for zone, value in zip(zones.tolist(), self.value[order[first]].tolist(), strict=True):
            told[zone] = value
        return told

    def counts(self) -> list[Stats]:
        """For each zone, value -> number of cells."""
        told: list[Stats] = [{} for _ in range(self.n_zones)]
        values = self.value.astype(np.int64) if self.whole else self.value
        rows = zip(self.zone.tolist(), values.tolist(), self.count.tolist(), strict=True)
        for zone, value, count in rows:
            told[zone][value] = count
        return told
