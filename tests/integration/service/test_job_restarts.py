"""Jobs of a service that stops, or is killed, and what the next one makes of them."""

from __future__ import annotations

import json
import signal
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import zonalbatch as zb
from tests.made.service_jobs import JOBS, apart, document, ended, many_files, under_way

if TYPE_CHECKING:
    from distributed import Client


@pytest.fixture(scope="module")
def digest(root: Path, tmp_path_factory: pytest.TempPathFactory, cluster: Client) -> str:
    """Of the rows of the job of many parts, run at once and without a service."""
    out = tmp_path_factory.mktemp("digest") / "out"
    told = json.dumps(many_files(root)).replace("file:///", f"{root}/")
    zb.run(json.loads(told) | {"output": {"path": str(out)}}, cluster)
    return zb.open_results(out).digest


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_goes_on(root: Path, tmp_path: Path, digest: str, number: signal.Signals) -> None:
    """Whether the service was killed or stopped, the next one ends its jobs: the same rows.

    A run that outlived its service is ended first, so that there never are two.
    """
    jobs = tmp_path / "jobs"
    with apart(root, jobs) as service:
        job, queued = (
            service.client.post(JOBS, json=body).json()["id"]
            for body in (many_files(root), document(root))
        )
        before = under_way(service.client, job)["parts"]
        code = service.stop(number)
        assert code == (-number if number is signal.SIGKILL else 0)
        with apart(root, jobs) as another:
            told = ended(another.client, job)
            assert told["state"] == "done", told
            assert told["parts"]["of"] == before["of"]
            assert ended(another.client, queued)["state"] == "done"
            assert another.stop() == 0
    assert zb.open_results(jobs / job / "out").digest == digest


@pytest.mark.long
def test_a_lost_database(root: Path, tmp_path: Path) -> None:
    """One that is gone or damaged is made again from the folders: states, owners, results."""
    jobs = tmp_path / "jobs"
    with apart(root, jobs) as service:
        job = service.client.post(JOBS, json=document(root)).json()["id"]
        before = ended(service.client, job)
        assert service.stop() == 0
    (jobs / "jobs.sqlite").write_bytes(b"no database" * 1000)
    with apart(root, jobs) as service:
        assert service.client.get(f"{JOBS}/{job}").json() == before
        assert service.client.get(before["links"]["results"]).status_code == 200
        assert service.stop() == 0
    assert len(list(jobs.glob("jobs.sqlite.damaged-*"))) == 1
    with sqlite3.connect(jobs / "jobs.sqlite") as database:
        assert database.execute("SELECT id, state FROM jobs").fetchall() == [(job, "done")]
    database.close()
