"""Times: the dates of a grid, as a page names them and orders them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from zonalbatch.errors import InputError
from zonalbatch.explore.grid import Grid

__all__ = ["place_of_day", "times_document"]


def times_document(grid: Grid) -> dict[str, Any]:
    """Names, and seconds since 1970; layers without dates have names alone."""
    if not grid.dated:
        return {"dated": False, "names": [str(one) for one in grid.times], "at": []}
    index = pd.DatetimeIndex(grid.times)
    days = index.floor("D")
    # The time of day is told where it tells dates apart.
    form = "%Y-%m-%d" if days.is_unique else "%Y-%m-%d %H:%M"
    seconds = grid.times.astype("datetime64[s]").astype(np.int64)
    return {"dated": True, "names": index.strftime(form).tolist(), "at": seconds.tolist()}


def place_of_day(grid: Grid, day: Any) -> int:
    """Which of the dates lies on a day.

    Raises:
        InputError: none does, or it is no day.
    """
    names = times_document(grid)["names"]
    if not grid.dated:
        if day in names:
            return int(names.index(day))
        raise InputError(f"there is no layer {day!r} in the result; {_some(names)}")
    try:
        asked = pd.Timestamp(day)
    except (ValueError, TypeError):
        raise InputError(f"time={day!r} is no day; give one such as {names[0]!r}") from None
    days = pd.DatetimeIndex(grid.times).floor("D")
    found = np.flatnonzero(days == asked.tz_localize(None).floor("D"))
    if not len(found):
        raise InputError(f"there is no date on {day}; {_some(names)}")
    return int(found[0])


def _some(names: list[str]) -> str:
    if not names:
        return "it has none at all"
    return f"it has {', '.join(names[:3])}" + (f", …, {names[-1]}" if len(names) > 3 else "")
