"""Selection: some rows of a result; what is not asked for is not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import and_
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from zonalbatch.errors import InputError, OutputError
from zonalbatch.explore.columns import Column, checked, columns_of, is_long
from zonalbatch.explore.reading import read_schema, read_table, sealed_file
from zonalbatch.explore.rows import Rows
from zonalbatch.explore.spans import Span, span_of
from zonalbatch.near import hint
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.table import told_columns

__all__ = ["Selection", "listed", "narrowed", "selection"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Selection(Rows):
    """Rows of some zones, times and measurements, read when they are asked for."""

    output: Output
    zones_asked: tuple[Any, ...] | None
    span: Span
    measurements: tuple[str, ...] | None
    names: tuple[str, ...]
    """Columns that are told."""

    def __repr__(self) -> str:
        """What is asked for."""
        some = "all zones" if self.zones_asked is None else f"{len(self.zones_asked):,} zones"
        ends = ["" if one is None else f"{one:%Y-%m-%d}" for one in self.span]
        time = f", {' to '.join(ends)}" if any(ends) else ""
        what = "" if self.measurements is None else f", {', '.join(self.measurements)}"
        return f"Selection of {self.output.path}: {some}{time}{what}"

    def _repr_html_(self) -> str:
        from zonalbatch.notebook.results import selection_html

        return selection_html(self)

    @property
    def zone_filter(self) -> pc.Expression | None:
        """Which zones are asked for."""
        if self.zones_asked is None:
            return None
        return pc.field("zone_id").isin(_ids(self.zones_asked, self._stored.field("zone_id").type))

    @property
    def columns(self) -> tuple[Column, ...]:
        """What was measured of what is asked for."""
        wanted = self.measurements
        told = super().columns
        return told if wanted is None else tuple(c for c in told if c.measurement in wanted)

    @cached_property
    def schema(self) -> pa.Schema:
        """Of the columns that are told."""
        return pa.schema([self._stored.field(name) for name in self.names])

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Some columns of the rows; row groups without any of them are not read.

        Raises:
            InputError: there is none of a name.
        """
        names = self.names if columns is None else checked(columns, self._stored)
        return pa.concat_tables(self.pieces(names))

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The same, file by file."""
        files = self.output.files
        if not files:
            raise OutputError(f"the run in {self.output.path} has no rows yet; run the job again")
        where = self._filter
        for file in files:
            yield read_table(file, list(columns), where)

    @cached_property
    def _stored(self) -> pa.Schema:
        return read_schema(self.output.files[0])

    @property
    def _filter(self) -> pc.Expression | None:
        start, end = self.span
        parts = [self.zone_filter]
        if start is not None:
            parts.append(pc.field("datetime") >= pa.scalar(start, pa.timestamp("us", "UTC")))
        if end is not None:
            parts.append(pc.field("datetime") <= pa.scalar(end, pa.timestamp("us", "UTC")))
        if self.measurements is not None and is_long(self._stored):
            parts.append(pc.field("measurement").isin(list(self.measurements)))
        there = [one for one in parts if one is not None]
        return reduce(and_, there) if there else None


def selection(
    output: Output,
    *,
    zones: Any,
    time: Any,
    measurements: str | Sequence[str] | None,
) -> Selection:
    """The rows that are asked for; zones of which there is none are an error.

    Raises:
        InputError: there is no such zone or measurement, or the time is not understood.
        OutputError: the run has no rows yet.
    """
    if not output.files:
        raise OutputError(f"the run in {output.path} has no rows yet; run the job again")
    stored = read_schema(output.files[0])
    asked = None if zones is None else listed(zones)
    if asked is not None:
        _check_zones(output, asked)
    chosen = None if measurements is None else _texts(measurements)
    return Selection(
        output=output, zones_asked=asked, span=span_of(time), measurements=chosen,
        names=tuple(_columns(output, stored, chosen)),
    )  # fmt: skip


def _columns(output: Output, stored: pa.Schema, chosen: tuple[str, ...] | None) -> list[str]:
    names = told_columns(stored)
    if chosen is None:
        return names
    measured = columns_of(stored, output.manifest())
    there = {one.measurement for one in measured}
    for name in chosen:
        if name not in there:
            near = hint(name, there) or f"; there are {', '.join(sorted(there))}"
            raise InputError(f"nothing was measured by the name {name!r}{near}")
    others = {one.name for one in measured if one.measurement not in chosen}
    return [name for name in names if name not in others]


def listed(zones: Any) -> tuple[Any, ...]:
    """One id, or several, each once."""
    one = isinstance(zones, str | bytes) or not hasattr(zones, "__iter__")
    return (zones,) if one else tuple(dict.fromkeys(zones))


def _texts(names: Any) -> tuple[str, ...]:
    texts = listed(names)
    if not all(isinstance(one, str) for one in texts):
        raise InputError(f"measurements={names!r} are no names; give one, or a list of them")
    return texts


def _ids(asked: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(list(asked)).cast(kind)
    except (pa.ArrowException, TypeError) as error:
        raise InputError(f"zones {list(asked)[:3]!r} are no ids of zones ({error})") from None


def _check_zones(output: Output, asked: tuple[Any, ...]) -> None:
    there = read_table(sealed_file(output, "zones.parquet"), ["zone_id"])["zone_id"]
    known = pc.is_in(_ids(asked, there.type), there.combine_chunks()).to_pylist()
    for zone, is_known in zip(asked, known, strict=True):
        if not is_known:
            some = ", ".join(repr(one) for one in there.slice(0, 3).to_pylist())
            raise InputError(f"there is no zone {zone!r} in the result, which has {some}, …")


def narrowed(rows: Rows, zones: Any) -> Selection:
    """Some zones of rows.

    Raises:
        InputError: there is no such zone among them.
    """
    asked = listed(zones)
    if not isinstance(rows, Selection):
        return selection(rows.output, zones=asked, time=None, measurements=None)
    _check_zones(rows.output, asked)
    kind = rows.schema.field("zone_id").type
    there = None if rows.zones_asked is None else _ids(rows.zones_asked, kind).to_pylist()
    for zone, known in zip(asked, _ids(asked, kind).to_pylist(), strict=True):
        if there is not None and known not in there:
            raise InputError(f"zone {zone!r} was not selected; select it too")
    return replace(rows, zones_asked=asked)
