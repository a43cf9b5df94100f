"""Seal: what is written once all parts are done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch import __version__
from zonalbatch.engine import Done
from zonalbatch.picks.pick import Pick
from zonalbatch.picks.picking import write_picked
from zonalbatch.planning.files import read_zones
from zonalbatch.planning.identity import digest
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt, key_of
from zonalbatch.sinks.files import replacing
from zonalbatch.sinks.output import Output, failure_table
from zonalbatch.sinks.table import Form, geo_metadata, result_schema, without_layer, zone_columns
from zonalbatch.temporal import Temporal, temporal_schema, write_stretches

__all__ = ["seal"]

ZONES_AT_ONCE = 100_000


def seal(
    plan: Plan,
    output: Output,
    done: Done,
    temporal: Temporal | None = None,
    pick: Pick | None = None,
) -> None:
    """Write the rows of zones that meet no layer, the tables beside the results, the manifest.

    Args:
        plan: whose parts are done.
        output: where they lie.
        done: what their receipts say.
        temporal: what is told over time; None tells nothing.
        pick: which rows are picked; None picks none.
    """
    alone = np.flatnonzero(~done.met)
    _write_alone(plan, output, alone)
    output.drop_others([*(part.id for part in plan.parts), _alone_name(plan)])
    others = [_alone_name(plan)] if len(alone) else []
    picked = write_picked(plan, output, pick, others)
    over_time = _write_temporal(plan, output, temporal, alone)
    _write_zones(plan, output)
    _write_layers(plan, output, done)
    failures = list(dict.fromkeys([*plan.failures, *output.failures()]))  # parts share layers
    with replacing(output.path / "failures.parquet") as file:
        pq.write_table(failure_table(failures), file)
    output.write_manifest(
        sealed=not any(not f.permanent for f in failures),
        version=__version__,
        parts=len(plan.parts),
        rows=done.rows + len(alone),
        zones=plan.n_zones,
        zones_without_layer=len(alone),
        alone=_alone_name(plan),
        temporal=over_time,
        picked=None if pick is None else pick.document | {"rows": picked},
        layers=len(plan.layers),
        failures=len(failures),
        bytes=sum(output.part_sizes().values()),
    )
    output.drop_other_plans(plan.fingerprint)


def _alone_name(plan: Plan) -> str:
    return digest(b"alone", plan.fingerprint.encode()).hex()


def _write_alone(plan: Plan, output: Output, alone: NDArray[np.int64]) -> None:
    """Rows with a null layer, status ``empty``, for the zones that have no other row."""
    name = _alone_name(plan)
    if not len(alone):
        output.part_path(name).unlink(missing_ok=True)
        return
    schema = result_schema(plan.recipe, plan.form, read_zones(plan.folder, 0, 1).schema)
    receipt = Receipt(part=name, rows=len(alone))
    tables = _rows_alone(plan, alone, schema)
    output.write_part(name, tables, schema, _metadata(plan, schema), lambda: receipt)


def _rows_alone(plan: Plan, alone: NDArray[np.int64], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of zones that meet no layer, some at a time."""
    for start in range(0, plan.n_zones, ZONES_AT_ONCE):
        stop = min(start + ZONES_AT_ONCE, plan.n_zones)
        some = alone[(alone >= start) & (alone < stop)] - start
        if len(some):
            zones = read_zones(plan.folder, start, stop).take(pa.array(some))
            yield without_layer(zones, schema, plan.form)


def _metadata(plan: Plan, schema: pa.Schema) -> dict[bytes, bytes]:
    return geo_metadata(plan.crs, covering=True) if "geometry" in schema.names else {}


def _write_temporal(
    plan: Plan, output: Output, temporal: Temporal | None, alone: NDArray[np.int64]
) -> dict[str, Any] | None:
    """Write the rows over time, or take away those that are not asked for any more."""
    if temporal is None:
        output.temporal.keep([])
        return None
    names = write_stretches(plan, output, temporal)
    if len(alone):
        names.append(_alone_name(plan))
        zones = read_zones(plan.folder, 0, 1).schema
        schema = temporal_schema(temporal, plan.recipe, plan.form, zones)
        tables = _rows_alone(plan, alone, schema)
        output.temporal.write(names[-1], tables, schema, _metadata(plan, schema))
    output.temporal.keep(names)
    rows = sum(pq.read_metadata(file).num_rows for file in output.temporal.files)
    return temporal.document | {"rows": rows}


def _write_zones(plan: Plan, output: Output) -> None:
    """Write ``zones.parquet``: every zone once, with its geometry and carried columns."""
    with replacing(output.path / "zones.parquet") as file:
        _copy_zones(plan, file)


def _copy_zones(plan: Plan, file: object) -> None:
    metadata = geo_metadata(plan.crs, covering=True)
    writer = None
    for start in range(0, plan.n_zones, ZONES_AT_ONCE):
        zones = read_zones(plan.folder, start, min(start + ZONES_AT_ONCE, plan.n_zones))
        table = pa.table(zone_columns(zones, Form(geometry=True)))
        table = table.replace_schema_metadata(metadata)
        writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _write_layers(plan: Plan, output: Output, done: Done) -> None:
    """Write ``layers.parquet``: what each layer was read from, and what was applied to it."""
    table = pq.read_table(Path(plan.folder) / "layers.parquet")
    rows = table.to_pylist()
    for row in (one for one in rows if one["href"] is not None):  # a missing band has none
        applied = done.applied.get(key_of(row["href"], row["file_band"]))
        if applied is not None:
            row["nodata"] = json.dumps(applied[0])
            row["scale"], row["offset"] = applied[1:]
    with replacing(output.path / "layers.parquet") as file:
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
