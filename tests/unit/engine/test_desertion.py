"""Desertion: how long a run waits for workers, and what it says meanwhile."""

from __future__ import annotations

import pytest

from zonalbatch.engine import desertion
from zonalbatch.engine.desertion import Desertion
from zonalbatch.engine.limits import Limits
from zonalbatch.errors import ClusterError

QUEUED, RUNNING = "2 jobs of slurm: 2 pending (Priority)", "2 jobs of slurm: 2 running"


class Clock:
    """A clock that is set, and what was told by it."""

    def __init__(self, patch: pytest.MonkeyPatch, *, outage: float, wait: float = 0.0) -> None:
        self.now = 1000.0
        self.told: list[str] = []
        patch.setattr(desertion.time, "monotonic", lambda: self.now)
        bounds = Limits(memory=2**30, requests=8, outage=outage, wait=wait)
        self.desertion = Desertion(bounds, self.told.append)

    def after(self, seconds: float, awaited: str = "") -> None:
        """No worker is there so many seconds later."""
        self.now += seconds
        self.desertion.goes_on(awaited)


def test_nothing_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once, and borne as long as an outage."""
    clock = Clock(monkeypatch, outage=900.0)
    for _ in range(10):
        clock.after(90)
    assert clock.told == ["waiting: no worker is there"]
    with pytest.raises(ClusterError, match="for 990 s"):
        clock.after(180)


def test_a_worker_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time counts from when the last worker went."""
    clock = Clock(monkeypatch, outage=900.0)
    clock.after(800)
    clock.desertion.ended()
    clock.after(800)
    clock.after(800)
    assert clock.told == ["waiting: no worker is there"] * 2


def test_hours_in_a_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """While jobs wait in a queue a run does, and says so again: soon if it is another thing."""
    clock = Clock(monkeypatch, outage=900.0)
    clock.after(1)
    for _ in range(60):
        clock.after(100, QUEUED)
    clock.after(61, RUNNING)
    clock.after(1, QUEUED)
    told = [text.removeprefix("waiting: no worker is there, ") for text in clock.told]
    assert told == ["waiting: no worker is there", *[QUEUED] * 15, RUNNING]
    clock.after(899)  # nothing is known of them any more
    with pytest.raises(ClusterError, match="no worker has been there"):
        clock.after(2)


def test_a_wait_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who says how long to wait for workers waits no longer, also for a queue."""
    clock = Clock(monkeypatch, outage=0.0, wait=7200.0)
    clock.after(1)
    clock.after(7199, QUEUED)
    with pytest.raises(ClusterError, match="for 7201 s"):
        clock.after(2, QUEUED)
