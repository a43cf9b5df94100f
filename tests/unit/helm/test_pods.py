"""What all pods of the chart share."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.made.chart import MODES, VARIANTS, merged, of_kind, pods, rendered

PODS = {
    "operator": {"runner", "scheduler", "worker", "test"},
    "standalone": {"runner", "worker", "test"},
    "cron": {"runner", "test"},
    "service": {"service", "scheduler", "worker", "test"},
    "cluster": {"scheduler", "worker", "test"},
}


def _pods(mode: str, values: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    return dict(pods(rendered(merged(MODES[mode], values or {}))))


@pytest.mark.parametrize("mode", MODES)
def test_pods_have_no_more_rights_than_they_need(mode: str) -> None:
    """No pod mounts a token, runs as root, may gain a right or write but below /tmp; no Service
    becomes environment that the service would take for its settings."""
    made = _pods(mode)
    assert set(made) == PODS[mode]
    for pod in made.values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "command" not in container  # the image's entry point goes before
        assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]
        (scratch,) = (volume for volume in pod["volumes"] if volume["name"] == "tmp")
        assert scratch["emptyDir"]["sizeLimit"]
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("mode", MODES)
def test_pods_have_time_to_end(mode: str) -> None:
    """Each pod has more than the 20 s that an interrupted run takes, as long as values say."""
    assert {pod["terminationGracePeriodSeconds"] for pod in _pods(mode).values()} == {60}
    longer = {"terminationGracePeriodSeconds": 120}
    assert {p["terminationGracePeriodSeconds"] for p in _pods(mode, longer).values()} == {120}


@pytest.mark.parametrize("mode", MODES)
def test_no_role_is_made(mode: str) -> None:
    """Nobody is given a right to the Kubernetes API, and the service account has no token."""
    resources = rendered(MODES[mode])
    assert not [one for one in resources if "Role" in one["kind"]]
    (account,) = of_kind(resources, "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert {p["serviceAccountName"] for p in _pods(mode).values()} == {account["metadata"]["name"]}


def test_secrets_and_volumes_go_to_those_who_read_data() -> None:
    """Runner and workers have the store's secret, the environment and the volumes of values; the
    scheduler, which reads nothing, has none of them."""
    made = _pods("operator", VARIANTS["secrets"])
    for name in ("runner", "worker"):
        (container,) = made[name]["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "store"}}]
        assert {"name": "AWS_REGION", "value": "eu-central-1"} in container["env"]
        assert "/data" in [mount["mountPath"] for mount in container["volumeMounts"]]
    (scheduler,) = made["scheduler"]["containers"]
    assert "envFrom" not in scheduler
    assert [mount["name"] for mount in scheduler["volumeMounts"]] == ["tmp"]


@pytest.mark.parametrize(
    ("spot", "key", "word"),
    [
        ("gke", "cloud.google.com/gke-spot", "true"),
        ("eks", "eks.amazonaws.com/capacityType", "SPOT"),
        ("aks", "kubernetes.azure.com/scalesetpriority", "spot"),
        ("karpenter", "karpenter.sh/capacity-type", "spot"),
    ],
)
def test_spot_is_for_workers_alone(spot: str, key: str, word: str) -> None:
    """Workers are sent to spot nodes and tolerate their taint; runner and scheduler stay off."""
    values = {"workers": {"spot": spot, "nodeSelector": {"zone": "a"}}}
    made = _pods("operator", values)
    assert made["worker"]["nodeSelector"] == {key: word, "zone": "a"}
    (toleration,) = made["worker"]["tolerations"]
    assert toleration == {"key": key, "operator": "Equal", "value": word, "effect": "NoSchedule"}
    for name in ("runner", "scheduler"):
        assert not {"nodeSelector", "tolerations"} & set(made[name])


def test_image_is_the_charts_version_unless_values_say_another() -> None:
    """The tag is appVersion; a tag of values takes its place, and a digest goes before both."""
    from zonalbatch import __version__

    def image(**given: str) -> str:
        (container,) = _pods("cron", {"image": given})["runner"]["containers"]
        return str(container["image"])

    assert image() == f"zonalbatch:{__version__}"
    assert image(repository="r.example.org/z", tag="9") == "r.example.org/z:9"
    digest = "sha256:" + 64 * "a"
    assert image(tag="9", digest=digest) == f"zonalbatch@{digest}"


def test_runner_is_kept_on_its_node_and_waited_for_where_asked() -> None:
    """Autoscalers are asked not to move runner and scheduler; a budget makes a drain wait."""
    (job,) = of_kind(rendered(MODES["operator"]), "DaskJob")
    kept = {
        "karpenter.sh/do-not-disrupt": "true",
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    }
    spec = job["spec"]
    assert spec["job"]["metadata"]["annotations"] == kept
    assert spec["cluster"]["spec"]["scheduler"]["metadata"]["annotations"] == kept
    assert "annotations" not in spec["cluster"]["spec"]["worker"]["metadata"]
    resources = rendered(merged(MODES["operator"], VARIANTS["kept"]))
    (job,) = of_kind(resources, "DaskJob")
    assert "annotations" not in job["spec"]["job"]["metadata"]
    for budget in of_kind(resources, "PodDisruptionBudget"):
        assert budget["spec"]["minAvailable"] == 1
    assert len(of_kind(resources, "PodDisruptionBudget")) == 2


def test_user_may_be_left_to_the_cluster() -> None:
    """Where users are given by the cluster (OpenShift), no pod names one, and none is root."""
    for pod in _pods("operator", VARIANTS["any user"]).values():
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(pod["securityContext"])
        assert pod["securityContext"]["runAsNonRoot"] is True
