"""Given: arguments of a user, checked before anything is asked of a server."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection
from typing import Any

import numpy as np

from zonalbatch.errors import InputError

__all__ = ["a_box", "a_number", "a_whole", "one_of"]


def a_whole(name: str, value: Any, least: int) -> int:
    """A whole number.

    Raises:
        InputError: it is none, or a smaller one.
    """
    try:
        found = operator.index(value)
    except TypeError:
        found = least - 1
    if found < least:
        raise InputError(f"{name} is {value!r}; give a whole number of {least} or more")
    return found


def a_number(name: str, value: Any) -> Any:
    """A number as it is, which may be NaN; None where there is none.

    Raises:
        InputError: it is something else.
    """
    if value is not None and not isinstance(value, int | float | np.integer | np.floating):
        raise InputError(f"{name} is {value!r}; give a number, or None")
    return value


def a_box(bounds: Any) -> tuple[float, float, float, float]:
    """(left, bottom, right, top).

    Raises:
        InputError: it is no box, or an empty one.
    """
    try:
        left, bottom, right, top = map(float, bounds)
    except (TypeError, ValueError):
        left = bottom = right = top = math.nan
    if not (all(map(math.isfinite, (left, bottom, right, top))) and left < right and bottom < top):
        raise InputError(f"bounds {bounds!r} are no box; give left, bottom, right, top")
    return left, bottom, right, top


def one_of(name: str, value: Any, known: Collection[str]) -> None:
    """Refuse a word that is none of those known.

    Raises:
        InputError: it is none of them.
    """
    if value not in known:
        raise InputError(f"{name} is {value!r}; use one of {', '.join(known)}")
