"""Odd: the zones that are worth a look, and some that are as most are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zonalbatch.explore.grid import STATUS, Grid
from zonalbatch.pages.times import times_document

__all__ = ["Odd", "odd_of"]

MOST = 8
"""Zones of each kind."""
SPREAD = 1.4826
"""Of a normal distribution: standard deviations in a median distance from the median."""
FAR = 3.0
"""Spreads from which on a zone is odd."""
FAILED = STATUS.index("failed")
PARTIAL = STATUS.index("partial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """Zones by what is odd about them: (place in the grid, why)."""

    missing: tuple[tuple[int, str], ...]
    """The most dates without a value."""
    far: tuple[tuple[int, str], ...]
    """Farthest from the median of all zones."""
    failed: tuple[tuple[int, str], ...]
    """The most dates that could not be read."""
    usual: tuple[tuple[int, str], ...]
    """Nearest to the median, on many dates."""

    @property
    def worst(self) -> list[tuple[int, str]]:
        """The first of each kind, in turns."""
        kinds = (self.far, self.missing, self.failed)
        found: dict[int, str] = {}
        for zone, why in (kind[at] for at in range(MOST) for kind in kinds if at < len(kind)):
            found.setdefault(zone, why)
        return list(found.items())


def odd_of(grid: Grid, name: str, told: Callable[[float], str]) -> Odd:
    """The odd zones of a column.

    Args:
        grid: which has the column.
        name: of the column.
        told: how a value is written.
    """
    values = grid.values[name]
    if not values.size:
        return Odd(missing=(), far=(), failed=(), usual=())
    away = _away(values)
    there = np.isfinite(values).sum(axis=1)
    middle = _mean(np.abs(away))
    return Odd(
        missing=tuple(_missing(grid, there)),
        far=tuple(_far(grid, values, away, middle, told)),
        failed=tuple(_failed(grid)),
        usual=tuple(_usual(middle, there)),
    )


def _away(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(zone, time) spreads above the median of all zones on that date."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of dates that have no value
        median = np.nanmedian(values, axis=0)
        spread = SPREAD * np.nanmedian(np.abs(values - median), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = (values - median) / spread
    away[:, np.isfinite(values).sum(axis=0) < 4] = np.nan  # too few to tell what is usual
    return np.where(np.isfinite(away), away, np.nan)


def _mean(away: NDArray[np.float64]) -> NDArray[np.float64]:
    """(zone,) mean over dates, of which each counts no more than ten spreads."""
    count = np.isfinite(away).sum(axis=1)
    total = np.nansum(np.minimum(away, 10.0), axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _missing(grid: Grid, there: NDArray[np.int64]) -> Sequence[tuple[int, str]]:
    dates = len(grid.times)
    missing = dates - there
    order = np.argsort(-missing, kind="stable")[:MOST]
    kind = "dates" if grid.dated else "layers"
    return [
        (int(zone), f"{missing[zone]:,} of {dates:,} {kind} without a value")
        for zone in order
        if _stands_out(missing, int(zone), dates)
    ]


def _far(
    grid: Grid,
    values: NDArray[np.float64],
    away: NDArray[np.float64],
    middle: NDArray[np.float64],
    told: Callable[[float], str],
) -> Sequence[tuple[int, str]]:
    names = times_document(grid)["names"]
    far = np.nan_to_num(middle, nan=-1.0)
    found = []
    for zone in np.argsort(-far, kind="stable")[:MOST]:
        peak = np.nan_to_num(np.abs(away[zone]), nan=-1.0)
        at = int(peak.argmax())
        if far[zone] < 1 and peak[at] < FAR:
            continue
        others = float(np.nanmedian(values[:, at]))
        found.append((
            int(zone),
            f"{far[zone]:.1f} spreads from the median of all zones on average; most on "
            f"{names[at]}: {told(float(values[zone, at]))}, the median is {told(others)}",
        ))  # fmt: skip
    return found


def _failed(grid: Grid) -> Sequence[tuple[int, str]]:
    failed = (grid.codes == FAILED).sum(axis=1)
    partial = (grid.codes == PARTIAL).sum(axis=1)
    total = failed + partial
    return [
        (int(zone), _unread(int(failed[zone]), int(partial[zone]), grid.dated))
        for zone in np.lexsort((-partial, -failed))[:MOST]
        if _stands_out(total, int(zone), len(grid.times))
    ]


def _stands_out(counts: NDArray[np.int64], zone: int, dates: int) -> bool:
    """True if a zone lacks more dates than most; where most lack all of them, any that does."""
    usual = float(np.median(counts))
    return bool(counts[zone] and (counts[zone] > usual or usual == dates))


def _unread(failed: int, partial: int, dated: bool) -> str:
    kind = "dates" if dated else "layers"
    told = [f"{failed:,} {kind} that could not be read"] if failed else []
    told += [f"{partial:,} read in part"] if partial else []
    return ", ".join(told)


def _usual(middle: NDArray[np.float64], there: NDArray[np.int64]) -> Sequence[tuple[int, str]]:
    known = np.isfinite(middle) & (there >= np.median(there))
    order = np.flatnonzero(known)[np.argsort(middle[known], kind="stable")][:MOST]
    return [(int(zone), "as most zones are") for zone in order]
