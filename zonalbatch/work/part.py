"""Work: what a worker does with one part.

It is told where the plan lies and which part to do; it reads its own rows of zones and layers, and
gives back a receipt. No geometry and no result row passes through the scheduler.
"""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pyarrow as pa

from zonalbatch.errors import GridMismatch, ReadError
from zonalbatch.hosts import Hosts
from zonalbatch.layers import Failure
from zonalbatch.places import Place, place_of
from zonalbatch.planning.files import PartInput, load_part
from zonalbatch.receipts import Receipt, failed_name, key_of, pack_bits
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.table import Matrix, geo_metadata, result_schema
from zonalbatch.sources import open_pixels
from zonalbatch.sources.access import access_again
from zonalbatch.sources.protocol import Pixels
from zonalbatch.statistics import naming
from zonalbatch.work.ground import Shapes
from zonalbatch.work.layer_work import LayerSummary
from zonalbatch.work.reuse import Reuse, reusable
from zonalbatch.work.summarise import summarise

__all__ = ["ACCESS", "ARRAYS", "give_up", "run_part"]

ARRAYS = "arrays.pickle"
"""Where a plan keeps the xarray objects that its layers lie in."""
ACCESS = "access.json"
"""Where a plan keeps how the right to read its files is come by."""


def run_part(plan: str, part_id: str, memory: int, requests: int, strict: bool) -> Receipt:
    """Compute one part and write it.

    Args:
        plan: folder of the plan.
        part_id: which part.
        memory: bytes that this process may take.
        requests: reads that may be under way at once.
        strict: raise at the first failure instead of recording it.

    Raises:
        OutputError: the result cannot be written.
        ReadError: a file cannot be read, and ``strict`` is set.
    """
    began = time.perf_counter()
    folder = place_of(plan)
    there = Output.of_plan(folder).whole(part_id)
    if there is not None and not there.failures:
        return there  # a worker that was lost had written it
    given = load_part(folder, part_id)
    if reuse := reusable(Output.of_plan(folder), given):
        with suppress(ReadError):  # the earlier file is broken; its pixels may not be
            return _rewrite(folder, given, reuse, began)
    matrix = Matrix(given.zones, len(given.layers), given.recipe, given.form)
    failures: list[Failure] = []
    applied: dict[str, Any] = {}
    contradicted: dict[str, Any] = {}
    hosts = Hosts()
    try:
        with naming(lambda: given.zones["zone_id"].to_pylist()):
            for summary in summarise(
                Shapes(given.zones["geometry"], given.crs), given.layers, given.recipe,
                open_pixels=_opener(folder), memory=memory, requests=requests, room=memory // 2,
                hosts=hosts,
            ):  # fmt: skip
                if strict and summary.failures:
                    raise _first_error(summary, given.zones)
                matrix.put(summary)
                failures += summary.failures
                applied |= _left_to_files(summary)
                contradicted |= summary.contradicted
    except GridMismatch as mismatch:
        return Receipt(part=part_id, mismatched=(str(mismatch),))
    receipt = _write(folder, given, matrix, failures, applied, contradicted, began)
    return replace(receipt, reads=hosts.told)


def give_up(plan: str, part_id: str, cause: str) -> Receipt:
    """Write a part that no worker can do as failed, with why, so that no run tries it again.

    Args:
        plan: folder of the plan.
        part_id: a part of one zone and one layer.
        cause: one sentence.

    Raises:
        OutputError: the result cannot be written.
    """
    began = time.perf_counter()
    folder = place_of(plan)
    given = load_part(folder, part_id)
    matrix = Matrix(given.zones, len(given.layers), given.recipe, given.form)
    for layer in given.layers:
        matrix.put_failed(layer)
    failures = [Failure(layer.id, "", cause, permanent=True) for layer in given.layers]
    return _write(folder, given, matrix, failures, {}, {}, began)


def _first_error(summary: LayerSummary, zones: pa.Table) -> ReadError:
    """The first failure of a layer as an error, with a zone that lacks something for it."""
    error = summary.failures[0].error
    lacking = np.flatnonzero(np.any([summary.unweighed, *summary.unread.values()], axis=0))
    if not len(lacking):
        return error
    zone = zones["zone_id"][int(lacking[0])].as_py()
    return type(error)(f"{error}; zone {zone!r} needs it, in layer {summary.layer.id!r}")


def _opener(folder: Place) -> Callable[[str], Pixels]:
    """How hrefs are opened; arrays of the user's, and what files take, lie beside the plan."""
    told = folder / ACCESS
    access = access_again(json.loads(told.read_text()) if told.exists() else {})
    arrays: Mapping[str, Pixels] | None = None
    if (folder / ARRAYS).exists():
        arrays = pickle.loads((folder / ARRAYS).read_bytes())
    return lambda href: open_pixels(href, arrays, access)


def _left_to_files(summary: LayerSummary) -> dict[str, Any]:
    """What files said of bands that the plan is silent on: (nodata, scale, offset)."""
    silent = (
        (asset, encodings[name])
        for scene, encodings in summary.encodings
        for name, asset in scene.assets.items()
        if asset.scale is None and name in encodings
    )
    return {key_of(asset.href, asset.band): list(astuple(told)) for asset, told in silent}


def _rewrite(folder: Place, given: PartInput, reuse: Reuse, began: float) -> Receipt:
    """Write a part from the rows of an earlier one."""

    def receipt() -> Receipt:
        return Receipt(
            part=given.part.id, rows=reuse.rows, uncovered=given.part.pairs - reuse.rows,
            start=given.part.start, stop=given.part.stop, unmet=pack_bits(reuse.unmet),
            seconds=time.perf_counter() - began, applied=reuse.told(reuse.receipt.applied),
            contradicted=reuse.told(reuse.receipt.contradicted), source=given.part.source or "",
        )  # fmt: skip

    return _written(folder, given, reuse.tables(), [], receipt)


def _write(
    folder: Place,
    given: PartInput,
    matrix: Matrix,
    failures: list[Failure],
    applied: dict[str, Any],
    contradicted: dict[str, Any],
    began: float,
) -> Receipt:
    part, rows = given.part, matrix.rows

    def receipt() -> Receipt:
        return Receipt(
            part=part.id, rows=rows, uncovered=part.pairs - rows, start=part.start,
            stop=part.stop, unmet=pack_bits(matrix.unmet), decoded=part.decoded,
            failures=len(failures), passing=sum(not f.permanent for f in failures),
            failed=tuple(sorted(set(map(failed_name, failures)))),
            seconds=time.perf_counter() - began, applied=applied, contradicted=contradicted,
        )  # fmt: skip

    there = Output.of_plan(folder).whole(part.id) if failures else None
    if there is not None and there.failures <= len(failures):
        return there  # another attempt at this part, which was thought to be lost, could read more
    return _written(folder, given, matrix.tables(), failures, receipt)


def _written(
    folder: Place,
    given: PartInput,
    tables: Iterable[pa.Table],
    failures: list[Failure],
    receipt: Callable[[], Receipt],
) -> Receipt:
    output = Output.of_plan(folder)
    output.write_failures(given.part.id, failures)
    schema = result_schema(given.recipe, given.form, given.zones.schema)
    metadata = geo_metadata(given.crs, covering=True) if "geometry" in schema.names else {}
    return output.write_part(given.part.id, tables, schema, metadata, receipt)
