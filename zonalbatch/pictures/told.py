"""Told: a column over zones and times, and why some of its values lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.explore.columns import Column, column_named, numbers
from zonalbatch.explore.grid import grid_of
from zonalbatch.explore.selection import narrowed
from zonalbatch.explore.spans import span_of
from zonalbatch.pictures.labels import label_of

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows

__all__ = ["Told", "ends_of", "told_of"]

LOST = ("failed", "partial")
"""Status of rows that something could not be read of."""
DAY = np.timedelta64(1, "D")
FAR = np.timedelta64(15, "D")
"""A date that is further from a day that is asked for is not taken for it."""
OPEN = (np.datetime64("1700-01-01", "ns"), np.datetime64("2200-01-01", "ns"))
"""Open ends of time."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """One column of a result."""

    column: Column
    zones: NDArray[Any]
    """(zone,) ids, ascending."""
    times: NDArray[Any]
    """(time,) datetime64[ns], UTC, ascending; names of layers where none has a date."""
    values: Floats
    """(zone, time); NaN where there is none."""
    beside: Mapping[str, Floats]
    """Other columns of the same shape, by name."""
    status: NDArray[np.str_]
    """(zone, time); empty where there is no row."""
    seen: Floats
    """(zone, time) share of the zone's cells that have a value; NaN where nothing tells."""
    masked: bool
    """True if cells were left out by a mask, such as one of clouds."""

    @property
    def label(self) -> str:
        """What its values are."""
        return label_of(self.column)

    @property
    def dated(self) -> bool:
        """False of layers without a date."""
        return self.times.dtype.kind == "M"

    @property
    def there(self) -> NDArray[np.bool_]:
        """(zone, time) True where there is a value."""
        return np.isfinite(self.values)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """(zone, time) True where there is no value, as something could not be read."""
        return np.isin(self.status, LOST) & ~self.there

    @property
    def none(self) -> str:
        """What a row without a value saw."""
        return "no clear pixel" if self.masked else "no valid pixel"

    @property
    def why_none(self) -> str:
        """Why there is no value at all, in lines."""
        status = self.status[self.status != ""]
        if not len(status):
            return "no value: no scene meets " + ("the zone" if len(self.zones) == 1 else "a zone")
        what = "dates" if len(self.zones) == 1 and self.dated else "rows"
        causes = {"failed": "could not be read", "filtered": "too few clear pixels", "ok": "null",
                  "empty": self.none}  # fmt: skip
        told = dict.fromkeys(causes.values(), 0)
        for one, count in zip(*np.unique(status, return_counts=True), strict=True):
            told[causes[LOST[0] if one in LOST else str(one)]] += int(count)
        lines = [
            f"{count:,} of {len(status):,} {what}: {cause}"
            for cause, count in told.items()
            if count
        ]
        return "\n".join(["no value", *lines])

    def by_day(self, time: Any = None) -> Told:
        """The same by days: of several values of a zone on one day, that of which most is seen.

        As it is where a time of day is asked for.
        """
        if not self.dated or _is_moment(time):
            return self
        days, starts = np.unique(self.times.astype("datetime64[D]"), return_index=True)
        if len(days) == len(self.times):
            return replace(self, times=days.astype("datetime64[ns]"))
        ends = [*starts[1:], len(self.times)]
        score = np.where(self.there, 1 + np.nan_to_num(self.seen), 0) + 0.5 * (self.status != "")
        best = np.stack([
            start + score[:, start:end].argmax(axis=1)
            for start, end in zip(starts, ends, strict=True)
        ], axis=1)  # fmt: skip

        def taken(values: NDArray[Any]) -> NDArray[Any]:
            return np.take_along_axis(values, best, axis=1)

        return replace(
            self, times=days.astype("datetime64[ns]"), values=taken(self.values),
            beside={name: taken(values) for name, values in self.beside.items()},
            status=taken(self.status), seen=taken(self.seen),
        )  # fmt: skip

    def when(self, time: Any) -> NDArray[np.int64]:
        """The places of the times that are meant.

        Args:
            time: a day takes the nearest that has values, of those of one day that which has most,
                a moment the nearest, a period all times in it, the name of a layer that layer; None
                takes the time that has the most values.

        Raises:
            InputError: the time is not understood, the period has no date, or the nearest date with
                a value is far away.
        """
        if not len(self.times):
            return np.empty(0, np.int64)
        if time is None:
            return self._fullest(np.arange(len(self.times)))
        return self._dates(time) if self.dated else self._layer(time)

    def _layer(self, name: Any) -> NDArray[np.int64]:
        found = np.flatnonzero(self.times == str(name))
        if not len(found):
            some = ", ".join(self.times[:3])
            raise InputError(
                f"there is no layer {name!r}; layers have no dates here, but are {some}"
            )
        return found

    def _dates(self, time: Any) -> NDArray[np.int64]:
        start, end = ends_of(time)
        if end - start <= DAY:
            return self._nearest(time, start, of_day=end > start)
        found = np.flatnonzero((self.times >= start) & (self.times <= end))
        if not len(found):
            first, last = (np.datetime_as_string(self.times[at], "D") for at in (0, -1))
            raise InputError(f"time {time!r} holds no date; there are dates from {first} to {last}")
        return found

    def _nearest(self, time: Any, start: Any, *, of_day: bool) -> NDArray[np.int64]:
        """The place of the time that has values and is nearest; of several on a day the fullest."""
        valued = np.flatnonzero(self.there.any(axis=0))
        among = valued if len(valued) else np.arange(len(self.times))
        times = self.times[among].astype("datetime64[D]") if of_day else self.times[among]
        away = np.abs(times - start.astype(times.dtype))
        if away.min() > FAR:
            day = np.datetime_as_string(self.times[among[away.argmin()]], "D")
            raise InputError(f"there is no value near {time}; the nearest is of {day}")
        return self._fullest(among[away == away.min()])

    def _fullest(self, among: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of some places that of the most values, and of these of what is seen most."""
        there = self.there[:, among]
        seen = np.nansum(np.where(there, self.seen[:, among], 0), axis=0)
        return among[np.lexsort((-seen, -there.sum(axis=0)))[:1]]


def _is_moment(time: Any) -> bool:
    """True of a time of day, rather than a day or a period."""
    if time is None:
        return False
    start, end = ends_of(time)
    return bool(start == end)


def ends_of(time: Any) -> tuple[Any, Any]:
    """From when to when a time is, datetime64[ns], UTC; open ends are far away."""
    start, end = (
        none if one is None else np.datetime64(one.replace(tzinfo=None), "ns")
        for one, none in zip(span_of(time), OPEN, strict=True)
    )
    return start, end


def told_of(rows: Rows, name: str | None, zones: Any = None, beside: Sequence[str] = ()) -> Told:
    """A column of some zones, and of others those of which there is a column.

    Args:
        rows: of a result.
        name: of the column; None takes the mean of what is measured alone.
        zones: an id, or several; None takes all.
        beside: statistics of the same measurement that are wanted too.

    Raises:
        OutputError: the run has not ended.
        InputError: there is no such zone or column.
    """
    known = rows.columns
    column = column_named(known, name)
    wanted = [
        one
        for one in numbers(known)
        if one.measurement == column.measurement and one.statistic in beside
    ]
    some = rows if zones is None else narrowed(rows, zones)
    grid = grid_of(some, list(dict.fromkeys([column, *wanted])))
    return Told(
        column=column, zones=grid.zones, times=grid.times, values=grid.values[column.name],
        beside={one.statistic: grid.values[one.name] for one in wanted}, status=grid.status,
        seen=grid.seen, masked=bool(rows.output.manifest()["recipe"].get("mask")),
    )  # fmt: skip
