"""Execution: all parts of a plan that are not done yet, done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from zonalbatch.engine.course import Course
from zonalbatch.engine.done import Done
from zonalbatch.engine.ledger import Ledger
from zonalbatch.engine.limits import Limits
from zonalbatch.engine.observer import Observer
from zonalbatch.engine.window import Window
from zonalbatch.errors import ReadError, ZonalbatchError
from zonalbatch.planning.files import Part
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt
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
        PassingReadError: a host is down for longer than the limits say to wait.
        KeyboardInterrupt: it was interrupted; what was under way has landed, if it did so in time.
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
    ledger = Ledger(output)
    window = Window(str(plan.folder), client, limits)

    def written(part: Part) -> Receipt | None:
        return output.done([part.id]).get(part.id)

    def take(part: Part, receipt: Receipt) -> None:
        receipt = replace(receipt, reads={})  # they are of now, and no part of the proof
        if not receipt.mismatched:
            ledger.add(receipt)
            done.computed += 1
            done.rewritten += bool(receipt.source)
        done.add(receipt)
        observer.finished(part, receipt)
        _check_failures(done, limits)

    course = Course(todo, done, window, written, limits, observer)
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


def _check_failures(done: Done, limits: Limits) -> None:
    if limits.max_failures is not None and done.failures > limits.max_failures:
        raise ReadError(
            f"{done.failures} things could not be read, more than limits.max_failures "
            f"({limits.max_failures}); see the folder failures, then run again"
        )
