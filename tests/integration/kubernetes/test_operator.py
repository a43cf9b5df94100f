"""Mode operator: a DaskJob of the real operator, whatever happens to its pods."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import zonalbatch as zb
from tests.made.chart import CHART
from tests.made.kube.cluster import Namespace
from tests.made.kube.jobs import (
    FEW,
    MANY,
    PARTS,
    dask_status,
    holds_token,
    parts_in,
    under_way,
    values_of,
)  # fmt: skip

pytestmark = [pytest.mark.long, pytest.mark.alone]

Digests = Callable[[str], str]


def _succeeds(space: Namespace, revision: int = 1) -> None:
    done = ("Successful", "Failed")
    space.wait(lambda: dask_status(space, revision) in done, "the job ends", 180)
    assert dask_status(space, revision) == "Successful", space.kube.node.said(space.name)


def test_completes(space: Namespace, digests: Digests) -> None:
    """The job is done with the rows of a run without a cluster, and the cluster is taken away."""
    output = space.make_claim("out")
    space.releases.install(CHART, "run", values_of("operator"))
    space.wait(lambda: len(space.pods("worker")) == 2, "two workers run")
    assert not any(map(holds_token, space.find("pods")))
    _succeeds(space)
    assert zb.open_results(output / "results").digest == digests(FEW)
    space.wait(lambda: not space.find("daskclusters"), "the cluster is taken away", 30)


def test_worker_killed(space: Namespace, digests: Digests) -> None:
    """A worker that is killed in the middle is missed by no row; its pod starts another."""
    output = space.make_claim("out")
    space.releases.install(CHART, "run", values_of("operator", MANY))
    under_way(space, output)
    struck = space.pods("worker")[0]
    space.kill(struck)
    space.wait(lambda: space.restarts(struck) == 1, "the worker is started again", 30)
    _succeeds(space)
    assert zb.open_results(output / "results").digest == digests(MANY)


@pytest.mark.parametrize("way", ["upgrade", "install"])
def test_runner_killed(space: Namespace, digests: Digests, way: str) -> None:
    """A run whose runner was killed goes on by an upgrade or a new install; done parts stay."""
    output = space.make_claim("out")
    values = values_of("operator", MANY)
    space.releases.install(CHART, "run", values)
    under_way(space, output)
    (runner,) = space.pods("runner")
    space.kill(runner)
    space.wait(lambda: dask_status(space) == "Failed", "the job has failed")
    space.wait(lambda: not space.pods("worker"), "its workers are gone")
    before = parts_in(output / "results")
    assert len(before) < PARTS
    if way == "upgrade":
        space.releases.upgrade(CHART, "run", values)
    else:
        space.releases.uninstall("run")
        space.releases.install(CHART, "run", values)
    _succeeds(space, 2 if way == "upgrade" else 1)
    assert zb.open_results(output / "results").digest == digests(MANY)
    assert parts_in(output / "results").items() >= before.items()


def test_autoscaler(space: Namespace, digests: Digests) -> None:
    """Where no worker is to be there without work, the backlog brings some."""
    output = space.make_claim("out")
    workers = {"minimum": 0, "maximum": 2}
    space.releases.install(CHART, "run", values_of("operator", workers=workers))
    space.wait(lambda: bool(space.pods("scheduler")), "the scheduler runs")
    assert not space.pods("worker")
    space.wait(lambda: bool(space.pods("worker")), "a worker is there", 60)
    _succeeds(space)
    assert zb.open_results(output / "results").digest == digests(FEW)


def test_tls(space: Namespace, digests: Digests) -> None:
    """With certificates everything between runner, scheduler and workers is encrypted."""
    output = space.make_claim("out")
    space.make_certificates("certificates")
    tls = {"existingSecret": "certificates"}
    space.releases.install(CHART, "run", values_of("operator", tls=tls))
    _succeeds(space)
    assert zb.open_results(output / "results").digest == digests(FEW)
    said = space.kube.node.said(space.name)
    assert "Scheduler at:" in said
    assert "tls://" in said
    assert "tcp://" not in said
