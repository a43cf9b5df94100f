"""Series: a column over time, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from zonalbatch.errors import InputError
from zonalbatch.explore.columns import Column
from zonalbatch.explore.grid import grid_of

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows

__all__ = ["Series", "series_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One column over time, of one zone or more."""

    column: str
    """``ndvi_mean``"""
    frame: pd.DataFrame
    """A row for each time (UTC, without a time zone), a column for each zone; NaN where there is no
    value."""
    seen: pd.DataFrame
    """Of the same shape: the share of the zone's cells that have a value, 0 under clouds; NaN where
    nothing tells."""

    def __repr__(self) -> str:
        """How much there is of it."""
        dates, zones = self.frame.shape
        span = (
            f", {self.frame.index[0]:%Y-%m-%d} to {self.frame.index[-1]:%Y-%m-%d}" if dates else ""
        )
        share = float(self.frame.notna().to_numpy().mean()) if dates and zones else 0.0
        return f"Series of {self.column}: {dates:,} dates{span}, {zones:,} zones, {share:.0%} known"

    def _repr_html_(self) -> str:
        from html import escape

        table: str = self.frame._repr_html_()  # type: ignore[operator]
        return f"<p>{escape(repr(self))}</p>{table}"

    def smooth(self, method: str = "whittaker", **settings: Any) -> Series:
        """The same, smoothed; gaps are filled by the smooth curve, but not beyond a zone's dates.

        Args:
            method: ``whittaker`` (Eilers 2003; ``strength`` 5000, which keeps what takes longer
                than two months; ``order`` 2), ``savgol`` (Savitzky and Golay 1964; ``window`` 45
                days, ``order`` 2) or ``median`` (a moving one; ``window`` 30 days). All work on
                days: how many dates there are between two values does not matter.
            settings: of the method.

        Raises:
            InputError: there is no such method or setting, or a library is missing.
        """
        from zonalbatch.explore.smoothing import smoothed

        return replace(self, frame=smoothed(self.frame, method, settings))

    def fill(self, limit: str | None = None) -> Series:
        """Gaps filled in a straight line from date to date, but not beyond a zone's dates.

        Args:
            limit: longest gap, from value to value, that is filled, such as ``30d``.

        Raises:
            InputError: the limit is no length of time.
        """
        from zonalbatch.explore.smoothing import filled

        return replace(self, frame=filled(self.frame, limit))

    def anomaly(self, by: str = "month") -> Series:
        """Each value less the mean of the zone's values at that time of all years.

        NaN where the zone has values of one year only.

        Args:
            by: ``month``, ``week`` or ``season`` (from December): what a time of year is.

        Raises:
            InputError: there is one year only, or by is unknown.
        """
        from zonalbatch.explore.seasons import anomalies

        return replace(self, frame=anomalies(self.frame, by))

    def phenology(
        self, threshold: float = 0.5, amplitude: float = 0.25, method: str = "whittaker",
        **settings: Any,
    ) -> pd.DataFrame:  # fmt: skip
        """Start, peak and end of each season of each zone.

        A season is a peak of the smoothed daily curve that rises above both of its sides by
        ``amplitude`` of the zone's range. It starts where the curve last crosses, before the peak,
        ``threshold`` of the way from the lowest point on its left up to the peak, and ends
        likewise on its right (seasonal amplitude, Jönsson and Eklundh 2004). Where the dates do not
        reach so far, there is no start or no end.

        Args:
            threshold: share of the amplitude, between 0 and 1.
            amplitude: least rise, share of the zone's range.
            method: as of `smooth`.
            settings: of the method.

        Returns:
            ``zone_id, season, start, peak, end, days, base, top``; season counts from 1.

        Raises:
            InputError: an argument makes no sense.
        """
        from zonalbatch.explore.seasons import phenology

        return phenology(self.frame, threshold, amplitude, method, settings)


def series_of(rows: Rows, zone: Any, column: Column) -> Series:
    """A column of some zones over time.

    Raises:
        OutputError: the run has not ended.
        InputError: there is no such zone, or no row has a date.
    """
    if zone is not None:
        from zonalbatch.explore.selection import narrowed

        rows = narrowed(rows, zone)
    grid = grid_of(rows, [column])
    if not grid.dated:
        raise InputError(
            f"{column.name} has no dates; results of what does not change have no series"
        )
    index = pd.DatetimeIndex(grid.times, name="datetime")
    columns = pd.Index(grid.zones, name="zone_id")
    return Series(
        column=column.name,
        frame=pd.DataFrame(grid.values[column.name].T, index, columns),
        seen=pd.DataFrame(grid.seen.T, index, columns),
    )
