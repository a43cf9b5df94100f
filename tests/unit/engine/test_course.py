"""Course: the order in which parts go, on a cluster that does what a test says."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from zonalbatch.engine import Limits, course, losses, outage
from zonalbatch.engine.course import Course
from zonalbatch.engine.window import Loss, Window
from zonalbatch.errors import ClusterError, PassingReadError
from zonalbatch.hosts import ANSWERED, FAILED
from zonalbatch.planning.files import Part
from zonalbatch.receipts import Receipt

HOST = "https://data.example"
Answer = Callable[[str, int], Receipt | Loss]
"""What becomes of a part when it is done for the so-manieth time."""


def parts(count: int) -> list[Part]:
    """Parts of one zone and one layer."""
    return [Part(f"{i:032x}", "0.0.0", "2024", i, i + 1, (0,), (0,), 1) for i in range(count)]


@dataclass
class Cluster:
    """A window of so many parts; one after the other lands, when it is asked."""

    answer: Answer
    size: int = 1000
    sent: list[list[str]] = field(default_factory=list)
    """For each submission, all parts that are under way with it."""
    taken: int = 0
    slots: int = 2
    outgrown: bool = False
    _under_way: deque[Part] = field(default_factory=deque)
    _times: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self._under_way)

    @property
    def room(self) -> int:
        """How many more may be submitted."""
        return self.size - len(self)

    @property
    def awaited(self) -> str:
        """Nothing is known of workers to come."""
        return ""

    def look(self) -> int:
        """Number of workers."""
        return self.slots

    def submit(self, part: Part) -> None:
        """Take a part."""
        self._under_way.append(part)
        self.sent.append([one.id for one in self._under_way])

    def landed(self, patience: float) -> Iterator[tuple[Part, Receipt | Loss]]:
        """The first of all."""
        if self._under_way:
            part = self._under_way.popleft()
            self._times[part.id] += 1
            yield part, self.answer(part.id, self._times[part.id])

    def take_back(self, patience: float = 0.0) -> list[Part]:
        """All but the first, which a worker works on."""
        queued = list(self._under_way)[1:]
        self._under_way = deque(list(self._under_way)[:1])
        self.taken += len(queued)
        return queued


@dataclass
class Ear:
    """An observer that keeps what it is told."""

    texts: list[str] = field(default_factory=list)

    def told(self, text: str, parts: int) -> None:
        """Keep it."""
        self.texts.append(text)


def course_of(todo: list[Part], cluster: Cluster, ear: Ear | None = None, **limits: Any) -> Course:
    """The course of some parts on a cluster."""
    done: Any = SimpleNamespace(plan=SimpleNamespace(parts=todo, folder="plan"))
    bounds = Limits(memory=1, requests=1, **limits)
    window = cast(Window, cluster)
    return Course(todo, done, window, lambda part: None, bounds, cast(Any, ear or Ear()))


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "AGAIN", (0.0, 0.0))
    monkeypatch.setattr(outage, "FIRST", 0.0)
    monkeypatch.setattr(outage, "LONGEST", 0.0)


def fine(name: str, time: int = 1) -> Receipt:
    """A part that is done."""
    return Receipt(part=name, reads={HOST: 5 * ANSWERED})


def failed(name: str, reads: int = 5) -> Receipt:
    """A part whose reads failed in a passing way."""
    return Receipt(part=name, failures=1, passing=1, reads={HOST: reads * FAILED})


@pytest.mark.parametrize("size", [1, 2, 3, 2000])
def test_each_part_is_settled_once(size: int) -> None:
    """However many the window holds, all parts are submitted, and none twice."""
    todo = parts(25)
    cluster = Cluster(fine, size)
    settled = [part for part, _ in course_of(todo, cluster).settled()]
    assert settled == todo
    assert max(map(len, cluster.sent)) <= size


def test_a_suspect_goes_alone() -> None:
    """A part that lost its worker twice waits until all others are done, and goes by itself."""
    todo = parts(5)
    bad = todo[1].id
    cluster = Cluster(lambda n, time: Loss.WORKER if n == bad and time < 3 else fine(n), size=3)
    settled = [part.id for part, _ in course_of(todo, cluster).settled()]
    assert sorted(settled) == [part.id for part in todo]
    assert settled[-1] == bad
    assert cluster.sent[-1] == [bad]
    assert sum(under_way[-1] == bad for under_way in cluster.sent) == 3


def test_losses_in_vain_end_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is done between many losses, something else than a part is wrong."""
    monkeypatch.setattr(losses, "IN_VAIN", 7)
    cluster = Cluster(lambda name, time: Loss.WORKER)
    with pytest.raises(ClusterError, match="7 workers were lost"):
        list(course_of(parts(20), cluster).settled())


def test_passing_failures_are_done_again_last() -> None:
    """What fails in passing is done again after all others, twice at most, and then recorded."""
    todo = parts(4)
    once, ever = todo[0].id, todo[1].id

    def answer(name: str, time: int) -> Receipt:
        return failed(name, 1) if name == ever or (name == once and time == 1) else fine(name)

    cluster = Cluster(answer)
    settled = {part.id: receipt for part, receipt in course_of(todo, cluster).settled()}
    assert [one[-1] for one in cluster.sent] == [*(p.id for p in todo), once, ever, ever]
    assert settled[once].passing == 0
    assert settled[ever].passing == 1


def test_a_host_that_is_down_is_waited_for() -> None:
    """Submission pauses, one part at a time tries the host, and all is done when it is well."""
    todo, ear = parts(30), Ear()
    cluster = Cluster(lambda name, time: fine(name))
    landed: list[str] = []

    def answer(name: str, time: int) -> Receipt:
        landed.append(name)
        return failed(name) if 3 < len(landed) <= 12 else fine(name)

    cluster.answer = answer
    settled = [receipt for _, receipt in course_of(todo, cluster, ear).settled()]
    assert len(settled) == 30
    assert not any(receipt.passing for receipt in settled)
    assert cluster.taken > 10
    assert [text.split(":")[0] for text in ear.texts][-1] == "going on"
    assert {text.split(":")[0] for text in ear.texts[:-1]} == {"paused"}
    assert HOST in ear.texts[0]
    first = next(i for i, under_way in enumerate(cluster.sent) if i >= 30)
    tries = len(ear.texts) - 1
    assert all(len(under_way) == 1 for under_way in cluster.sent[first : first + tries])


@pytest.mark.parametrize("limit", [0.0, 0.05])
def test_an_outage_has_an_end(limit: float) -> None:
    """Who is down for longer than is waited for ends the run, which says who and how to go on."""
    cluster = Cluster(lambda name, time: failed(name))
    with pytest.raises(PassingReadError, match=r"data\.example") as caught:
        list(course_of(parts(9), cluster, outage=limit).settled())
    assert caught.value.exit_code == 3
    assert "limits.outage" in str(caught.value)


def test_the_last_parts_are_tried_too_while_a_host_is_down() -> None:
    """A host that goes down with the last part costs it no try."""
    todo = parts(5)
    cluster = Cluster(lambda name, time: failed(name) if time < 9 else fine(name))
    settled = [receipt for _, receipt in course_of(todo, cluster).settled()]
    assert [receipt.passing for receipt in settled] == [0] * 5


def test_what_is_under_way_lands_when_a_run_is_interrupted() -> None:
    """What no worker works on is taken back; what is done counts, what failed does not."""
    todo = parts(6)
    cluster = Cluster(lambda name, time: fine(name))
    going = course_of(todo, cluster)
    first, _ = next(going.settled())
    drained = [part for part, _ in going.drained(1.0)]
    assert [first, *drained] == todo[:2]
    assert cluster.taken == 4


def test_shares_follow_a_cluster_that_grows() -> None:
    """Where many more workers have come, what waits is submitted anew, with smaller shares."""
    cluster = Cluster(lambda name, time: fine(name), outgrown=True)
    assert len(list(course_of(parts(3), cluster).settled())) == 3
    assert cluster.taken > 0


def test_no_worker_is_told_of_once() -> None:
    """Who waits for workers is told so, once."""
    ear = Ear()
    cluster = Cluster(lambda name, time: fine(name), slots=0)
    list(course_of(parts(5), cluster, ear).settled())
    assert ear.texts == ["waiting: no worker is there"]
