"""Runs that are stopped, from the command line, and go on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import zonalbatch as zb
from tests.made.commands import SCRIPT, assert_one_sentence, command, environment
from tests.made.jobs import many_parts
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


def stop(job: Path, number: signal.Signals, times: int = 1) -> Stopped:
    """A run that gets a signal once its first part is there, or more of them in a row.

    Ctrl-C reaches all processes of a terminal, SIGTERM the one that was started.
    """
    run = subprocess.Popen(
        [SCRIPT, "run", job], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), start_new_session=True,
    )  # fmt: skip
    try:
        results, deadline = job.parent / "out" / "results", time.monotonic() + 90
        while not any(results.glob("part-*.parquet")):
            assert run.poll() is None, run.communicate()[1]
            assert time.monotonic() < deadline, "no part was written in time"
            time.sleep(0.005)
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
        assert not json.loads((out / "manifest.json").read_text())["sealed"]
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

    def test_who_is_impatient(self, tmp_path: Path) -> None:
        """Ctrl-C three times in a row is no more than once: exit 130 and one sentence."""
        stopped = stop(many_parts(tmp_path), signal.SIGINT, times=3)
        assert stopped.code == 130
        said = [line for line in stopped.told.splitlines() if "parts" not in line]
        assert [line.split()[0] for line in said] == ["Dask", "interrupted;"], stopped.told

    def test_a_second_run_beside_it_is_refused(self, tmp_path: Path) -> None:
        """A run beside another one ends with exit 4 and one sentence."""
        job = many_parts(tmp_path)
        with Output(job.parent / "out").opened():
            told = command("run", job)
        assert told.code == 4
        assert_one_sentence(told.err, "another run is writing to")
