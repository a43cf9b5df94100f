"""Rolled: states of rows, read from the columns that keep them, and merged by groups of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.cover.cells import FILE_MASK, NODATA, NOT_A_NUMBER, OUTSIDE, VALID
from zonalbatch.statistics.area import ZoneArea
from zonalbatch.statistics.behind import MOMENTS, POWERS
from zonalbatch.statistics.central import Central, group_central
from zonalbatch.statistics.classes import Classes
from zonalbatch.statistics.moments import COUNT, M2, MAX, MIN, SUM, Moments, group_moments
from zonalbatch.statistics.sketch import Sketches
from zonalbatch.statistics.sketched import MOST, sketches_from
from zonalbatch.statistics.summary import Summary
from zonalbatch.statistics.vocabulary import Statistic

__all__ = ["Rolled"]

REASON = {"n_nodata": NODATA, "n_nan": NOT_A_NUMBER, "n_masked": FILE_MASK, "n_outside": OUTSIDE}
"""Field -> the reason that stands for it."""

ADDED = ("n_total", *REASON, "area")
"""Fields that add up."""

NOTHING = {"min": np.inf, "max": -np.inf, "area": np.nan}
"""Field -> what stands for null; else 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Rolled:
    """The states of one measurement, of rows or of groups of rows."""

    moments: NDArray[np.float64]
    """(row, 5) count, sum, m2, min, max."""
    central: NDArray[np.float64]
    """(row, 5) as in `Central`; the last two NaN where they were not kept."""
    added: NDArray[np.float64]
    """(row, ADDED) sums of shares by reason, and the area, NaN where it was not asked for."""
    unread: NDArray[np.bool_]
    """(row,) True if a cell could not be read."""
    sketches: Sketches | None
    """Of each row; None if there are none."""
    exact: NDArray[np.bool_]
    """(row,) True if no values were taken together in its sketch."""

    @classmethod
    def none(cls, *, sketched: bool) -> Rolled:
        """No rows."""
        none, sketches = np.zeros(0, bool), Sketches.none(0) if sketched else None
        moments, central = np.zeros((0, MAX + 1)), np.zeros((0, 5))
        return cls(moments, central, np.zeros((0, len(ADDED))), none, sketches, none)

    @classmethod
    def of_rows(
        cls, state: pa.StructArray, sketch: pa.StructArray | None, fresh: NDArray[np.bool_]
    ) -> Rolled:
        """The states of rows, as `states_behind` told them.

        Args:
            state: (row,) moments, null where a cell could not be read.
            sketch: (row,) sketches, null likewise; None if there are none.
            fresh: (row,) True if the area of its zone is to be counted.
        """
        fields = dict(zip((*MOMENTS, *POWERS), state.flatten(), strict=False))
        columns = {
            name: _filled(fields[name], np.nan if name == "area" else 0.0) for name in fields
        }
        columns["min"], columns["max"] = (
            _filled(fields["min"], np.inf),
            _filled(fields["max"], -np.inf),
        )
        known = state.is_valid().to_numpy(zero_copy_only=False)
        columns["area"] = np.where(fresh & known, columns["area"], 0.0)
        sketches, exact = None, np.ones(len(state), bool)
        if sketch is not None:
            nothing = pa.scalar({"exact": True, "values": [], "weights": []}, sketch.type)
            sketches, exact = sketches_from(pc.if_else(sketch.is_valid(), sketch, nothing))
        moments = np.column_stack([columns[name] for name in MOMENTS[: MAX + 1]])
        powers = [columns.get(name, np.full(len(state), np.nan)) for name in POWERS]
        return cls(
            moments=moments,
            central=_central(moments, powers),
            added=np.column_stack([columns[name] for name in ADDED]),
            unread=~known, sketches=sketches, exact=exact,
        )  # fmt: skip

    @classmethod
    def merged(cls, parts: Sequence[tuple[NDArray[np.int64], Rolled]], n: int) -> Rolled:
        """The states of n groups, each of all that parts say of it, merged in their order.

        Args:
            parts: (row,) to which group each row belongs, and the rows.
            n: how many groups there are.
        """
        group = np.concatenate([g for g, _ in parts])

        def together(field: Callable[[Rolled], Any]) -> Any:
            return np.concatenate([field(part) for _, part in parts])

        added = together(lambda part: part.added)
        some = np.bincount(group[together(lambda part: part.unread)], minlength=n) > 0
        rough = np.bincount(group[~together(lambda part: part.exact)], minlength=n) > 0
        found = [(g, part.sketches) for g, part in parts if part.sketches is not None]
        sketches = Sketches.merged(found, n, MOST) if found else None
        return cls(
            moments=group_moments(together(lambda part: part.moments), group, n),
            central=group_central(together(lambda part: part.central), group, n),
            added=np.column_stack([np.bincount(group, column, n) for column in added.T]),
            unread=some,
            sketches=sketches,
            exact=~rough if sketches is None else ~rough & sketches.exact,
        )

    @property
    def nbytes(self) -> int:
        """About how many bytes it takes."""
        keys = 0 if self.sketches is None else len(self.sketches.keys)
        return self.moments.nbytes + self.added.nbytes + 16 * keys

    def summary(self, asked: Iterable[Statistic]) -> Summary:
        """A summary that some statistics can be told from, if their states are there."""
        n, fields = len(self.moments), dict(zip(ADDED, self.added.T, strict=True))
        moments = Moments(n)
        moments.state = self.moments
        moments.counts[:, VALID] = self.moments[:, COUNT]
        for name, reason in REASON.items():
            moments.counts[:, reason] = fields[name]
        states: dict[str, Any] = {
            "area": ZoneArea(fields["area"]), "central": Central(self.central),
        }  # fmt: skip
        if self.sketches is not None:
            states["values"] = _Values(self.sketches, self.moments)
            if any(one.state in ("classes", "counted") for one in asked):
                states["classes"] = Classes.of_sketches(self.sketches, self.exact)
        return Summary(fields["n_total"], np.zeros(n, bool), moments, states)


class _Values:
    """Quantiles of sketches; they are approximate, if only by their definition."""

    def __init__(self, sketches: Sketches, moments: NDArray[np.float64]) -> None:
        self._sketches = sketches
        self._low, self._high = moments[:, MIN], moments[:, MAX]
        self.approximate = moments[:, COUNT] > 0

    def of(self, probability: float) -> NDArray[np.float64]:
        """(group,) one quantile, NaN where there is no valid cell."""
        found = self._sketches.quantile(probability)
        if probability in (0.0, 1.0):
            found = np.where(np.isnan(found), found, self._high if probability else self._low)
        return np.clip(found, self._low, self._high)


def _central(
    moments: NDArray[np.float64], powers: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """States as `Central` has them, of moments and the sums of higher powers."""
    count, total = moments[:, COUNT], moments[:, SUM]
    mean = np.divide(total, count, out=np.zeros(len(count)), where=count > 0)
    return np.column_stack([count, mean, moments[:, M2], *powers])


def _filled(field: pa.Array, nothing: float) -> NDArray[np.float64]:
    """A field with a number for null."""
    return np.asarray(pc.fill_null(field, nothing).to_numpy(zero_copy_only=False))
