"""The service as the chart starts it."""

import json
from typing import Any

import pytest

from tests.made.chart import MODES, VARIANTS, merged, of_kind, pods, rendered
from zonalbatch.service.settings import settings_here


def _environment(values: Any) -> dict[str, str]:
    made = dict(pods(rendered(merged(MODES["service"], values))))
    (container,) = made["service"]["containers"]
    return {one["name"]: one.get("value", "from a secret") for one in container["env"]}


def test_settings_are_ones_that_the_service_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """What values set arrives in the service as it was meant: lists, documents and numbers."""
    given = {
        "hosts": ["a.org", "*.b.org"], "rate": 1_200_000, "area": 0.5, "body": "9MiB",
        "sign": {"kind": "planetary-computer"},
    }  # fmt: skip
    found = _environment({"service": {"settings": given}, "workers": {"jobMemory": "2GiB"}})
    assert found.pop("ZONALBATCH_SERVICE_JOBS") == "/output/results"
    monkeypatch.setenv("ZONALBATCH_SERVICE_JOBS", str(tmp_path))
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    settings = settings_here()
    assert settings.hosts == ("a.org", "*.b.org")
    assert (settings.rate, settings.area, settings.body) == (1_200_000, 0.5, 9 * 2**20)
    assert settings.job_memory == 2**31
    assert settings.sign == given["sign"]
    address = "tcp://fields-zonalbatch-scheduler.eo.svc:8786"
    assert settings.cluster.model_dump()["address"] == address


def test_keys_come_from_a_secret() -> None:
    """API keys are in no manifest."""
    found = _environment(VARIANTS["secrets"])
    assert found["ZONALBATCH_SERVICE_KEYS"] == "from a secret"


def test_jobs_run_elsewhere_or_not_at_all() -> None:
    """With an address no DaskCluster is made; without jobs the service needs no claim either, and
    there may be several."""
    there = merged(MODES["service"], VARIANTS["elsewhere"])
    assert of_kind(rendered(there), "DaskCluster") == []
    cluster = json.loads(_environment(VARIANTS["elsewhere"])["ZONALBATCH_SERVICE_CLUSTER"])
    assert cluster == {"kind": "address", "address": "tcp://dask:8786"}
    none = rendered({"mode": "service", "service": {"jobs": False, "replicas": 3}})
    assert {"DaskCluster", "PersistentVolumeClaim"}.isdisjoint(one["kind"] for one in none)
    (deployment,) = of_kind(none, "Deployment")
    assert deployment["spec"]["replicas"] == 3


def test_one_service_has_the_folder_of_jobs() -> None:
    """With jobs an upgrade ends the old pod before it starts the new one."""
    (deployment,) = of_kind(rendered(MODES["service"]), "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_probes_ask_what_the_service_answers() -> None:
    """It is alive by /health, and asked for answers only once /ready says so."""
    (service,) = dict(pods(rendered(MODES["service"])))["service"]["containers"]
    paths = {probe: service[probe]["httpGet"]["path"] for probe in service if "Probe" in probe}
    assert paths == {
        "startupProbe": "/health", "readinessProbe": "/ready", "livenessProbe": "/health",
    }  # fmt: skip


def test_test_pod_asks_the_service() -> None:
    """`helm test` asks /ready by the Service's name and port."""
    values = merged(MODES["service"], {"service": {"port": 8080}})
    (test,) = dict(pods(rendered(values)))["test"]["containers"]
    assert 'urlopen("http://fields-zonalbatch:8080/ready"' in test["args"][-1]
    compile(test["args"][-1], "test", "exec")
