"""Mode operator: a DaskJob of the real operator, whatever happens to its pods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import zonalbatch as zb
from tests.made.chart import CHART
from tests.made.kube.cluster import Namespace
from tests.made.kube.jobs import FEW, MANY, parts_in, values_of

pytestmark = pytest.mark.long

Digests = Callable[[str], str]


def _status(space: Namespace, revision: int = 1) -> str:
    name = f"run-zonalbatch-r{revision}"
    return str(space.get("daskjobs", name).get("status", {}).get("jobStatus"))


def _under_way(space: Namespace, output: Path, parts: int = 30) -> dict[Path, int]:
    """Wait until some parts are done; which."""
    space.wait(lambda: len(parts_in(output / "results")) >= parts, "parts are done")
    return parts_in(output / "results")


def test_completes(space: Namespace, digests: Digests) -> None:
    """The job is done with the rows of a run without a cluster, and the cluster is taken away."""
    output = space.make_claim("out")
    space.releases.install(CHART, "run", values_of("operator"))
    space.wait(lambda: _status(space) == "Successful", "the job is successful")
    assert zb.open_results(output / "results").digest == digests(FEW)
    space.wait(lambda: not space.find("daskclusters"), "the cluster is taken away", 30)


def test_worker_killed(space: Namespace, digests: Digests) -> None:
    """A worker that is killed in the middle is missed by no row; its pod starts it again."""
    output = space.make_claim("out")
    space.releases.install(CHART, "run", values_of("operator", MANY))
    _under_way(space, output)
    struck = space.pods("worker")[0]
    space.kill(struck)
    space.wait(lambda: _status(space) == "Successful", "the job is successful")
    assert zb.open_results(output / "results").digest == digests(MANY)


@pytest.mark.parametrize("way", ["upgrade", "install"])
def test_runner_killed(space: Namespace, digests: Digests, way: str) -> None:
    """A run whose runner was killed goes on by an upgrade or a new install; done parts stay."""
    output = space.make_claim("out")
    values = values_of("operator", MANY)
    space.releases.install(CHART, "run", values)
    _under_way(space, output)
    (runner,) = space.pods("runner")
    space.kill(runner)
    space.wait(lambda: _status(space) == "Failed", "the job has failed")
    before = parts_in(output / "results")
    assert not (output / "results" / "manifest.json").exists()
    if way == "upgrade":
        space.releases.upgrade(CHART, "run", values)
    else:
        space.releases.uninstall("run")
        space.releases.install(CHART, "run", values)
    revision = 2 if way == "upgrade" else 1
    space.wait(lambda: _status(space, revision) == "Successful", "the job is successful")
    assert zb.open_results(output / "results").digest == digests(MANY)
    assert parts_in(output / "results").items() >= before.items()
    said = space.kube.node.said(space.name)
    assert f"{len(before)} done before" in said
