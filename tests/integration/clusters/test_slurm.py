"""Slurm: a real one on this machine runs the workers of a job."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import zonalbatch as zb
from tests.made.commands import Told, assert_one_sentence, command
from tests.made.jobs import amend, many_parts
from tests.made.slurm import CLOSED, PARTITION, Slurm, slurm

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def queue() -> Iterator[Slurm]:
    """A Slurm with a node of two processors."""
    with slurm() as one:
        yield one


@pytest.fixture
def job(queue: Slurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job of many parts, in a folder from which jobs can be submitted."""
    for name, value in queue.environment.items():
        monkeypatch.setenv(name, value)
    return many_parts(tmp_path)


def _run(job: Path, workers: Any, *words: object, **options: Any) -> Told:
    """Run a job on Slurm."""
    keys = {"kind": "slurm", "workers": workers, "options": {"queue": PARTITION} | options}
    amended = amend(job, "slurm.yaml", cluster=keys, output={"path": "by_slurm"})
    return command("run", amended, *words, folder=job.parent)


def _await_none(queue: Slurm) -> None:
    """No job is left, once Slurm has seen that those which were cancelled are gone."""
    for _ in range(200):
        if not queue.jobs():
            return
        time.sleep(0.1)
    pytest.fail(queue.asked("squeue"))


@pytest.mark.parametrize("workers", [2, {"minimum": 0, "maximum": 2}])
def test_a_job_on_slurm(job: Path, queue: Slurm, workers: Any) -> None:
    """Workers that are jobs of Slurm make the rows of a local run; none is left thereafter."""
    told = _run(job, workers)
    assert told.code == 0, told.err
    assert command("run", job, folder=job.parent).code == 0
    made, expected = (zb.open_results(job.parent / name) for name in ("by_slurm", "out"))
    assert made.digest == expected.digest
    _await_none(queue)
    logs = list((job.parent / "zonalbatch-logs").iterdir())
    assert any("zonalbatch" not in log.name and log.suffix == ".err" for log in logs)
