"""Who may reach which pod."""

from typing import Any

import pytest

from tests.made.chart import MODES, VARIANTS, merged, of_kind, rendered

OWN = {"app.kubernetes.io/name": "zonalbatch", "app.kubernetes.io/instance": "fields"}
OPERATOR = {"kubernetes.io/metadata.name": "dask-operator"}


def _policies(mode: str, values: Any = None) -> dict[str, dict[str, Any]]:
    """What each part lets in, by its label."""
    found = of_kind(rendered(merged(MODES[mode], values or {})), "NetworkPolicy")
    for policy in found:
        assert OWN.items() <= policy["spec"]["podSelector"]["matchLabels"].items()
        assert policy["spec"]["policyTypes"] == ["Ingress"]
    key = "app.kubernetes.io/component"
    return {one["spec"]["podSelector"]["matchLabels"][key]: one["spec"] for one in found}


@pytest.mark.parametrize("mode", ["operator", "service", "cluster"])
def test_scheduler_is_open_to_the_release_and_the_operator(mode: str) -> None:
    """Its two ports are open to this release's pods and to the operator's namespace; whoever else
    is in the namespace is a stranger."""
    (rule,) = _policies(mode)["scheduler"]["ingress"]
    own, operator = rule["from"]
    assert own == {"podSelector": {"matchLabels": OWN}}
    assert operator == {"namespaceSelector": {"matchLabels": OPERATOR}}
    assert [port["port"] for port in rule["ports"]] == [8786, 8787]
    (rule,) = _policies(mode, VARIANTS["opened"])["scheduler"]["ingress"]
    assert rule["from"][2:] == [{"podSelector": {}}]


def test_runner_that_schedules_is_open_to_its_workers() -> None:
    """Standalone there is no operator: the runner's ports are open to this release's pods alone."""
    (rule,) = _policies("standalone")["runner"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": OWN}}]
    assert [port["port"] for port in rule["ports"]] == [8786, 8787]


@pytest.mark.parametrize("mode", ["operator", "standalone", "service", "cluster"])
def test_workers_are_open_to_the_release(mode: str) -> None:
    """Workers are reached by this release's pods, on any port."""
    (rule,) = _policies(mode)["workers"]["ingress"]
    assert rule == {"from": [{"podSelector": {"matchLabels": OWN}}]}


@pytest.mark.parametrize("mode", ["operator", "cron"])
def test_runner_that_only_asks_is_closed(mode: str) -> None:
    """Nobody reaches a runner in whose process no scheduler is."""
    assert not _policies(mode)["runner"].get("ingress")


def test_service_is_open_on_its_port_to_peers_of_values() -> None:
    """The service's port is open to pods of its namespace, or to the peers that values name."""
    (rule,) = _policies("service")["service"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": OWN}}, {"podSelector": {}}]
    assert [port["port"] for port in rule["ports"]] == [8000]
    (rule,) = _policies("service", VARIANTS["opened"])["service"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": OWN}}]


@pytest.mark.parametrize("mode", MODES)
def test_policies_may_be_left_out(mode: str) -> None:
    """Where a cluster has rules of its own, none is made."""
    assert _policies(mode, VARIANTS["open"]) == {}


def test_labels_of_values_do_not_hide_a_pod() -> None:
    """Pods are found by the chart's labels, whatever labels values add."""
    added = {"app.kubernetes.io/component": "mine", "team": "eo"}
    (job,) = of_kind(rendered(merged(MODES["operator"], {"runner": {"labels": added}})), "DaskJob")
    labels = job["spec"]["job"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "runner"
    assert labels["team"] == "eo"


@pytest.mark.parametrize("mode", ["service", "cluster"])
def test_services_find_their_own_pods_only(mode: str) -> None:
    """The service's Service selects no pod of the scheduler or of workers."""
    resources = rendered(MODES[mode])
    for service in of_kind(resources, "Service"):
        selector = service["spec"]["selector"]
        part = selector.get("app.kubernetes.io/component", selector.get("dask.org/component"))
        assert part in ("service", "scheduler")
