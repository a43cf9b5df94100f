"""Periods: every day lies in one, and they follow each other without a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonalbatch.errors import InputError
from zonalbatch.periods import Days, period_of

NAMES = ("day", "week", "month", "quarter", "season", "year", "1d", "8d", "10d", "366d")


def days(*dates: str) -> Days:
    """Days since 1970-01-01 of dates."""
    return np.array(dates, "M8[D]").astype(np.int64)


@given(st.sampled_from(NAMES), st.integers(-200_000, 200_000))
def test_periods_follow_each_other(every: str, day: int) -> None:
    """A day lies in one period; its first day is in it, and the day after its last in the next."""
    period, at = period_of(every), np.array([day])
    start = period.start(at)
    end = period.after(start)
    assert start <= at < end
    np.testing.assert_array_equal(period.start(start), start)
    np.testing.assert_array_equal(period.start(end), end)
    np.testing.assert_array_equal(period.start(end - 1), start)


@pytest.mark.parametrize(
    ("every", "date", "start", "end"),
    [
        ("day", "2023-12-31", "2023-12-31", "2024-01-01"),
        ("week", "2024-01-01", "2024-01-01", "2024-01-08"),
        ("week", "2023-12-31", "2023-12-25", "2024-01-01"),
        ("month", "2024-02-29", "2024-02-01", "2024-03-01"),
        ("month", "1969-12-31", "1969-12-01", "1970-01-01"),
        ("quarter", "2023-12-31", "2023-10-01", "2024-01-01"),
        ("season", "2023-12-31", "2023-12-01", "2024-03-01"),
        ("season", "2024-02-29", "2023-12-01", "2024-03-01"),
        ("season", "2024-11-30", "2024-09-01", "2024-12-01"),
        ("year", "2024-12-31", "2024-01-01", "2025-01-01"),
        ("10d", "2023-12-31", "2023-12-27", "2024-01-01"),
        ("10d", "2024-12-31", "2024-12-26", "2025-01-01"),
        ("10d", "2024-01-11", "2024-01-11", "2024-01-21"),
        ("16d", "2023-12-30", "2023-12-19", "2024-01-01"),
        ("366d", "2023-07-01", "2023-01-01", "2024-01-01"),
    ],
)
def test_where_periods_begin_and_end(every: str, date: str, start: str, end: str) -> None:
    """Weeks begin on Mondays, seasons in December; days are counted from each 1 January."""
    period = period_of(every)
    assert period.start(days(date)) == days(start)
    assert period.after(days(start)) == days(end)


@pytest.mark.parametrize("every", ["", "decade", "0d", "367d", "1000d", "-1d", "10 d", "Month"])
def test_other_times_are_refused(every: str) -> None:
    """What is no period is named, with those that there are."""
    with pytest.raises(InputError, match=r"is no time; use day, week, month.*such as 10d"):
        period_of(every)
