"""Jobs as they are told: how far they are, and each time that they change."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from zonalbatch.results import Status
from zonalbatch.service.jobs import events as job_events
from zonalbatch.service.jobs import views as job_views
from zonalbatch.service.jobs.events import events
from zonalbatch.service.jobs.store import State, Ticket
from zonalbatch.service.jobs.views import JobView, Progress, view

TICKET = Ticket(id="a" * 32, owner="", queued=1.0, began=2.0, state="running")


def status(done: int) -> Status:
    """Of a run of ten parts."""
    return Status(
        output="out", fingerprint="f", sealed=False, parts=10, done=done, failed=0,
        rows=7 * done, bytes=0, failures=0,
    )  # fmt: skip


def seen(state: State, done: int) -> JobView:
    """A job that has come so far."""
    return view(replace(TICKET, state=state), status(done), None)


def streamed(views: Sequence[JobView], leaving_after: int = 10**9) -> list[str]:
    """What is sent of a job that is so at each look, and then as it was last."""
    looks = [0]

    def told() -> JobView:
        looks[0] += 1
        return views[min(looks[0], len(views)) - 1]

    async def run() -> list[str]:
        return [one async for one in events(told, lambda: looks[0] >= leaving_after)]

    return asyncio.run(asyncio.wait_for(run(), 20))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between looks."""
    monkeypatch.setattr(job_events, "LOOK", 0.001)


def test_each_change_once() -> None:
    """Looks that see nothing new say nothing; the last event tells that nothing follows."""
    told = streamed([seen("running", n) for n in (1, 1, 2, 2, 2)] + [seen("done", 10)])
    heads = [one.splitlines()[:2] for one in told]
    assert heads == [
        ["id: 0", "event: progress"], ["id: 1", "event: progress"], ["id: last", "event: ended"],
    ]  # fmt: skip
    parts = [json.loads(one.splitlines()[2].removeprefix("data: "))["parts"] for one in told]
    assert parts == [{"done": done, "of": 10} for done in (1, 2, 10)]
    assert all(one.endswith("\n\n") for one in told)


def test_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing changes, a comment keeps the connection open."""
    monkeypatch.setattr(job_events, "BEAT", 0.0)
    told = streamed([seen("running", 1)] * 3 + [seen("cancelled", 1)])
    assert told[1] == ": it goes on\n\n"
    assert "event: ended" in told[-1]


def test_a_service_that_stops() -> None:
    """Its streams end, without a last event: who watches comes again."""
    told = streamed([seen("running", 1)], leaving_after=3)
    assert len(told) == 1


def test_how_long_it_takes_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the parts done since it is watched; of a job that is not run, nothing."""
    clock, done = [100.0], [2]
    monkeypatch.setattr(job_views.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(job_views, "status_told", lambda folder: status(done[0]))
    progress = Progress()
    assert progress.of(TICKET, Path()) == (status(2), None)
    clock[0], done[0] = 110.0, 6
    assert progress.of(TICKET, Path()) == (status(6), 10.0)
    assert progress.of(replace(TICKET, state="interrupted"), Path())[1] is None


def test_looks_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks how often: none before a second, nor again once it has ended."""
    looks: list[Path] = []

    def look(folder: Path) -> None:
        looks.append(folder)

    monkeypatch.setattr(job_views, "status_told", look)
    progress = Progress()
    for _ in range(5):
        progress.of(TICKET, Path())
    assert len(looks) == 1
    over = replace(TICKET, state="done", ended=time.time())
    time.sleep(0.01)
    for _ in range(5):  # what was seen before its end is not believed
        progress.of(over, Path())
    assert len(looks) == 2
