"""Temporal: what is told of the dates of a zone, and by which periods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zonalbatch.breakdown import Breakdown
from zonalbatch.errors import InputError
from zonalbatch.layers import Layer
from zonalbatch.periods import Period, period_of
from zonalbatch.rollup.numbers import check_rolls
from zonalbatch.statistics import Statistic, broken_down, parse_statistics, states_needed

__all__ = ["Temporal"]


@dataclass(frozen=True, slots=True)
class Temporal:
    """What is told of the dates of a zone, and by which periods."""

    every: str
    """Name of the period."""
    statistics: tuple[Statistic, ...]

    @classmethod
    def of(cls, every: str, names: Sequence[Any], breakdown: Breakdown) -> Temporal:
        """Statistics by their names, told by the classes and bins of the job.

        Raises:
            InputError: there is no such period.
            StatisticError: a statistic is unknown, or cannot be told of several dates.
        """
        period_of(every)
        asked = parse_statistics(names)
        told = broken_down(asked, _used(breakdown, asked))
        check_rolls([*asked, *told], "temporal.statistics")
        return cls(every, told)

    @property
    def period(self) -> Period:
        """How days are put together."""
        return period_of(self.every)

    @property
    def states(self) -> tuple[str, ...]:
        """What rows must keep."""
        return states_needed(self.statistics)

    @property
    def document(self) -> dict[str, Any]:
        """In plain types."""
        return {"every": self.every, "statistics": [s.name for s in self.statistics]}

    def check_dated(self, layers: Iterable[Layer]) -> None:
        """See that each layer lies in a period.

        Raises:
            InputError: one has no time.
        """
        undated = [layer.id for layer in layers if layer.datetime is None]
        if undated:
            more = f" and {len(undated) - 1:,} more" if len(undated) > 1 else ""
            raise InputError(
                f"temporal puts dates together by {self.every}, and layer {undated[0]!r}{more} "
                "has no time; give source.datetime_pattern, or a {date:%Y%m%d} in source.pattern"
            )


def _used(breakdown: Breakdown, asked: Sequence[Statistic]) -> Breakdown:
    """A breakdown without what none of these statistics is told by."""
    told = {one.by for one in asked}
    if "class" not in told:
        breakdown = replace(breakdown, classes=())
    return breakdown if "bin" in told else replace(breakdown, edges=(), bins=None)
