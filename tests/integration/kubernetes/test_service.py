"""Mode service: the HTTP service, whose jobs run on a DaskCluster of the same release."""

from __future__ import annotations

import httpx
import pytest

from tests.made.chart import CHART
from tests.made.kube.cluster import DATA, Namespace
from tests.made.kube.jobs import FEW, holds_token, values_of
from tests.made.service_jobs import JOBS, ended

pytestmark = [pytest.mark.long, pytest.mark.alone]


def _url(space: Namespace) -> str:
    spec = space.get("services", "run-zonalbatch")["spec"]
    return f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}"


def test_job(space: Namespace) -> None:
    """The service is ready by its own account, `helm test` finds it, and a job is run."""
    space.make_claim("out")
    settings = {"root": DATA, "workers": 1}
    values = values_of("service", service={"settings": settings, "resources": {}})
    space.releases.install(CHART, "run", {k: v for k, v in values.items() if k != "job"})
    space.wait(lambda: len(space.pods("service")) == 1, "the service runs")

    def ready() -> bool:
        (pod,) = space.find("pods", "app.kubernetes.io/component=service")
        conditions = {c["type"]: c["status"] for c in pod["status"]["conditions"]}
        return conditions["Ready"] == "True"

    space.wait(ready, "the service is ready", 120)
    assert not any(map(holds_token, space.find("pods")))
    space.releases.test("run")
    document = {
        "zones": {"path": "file:///zones.parquet", "id": "id"},
        "source": {"kind": "cog", "pattern": f"file:///{FEW}/a_{{date:%Y%m%d}}.tif"},
        "bands": {"red": 1},
        "statistics": ["count", "mean"],
    }
    with httpx.Client(base_url=_url(space), timeout=60, trust_env=False) as client:
        assert client.get("/ready").status_code == 200
        told = client.post(JOBS, json=document)
        assert told.status_code in (200, 201, 202), told.text
        found = ended(client, told.json()["id"])
    assert found["state"] == "done", (found, space.kube.node.said(space.name))
    assert len(space.pods("worker")) == 2
