"""Seal: what is written once all parts are done.

Everything new is written first. Then the manifest says in one step that it is the result, and what
it no longer needs is removed. A run that is killed on the way leaves the files of the seal before,
or a result that says it is not sealed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch import __version__
from zonalbatch.engine import Done
from zonalbatch.layers import Failure
from zonalbatch.picks.pick import Pick
from zonalbatch.picks.picking import write_picked
from zonalbatch.planning.files import read_zones
from zonalbatch.planning.identity import digest
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt, key_of
from zonalbatch.sinks.failures import write_failures
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.sealed import Sealed
from zonalbatch.sinks.sums import Sum, Summing
from zonalbatch.sinks.table import Form, geo_metadata, result_schema, without_layer, zone_columns
from zonalbatch.sources.secrets import writable
from zonalbatch.temporal import Temporal, temporal_schema, write_stretches

__all__ = ["seal"]

ZONES_AT_ONCE = 100_000


def seal(
    plan: Plan,
    output: Output,
    done: Done,
    temporal: Temporal | None = None,
    pick: Pick | None = None,
) -> Sealed:
    """Write the rows of zones that meet no layer, the tables beside the results, the manifest.

    Args:
        plan: whose parts are done.
        output: where they lie.
        done: what their receipts say.
        temporal: what is told over time; None tells nothing.
        pick: which rows are picked; None picks none.
    """
    before, sums = output.sealed(), output.sums()
    stands = before is not None and _stands(before, plan, done, temporal, pick)
    if before is not None and stands and sums and not output.lost(sums):
        _drop_the_rest(plan, output, sums)  # the run that wrote them may have been killed before
        return before
    if before is not None and (pick is not None or before.picked is not None):
        output.write_manifest(sealed=None)  # picked rows are written over, part by part
    alone = np.flatnonzero(~done.met)
    sums = {name: one for name, one in sums.items() if name.startswith("temporal/")}
    sums = _write_rows(plan, output, alone, sums, temporal, pick)
    sums["zones.parquet"] = _write_zones(plan, output)
    sums["layers.parquet"] = _write_layers(plan, output, done)
    failures = _failures(plan, output)
    sums["failures.parquet"] = write_failures(output.path / "failures.parquet", failures)
    output.write_sums(sums)
    sealed = _sealed(plan, output, done, failures, alone, temporal, pick)
    output.write_manifest(sealed=sealed.document)
    _drop_the_rest(plan, output, sums)
    return sealed


def _stands(
    before: Sealed, plan: Plan, done: Done, temporal: Temporal | None, pick: Pick | None
) -> bool:
    """True if a seal would write again what there is."""

    def same(told: Any, asked: Temporal | Pick | None) -> bool:
        held = {k: v for k, v in (told or {}).items() if k != "rows"}
        return bool(held == (json.loads(json.dumps(asked.document)) if asked else {}))

    return (
        before.fingerprint == plan.fingerprint
        and not done.computed
        and before.version == __version__
        and before.unplanned == _unplanned(plan)
        and same(before.temporal, temporal)
        and same(before.picked, pick)
    )


def _sealed(
    plan: Plan,
    output: Output,
    done: Done,
    failures: Sequence[Failure],
    alone: NDArray[np.int64],
    temporal: Temporal | None,
    pick: Pick | None,
) -> Sealed:
    parts = {_alone_name(plan), *(part.id for part in plan.parts)}
    return Sealed(
        fingerprint=plan.fingerprint,
        complete=all(failure.permanent for failure in failures),
        version=__version__,
        parts=len(plan.parts),
        rows=done.rows + len(alone),
        zones=plan.n_zones,
        zones_without_layer=len(alone),
        alone=_alone_name(plan),
        layers=len(plan.layers),
        failures=len(failures),
        unplanned=_unplanned(plan),
        bytes=sum(size for part, size in output.part_sizes().items() if part in parts),
        temporal=_told(temporal, output, "temporal"),
        picked=_told(pick, output, "picked"),
    )


def _unplanned(plan: Plan) -> str:
    return digest(*(repr(failure).encode() for failure in plan.failures)).hex()


def _failures(plan: Plan, output: Output) -> list[Failure]:
    """All that could not be read, each once: parts share layers."""
    of_parts = output.failures(part.id for part in plan.parts)
    return list(dict.fromkeys([*plan.failures, *of_parts]))


def _told(asked: Temporal | Pick | None, output: Output, folder: str) -> dict[str, Any] | None:
    """What was asked for, with the rows of the files that this seal has written for it or kept."""
    if asked is None:
        return None
    names = [name for name in output.sums() if name.startswith(f"{folder}/")]
    metadata = (pq.read_metadata((output.path / name).source()) for name in names)
    return asked.document | {"rows": sum(one.num_rows for one in metadata)}


def _drop_the_rest(plan: Plan, output: Output, sums: dict[str, Sum]) -> None:
    """Remove what the result no longer needs, and what writers that were killed left."""
    output.drop_others([*(part.id for part in plan.parts), _alone_name(plan)])
    if f"results/part-{_alone_name(plan)}.parquet" not in sums:
        output.part_path(_alone_name(plan)).remove()
    output.picked.keep(_names(sums, "picked"))
    output.temporal.keep(_names(sums, "temporal"))
    output.drop_other_plans(plan.fingerprint)
    output.ledger.close_up()
    output.sweep()


def _names(sums: dict[str, Sum], folder: str) -> list[str]:
    """Names of the rows whose files lie in a folder."""
    head = f"{folder}/part-"
    return [n[len(head) :].removesuffix(".parquet") for n in sums if n.startswith(head)]


def _alone_name(plan: Plan) -> str:
    return digest(b"alone", plan.fingerprint.encode()).hex()


def _write_rows(
    plan: Plan,
    output: Output,
    alone: NDArray[np.int64],
    there: dict[str, Sum],
    temporal: Temporal | None,
    pick: Pick | None,
) -> dict[str, Sum]:
    """Write the rows of zones without a layer, those that are picked, and those over time."""
    sums: dict[str, Sum] = {}
    if len(alone):
        sums[f"results/part-{_alone_name(plan)}.parquet"] = _write_alone(plan, output, alone)
    others = [_alone_name(plan)] if len(alone) else []
    picked = write_picked(plan, output, pick, others)
    sums |= {f"picked/part-{name}.parquet": one for name, one in picked.items()}
    if temporal is not None:
        kept = {name: there[f"temporal/part-{name}.parquet"] for name in _names(there, "temporal")}
        over_time = _write_temporal(plan, output, temporal, alone, kept)
        sums |= {f"temporal/part-{name}.parquet": one for name, one in over_time.items()}
    return sums


def _write_alone(plan: Plan, output: Output, alone: NDArray[np.int64]) -> Sum:
    """Rows with a null layer, status ``empty``, for the zones that have no other row."""
    name = _alone_name(plan)
    schema = result_schema(plan.recipe, plan.form, read_zones(plan.folder, 0, 1).schema)
    receipt = Receipt(part=name, rows=len(alone))
    tables = _rows_alone(plan, alone, schema)
    done = output.write_part(name, tables, schema, _metadata(plan, schema), lambda: receipt)
    return Sum(done.bytes, done.hash)


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
    plan: Plan,
    output: Output,
    temporal: Temporal,
    alone: NDArray[np.int64],
    there: dict[str, Sum],
) -> dict[str, Sum]:
    """Write the rows over time; the sums of their files, by name."""
    receipts = output.receipts(part.id for part in plan.parts)
    hashes = {part: receipt.hash for part, receipt in receipts.items()}
    sums = write_stretches(plan, output, temporal, hashes, there)
    if len(alone):
        zones = read_zones(plan.folder, 0, 1).schema
        schema = temporal_schema(temporal, plan.recipe, plan.form, zones)
        tables, name = _rows_alone(plan, alone, schema), _alone_name(plan)
        sums[name] = output.temporal.write(name, tables, schema, _metadata(plan, schema))
    return sums


def _write_zones(plan: Plan, output: Output) -> Sum:
    """Write ``zones.parquet``: every zone once, with its geometry and carried columns."""
    with (output.path / "zones.parquet").replacing() as file:
        summing = Summing(file)
        _copy_zones(plan, summing)
    return summing.sum


def _copy_zones(plan: Plan, file: IO[bytes] | Summing) -> None:
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


def _write_layers(plan: Plan, output: Output, done: Done) -> Sum:
    """Write ``layers.parquet``: what each layer was read from, and what was applied to it."""
    table = pq.read_table((plan.folder / "layers.parquet").source())
    rows = table.to_pylist()
    for row in (one for one in rows if one["href"] is not None):  # a missing band has none
        applied = done.applied.get(key_of(row["href"], row["file_band"]))
        row["href"] = writable(row["href"])
        if applied is not None:
            row["nodata"] = json.dumps(applied[0])
            row["scale"], row["offset"] = applied[1:]
    with (output.path / "layers.parquet").replacing() as file:
        summing = Summing(file)
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), summing)
    return summing.sum
