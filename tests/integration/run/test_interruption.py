"""Runs that are stopped, from the command line, and go on."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import zonalbatch as zb
from tests.made.commands import SCRIPT, assert_one_sentence, command, environment
from tests.made.jobs import amend, many_parts
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Stopped:
    """A run from the command line that was stopped."""

    job: Path
    code: int
    told: str
    """What stood on stderr."""


Moment = Callable[[Path, int], bool]
"""Whether a run of a job, in the process of that id, has come so far."""


def written(job: Path, process: int) -> bool:
    """Its first part is there."""
    return any((job.parent / "out" / "results").glob("part-*.parquet"))


def listening(job: Path, process: int) -> bool:
    """Its first lines are run: it takes SIGTERM, which Python by itself does not."""
    status = Path(f"/proc/{process}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def hiring(job: Path, process: int) -> bool:
    """It has begun to start processes: first the one that sees to what they share."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return any(children.read_text() for children in tasks)


def stop(
    job: Path,
    number: signal.Signals,
    times: int = 1,
    *options: str,
    once: Moment = written,
    after: float = 0.0,
) -> Stopped:
    """A run that gets a signal some seconds after a moment, or more of them in a row.

    Ctrl-C reaches all processes of a terminal, SIGTERM the one that was started.
    """
    run = subprocess.Popen(
        [SCRIPT, "run", job, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 90
        while not once(job, run.pid):
            assert run.poll() is None, run.communicate()[1]
            assert time.monotonic() < deadline, "it did not come so far in time"
            time.sleep(0.001)
        time.sleep(after)
        send = os.killpg if number is signal.SIGINT else os.kill
        for _ in range(times):
            send(run.pid, number)
            time.sleep(0.2)
        _, told = run.communicate(timeout=60)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    return Stopped(job, run.returncode, told)


@pytest.fixture(
    scope="module", params=[signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
def stopped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    """A run that was stopped by Ctrl-C, or by whoever ends processes."""
    return stop(many_parts(tmp_path_factory.mktemp("many")), request.param)


class TestInterruption:
    """Runs that are stopped, from the command line, and go on."""

    def test_a_stopped_run_goes_on(self, stopped: Stopped, cluster: Client) -> None:
        """A stopped run exits 130; the next does the rest, and the digest is that of one run."""
        assert stopped.code == 130
        out = stopped.job.parent / "out"
        done = len(list((out / "results").glob("part-*.parquet")))
        document = zb.Job.from_file(stopped.job)
        planned = len(zb.plan(document).parts)
        assert 0 < done < planned
        assert "sealed" not in json.loads((out / "manifest.json").read_text())
        report = zb.run(document, cluster)
        assert report.computed == planned - done
        assert json.loads((out / "manifest.json").read_text())["sealed"]
        digest = zb.open_results(out).digest
        shutil.rmtree(out)
        zb.run(document, cluster)
        assert zb.open_results(out).digest == digest

    def test_a_stopped_run_says_how_to_go_on(self, stopped: Stopped) -> None:
        """A stopped run ends with one sentence, and no traceback of ours or Dask's."""
        assert "Traceback" not in stopped.told, stopped.told
        assert stopped.told.splitlines()[-1].startswith("interrupted; run the same command again")

    @pytest.mark.long
    def test_who_is_impatient(self, tmp_path: Path) -> None:
        """Ctrl-C three times in a row is no more than once: exit 130 and one sentence."""
        stopped = stop(many_parts(tmp_path), signal.SIGINT, times=3)
        assert stopped.code == 130
        said = [line for line in stopped.told.splitlines() if "parts" not in line]
        assert [line.split()[0] for line in said] == ["Dask", "interrupted;"], stopped.told

    def test_a_second_run_beside_it_is_refused(self, tmp_path: Path) -> None:
        """A run beside another one ends with exit 4 and one sentence."""
        job = many_parts(tmp_path)
        with Output.at(job.parent / "out").opened():
            told = command("run", job)
        assert told.code == 4
        assert_one_sentence(told.err, "another run is writing to")


ONE_SENTENCE = "interrupted; run the same command again (a job goes on from what is done)\n"
OF_LINUX = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="how far a process has come is asked of /proc"
)


@OF_LINUX
class TestEarlyInterruption:
    """Runs that are stopped before they have begun."""

    @pytest.mark.parametrize("after", [0.0, *random.Random(1).choices(range(400), k=5)])
    def test_while_modules_are_imported(self, tmp_path: Path, after: float) -> None:
        """Ctrl-C some thousandths of a second after the first line is heard, as it is later."""
        job = many_parts(tmp_path)
        stopped = stop(job, signal.SIGINT, once=listening, after=after / 1000)
        assert (stopped.code, stopped.told) == (130, ONE_SENTENCE)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("after", [0.0, 0.3])
    def test_while_workers_are_started(
        self, tmp_path: Path, number: signal.Signals, after: float
    ) -> None:
        """It is heard when they are there, and they are ended in order."""
        stopped = stop(many_parts(tmp_path), number, once=hiring, after=after)
        assert (stopped.code, stopped.told) == (130, ONE_SENTENCE)
        assert not any((tmp_path / "out" / "results").iterdir())


@OF_LINUX
def test_a_run_that_cannot_go_on_says_so(tmp_path: Path) -> None:
    """With a function without a version the next run is another one, and needs another folder."""
    (tmp_path / "sums.py").write_text("def total(values, fractions):\n    return values.sum()\n")
    job = amend(many_parts(tmp_path), statistics=["sums:total"])
    stopped = stop(job, signal.SIGINT, 1, "--allow-code", once=hiring)
    assert stopped.code == 130
    assert stopped.told == (
        f"interrupted; no run goes on from here, as total has no version: remove {tmp_path / 'out'}"
        ', write total.version = "1", and run again\n'
    )
