"""Seasons: what is unusual for the time of year, and when seasons start, peak and end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.explore.smoothing import daily

__all__ = ["anomalies", "phenology"]

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
    if by not in parts:
        raise InputError(f"by={by!r} is no time of year; use {', '.join(parts)}")
    december = (times.month == 12) & (by == "season")  # a winter is that of its January
    group, year = np.asarray(parts[by]), np.asarray(times.year + december)
    years = frame.notna().groupby([group, year]).any().groupby(level=0).sum()
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
        if not 0 < value < 1:
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
    if len(values) < 3 or np.ptp(values) == 0:
        return []
    peaks, _ = find_peaks(values, prominence=amplitude * np.ptp(values))
    days = curve.index
    found = []
    for at, peak in enumerate(peaks):
        left = peaks[at - 1] if at else 0
        right = peaks[at + 1] if at + 1 < len(peaks) else len(values) - 1
        rising, falling = values[left : peak + 1], values[peak : right + 1]
        start = _last_below(rising, threshold)
        end = _last_below(falling[::-1], threshold)
        first = pd.NaT if start is None else days[left + start]
        last = pd.NaT if end is None else days[right - end]
        length = (right - end) - (left + start) if start is not None and end is not None else np.nan
        base = (rising.min() + falling.min()) / 2
        found.append((at + 1, first, days[peak], last, length, base, values[peak]))
    return found


def _last_below(rising: NDArray[np.float64], threshold: float) -> int | None:
    """The first place from which on a rise to its end is above a share of it.

    None if it is nowhere below, as the series begins too late.
    """
    low, top = rising.min(), rising[-1]
    below = np.flatnonzero(rising < low + threshold * (top - low))
    return int(below[-1]) + 1 if len(below) else None
