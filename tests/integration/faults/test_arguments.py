"""What `run` and `plan` take from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import zonalbatch as zb
from tests.made.jobs import Bench
from zonalbatch.errors import ClusterError, InputError, JobError

if TYPE_CHECKING:
    from distributed import Client


def test_a_job_by_its_path_or_document(
    bench: Bench, cluster: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's path means the job in it; a document means the job that it makes."""
    document = bench.document()
    path = bench.write(document)
    monkeypatch.chdir(bench.folder)
    for same in (path, str(path)):
        assert zb.plan(same).fingerprint == zb.plan(zb.Job.from_file(path)).fingerprint
    assert zb.plan(document).fingerprint == zb.plan(zb.Job(**document)).fingerprint
    assert zb.run(str(path), cluster).rows == 8
    assert zb.run(path, cluster).computed == 0


@pytest.mark.parametrize("job", [None, 1, ["job.yaml"], {1: 2}], ids=repr)
def test_no_job(job: Any) -> None:
    """What is no job is said to be none."""
    for do in (zb.run, zb.plan):
        with pytest.raises(InputError, match="a job is a Job, the path"):
            do(job)


def test_a_job_that_is_not_valid(bench: Bench) -> None:
    """A document and a file are checked as any job is."""
    with pytest.raises(JobError, match="outputs"):
        zb.run(bench.document() | {"outputs": {}})
    with pytest.raises(JobError):
        zb.plan(str(bench.folder / "nowhere.yaml"))


@pytest.mark.parametrize("client", ["tcp://127.0.0.1:9", object()], ids=["address", "object"])
def test_no_client(bench: Bench, client: Any) -> None:
    """An address or a cluster is no client; nothing is done."""
    with pytest.raises(InputError, match=r"give a distributed\.Client"):
        zb.run(bench.document(), client)
    bench.assert_nothing_done()


def test_a_closed_client(bench: Bench, cluster: Client) -> None:
    """A client that is closed is told of before anything is done."""
    import distributed

    assert cluster.scheduler is not None
    client = distributed.Client(cluster.scheduler.address, set_as_default=False)
    client.close()
    with pytest.raises(ClusterError, match="the client is closed"):
        zb.run(bench.document(), client)
    bench.assert_nothing_done()
