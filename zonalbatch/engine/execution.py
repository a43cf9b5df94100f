"""Execution: all parts of a plan that are not done yet, done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from zonalbatch.engine.course import Course
from zonalbatch.engine.done import Done
from zonalbatch.engine.limits import Limits
from zonalbatch.engine.observer import Observer
from zonalbatch.engine.pending import Pending
from zonalbatch.engine.window import Window
from zonalbatch.errors import ReadError, ZonalbatchError
from zonalbatch.planning.files import Part
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt, failed_name
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["execute"]

DRAIN = 10.0
"""Seconds that parts under way have to land when a run is interrupted."""


def execute(
    plan: Plan,
    output: Output,
    workers: Callable[[], Client],
    limits: Limits,
    observer: Observer,
    held: Callable[[], None] = lambda: None,
    *,
    retry_failed: bool = False,
) -> Done:
    """Do all parts of a plan that are not done yet.

    Args:
        plan: what to do.
        output: where results lie and go.
        workers: gives the client to work with; not called where nothing is left to do.
        limits: the bounds of the run.
        observer: who is told how it goes on.
        held: sees that no other run writes to the output.
        retry_failed: do those again, too, that lack what could not be read.

    Raises:
        ClusterError: the cluster was lost.
        OutputError: a worker cannot write.
        ReadError: something cannot be read, and the limits say to stop at it.
        PassingReadError: a host is down for longer than the limits say to wait.
        KeyboardInterrupt: it was interrupted; what was under way has landed, if it did so in time.
    """
    done = Done(plan)
    there = output.done(part.id for part in plan.parts)
    if retry_failed:
        there = {part: receipt for part, receipt in there.items() if not receipt.failures}
    for receipt in there.values():
        done.add(receipt)
    _check_failures(done, output, limits)
    todo = [part for part in plan.parts if part.id not in there]
    if not todo:
        observer.began(plan, list(there.values()), "")
        return done
    client = workers()
    observer.began(plan, list(there.values()), client.dashboard_link)
    ledger = Pending(output)
    window = Window(str(plan.folder), client, limits)

    def take(part: Part, receipt: Receipt) -> None:
        held()
        receipt = replace(receipt, reads={})  # they are of now, and no part of the proof
        if not receipt.mismatched:
            ledger.add(receipt)
            done.computed += 1
            done.rewritten += bool(receipt.source)
        done.add(receipt)
        observer.finished(part, receipt)
        _check_failures(done, output, limits)

    course = Course(todo, done, window, output.whole, limits, observer)
    try:
        for part, receipt in course.settled():
            take(part, receipt)
    except (KeyboardInterrupt, SystemExit):
        with suppress(ZonalbatchError):  # what a part says now is of the interruption
            for part, receipt in course.drained(DRAIN):
                take(part, receipt)
        raise
    finally:
        window.cancel()
        ledger.flush()
    return done


def _check_failures(done: Done, output: Output, limits: Limits) -> None:
    """See that no more has failed than may.

    Raises:
        ReadError: more has.
    """
    most = limits.max_failures
    if most is None:
        return
    failed = len(done.failed | {failed_name(one) for one in done.plan.failures})
    files = done.plan.n_files
    if failed > (most if isinstance(most, int) else most * files):
        told = f"{most}" if isinstance(most, int) else f"{most:.4g} of {files:,} files"
        raise ReadError(
            f"{failed:,} {'file' if failed == 1 else 'files'} could not be read, more than "
            f"limits.max_failures ({told}){_first_cause(done.plan, output)}; mend what can be and "
            "run with --retry-failed (retry_failed=True in Python), or raise the limit"
        )


def _first_cause(plan: Plan, output: Output) -> str:
    """Why the first thing could not be read, as part of a sentence."""
    failures = [*plan.failures, *output.failures(part.id for part in plan.parts)]
    return f", such as: {failures[0].cause}" if failures else ""
