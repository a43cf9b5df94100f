"""The front door for Python: from a job or a call to a plan, a run, a table."""

from __future__ import annotations

import json
import os
import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from zonalbatch.asked import (
    access_of,
    find_layers,
    find_weights,
    find_zones,
    form_of,
    recipe_of,
    temporal_of,
)
from zonalbatch.claim import (
    as_mended,
    claim,
    earlier_plan,
    note_mended,
    refuse_other_input,
    without_version,
)
from zonalbatch.clusters import leave_if_imported, open_client
from zonalbatch.engine import Done, Limits, Observer, execute
from zonalbatch.errors import ClusterError, InputError, PassingReadError
from zonalbatch.job import Job, LocalCluster
from zonalbatch.layers import Layers
from zonalbatch.planning.earlier import Earlier
from zonalbatch.planning.outside import with_outside
from zonalbatch.planning.peak import PROCESS
from zonalbatch.planning.plan import Plan, make_plan
from zonalbatch.receipts import Report
from zonalbatch.recipe import Recipe, looked_up
from zonalbatch.seal import seal
from zonalbatch.shown import observer_here
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.table import Form, check_names
from zonalbatch.sources import (
    Access,
    Pixels,
    from_header,
    read_headers,
)  # fmt: skip
from zonalbatch.sources.offsets import contradictions
from zonalbatch.temporal import check_temporal_names
from zonalbatch.verification import remove_broken
from zonalbatch.work.part import ACCESS, ARRAYS
from zonalbatch.zones import ZoneReader

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["plan", "run"]

ALL = ("*",)
"""Carry all columns of the zones."""
AnyJob: TypeAlias = Job | str | os.PathLike[str] | Mapping[str, Any]
"""A job, the path of its file, or its document."""


def plan(job: AnyJob, *, prune: bool = False) -> Plan:
    """What a job will do, and what of it is new: parts, rows, bytes, memory. Reads metadata only.

    The plan is stored under the job's output, where a run finds it again.

    Args:
        job: what to do: a job, the path of a job file, or a job's document.
        prune: as in `run`.

    Raises:
        InputError: the job cannot be done as it stands.
        OutputError: the output cannot be written to.
    """
    job = _job(job)
    output = _output(job)
    with output.opened():
        return _Work.of(job, output).planned(prune=prune)


def run(
    job: AnyJob,
    client: Client | None = None,
    observer: Observer | None = None,
    *,
    prune: bool = False,
    retry_failed: bool = False,
    verify: bool = False,
    wait: float = 0.0,
) -> Report:
    """Do a job, or what is left of it, and seal its output.

    Of an output that holds the results of the same recipe over other zones or scenes, only what is
    new is computed.

    Args:
        job: what to do: a job, the path of a job file, or a job's document.
        client: a Dask client to work with; None takes the job's cluster.
        observer: who is told of progress; None shows a bar in notebooks, and nothing elsewhere.
        prune: remove the rows of zones and layers that the job does not name; without it, a job
            that would lose rows is refused.
        retry_failed: do parts again that lack what could not be read; without it, only those whose
            failures may pass.
        verify: see first that all files are as they were written, byte for byte, and do again
            what is not.
        wait: seconds to wait for another run of the output to end, for a scheduler that does not
            answer yet, and for a first worker. A minute passes until a run that was killed lets
            go of a bucket.

    Raises:
        InputError: the job cannot be done as it stands; nothing was computed.
        OutputError: the output cannot be written to.
        ClusterError: there is no cluster, or it was lost; a second run goes on from there.
    """
    leave_if_imported()
    began = time.perf_counter()
    job = _job(job)
    if client is not None:
        _check_client(client)
    output = _output(job)
    observer = observer or observer_here()
    limits = Limits(
        memory=_memory_of_part(job),
        requests=job.limits.requests_in_flight,
        outage=job.limits.outage,
        wait=wait,
        max_failures=job.limits.max_failures,
        strict=job.on_failure == "raise",
    )
    with output.opened(wait) as held:
        damaged = verify and output.drop_damaged_manifest()
        work = _Work.of(job, output)
        made = work.planned(prune=prune)
        output.make_folders()
        work.claim(made)
        broken = remove_broken(made, output) if verify else []
        broken += ["manifest.json"] * damaged
        with ExitStack() as opened:
            workers = cache(lambda: client or opened.enter_context(_opened_cluster(job, wait)))
            made, done = work.executed(
                made, workers, limits, observer, held, retry_failed=retry_failed
            )
        held()
        sealed = seal(made, output, done, temporal_of(job), job.picks())
        made = made if done.met.any() else with_outside(made)
    return Report(
        output=str(output.path),
        fingerprint=made.fingerprint,
        parts=len(made.parts),
        computed=done.computed,
        rewritten=done.rewritten,
        rows=sealed.rows,
        bytes=sealed.bytes,
        failures=sealed.failures,
        seconds=time.perf_counter() - began,
        notes=(*made.notes, *contradictions(done.contradicted), *_mended(broken)),
    )


def _mended(broken: Sequence[str]) -> Iterator[str]:
    """What is said of files that were broken."""
    if broken:
        some = ", ".join(broken[:3]) + ", …" * (len(broken) > 3)
        were = "file was" if len(broken) == 1 else "files were"
        yield f"{len(broken)} {were} not as written, and made again: {some}"


def _job(job: AnyJob) -> Job:
    if isinstance(job, Job):
        return job
    if isinstance(job, str | os.PathLike):
        return Job.from_file(job)
    if isinstance(job, Mapping) and all(isinstance(key, str) for key in job):
        return Job(**job)
    raise InputError(
        f"a job is a Job, the path of a job file, or a document, not a {type(job).__name__}"
    )


def _check_client(client: object) -> None:
    from distributed import Client

    if not isinstance(client, Client):
        raise InputError(
            f"client is a {type(client).__name__}; give a distributed.Client, such as "
            "Client(cluster) or Client(address)"
        )
    if client.status in ("closed", "closing"):
        raise ClusterError("the client is closed; give an open distributed.Client")


def _opened_cluster(job: Job, wait: float) -> AbstractContextManager[Client]:
    return open_client(job.cluster, job.limits.memory, wait)


def _memory_of_part(job: Job) -> int:
    """Bytes that a process may take for a part, where its threads work on one each."""
    threads = job.cluster.threads if isinstance(job.cluster, LocalCluster) else 1
    return PROCESS + (job.limits.memory - PROCESS) // threads


def _output(job: Job) -> Output:
    return Output.at(job.output.path)


@dataclass(slots=True, eq=False)
class _Work:
    """A job on its way from document to result."""

    job: Job
    output: Output
    zones: ZoneReader
    found: Layers
    arrays: Mapping[str, Pixels]
    recipe: Recipe
    form: Form

    @classmethod
    def of(cls, job: Job, output: Output) -> _Work:
        """Look at the job's zones and source."""
        recipe = recipe_of(job)
        zones = find_zones(job, ALL if job.zones.columns is None else job.zones.columns)
        check_names(
            recipe, Form(prefix=job.prefix or "", overviews=job.resolution is not None),
            zones.carried.names,
        )  # fmt: skip
        found, arrays = find_layers(job)
        weights, array = find_weights(job)
        recipe, arrays = replace(recipe, weights=weights), {**arrays, **array}
        recipe = looked_up(recipe, found)
        if (pick := job.picks()) is not None:
            pick.check_dated(found.layers)
        form = form_of(job, found)
        check_names(recipe, form, zones.carried.names)
        if (temporal := temporal_of(job)) is not None:
            temporal.check_dated(found.layers)
            check_temporal_names(temporal, recipe, form, zones.carried.names)
        return cls(job, output, zones, found, arrays, recipe, form)

    def planned(self, *, prune: bool) -> Plan:
        """The plan, stored; it goes on from the one whose results the output holds."""
        earlier = earlier_plan(self.output, self.recipe, self.form, self.job.grouping(), self.zones)
        if earlier is not None:
            self.found = as_mended(self.found, earlier, self.output)
        made = self._made(earlier, prune=prune)
        if earlier is None:
            refuse_other_input(self.output, made)
        if name := without_version(self.recipe):
            said = f'{name} has no version, so that no run can go on; write {name}.version = "1"'
            made = replace(made, notes=(*made.notes, said))
        return made if made.parts else with_outside(made)

    def _made(self, earlier: Earlier | None, *, prune: bool) -> Plan:
        """The plan, stored with what its workers need to open its files."""
        made = make_plan(
            self.zones, self.found, self.recipe, self.form, self.output.plans, earlier,
            prune=prune, memory=_memory_of_part(self.job),
        )  # fmt: skip
        if self.arrays:
            with (made.folder / ARRAYS).replacing() as file:
                pickle.dump(self.arrays, file)
        # Not part of the plan's identity: a plan that was made without it lies there, too.
        (made.folder / ACCESS).write_text(json.dumps(access_of(self.job).document))
        return made

    def claim(self, made: Plan) -> None:
        """Note in the output whose results it holds, and what was asked for."""
        claim(self.output, made, self.job.grouping())
        if not self.job.in_memory:  # after the manifest, by which the folder is known as ours
            (self.output.path / "job.yaml").write_text(self.job.told)

    def executed(
        self,
        made: Plan,
        workers: Callable[[], Client],
        limits: Limits,
        observer: Observer,
        held: Callable[[], None],
        *,
        retry_failed: bool,
    ) -> tuple[Plan, Done]:
        """Do the plan; layers whose items are wrong about their files are planned again.

        Raises:
            PassingReadError: the files of such layers could be read, and now they cannot.
        """
        computed = rewritten = 0
        while True:
            done = execute(
                made, self.output, workers, limits, observer, held, retry_failed=retry_failed
            )
            made, retry_failed = done.plan, False
            done.computed += computed
            done.rewritten += rewritten
            if not done.mismatched:
                return made, done
            computed, rewritten = done.computed, done.rewritten
            again = self._mended(made, done.mismatched)
            if again.fingerprint == made.fingerprint:
                raise PassingReadError(
                    f"the header of a file of layer {min(done.mismatched)!r} could be read, and "
                    "now it cannot; run again to go on: what is done is kept"
                )
            made = again

    def _mended(self, made: Plan, mismatched: set[str]) -> Plan:
        """The plan with some layers as their files say that they are."""
        found = _by_headers(self.found, mismatched, access_of(self.job))
        lost = {one.id for one in self.found.layers} - {one.id for one in found.layers}
        note_mended(self.output, self.found, mismatched - lost)
        self.found = found
        again = self._made(Earlier.of(made.folder), prune=True)
        claim(self.output, again, self.job.grouping())
        return again


def _by_headers(found: Layers, mismatched: set[str], access: Access) -> Layers:
    """The layers with those planned again by their files' headers."""
    wrong = [layer for layer in found.layers if layer.id in mismatched]
    headers = read_headers([a.href for layer in wrong for a in layer.assets], access)
    mended = {layer.id: from_header(layer, headers) for layer in wrong}
    notes = tuple(
        f"item and file of layer {layer.id!r} disagree about the grid; the file was believed"
        for layer in wrong
    )
    layers = tuple(mended.get(layer.id, layer) for layer in found.layers)
    return replace(found, layers=layers, notes=(*found.notes, *notes))
