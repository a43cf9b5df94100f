"""Spans: from when to when a time is that a user gives."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from zonalbatch.errors import InputError
from zonalbatch.searches.question import Question

__all__ = ["Span", "span_of"]

Span = tuple[dt.datetime | None, dt.datetime | None]
"""From when to when, UTC; None is an open end."""


def span_of(time: Any) -> Span:
    """What a day, a period or a moment spans, as text or as one of Python's or NumPy's.

    Raises:
        InputError: it is none of these.
    """
    if time is None:
        return None, None
    if isinstance(time, np.datetime64):
        time = np.datetime_as_string(time, "D" if np.datetime_data(time)[0] in "YMWD" else "s")
    if isinstance(time, dt.date) and not isinstance(time, dt.datetime):
        time = time.isoformat()
    try:
        return Question.of(datetime=time if not isinstance(time, np.str_) else str(time)).span
    except TypeError:
        raise InputError(f"time {time!r} is none; write 2024-06-01 or 2024-06/2024-08") from None
