"""Stretches: zones whose rows lie in the same parts, and the file over time of each.

A file is named by what it is made from, so that those whose parts are as they were are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.places import Place
from zonalbatch.planning.files import Part, read_zones
from zonalbatch.planning.identity import digest
from zonalbatch.planning.plan import Plan
from zonalbatch.rollup.columns import places, plain, size_of
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.sums import Sum
from zonalbatch.sinks.table import geo_metadata
from zonalbatch.temporal.table import Maker, temporal_schema
from zonalbatch.temporal.temporal import Temporal

__all__ = ["write_stretches"]

MEMORY = 32 * 2**20
"""Bytes of states, decoded, that are merged in one go; where there are more, zones take turns."""

AT_ONCE = 2**11
"""Rows that are read at once."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring zones, and all files that hold rows of them."""

    start: int
    """First zone, in the order of the plan."""
    stop: int
    """The one after the last."""
    files: tuple[Place, ...]

    def name(self, maker: Maker, hashes: Mapping[str, str]) -> str:
        """What its file over time is made from, in a word.

        Args:
            maker: how it is made.
            hashes: of the files, by part.
        """
        parts = [file.stem.removeprefix("part-") for file in self.files]
        made_of = [f"{part} {hashes[part]}".encode() for part in parts]
        told = json.dumps([maker.temporal.document, maker.form.document])
        return digest(b"temporal", told.encode(), *made_of).hex()

    def turns(self, columns: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Its zones, so many at a time that their states fit into memory."""
        size = sum(size_of(file, set(columns)) for file in self.files)
        step = -(-(self.stop - self.start) // max(1, -(-size // MEMORY)))
        for start in range(self.start, self.stop, step):
            yield start, min(start + step, self.stop)


def write_stretches(
    plan: Plan,
    output: Output,
    temporal: Temporal,
    hashes: Mapping[str, str],
    there: Mapping[str, Sum],
) -> dict[str, Sum]:
    """Write what is told of all zones that meet a layer; the sums of the files, by name.

    Args:
        plan: whose parts are done.
        output: where they lie.
        temporal: what is told.
        hashes: of the parts' files, by part.
        there: sums of the files of an earlier seal, by name; those that are the same are kept.

    Raises:
        OutputError: a file cannot be written.
    """
    zones = read_zones(plan.folder, 0, 1).schema
    schema = temporal_schema(temporal, plan.recipe, plan.form, zones)
    maker = Maker(temporal, plan.recipe, plan.form, schema)
    metadata = geo_metadata(plan.crs, covering=True) if plan.form.geometry else {}
    kept = {file.stem.removeprefix("part-") for file in output.temporal.files} & there.keys()
    sums = {}
    for stretch in stretches(plan.parts, output):
        name = stretch.name(maker, hashes)
        if name in kept:
            sums[name] = there[name]
        else:
            rows = tables(stretch, maker, plan.folder)
            sums[name] = output.temporal.write(name, rows, schema, metadata)
    return sums


def stretches(parts: Sequence[Part], output: Output) -> Iterator[Stretch]:
    """Parts by the zones that they share: those of a cell, whatever their dates."""
    some: list[Part] = []
    for part in sorted(parts, key=lambda part: (part.start, part.stop, part.id)):
        if some and part.start >= max(one.stop for one in some):
            yield _stretch(some, output)
            some = []
        some.append(part)
    if some:
        yield _stretch(some, output)


def _stretch(parts: Sequence[Part], output: Output) -> Stretch:
    files = tuple(output.part_path(part.id) for part in parts)
    return Stretch(parts[0].start, max(part.stop for part in parts), files)


def tables(stretch: Stretch, maker: Maker, plan: Place) -> Iterator[pa.Table]:
    """The rows of a stretch over time, some zones at a time."""
    states = list(chain(*maker.states))
    for start, stop in stretch.turns(states):
        zones = read_zones(plan, start, stop)
        rows = _rows(stretch.files, plain(zones["zone_id"]).combine_chunks(), states)
        if rows.num_rows:
            yield maker.table(zones, rows)


def _rows(files: Sequence[Place], ids: pa.Array, states: Sequence[str]) -> pa.Table:
    """The rows of some zones: their place among these, when they are of, and their states."""
    columns = ["datetime", "layer", *states]
    found = []
    for file in (pq.ParquetFile(one.source()) for one in files):
        kinds = [file.schema_arrow.field(name) for name in columns]
        found.append(pa.schema([("zone", pa.int64()), *kinds]).empty_table())
        for group in range(file.num_row_groups):
            seen = file.read_row_group(group, columns=["zone_id", "status"])
            filtered = pc.equal(seen["status"], "filtered").to_numpy()
            zone = np.where(filtered, -1, places(seen["zone_id"], ids))
            if (zone >= 0).any():
                found += _of_group(file, group, columns, zone)
        file.close()
    return pa.concat_tables(found)


def _of_group(
    file: pq.ParquetFile, group: int, columns: Sequence[str], zone: NDArray[np.int64]
) -> Iterator[pa.Table]:
    """The rows of a row group whose zones are wanted."""
    start = 0
    for batch in file.iter_batches(AT_ONCE, [group], columns):
        here = zone[start : start + batch.num_rows]
        start += batch.num_rows
        if (here >= 0).any():
            rows = pa.table(batch.select(columns)).filter(pa.array(here >= 0))
            yield rows.add_column(0, "zone", pa.array(here[here >= 0]))
