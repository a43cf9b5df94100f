"""Scheduler and workers as the chart starts them."""

import json
from pathlib import Path
from typing import Any

import distributed
import pytest
import yaml

from tests.made.chart import MODES, VARIANTS, merged, of_kind, pods, rendered
from zonalbatch.clusters import SETTINGS
from zonalbatch.clusters.settings import environment

CLUSTERS = ("operator", "standalone", "service", "cluster")


def _container(mode: str, name: str, values: Any = None) -> dict[str, Any]:
    made = dict(pods(rendered(merged(MODES[mode], values or {}))))
    return dict(made[name]["containers"][0])


def _environment(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container.get("env", []) if "value" in one}


@pytest.mark.parametrize("mode", CLUSTERS)
def test_settings_are_those_of_own_clusters(mode: str) -> None:
    """Scheduler and workers elsewhere have the settings of `zonalbatch.clusters`, by environment,
    but the scheduler within a runner, which has them from the run."""
    assert len(environment()) == len(SETTINGS)
    for name in ("worker",) if mode == "standalone" else ("scheduler", "worker"):
        assert environment().items() <= _environment(_container(mode, name)).items()


def test_routes_are_dasks_own_and_the_api() -> None:
    """The scheduler keeps all routes that Dask gives it, and has the one that the operator asks."""
    folder = Path(distributed.__file__).parent
    own = yaml.safe_load((folder / "distributed.yaml").read_text())["distributed"]
    found = _environment(_container("operator", "scheduler"))
    routes = json.loads(found["DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES"])
    assert set(routes) == {*own["scheduler"]["http"]["routes"], "distributed.http.scheduler.api"}


def test_ports_have_the_names_that_the_operator_looks_for() -> None:
    """The scheduler's Service has tcp-comm and http-dashboard, in a DaskJob and before a cluster
    that stays; its probes ask the pages, which are plain HTTP with TLS too."""
    (job,) = of_kind(rendered(MODES["operator"]), "DaskJob")
    service = job["spec"]["cluster"]["spec"]["scheduler"]["service"]
    (stays,) = of_kind(rendered(MODES["cluster"]), "Service")
    for spec in (service, stays["spec"]):
        ports = {port["name"]: port["port"] for port in spec["ports"]}
        assert ports == {"tcp-comm": 8786, "http-dashboard": 8787}
    scheduler = _container("operator", "scheduler", VARIANTS["tls"])
    for probe in ("readinessProbe", "livenessProbe"):
        assert scheduler[probe]["httpGet"] == {"path": "/health", "port": "http-dashboard"}


def test_workers_are_called_as_the_operator_calls_their_deployments() -> None:
    """A worker has the name of its Deployment, by which the operator takes away a retired one."""
    args = _container("operator", "worker")["args"]
    assert args[:4] == ["zonalbatch", "worker", "--name", "$(DASK_WORKER_NAME)"]
    assert args[-2:] == ["--death-timeout", "30min"]


def test_workers_of_a_job_come_to_its_runner() -> None:
    """Standalone, workers go to the name of a headless Service, which finds the runner's pod of the
    same revision also before it is ready. A worker that fails has another pod; where there never
    was a scheduler, none waits again."""
    resources = rendered(MODES["standalone"], revision=3)
    (service,), (runner, workers) = of_kind(resources, "Service"), of_kind(resources, "Job")
    assert service["spec"]["clusterIP"] == "None"
    # Else the runner that failed would keep its place beside the one that takes over.
    assert "publishNotReadyAddresses" not in service["spec"]
    labels = runner["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert labels["zonalbatch/revision"] == "3"
    assert (
        not service["spec"]["selector"].items()
        <= workers["spec"]["template"]["metadata"]["labels"].items()
    )
    container = workers["spec"]["template"]["spec"]["containers"][0]
    assert container["args"][-1] == f"tcp://{service['metadata']['name']}.eo.svc:8786"
    spec = workers["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 2, 2)
    # A node that reaches no scheduler fails its own index, not those that work.
    assert spec["backoffLimitPerIndex"] == 10
    assert "backoffLimit" not in spec
    none, evicted = spec["podFailurePolicy"]["rules"]
    assert (none["action"], none["onExitCodes"]["values"]) == ("FailIndex", [5])
    assert none["onExitCodes"]["containerName"] == container["name"]
    assert evicted["action"] == "Ignore"


@pytest.mark.parametrize("mode", CLUSTERS)
def test_with_tls_nobody_is_told_of_tcp(mode: str) -> None:
    """With TLS every pod that speaks to the scheduler has the certificates, and the address that
    the operator would add, tcp://, is there already as tls://."""
    resources = rendered(merged(MODES[mode], VARIANTS["tls"]))
    assert "tcp://" not in json.dumps(resources)
    made = dict(pods(resources))
    for name, pod in made.items():
        if name == "test" and mode == "service":
            continue  # it asks the service, in HTTP
        (container,) = pod["containers"]
        found = _environment(container)
        assert found["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "True"
        for role in ("SCHEDULER", "WORKER", "CLIENT"):
            assert (
                found[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] == "/etc/zonalbatch-tls/tls.key"
            )
        assert "/etc/zonalbatch-tls" in [one["mountPath"] for one in container["volumeMounts"]]
    if mode != "standalone":
        (worker,) = made["worker"]["containers"]
        address = _environment(worker)["DASK_SCHEDULER_ADDRESS"]
        assert address.startswith("tls://")
        assert worker["args"][-1] == address
        (scheduler,) = made["scheduler"]["containers"]
        assert scheduler["args"][2:4] == ["--protocol", "tls"]
    if mode == "operator":
        (runner,) = made["runner"]["containers"]
        assert _environment(runner)["DASK_SCHEDULER_ADDRESS"].startswith("tls://")


def test_workers_within_the_runners_pod_speak_no_tls() -> None:
    """A schedule with workers of its own starts them on its loopback, by tcp: with encryption
    required there, none would come."""
    (runner,) = dict(pods(rendered(merged(MODES["cron"], VARIANTS["tls"]))))["runner"]["containers"]
    assert not [name for name in _environment(runner) if "__COMM__" in name]
    elsewhere = {"cron": {"address": "tls://dask:8786"}}
    values = merged(MODES["cron"], VARIANTS["tls"], elsewhere)
    (runner,) = dict(pods(rendered(values)))["runner"]["containers"]
    assert _environment(runner)["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "True"
