"""Slurm: a real one on this machine runs the workers of a job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from distributed import default_client

import zonalbatch as zb
from tests.made.commands import Told, assert_one_sentence, command
from tests.made.jobs import amend, many_parts
from tests.made.slurm import CLOSED, PARTITION, Slurm, slurm
from zonalbatch.clusters import jobs
from zonalbatch.engine import desertion
from zonalbatch.errors import ClusterError

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
    monkeypatch.chdir(tmp_path)
    return many_parts(tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are looked after more often than is good for a real queue."""
    monkeypatch.setattr(jobs, "KEPT", 0.5)
    monkeypatch.setattr(jobs, "ASKED", 1.0)
    monkeypatch.setattr(jobs, "LOST", 2.0)


@dataclass
class Heard:
    """An observer, and what is to be done at what it hears."""

    act: Callable[[str], object] = lambda _: None
    texts: list[str] = field(default_factory=list)
    parts: int = 0

    def began(self, plan: object, there: object, dashboard: str) -> None:
        """A run begins."""

    def finished(self, part: object, receipt: object) -> None:
        """A part is written."""
        self.parts += 1
        self.act(f"part {self.parts}")

    def told(self, text: str, parts: int) -> None:
        """Something is waited for."""
        self.texts.append(text)
        self.act(text)


def _on_slurm(job: Path, workers: Any, **options: Any) -> Path:
    """The job with workers that Slurm starts."""
    keys = {"kind": "slurm", "workers": workers, "options": {"queue": PARTITION} | options}
    output = {"path": str(job.parent / "by_slurm")}
    return amend(job, "slurm.yaml", cluster=keys, output=output)


def _run(job: Path, workers: Any, *words: object, **options: Any) -> Told:
    return command("run", _on_slurm(job, workers, **options), *words, folder=job.parent)


def _logs(job: Path) -> list[Path]:
    """What workers have printed, a file of each job that has begun."""
    return list((job.parent / "zonalbatch-logs").glob("dask-worker-*.err"))


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
    assert "Error" not in told.err
    assert command("run", job, folder=job.parent).code == 0
    made, expected = (zb.open_results(job.parent / name) for name in ("by_slurm", "out"))
    assert made.digest == expected.digest
    _await_none(queue)
    assert _logs(job)
    assert not list(job.parent.glob("slurm-*.out"))


@pytest.mark.parametrize("workers", [2, {"minimum": 0, "maximum": 2}])
def test_jobs_that_slurm_refuses(job: Path, queue: Slurm, workers: Any) -> None:
    """What Slurm says is the error, at once."""
    told = _run(job, workers, "--quiet", queue="nowhere")
    assert told.code == 5
    assert_one_sentence(told.err, "slurm refuses", "Invalid partition name", "cluster.options")


def test_jobs_that_wait(job: Path, queue: Slurm, monkeypatch: pytest.MonkeyPatch) -> None:
    """While jobs wait in the queue a run waits, and says for what."""
    monkeypatch.setattr(jobs, "KEPT", 0.5)
    monkeypatch.setattr(desertion, "LONELY", 0.0)

    def open_partition(text: str) -> None:
        if "PartitionDown" in text:
            queue.asked("scontrol", "update", f"PartitionName={CLOSED}", "State=UP")

    heard = Heard(open_partition)
    limits = {"outage": 8}
    try:
        zb.run(amend(_on_slurm(job, 1, queue=CLOSED), limits=limits), observer=heard)
    finally:
        queue.asked("scontrol", "update", f"PartitionName={CLOSED}", "State=DOWN")
    assert any("1 job of slurm: 1 pending (PartitionDown)" in text for text in heard.texts)


@pytest.mark.usefixtures("quick")
def test_a_wait_that_has_an_end(job: Path, queue: Slurm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who says how long to wait waits no longer, whatever the queue still promises."""
    monkeypatch.setattr(desertion, "LONELY", 0.0)
    with pytest.raises(ClusterError, match="no worker has been there"):
        zb.run(
            amend(_on_slurm(job, 1, queue=CLOSED), limits={"outage": 0}),
            observer=Heard(), wait=3.0,
        )  # fmt: skip
    _await_none(queue)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("workers", "cores"), [(2, 1), (2, 2), ({"minimum": 0, "maximum": 2}, 2)])
def test_jobs_that_are_ended(job: Path, queue: Slurm, workers: Any, cores: int) -> None:
    """Others take the place of jobs that the queue ends, also of those of several processes."""
    heard = Heard(lambda text: queue.cancel() if text == "part 10" else None)
    report = zb.run(_on_slurm(job, workers, cores=cores), observer=heard)
    assert report.failures == 0
    assert len(_logs(job)) > 2 // cores
    _await_none(queue)


@pytest.mark.usefixtures("quick")
def test_workers_that_leave_in_time(job: Path) -> None:
    """A worker that leaves before its walltime is no loss."""

    left: list[object] = []

    def leave(text: str) -> None:
        client = default_client()
        workers = list(client.scheduler_info(n_workers=-1)["workers"])
        if len(workers) == 2 and not left:  # one of them goes, as at the end of its lifetime
            left.append(client.retire_workers(workers[:1]))

    heard = Heard(leave)
    report = zb.run(_on_slurm(job, 2), observer=heard)
    assert report.failures == 0
    assert left
    assert not any("halved" in text for text in heard.texts)


@pytest.mark.usefixtures("quick")
def test_nodes_without_the_environment(job: Path, queue: Slurm) -> None:
    """If job after job ends before its worker comes, the error says what the last one printed."""
    with pytest.raises(ClusterError, match=r"3 jobs of slurm ended.*zonalbatch-logs.*No such file"):
        zb.run(_on_slurm(job, 1, python="/nowhere/python"), observer=Heard())
    _await_none(queue)
