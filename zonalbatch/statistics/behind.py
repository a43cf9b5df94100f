"""What lies behind the numbers of a row: states as columns, so that rows can be rolled up.

The moments of a measurement are a struct, its values a sketch (``sketched.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.statistics.moments import M2, SUM
from zonalbatch.statistics.sketched import SKETCH
from zonalbatch.statistics.statistic import Statistic
from zonalbatch.statistics.summary import Summary
from zonalbatch.statistics.vocabulary import STATISTICS

__all__ = ["COUNTED", "KEPT", "MOMENTS", "POWERS", "states_behind", "states_needed"]

KEPT = ("moments", "area", "central", "values")
"""What can be kept of a row: moments, always; the area of its zone; sums of higher powers; a sketch
of its values."""

COUNTED = ("n_total", "n_nodata", "n_nan", "n_masked", "n_outside")
"""Sums of shares by what became of the cells."""

MOMENTS = ("count", "sum", "m2", "min", "max", *COUNTED, "area")
"""Fields of the struct; m2 is the sum of squared deviations from the mean, min and max are null
without a valid cell, area is null where it was not asked for."""

POWERS = ("m3", "m4")
"""Fields that come after them where skew or kurtosis is asked for: sums of cubed and of fourth
deviations from the mean."""


def states_needed(told: Iterable[Statistic]) -> tuple[str, ...]:
    """Which states some statistics are made from, of those that can be `KEPT`."""
    told = tuple(told)
    named = {state for s in told for state in (s.state, s.beside)}
    there = {"moments"} | named | ({"values"} if any(s.capped for s in told) else set())
    return tuple(name for name in KEPT if name in there)


def states_behind(kept: Collection[str]) -> tuple[Statistic, ...]:
    """Some states as columns ``state`` and ``sketch``; none if nothing is kept."""
    if not kept:
        return ()
    area, central = "area" in kept, "central" in kept
    names = (*MOMENTS, *POWERS) if central else MOMENTS
    kind = pa.struct([(name, pa.float64()) for name in names])
    moments = Statistic(
        "state", lambda s: _moments(s, names, area=area), "area" if area else None, kind,
        beside="central" if central else None,
    )  # fmt: skip
    sketch = Statistic("sketch", lambda s: s.state("sketched").column(), "sketched", SKETCH)
    return (moments, sketch) if "values" in kept else (moments,)


def _moments(summary: Summary, names: Sequence[str], *, area: bool) -> pa.Array:
    """(zone,) the struct of each zone's moments."""
    fields = [_field(summary, name, area=area) for name in names]
    columns = [pa.array(field, mask=np.isnan(field)) for field in fields]
    return pa.StructArray.from_arrays(columns, names=names)


def _field(summary: Summary, name: str, *, area: bool) -> NDArray[np.float64]:
    if name == "m2":
        return summary.moments.state[:, M2]
    if name in POWERS:
        powers: NDArray[np.float64] = summary.state("central").powers
        return powers[POWERS.index(name)]
    if name == "sum":
        return summary.moments.state[:, SUM]
    if name == "area" and not area:
        return np.full(len(summary.count), np.nan)
    found = STATISTICS[name].finalize(summary)
    return np.asarray(found)
