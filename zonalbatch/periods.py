"""Periods: stretches of time by which dates are put together, as days since 1970-01-01 (UTC)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import InputError

__all__ = ["DAY", "Days", "Period", "period_of"]

DAY = 86_400_000_000
"""Microseconds of a day."""

Days = NDArray[np.int64]
"""Days since 1970-01-01."""


class Period(Protocol):
    """A length of time that days are put together by."""

    def start(self, days: Days) -> Days:
        """The first day of the period that each day lies in."""

    def after(self, starts: Days) -> Days:
        """The day after the last of each period, by its first."""


@dataclass(frozen=True, slots=True)
class _Months:
    """Whole months."""

    length: int
    """Months."""
    first: int = 0
    """A month on which one begins, from January as 0."""

    def start(self, days: Days) -> Days:
        months = _months(days) - self.first
        return _days(months // self.length * self.length + self.first)

    def after(self, starts: Days) -> Days:
        return _days(_months(starts) + self.length)


@dataclass(frozen=True, slots=True)
class _OfYear:
    """So many days, counted from each 1 January; the last of a year is cut by the next.

    As the composites of MODIS are, so that the periods of all years begin on the same days.
    """

    length: int
    """Days."""

    def start(self, days: Days) -> Days:
        new_year = YEAR.start(days)
        return new_year + (days - new_year) // self.length * self.length

    def after(self, starts: Days) -> Days:
        return np.minimum(starts + self.length, YEAR.after(YEAR.start(starts)))


class _Weeks:
    """Weeks that begin on Mondays."""

    def start(self, days: Days) -> Days:
        return (days + 3) // 7 * 7 - 3  # 1970-01-01 was a Thursday

    def after(self, starts: Days) -> Days:
        return starts + 7


YEAR = _Months(12)

NAMED: Mapping[str, Period] = {
    "day": _OfYear(1),
    "week": _Weeks(),
    "month": _Months(1),
    "quarter": _Months(3),
    "season": _Months(3, first=-1),  # December to February, and so on
    "year": YEAR,
}


def period_of(every: str) -> Period:
    """The period of a name, or of a number of days such as ``10d``.

    Raises:
        InputError: there is none.
    """
    days = re.fullmatch(r"([1-9]\d{0,2})d", every)
    if days and int(days[1]) <= 366:
        return _OfYear(int(days[1]))
    if every not in NAMED:
        raise InputError(f"every {every!r} is no time; use {', '.join(NAMED)}, or days such as 10d")
    return NAMED[every]


def _months(days: Days) -> Days:
    """Months since 1970-01."""
    return days.astype("M8[D]").astype("M8[M]").astype(np.int64)


def _days(months: Days) -> Days:
    """The first day of each month."""
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)
