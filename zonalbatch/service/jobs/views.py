"""Job views: a job as it is told, and how far it is."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field

from zonalbatch.results import Status
from zonalbatch.service.jobs.runs import status_told
from zonalbatch.service.jobs.store import ENDED, State, Ticket

__all__ = ["PREFIX", "JobBrief", "JobView", "Progress", "brief", "view"]

PREFIX = "/api/v1/jobs"
FRESH, SHARE = 1.0, 20.0
"""A status is looked for again after so many seconds, and so many times what it took: of a run of
many parts it is long in the reading."""
KEPT = 256
"""Jobs whose status is kept."""


class JobLinks(BaseModel):
    """Where more is told."""

    self: str
    events: str
    results: str


class JobBrief(BaseModel):
    """A job, shortly."""

    id: str
    state: State = Field(
        description="queued, running, done, failures (done, and some files could not be read), "
        "failed, cancelled, or interrupted (taken up again by itself)."
    )
    cancelling: bool = Field(description="True until a job that was cancelled has ended.")
    queued: datetime
    began: datetime | None
    ended: datetime | None
    links: JobLinks


class Parts(BaseModel):
    """How many parts of a job are done."""

    done: int
    of: int


class JobView(JobBrief):
    """A job and how far it is."""

    parts: Parts | None = Field(description="None until it is planned.")
    rows: int
    failures: int = Field(description="Files that could not be read.")
    seconds_left: float | None = Field(description="An estimate, by the parts done of late.")
    error: str | None = Field(description="Why it failed.")


@dataclass(slots=True)
class _Seen:
    """What was last seen of a run."""

    status: Status | None
    at: float
    """When, by the monotonic clock; as the others."""
    cost: float
    first: tuple[float, int] | None
    """When parts were first seen of this service, and how many of them were done."""


class Progress:
    """How far jobs are, looked for now and then whoever asks how often."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, ticket: Ticket, folder: Path) -> tuple[Status | None, float | None]:
        """The status of a job, and how many seconds it will take still; None: not known."""
        with self._guard:  # one look for all who ask at once
            seen = self._seen.get(ticket.id)
            if seen is None or _is_old(seen, ticket):
                seen = self._seen[ticket.id] = _look(folder, seen)
            self._seen.move_to_end(ticket.id)
            if len(self._seen) > KEPT:
                self._seen.popitem(last=False)
        return seen.status, _left(seen) if ticket.state == "running" else None


def _is_old(seen: _Seen, ticket: Ticket) -> bool:
    now = time.monotonic()
    if ticket.ended is not None:  # since when nothing changes
        return seen.at <= ticket.ended - time.time() + now
    return now - seen.at > max(FRESH, SHARE * seen.cost)


def _look(folder: Path, before: _Seen | None) -> _Seen:
    began = time.monotonic()
    status, now = status_told(folder), time.monotonic()
    first = before.first if before else None
    if first is None and status is not None:
        first = (now, status.done)
    return _Seen(status, now, now - began, first)


def _left(seen: _Seen) -> float | None:
    if seen.status is None or seen.first is None:
        return None
    began, there = seen.first
    done, seconds = seen.status.done - there, seen.at - began
    if not done or not seconds:
        return None
    return round((seen.status.parts - seen.status.done) * seconds / done, 1)


def brief(ticket: Ticket) -> JobBrief:
    """A job, shortly."""
    own = f"{PREFIX}/{ticket.id}"
    return JobBrief(
        id=ticket.id, state=ticket.state,
        cancelling=ticket.cancelled and ticket.state not in ENDED,
        queued=_moment(ticket.queued),
        began=None if ticket.began is None else _moment(ticket.began),
        ended=None if ticket.ended is None else _moment(ticket.ended),
        links=JobLinks(self=own, events=f"{own}/events", results=f"{own}/results"),
    )  # fmt: skip


def view(ticket: Ticket, status: Status | None, seconds_left: float | None) -> JobView:
    """A job and how far it is."""
    return JobView(
        **brief(ticket).model_dump(),
        parts=None if status is None else Parts(done=status.done, of=status.parts),
        rows=0 if status is None else status.rows,
        failures=0 if status is None else status.failures,
        seconds_left=seconds_left,
        error=ticket.error or None,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
