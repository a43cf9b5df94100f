"""Smoothing: series without noise and gaps, by libraries that are known for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.near import hint

__all__ = ["daily", "filled", "smoothed"]

Values: TypeAlias = NDArray[np.float64]
Smoother: TypeAlias = Callable[..., Values]
"""(day,) values of each day from the first to the last that has one, NaN where there is none, and
settings -> (day,) the smooth curve."""


def smoothed(frame: pd.DataFrame, method: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    """(time, zone) smoothed values at the same times.

    Raises:
        InputError: there is no such method or setting, or a library is missing.
    """
    curves = daily(frame, method, settings)
    return curves.reindex(pd.DatetimeIndex(frame.index).floor("D")).set_index(frame.index)


def daily(frame: pd.DataFrame, method: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    """(day, zone) smoothed values of each day, from each zone's first value to its last.

    Curves are those of days, so that they do not depend on how many dates there happen to be.
    Values of one day are averaged.
    """
    days = pd.DatetimeIndex(frame.index).floor("D")
    if len(days) == 0:
        return frame
    index = pd.date_range(days[0], days[-1], name=frame.index.name)
    regular = frame.groupby(days).mean().reindex(index)
    return regular.apply(_by(method, settings), axis=0, raw=True)


def filled(frame: pd.DataFrame, limit: str | None) -> pd.DataFrame:
    """(time, zone) with gaps filled in straight lines, those as long as the limit and shorter.

    Raises:
        InputError: the limit is no length of time.
    """
    whole = frame.interpolate(method="time", limit_area="inside")
    if limit is None:
        return whole
    longest, days = _length(limit), _days(frame.index)
    there = frame.notna()
    at = pd.DataFrame(np.where(there, days[:, None], np.nan), frame.index, frame.columns)
    gap = at.bfill() - at.ffill()
    return whole.where(there | (gap <= longest))


def _by(method: str, settings: Mapping[str, Any]) -> Callable[[Values], Values]:
    """How a zone's daily values become smooth ones."""
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"smoothing by {method!r} is unknown; use {', '.join(METHODS)}")
    smoother, defaults = METHODS[method]
    for name, value in settings.items():
        if name not in defaults:
            near = hint(name, defaults) or f"; it has {', '.join(defaults)}"
            raise InputError(f"{method} has no setting {name!r}{near}")
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not (real and np.isfinite(value) and value > 0):
            raise InputError(f"{name}={value!r} is no setting of {method}; give a number above 0")
        if name == "order" and value not in ORDERS:
            raise InputError(f"order={value!r} is none; give 1, 2 or 3")
    told = {**defaults, **settings}

    def smooth(values: Values) -> Values:
        there = np.flatnonzero(np.isfinite(values))
        out = np.full(len(values), np.nan)
        if len(there) >= LEAST:
            inside = slice(there[0], there[-1] + 1)
            out[inside] = smoother(values[inside], **told)
        return out

    return smooth


ORDERS = (1, 2, 3)
"""Of differences and of polynomials: below the least number of days."""
LEAST = 4
"""Values of a zone without which there is no curve."""


def _whittaker(values: Values, strength: float, order: float) -> Values:
    """Eilers (2003), A perfect smoother; days without a value have no weight."""
    try:
        from whittaker_eilers import WhittakerSmoother
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    weights = np.isfinite(values).astype(float)
    smoother = WhittakerSmoother(
        lmbda=strength, order=int(order), data_length=len(values), weights=weights.tolist()
    )
    return np.array(smoother.smooth(np.nan_to_num(values).tolist()))


def _savgol(values: Values, window: float, order: float) -> Values:
    """Savitzky and Golay (1964), of lines from value to value."""
    try:
        from scipy.signal import savgol_filter
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    axis = np.arange(len(values))
    there = np.isfinite(values)
    most = len(values) - (len(values) + 1) % 2  # odd, and no longer than what there is
    width = min(int(window) // 2 * 2 + 1, most)
    line = np.interp(axis, axis[there], values[there])
    found: Values = savgol_filter(line, width, min(int(order), width - 1))
    return found


def _median(values: Values, window: float) -> Values:
    """The median of the values in a window about each day; lines where it holds none."""
    width = int(window) // 2 * 2 + 1
    moving = pd.Series(values).rolling(width, center=True, min_periods=1).median()
    return moving.interpolate(limit_area="inside").to_numpy()


METHODS: dict[str, tuple[Smoother, dict[str, float]]] = {
    "whittaker": (_whittaker, {"strength": 5000.0, "order": 2}),
    "savgol": (_savgol, {"window": 45.0, "order": 2}),
    "median": (_median, {"window": 30.0}),
}
"""Name -> how, and its settings."""


def _missing(error: ModuleNotFoundError) -> InputError:
    return InputError(
        f"smoothing needs {error.name}; install it with: pip install 'zonalbatch[explore]'"
    )


def _days(index: pd.Index) -> Values:
    """Days since 1970."""
    return index.to_numpy().astype("datetime64[ns]").astype(np.int64) / 86_400e9


def _length(limit: str) -> float:
    """A length of time, days."""
    try:
        length = pd.Timedelta(limit) / pd.Timedelta("1D")
    except ValueError:
        length = float("nan")
    if not length > 0:
        raise InputError(f"limit {limit!r} is no length of time; give one such as 30d")
    return float(length)
