"""Times by which rows are put together, as days since 1970-01-01 (UTC)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY", "EVERY"]

DAY = 86_400_000_000
"""Microseconds of a day."""

Days = NDArray[np.int64]
"""Days since 1970-01-01."""


def _of_unit(unit: str) -> Callable[[Days], Days]:
    def start(days: Days) -> Days:
        return days.astype("M8[D]").astype(f"M8[{unit}]").astype("M8[D]").astype(np.int64)

    return start


def _quarter(days: Days) -> Days:
    months = days.astype("M8[D]").astype("M8[M]").astype(np.int64)
    return (months // 3 * 3).astype("M8[M]").astype("M8[D]").astype(np.int64)


EVERY: Mapping[str, Callable[[Days], Days]] = {
    "day": lambda days: days,
    "week": lambda days: (days + 3) // 7 * 7 - 3,  # 1970-01-01 was a Thursday, weeks begin Mondays
    "month": _of_unit("M"),
    "quarter": _quarter,
    "year": _of_unit("Y"),
}
"""Name of a time -> the day on which it began, of each day (UTC)."""
