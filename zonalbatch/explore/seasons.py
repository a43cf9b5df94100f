"""Seasons: what is unusual for the time of year, and when seasons start, peak and end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.explore.smoothing import daily

__all__ = ["anomalies", "phenology"]

FLAT = 1e-9
"""Range of a curve, as a share of its values, that is rounding alone."""
COLUMNS = ("zone_id", "season", "start", "peak", "end", "days", "base", "top")


def anomalies(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """(time, zone) values less the mean of their time of year, over all years.

    Raises:
        InputError: there is one year only, or by is unknown.
    """
    times = pd.DatetimeIndex(frame.index)
    parts = {
        "month": times.month, "week": times.isocalendar().week.to_numpy(),
        "season": times.month % 12 // 3,
    }  # fmt: skip
    if not isinstance(by, str) or by not in parts:
        raise InputError(f"by={by!r} is no time of year; use {', '.join(parts)}")
    december = (times.month == 12) & (by == "season")  # a winter is that of its January
    group, year = np.asarray(parts[by]), np.asarray(times.year + december)
    years = frame.notna().groupby([group, year]).any().groupby(level=0).sum()
    if not years.to_numpy().any():
        raise InputError("there is no value that could differ from others; take more dates")
    if not (years > 1).any(axis=None):
        raise InputError(
            "an anomaly is what differs from other years, and there is one only; take more dates"
        )
    several = years.reindex(group).set_index(frame.index) > 1
    return (frame - frame.groupby(group).transform("mean")).where(several)


def phenology(
    frame: pd.DataFrame,
    threshold: float,
    amplitude: float,
    method: str,
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    """Start, peak and end of each season of each zone; see `Series.phenology`.

    Raises:
        InputError: an argument makes no sense.
    """
    for name, value in (("threshold", threshold), ("amplitude", amplitude)):
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not real or not 0 < value < 1:
            raise InputError(f"{name}={value!r} is no share; give one between 0 and 1")
    curves = daily(frame, method, settings)
    rows = [
        (zone, *one)
        for zone, curve in curves.items()
        for one in _seasons(curve.dropna(), threshold, amplitude)
    ]
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    times = dict.fromkeys(("start", "peak", "end"), "datetime64[ns]")
    numbers = {"season": "int64", "days": "float64", "base": "float64", "top": "float64"}
    return found.astype(times | numbers)


def _seasons(curve: pd.Series, threshold: float, amplitude: float) -> list[tuple[Any, ...]]:
    """The seasons of a daily curve without gaps: season, start, peak, end, days, base, top."""
    try:
        from scipy.signal import find_peaks
    except ModuleNotFoundError as error:
        raise InputError(
            f"phenology needs {error.name}; install it with: pip install 'zonalbatch[explore]'"
        ) from None
    values: NDArray[np.float64] = curve.to_numpy()
    if len(values) < 3 or np.ptp(values) <= FLAT * np.abs(values).max():
        return []
    peaks, _ = find_peaks(values, prominence=amplitude * np.ptp(values))
    return [
        (number, *_season(curve, left, peak, right, threshold))
        for number, (left, peak, right) in enumerate(_sides(peaks, len(values)), 1)
    ]


def _sides(peaks: NDArray[np.int64], count: int) -> Iterator[tuple[int, int, int]]:
    """Each peak between the ones before and after, or the ends of the curve."""
    yield from zip([0, *peaks], peaks, [*peaks[1:], count - 1], strict=False)  # of no peak, none


def _season(
    curve: pd.Series, left: int, peak: int, right: int, threshold: float
) -> tuple[Any, ...]:
    """Start, peak and end of one season, its length, and how high it rises from where."""
    values, days = curve.to_numpy(), curve.index
    rising, falling = values[left : peak + 1], values[peak : right + 1][::-1]
    low = min(rising.min(), falling.min())
    top = values[peak]
    # Of a side that the curve does not show down to its foot, the other one's foot is taken.
    first = _crossing(rising, low if left == 0 == rising.argmin() else rising.min(), threshold)
    cut = right == len(values) - 1 and falling.argmin() == 0
    last = _crossing(falling, low if cut else falling.min(), threshold)
    start = pd.NaT if first is None else days[left + first]
    end = pd.NaT if last is None else days[right - last]
    length = np.nan if first is None or last is None else right - last - left - first
    return start, days[peak], end, length, (rising.min() + falling.min()) / 2, top


def _crossing(rising: NDArray[np.float64], low: float, threshold: float) -> int | None:
    """From which place on a rise to its end is above a share of it; None if it is all along."""
    below = np.flatnonzero(rising < low + threshold * (rising[-1] - low))
    return int(below[-1]) + 1 if len(below) else None
