"""Revisions: what Helm's upgrade, rollback and test do with a release."""

from __future__ import annotations

from collections.abc import Callable

import helm_python
import pytest

import zonalbatch as zb
from tests.made.chart import CHART
from tests.made.kube.cluster import Namespace
from tests.made.kube.jobs import FEW, dask_status, document, parts_in, values_of

pytestmark = [pytest.mark.long, pytest.mark.alone]


def test_upgrade_and_rollback(space: Namespace, digests: Callable[[str], str]) -> None:
    """Each upgrade runs the job that it is given once, and a rollback that of before."""
    output = space.make_claim("out")
    space.releases.install(CHART, "run", values_of("operator"))
    space.wait(lambda: dask_status(space) == "Successful", "the first is done")
    first, parts = zb.open_results(output / "results").digest, parts_in(output / "results")
    assert first == digests(FEW)

    more = values_of("operator", run={"verify": True})
    space.releases.upgrade(CHART, "run", more)
    space.wait(lambda: dask_status(space, 2) == "Successful", "the second is done")
    assert dask_status(space, 1) == ""
    assert parts_in(output / "results") == parts
    space.wait(lambda: len(space.find("daskclusters")) == 0, "no cluster is left", 30)

    space.releases.rollback("run", 1)
    space.wait(lambda: dask_status(space, 1) == "Successful", "what was before is done again")
    assert dask_status(space, 2) == ""
    assert parts_in(output / "results") == parts
    assert [found["status"] for found in space.releases.history("run")][-1] == "deployed"
    space.releases.uninstall("run")
    assert {found["metadata"]["name"] for found in space.find("persistentvolumeclaims")} == {"out"}


def test_own_claim(space: Namespace) -> None:
    """A claim that the chart makes outlives the release, and the next one takes it up."""
    values = values_of("operator", output={"claim": {"existing": "", "size": "1Gi"}})
    for _ in range(2):
        space.releases.install(CHART, "run", values)
        space.wait(lambda: dask_status(space) == "Successful", "the job is done")
        parts = parts_in(space.claim("run-zonalbatch-output") / "results")
        space.releases.uninstall("run")
        space.wait(lambda: not space.find("pods"), "its pods are gone", 60)
    assert parts
    said = space.kube.node.said(space.name)
    assert said.count(f"{len(parts)} parts") >= 2


def test_hooks(space: Namespace) -> None:
    """`helm test` says whether the image starts and the job is a valid one to it."""
    space.make_claim("out")
    values = values_of("standalone", workers={"replicas": 1})
    space.releases.install(CHART, "good", values)
    space.releases.test("good")
    wrong = document(statistics=["nonsense"])
    space.releases.install(CHART, "wrong", values | {"job": wrong})
    with pytest.raises(helm_python.HelmError):
        space.releases.test("wrong")
    assert "nonsense" in space.kube.node.log(space.name, "wrong-zonalbatch-test")
