"""Picking: the rows that are picked, written beside those that they are picked of.

It is done at the seal, over the rows that parts have written: a window may lie in several parts,
and rows stay what they are, whatever is picked of them or added to them later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.picks.pick import SEEN, Pick
from zonalbatch.places import Place
from zonalbatch.planning.plan import Plan
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.sums import Sum

__all__ = ["write_picked"]

ORDER = [("zone", "ascending"), ("window", "ascending"), ("clear", "descending"),
         ("datetime", "ascending"), ("layer", "ascending")]  # fmt: skip


def write_picked(
    plan: Plan, output: Output, pick: Pick | None, others: Sequence[str]
) -> dict[str, Sum]:
    """Write the rows that are picked; the sums of their files, by part.

    Args:
        plan: whose parts are done.
        output: where they lie.
        pick: what is picked; None picks nothing.
        others: names of files whose rows have no layer, all of which stay.
    """
    if pick is None:
        return {}
    columns = [plan.form.column(m.name, SEEN) for m in plan.recipe.measurements]
    written = {name: _write(output, name, None) for name in others}
    for names in _together(plan):
        files = [output.part_path(name) for name in names]
        for name, keep in zip(names, _picked(files, columns, pick), strict=True):
            written[name] = _write(output, name, keep)
    return {name: told for name, told in written.items() if told is not None}


def _together(plan: Plan) -> Iterator[list[str]]:
    """The parts of each cell: all rows of a zone lie in one of these groups."""
    cells: dict[str, list[str]] = {}
    for part in plan.parts:
        cells.setdefault(part.cell, []).append(part.id)
    yield from cells.values()


def _picked(files: Sequence[Place], columns: Sequence[str], pick: Pick) -> list[NDArray[np.bool_]]:
    """For each file, (row,) True for the rows that are picked among those of all."""
    told = ["zone_id", "datetime", "layer", *columns]
    tables = [pq.read_table(file.source(), columns=told) for file in files]
    rows = pa.concat_tables(tables).combine_chunks()
    table = pa.table({
        "zone": pc.index_in(rows["zone_id"], rows["zone_id"].combine_chunks().unique()),
        "window": pick.windows(rows["datetime"].cast(pa.int64()).to_numpy()),
        "clear": pc.min_element_wise(*(rows[name] for name in columns), skip_nulls=False),
        "datetime": rows["datetime"],
        "layer": rows["layer"].cast(pa.string()),
    })  # fmt: skip
    # Nulls come last: without data, or where a cell could not be read, there is no share.
    order = pc.sort_indices(table, sort_keys=ORDER).to_numpy()
    zone, window = table["zone"].to_numpy()[order], table["window"].to_numpy()[order]
    first = np.ones(len(order), bool)
    first[1:] = (zone[1:] != zone[:-1]) | (window[1:] != window[:-1])
    keep = np.zeros(len(order), bool)
    keep[order[first]] = True
    edges = np.cumsum([len(one) for one in tables])[:-1]
    return np.split(keep, edges)


def _write(output: Output, name: str, keep: NDArray[np.bool_] | None) -> Sum | None:
    """Write the rows of a part that stay, None for all. No rows, no file."""
    source = pq.ParquetFile(output.part_path(name).source())
    rows = source.metadata.num_rows if keep is None else int(keep.sum())
    if not rows:
        return None
    schema = source.schema_arrow
    metadata = {key: text for key, text in (schema.metadata or {}).items() if key == b"geo"}
    return output.picked.write(name, _kept(source, keep), schema, metadata)


def _kept(source: pq.ParquetFile, keep: NDArray[np.bool_] | None) -> Iterator[pa.Table]:
    """The rows of a file that stay, a row group at a time."""
    start = 0
    for group in range(source.num_row_groups):
        table = source.read_row_group(group)
        some = slice(start, start := start + len(table))
        yield table if keep is None else table.filter(pa.array(keep[some]))
