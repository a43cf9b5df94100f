"""A run that listens: workers come to it, stay for the next one, and hear when all is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import zonalbatch as zb
from tests.made.apis import free_port
from tests.made.commands import SCRIPT, assert_one_sentence, command
from tests.made.jobs import amend, many_parts
from tests.made.workers import Program, program, until, worker

pytestmark = pytest.mark.long


class Stage:
    """A job that listens, the programs that are started for it, and what it comes to."""

    def __init__(self, folder: Path, programs: ExitStack) -> None:
        self.folder, self._programs = folder, programs
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        cluster = {"kind": "listen", "address": self.address, "dashboard": ":0"}
        self.job = amend(many_parts(folder), cluster=cluster)

    def worker(self, name: str, *words: object) -> Program:
        """A worker that comes to the run."""
        log = self.folder / f"{name}.log"
        return self._programs.enter_context(worker(log, self.address, "--name", name, *words))

    def run(self, name: str = "run") -> Program:
        """The run."""
        log = self.folder / f"{name}.log"
        return self._programs.enter_context(program(log, SCRIPT, "run", self.job, "--wait", "60s"))

    @property
    def parts(self) -> int:
        """How many parts are there."""
        return len(list((self.folder / "out" / "results").glob("part-*.parquet")))

    def assert_right(self, tmp: Path) -> None:
        """The rows are those of a run on this machine alone."""
        local = amend(self.job, "local.yaml", cluster={"kind": "local", "workers": 1},
                      output={"path": str(tmp / "local")})  # fmt: skip
        assert command("run", local, "--quiet").code == 0
        expected = zb.open_results(tmp / "local").digest
        assert zb.open_results(self.folder / "out").digest == expected


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage of a folder of its own."""
    folder = tmp_path / "stage"
    folder.mkdir()
    with ExitStack() as programs:
        yield Stage(folder, programs)


def test_workers_end_with_the_run(stage: Stage, tmp_path: Path) -> None:
    """Workers may be there before the run and come later; when it has ended they end well."""
    early = stage.worker("early")
    run = stage.run()
    late = stage.worker("late")
    assert run.ended(120) == 0, run.said
    assert f"note: workers come by: zonalbatch worker {stage.address}" in run.said
    assert early.ended(30) == 0, early.said
    assert late.ended(30) == 0, late.said
    stage.assert_right(tmp_path)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_come_to_the_next_run(stage: Stage, tmp_path: Path, how: signal.Signals) -> None:
    """Of a run that was killed or stopped, workers stay for the one that takes its place."""
    one = stage.worker("one")
    first = stage.run("first")
    until(lambda: stage.parts >= 3)
    first.signal(how)
    assert first.ended() in (130, -9)
    assert stage.parts < 240
    second = stage.run("second")
    assert second.ended(120) == 0, second.said
    assert "of them there already" in second.said
    assert one.ended(30) == 0, one.said
    stage.assert_right(tmp_path)


def test_a_worker_that_is_killed(stage: Stage, tmp_path: Path) -> None:
    """The run goes on with those that are left; the machine of one may be taken away."""
    one, _two = stage.worker("one"), stage.worker("two")
    run = stage.run()
    until(lambda: stage.parts >= 3)
    one.kill()
    assert run.ended(120) == 0, run.said
    stage.assert_right(tmp_path)


def test_a_worker_that_is_asked_to_go(stage: Stage) -> None:
    """It does so at once and says by its exit code that its work is not done."""
    one = stage.worker("one")
    run = stage.run()
    until(lambda: stage.parts >= 1)
    one.signal(signal.SIGTERM)
    assert one.ended(20) == 128 + signal.SIGTERM
    assert run.process.poll() is None


def test_a_worker_that_is_asked_to_go_between_two_runs(stage: Stage) -> None:
    """It hears it also while it looks for the next scheduler, and goes at once."""
    one = stage.worker("one")
    run = stage.run()
    until(lambda: stage.parts >= 1)
    run.kill()
    until(lambda: one.said.rstrip().endswith("closed."))
    one.signal(signal.SIGTERM)
    assert one.ended(20) == 128 + signal.SIGTERM


def test_nobody_to_work_for(tmp_path: Path) -> None:
    """Without a scheduler a worker ends after its time limit, with what to look at."""
    told = command("worker", f"tcp://127.0.0.1:{free_port()}", "--death-timeout", "3s")
    assert told.code == 5
    assert told.err.splitlines()[-1].startswith("error: no scheduler was at tcp://127.0.0.1:")


def test_a_worker_without_certificates(tmp_path: Path) -> None:
    """Why a worker found no scheduler stands in its last word: here it has nothing to show."""
    told = command("worker", f"tls://127.0.0.1:{free_port()}", "--death-timeout", "3s")
    assert told.code == 5
    assert "TLS configuration" in told.err.splitlines()[-1]


def test_a_scheduler_that_does_not_come_back(stage: Stage) -> None:
    """A worker whose run is gone waits as long as it was told to, and ends well."""
    run = stage.run()
    until(lambda: "no worker is there" in run.said)  # else the worker may wait for it in vain
    one = stage.worker("one", "--death-timeout", "10s")
    until(lambda: stage.parts >= 1)
    run.kill()
    assert one.ended(60) == 0, one.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give the address of a scheduler"),
        (["10.0.0.1:8786"], "give the address of a scheduler, not '10.0.0.1:8786'"),
        (["http://10.0.0.1:8786"], "give the address of a scheduler"),
        (["tcp://10.0.0.1"], "give the address of a scheduler"),
        (["tcp://10.0.0.1:99999"], "give the address of a scheduler"),
        (["tcp://h:1", "--death-timeout", "soon"], "--death-timeout is 'soon'"),
        (["tcp://h:1", "--memory-limit", "much"], "--memory-limit is 'much'"),
    ],
)
def test_senseless_words(words: list[str], said: str) -> None:
    """Each is one sentence that says what to write."""
    told = command("worker", *words)
    assert told.code == 2
    assert_one_sentence(told.err, said)


def test_a_place_where_nobody_can_listen(tmp_path: Path) -> None:
    """A port that is taken, or a host that is not this machine, is refused in one sentence."""
    job = many_parts(tmp_path)
    cluster = {"kind": "listen", "address": "tcp://192.0.2.1:8786", "dashboard": ":0"}
    told = command("run", amend(job, cluster=cluster), "--quiet")
    assert told.code == 5
    said = "no scheduler can listen at tcp://192.0.2.1:8786, with its dashboard at :0 ([Errno 99]"
    assert_one_sentence(told.err, said)
