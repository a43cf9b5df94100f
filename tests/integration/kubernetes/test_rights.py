"""Rights: what the API allows to each service account, asked in its place."""

from __future__ import annotations

import pytest

from tests.made.chart import CHART, MODES
from tests.made.kube.api import Api
from tests.made.kube.cluster import Kube, Namespace
from tests.made.kube.jobs import values_of
from tests.made.kube.operator import ACCOUNT, NAMESPACE

pytestmark = [pytest.mark.long, pytest.mark.alone]

VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")
RESOURCES = (
    ("", "configmaps"), ("", "events"), ("", "nodes"), ("", "persistentvolumeclaims"),
    ("", "pods"), ("", "pods/exec"), ("", "secrets"), ("", "serviceaccounts"), ("", "services"),
    ("apps", "deployments"), ("batch", "jobs"), ("kubernetes.dask.org", "daskautoscalers"),
    ("kubernetes.dask.org", "daskclusters"), ("kubernetes.dask.org", "daskjobs"),
    ("kubernetes.dask.org", "daskworkergroups"), ("networking.k8s.io", "networkpolicies"),
    ("rbac.authorization.k8s.io", "roles"), ("rbac.authorization.k8s.io", "rolebindings"),
)  # fmt: skip
OWN = {("selfsubjectaccessreviews", "create"), ("selfsubjectrulesreviews", "create")}
"""What everybody may: ask what they may."""


def _allowed(api: Api, namespace: str) -> set[tuple[str, str]]:
    """Pairs of resource and verb that are allowed."""
    return {
        (resource, verb)
        for group, resource in RESOURCES
        for verb in VERBS
        if _may(api, namespace, group, resource, verb)
    }


def _may(api: Api, namespace: str, group: str, resource: str, verb: str) -> bool:
    kind, _, part = resource.partition("/")
    asked = {"namespace": namespace, "group": group, "resource": kind, "verb": verb}
    spec = {"resourceAttributes": asked | {"subresource": part}}
    answer = api.create("selfsubjectaccessreviews", "", {"spec": spec})
    return bool(answer["status"]["allowed"])


def _rules(api: Api, namespace: str) -> set[tuple[str, str]]:
    """All rules that hold, as pairs of resource and verb."""
    spec = {"spec": {"namespace": namespace}}
    found = api.create("selfsubjectrulesreviews", "", spec)["status"]["resourceRules"]
    return {(res, verb) for rule in found for res in rule["resources"] for verb in rule["verbs"]}


@pytest.fixture
def installed(space: Namespace) -> Namespace:
    """A namespace in which a release of the chart is."""
    space.make_claim("out")
    space.releases.install(CHART, "run", values_of("operator"))
    return space


def test_chart(installed: Namespace) -> None:
    """The account of the chart's pods may do nothing, in its own namespace or in another."""
    accounts = {found["metadata"]["name"] for found in installed.find("serviceaccounts")}
    assert accounts == {"default", "run-zonalbatch"}
    used = {pod["spec"]["serviceAccountName"] for pod in installed.find("pods")}
    assert used <= {"run-zonalbatch"}
    with installed.kube.api.instead_of(installed.name, "run-zonalbatch") as api:
        assert _allowed(api, installed.name) == set()
        assert _allowed(api, "default") == set()
        assert _rules(api, installed.name) == OWN


@pytest.mark.parametrize("mode", sorted(MODES.keys() - {"cron"}))
def test_no_rights_given(space: Namespace, mode: str) -> None:
    """No mode installs a role or a binding: Helm's own rights need not reach so far."""
    space.make_claim("out")
    manifest = space.releases.install(CHART, "run", values_of(mode))["manifest"]
    assert "rbac.authorization.k8s.io" not in manifest
    assert "ClusterRole" not in manifest


def test_operator(kube: Kube, space: Namespace) -> None:
    """The operator may make and remove what a cluster is made of, and reads no secret."""
    with kube.api.instead_of(NAMESPACE, ACCOUNT) as api:
        allowed = _allowed(api, space.name)
    for resource in ("pods", "services", "deployments", "daskclusters", "daskworkergroups"):
        needed = {"create", "delete", "get", "list", "patch", "watch"}
        assert {(resource, verb) for verb in needed} <= allowed
    reached = {resource for resource, _ in allowed}
    assert not reached & {"secrets", "configmaps", "roles", "rolebindings", "jobs", "nodes"}


def test_refused(kube: Kube, space: Namespace) -> None:
    """What is not allowed is refused where it is done, too."""
    with kube.api.instead_of(space.name, "default") as api:
        for kind in ("pods", "secrets", "configmaps"):
            with pytest.raises(AssertionError, match="forbidden"):
                api.find(kind, space.name)
