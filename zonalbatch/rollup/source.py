"""Source: a sealed result, read some rows at a time, and how its rows are put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.periods import DAY, period_of
from zonalbatch.places import Place
from zonalbatch.planning.files import recipe_from
from zonalbatch.recipe import Recipe
from zonalbatch.rollup.columns import places, plain, size_of, state_columns, states_of
from zonalbatch.rollup.groups import Groups
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.table import Form
from zonalbatch.statistics import Rolled

__all__ = ["Source"]

ROWS, SKETCHES = 2**16, 2**11
"""Rows that are read at once without their sketches, and with them."""

EPOCH = 2**31
"""Added to days, so that none is negative."""

TIME = pa.timestamp("us", "UTC")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A sealed result, and how its rows are put together."""

    output: Output
    recipe: Recipe
    form: Form
    central: bool
    """True if rows keep what skew and kurtosis are told from."""
    by: str
    names: pa.Array
    """What zones are put together by: each value once, in the order of the plan's zones."""
    every: str | None
    layers: pa.Table
    """Id and time of each layer."""
    alone: NDArray[np.bool_]
    """(name,) True if a zone that met no layer has been seen."""

    @classmethod
    def of(cls, output: Output, by: str | None, every: str | None) -> Source:
        """The result of a run.

        Raises:
            InputError: it keeps no states, or there is no such column; or a layer has no time.
        """
        manifest = output.manifest()
        document = manifest["recipe"]
        named = [s for s in document["statistics"] if isinstance(s, str)]  # functions need pixels
        recipe = recipe_from(document | {"statistics": named}, {})
        if not recipe.states:
            raise InputError(
                f"the result in {output.path} keeps no states to roll up; run the job again, into "
                "another output, with sketch: true or temporal"
            )
        names = _names(output.path / "zones.parquet", by)
        return cls(
            output, recipe, Form(**manifest["form"]),
            "central" in recipe.kept or document.get("central", False),
            by or "zone_id", names, every,
            _layers(output.path / "layers.parquet", dated=every is not None),
            np.zeros(len(names), bool),
        )  # fmt: skip

    @property
    def files(self) -> list[Place]:
        """The files that hold the rows."""
        return self.output.files

    def columns(self, *, sketched: bool) -> tuple[tuple[str, ...], ...]:
        """Of each measurement, the columns of its states."""
        return state_columns(self.recipe, self.form, sketched=sketched)

    def shares(self, memory: int, *, sketched: bool) -> list[range]:
        """All names, so many at a time that their sketches fit into some bytes."""
        wanted = {some[1] for some in self.columns(sketched=True)} if sketched else set()
        size = sum(size_of(file, wanted) for file in self.files)
        step = -(-len(self.names) // max(1, -(-size // memory)))
        return [range(i, min(i + step, len(self.names))) for i in range(0, len(self.names), step)]

    def nothing(self, *, sketched: bool) -> Groups:
        """No groups."""
        none = Rolled.none(sketched=sketched)
        return Groups(np.zeros(0, np.int64), (none,) * len(self.recipe.measurements))

    def batches(self, names: range, *, sketched: bool) -> Iterator[Groups]:
        """The rows of some names that have a layer, some rows at a time."""
        columns, at_once = self.columns(sketched=sketched), SKETCHES if sketched else ROWS
        wanted = dict.fromkeys(
            ["zone_id", self.by, "layer", "datetime", "status", *chain(*columns)]
        )
        once = _Once(self.output.path / "zones.parquet") if self._counts_once else None
        for file in (pq.ParquetFile(one.source()) for one in self.files):
            for group in range(file.num_row_groups):
                held = self._names_of(file.read_row_group(group, columns=[self.by]))
                if not _among(held, names).any():
                    continue
                for batch in file.iter_batches(at_once, [group], list(wanted)):
                    rows = pa.table(batch)
                    rows = rows.filter(pa.array(_among(self._names_of(rows), names)))
                    rows = self._with_layer(rows)
                    time = self._times(rows)
                    fresh = once.first(rows["zone_id"], time) if once else np.ones(len(time), bool)
                    keys = (self._names_of(rows) << 32) | time
                    yield Groups(keys, tuple(states_of(rows, some, fresh) for some in columns))

    @property
    def _counts_once(self) -> bool:
        """True if the area of a zone must be counted once for several layers."""
        return self.every is not None and "area" in self.recipe.states

    def _names_of(self, rows: pa.Table) -> NDArray[np.int64]:
        return places(rows[self.by], self.names)

    def _with_layer(self, rows: pa.Table) -> pa.Table:
        """Rows with a layer that were not filtered; if there are others without, it is noted."""
        there = rows["layer"].is_valid()
        self.alone[self._names_of(rows.filter(pc.invert(there)))] = True
        return rows.filter(pc.and_(there, pc.not_equal(rows["status"], "filtered")))

    def _times(self, rows: pa.Table) -> NDArray[np.int64]:
        """(row,) the layer, or the first day of its time, as a number that is not negative."""
        if self.every is None:
            return places(rows["layer"], self.layers["layer"])
        micros = rows["datetime"].cast(pa.int64()).to_numpy()
        return period_of(self.every).start(micros // DAY) + EPOCH

    def heads(self, keys: NDArray[np.int64]) -> dict[str, pa.Array]:
        """What each group is: its name, and its layer or time."""
        name, time = self.names.take(pa.array(keys >> 32)), keys & (2**32 - 1)
        if self.every is not None:
            return {self.by: name, "datetime": pa.array((time - EPOCH) * DAY, TIME)}
        layers = self.layers.take(pa.array(time))
        return {self.by: name, "datetime": layers["datetime"], "layer": layers["layer"]}


class _Once:
    """Which zones have been counted in which time."""

    def __init__(self, zones: Place) -> None:
        self._ids = pq.read_table(zones.source(), columns=["zone_id"])["zone_id"].combine_chunks()
        self._seen = np.zeros(0, np.int64)
        """Pairs of zone and time, ascending."""

    def first(self, ids: pa.ChunkedArray, time: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(row,) True for the first row of a zone in a time."""
        rows = (places(ids, self._ids) << 32) | time
        pairs, at = np.unique(rows, return_index=True)
        to = np.asarray(self._seen.searchsorted(pairs))
        new = np.append(self._seen, -1)[to] != pairs
        self._seen = np.insert(self._seen, to[new], pairs[new])
        first = np.zeros(len(ids), bool)
        first[at[new]] = True
        return first


def _names(zones: Place, by: str | None) -> pa.Array:
    """What zones are put together by, each value once.

    Raises:
        InputError: the zones have no such column.
    """
    file = pq.ParquetFile(zones.source())
    known = [n for n in file.schema_arrow.names if n not in ("zone_id", "geometry", "bbox")]
    if by is not None and by not in [*known, "zone_id"]:
        raise InputError(
            f"the zones carry no column {by!r} to roll up by; they carry "
            f"{', '.join(known) or 'none'}"
        )
    return plain(file.read(columns=[by or "zone_id"])[0]).unique()


def _layers(layers: Place, *, dated: bool) -> pa.Table:
    """Id and time of each layer.

    Raises:
        InputError: a time is wanted, and a layer has none.
    """
    table = pq.read_table(layers.source(), columns=["layer", "datetime"])
    table = table.group_by("layer", use_threads=False).aggregate([("datetime", "min")])
    table = table.rename_columns({"datetime_min": "datetime"})
    undated = table.filter(table["datetime"].is_null())["layer"]
    if dated and len(undated):
        raise InputError(
            f"layer {undated[0].as_py()!r} has no time; give source.datetime_pattern, or roll up "
            "without every"
        )
    return table


def _among(places: NDArray[np.int64], some: range) -> NDArray[np.bool_]:
    return (places >= some.start) & (places < some.stop)
