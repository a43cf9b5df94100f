"""Mode standalone: batch Jobs, of which one runs and the others work for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import zonalbatch as zb
from tests.made.buckets import S3, s3_server
from tests.made.chart import CHART
from tests.made.kube.cluster import Kube, Namespace
from tests.made.kube.jobs import (
    FEW,
    MANY,
    PARTS,
    document,
    ended,
    holds_token,
    parts_in,
    under_way,
    values_of,
)  # fmt: skip

pytestmark = [pytest.mark.long, pytest.mark.alone]

Digests = Callable[[str], str]
RUNNER, WORKERS = "run-zonalbatch-r1", "run-zonalbatch-r1-workers"


@pytest.fixture(scope="module")
def store(kube: Kube) -> Iterator[S3]:
    """An S3 server that pods reach."""
    with s3_server(kube.bridge.gateway) as server:
        yield server


def _completes(space: Namespace) -> None:
    space.wait(lambda: bool(ended(space, RUNNER)), "the runner ends", 240)
    assert ended(space, RUNNER) == "Complete", space.kube.node.said(space.name)
    space.wait(lambda: ended(space, WORKERS) == "Complete", "the workers end with it", 30)


def test_completes(space: Namespace, digests: Digests) -> None:
    """The job is done with the rows of a run without a cluster, and its workers have gone too."""
    output = space.make_claim("out")
    space.releases.install(CHART, "run", values_of("standalone"))
    space.wait(lambda: len(space.pods("workers")) == 2, "two workers run")
    assert not any(map(holds_token, space.find("pods")))
    _completes(space)
    assert zb.open_results(output / "results").digest == digests(FEW)


def test_worker_killed(space: Namespace, digests: Digests) -> None:
    """A worker that is killed in the middle is missed by no row; its Job makes another pod."""
    output = space.make_claim("out")
    space.releases.install(CHART, "run", values_of("standalone", MANY))
    under_way(space, output)
    space.kill(space.pods("workers")[0])
    _completes(space)
    assert zb.open_results(output / "results").digest == digests(MANY)
    assert space.get("jobs", WORKERS)["status"]["failed"] == 1


def test_runner_killed(space: Namespace, digests: Digests) -> None:
    """Where the runner is killed its Job begins another, to which the workers come; parts stay."""
    output = space.make_claim("out")
    space.releases.install(CHART, "run", values_of("standalone", MANY))
    under_way(space, output)
    workers = space.pods("workers")
    space.kill(space.pods("runner")[0])
    space.wait(lambda: not space.pods("runner"), "the runner has failed", 20)
    before = parts_in(output / "results")
    assert len(before) < PARTS
    _completes(space)
    assert zb.open_results(output / "results").digest == digests(MANY)
    assert parts_in(output / "results").items() >= before.items()
    assert {pod["metadata"]["name"] for pod in space.find("pods")} >= set(workers)
    assert "failed" not in space.get("jobs", WORKERS)["status"]


def test_bucket(
    space: Namespace, digests: Digests, store: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a bucket, a new runner waits until the lease of the one that was killed has grown old."""
    link = f"{store.make_bucket(space.name)}/out"
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    space.make_secret("store", store.environment)
    values = values_of("standalone", MANY, credentials={"existingSecret": "store"})
    values["output"] = {"bucket": link}
    space.releases.install(CHART, "run", values)
    said = space.kube.node.said
    space.wait(lambda: f"/{PARTS} parts" in said(space.name), "parts are done")
    space.kill(space.pods("runner")[0])
    space.wait(lambda: "waiting" in said(space.name), "the new runner waits", 60)
    _completes(space)
    assert zb.open_results(link).digest == digests(MANY)


def test_wrong_job(space: Namespace) -> None:
    """A wrong job ends its runner with 2 and one sentence; newer Kubernetes then tries no more."""
    space.make_claim("out")
    wrong = document(statistics=["median", "nonsense"])
    values = values_of("standalone", backoffLimit=0, workers={"deathTimeout": "3s", "replicas": 1})
    space.releases.install(CHART, "run", values | {"job": wrong})
    space.wait(lambda: ended(space, RUNNER) == "Failed", "the runner has failed")
    (runner,) = space.find("pods", f"job-name={RUNNER}")
    (status,) = runner["status"]["containerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 2
    assert "nonsense" in space.kube.node.log(space.name, runner["metadata"]["name"])
    space.wait(lambda: 5 in space.codes(WORKERS), "a worker that met no scheduler ends", 30)
