"""Mode cluster: a DaskCluster that stays."""

from __future__ import annotations

import pytest

from tests.made.chart import CHART
from tests.made.kube.cluster import Namespace
from tests.made.kube.jobs import holds_token, values_of

pytestmark = [pytest.mark.long, pytest.mark.alone]


def test_scales(space: Namespace) -> None:
    """It lets pods of its release in; an upgrade to more workers keeps its scheduler."""
    values = {k: v for k, v in values_of("cluster").items() if k not in ("job", "output")}
    space.releases.install(CHART, "run", values | {"workers": {"replicas": 1}})
    space.wait(lambda: len(space.pods("worker")) == 1, "a worker runs")
    space.releases.test("run")
    scheduler = space.pods("scheduler")
    assert len(scheduler) == 1
    space.releases.upgrade(CHART, "run", values | {"workers": {"replicas": 2}})
    space.wait(lambda: len(space.pods("worker")) == 2, "two workers run")
    assert space.pods("scheduler") == scheduler
    assert not any(map(holds_token, space.find("pods")))
    space.releases.uninstall("run")
    # Its pods go when the garbage collector has heard of this kind, at most 30 s after its making.
    space.wait(lambda: not space.find("daskclusters"), "the cluster is taken away", 30)
