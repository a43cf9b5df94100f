"""Engine: plan + client + output -> report. The only module that knows Dask's futures.

A sliding window of futures is kept, so that a cluster which grows with its backlog sees one and
the client's memory does not grow with the number of parts. Each future is let go when its receipt
has come in; receipts are appended to the ledger every few seconds.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import ClusterError, OutputError, ReadError
from zonalbatch.planning.files import Part
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt, unpack_bits
from zonalbatch.sinks.output import Output
from zonalbatch.work.part import run_part

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Done", "Limits", "Observer", "execute"]

WINDOW = 2_000
"""The most parts that the scheduler knows of at once."""

FLUSH = 10.0
"""Seconds between two files of the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of a run."""

    memory: int
    """Bytes that a worker process may take."""
    requests: int
    """Reads that one worker process may have under way at once."""
    max_failures: int | None = None
    """Failures after which the run stops."""
    strict: bool = False
    """Stop at the first failure."""


class Observer(Protocol):
    """Who is told how a run goes on."""

    def began(self, plan: Plan, there: Sequence[Receipt], dashboard: str) -> None:
        """A run begins, with these parts already there."""
        ...

    def finished(self, part: Part, receipt: Receipt) -> None:
        """A part is written."""
        ...


@dataclass(slots=True, eq=False)
class Done:
    """What has been done of a plan."""

    plan: Plan
    rows: int = 0
    failures: int = 0
    computed: int = 0
    """Parts written, now and not before."""
    rewritten: int = 0
    """How many of these from the rows of earlier parts."""
    mismatched: set[str] = field(default_factory=set)
    """Layers that must be planned again by their files."""
    applied: dict[str, Any] = field(default_factory=dict)
    """`key_of` a band -> (nodata, scale, offset) where the plan left them to the file."""
    contradicted: dict[str, Any] = field(default_factory=dict)
    """`key_of` a band -> (scale, offset) of its file's tags, where others were applied."""
    met: NDArray[np.bool_] = field(init=False)
    """(zone,) True if the zone has a row."""

    _parts: dict[str, Part] = field(init=False)

    def __post_init__(self) -> None:
        self.met = np.zeros(self.plan.n_zones, bool)
        self._parts = {part.id: part for part in self.plan.parts}

    def add(self, receipt: Receipt) -> None:
        """Count a receipt in."""
        if receipt.mismatched:
            self.mismatched |= set(receipt.mismatched)
            return
        self.rows += receipt.rows
        self.failures += receipt.failures
        self.applied |= receipt.applied
        self.contradicted |= receipt.contradicted
        part = self._parts[receipt.part]  # a receipt tells of the plan that it was written for
        unmet = unpack_bits(receipt.unmet, part.stop - part.start)
        self.met[part.start : part.stop] |= ~unmet


def execute(
    plan: Plan,
    output: Output,
    workers: Callable[[], Client],
    limits: Limits,
    observer: Observer,
) -> Done:
    """Do all parts of a plan that are not done yet.

    Args:
        plan: what to do.
        output: where results lie and go.
        workers: gives the client to work with; not called where nothing is left to do.
        limits: the bounds of the run.
        observer: who is told how it goes on.

    Raises:
        ClusterError: the cluster was lost.
        OutputError: a worker cannot write.
        ReadError: something cannot be read, and the limits say to stop at it.
    """
    done = Done(plan)
    there = output.done(part.id for part in plan.parts)
    for receipt in there.values():
        done.add(receipt)
    todo = [part for part in plan.parts if part.id not in there]
    if not todo:
        observer.began(plan, list(there.values()), "")
        return done
    client = workers()
    observer.began(plan, list(there.values()), client.dashboard_link)
    ledger = _Ledger(output)
    try:
        for part, receipt in _submitted(todo, plan, client, limits):
            if not receipt.mismatched:
                ledger.add(receipt)
                done.computed += 1
                done.rewritten += bool(receipt.source)
            done.add(receipt)
            observer.finished(part, receipt)
            _check_failures(done, limits)
    finally:
        ledger.flush()
    return done


def _submitted(
    todo: Sequence[Part], plan: Plan, client: Client, limits: Limits
) -> Iterator[tuple[Part, Receipt]]:
    """Each part with its receipt, as they come in; a window of them is under way."""
    from distributed import as_completed

    waiting = iter(todo)
    attempt = uuid.uuid4().hex[:8]  # keys of an earlier run may linger in a scheduler that stays
    under_way: dict[Any, Part] = {}
    submit = _submitter(plan, client, limits, attempt)

    def more(count: int) -> list[Any]:
        futures = []
        for part in islice(waiting, count):  # zip would take one more than it gives
            future = submit(part)
            under_way[future] = part
            futures.append(future)
        return futures

    completed = as_completed(more(min(len(todo), WINDOW)))
    try:
        for future in completed:
            part = under_way.pop(future)
            receipt = _receipt_of(future, part)
            future.release()
            yield part, receipt
            for new in more(1):
                completed.add(new)
    finally:
        if under_way:
            client.cancel(list(under_way), force=True)


def _submitter(plan: Plan, client: Client, limits: Limits, attempt: str) -> Callable[[Part], Any]:
    def submit(part: Part) -> Any:
        return client.submit(
            run_part, str(plan.folder), part.id, limits.memory, limits.requests, limits.strict,
            key=f"part-{part.id}-{attempt}", pure=False,
        )  # fmt: skip

    return submit


def _receipt_of(future: Any, part: Part) -> Receipt:
    from distributed import CancelledError, KilledWorker

    try:
        receipt: Receipt = future.result()
    except KilledWorker as error:
        raise ClusterError(
            f"workers died three times over part {part.id} ({part.stop - part.start} zones, "
            f"{len(part.layers)} layers); give them more memory or lower limits.memory, "
            "then run again: what is done is kept"
        ) from error
    except CancelledError as error:
        raise ClusterError(
            "the cluster was lost; start it and run again: what is done is kept"
        ) from error
    return receipt


def _check_failures(done: Done, limits: Limits) -> None:
    if limits.max_failures is not None and done.failures > limits.max_failures:
        raise ReadError(
            f"{done.failures} things could not be read, more than limits.max_failures "
            f"({limits.max_failures}); see the folder failures, then run again"
        )


class _Ledger:
    """Receipts on their way to the ledger."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._pending: list[Receipt] = []
        self._flushed = time.monotonic()

    def add(self, receipt: Receipt) -> None:
        """Take in a receipt; write all pending ones from time to time."""
        self._pending.append(receipt)
        if time.monotonic() - self._flushed > FLUSH:
            self.flush()

    def flush(self) -> None:
        """Write all pending receipts."""
        pending, self._pending = self._pending, []
        self._flushed = time.monotonic()
        try:
            self._output.ledger.append(pending)
        except OutputError:
            self._pending = pending  # the files themselves carry their receipts
            raise
