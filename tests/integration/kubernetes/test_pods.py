"""Pods that are processes here: what Kubernetes promises to a container holds for them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.made.kube.cluster import Namespace

pytestmark = [pytest.mark.long, pytest.mark.alone]


def _pod(*words: str, **spec: Any) -> dict[str, Any]:
    container = {
        "name": "only",
        "image": "any",
        "args": ["/bin/sh", "-c", *words],
        "securityContext": {"readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        **spec.pop("container", {}),
    }
    return {
        "metadata": {"name": spec.pop("name", "one"), "labels": spec.pop("labels", {})},
        "spec": {
            "restartPolicy": "Never",
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
            **spec,
        },
    }


def _phase(space: Namespace, name: str = "one") -> str:
    return str(space.get("pods", name)["status"].get("phase"))


def _said(space: Namespace, pod: dict[str, Any], phase: str = "Succeeded") -> str:
    space.kube.api.create("pods", space.name, pod)
    name = pod["metadata"]["name"]
    space.wait(lambda: _phase(space, name) in ("Succeeded", "Failed"), "the pod ends", 30)
    said = space.kube.node.log(space.name, name)
    assert _phase(space, name) == phase, said
    return said


def test_fences(space: Namespace) -> None:
    """A container is no root, writes nothing but its volumes, and sees no process but its own."""
    asked = "id -u; touch /no /tmp/yes; ls /tmp; ps ax | grep -c [k]ube-; ls /var/run; true"
    said = _said(space, _pod(asked, automountServiceAccountToken=False))
    assert "\n1000\n" in said
    assert "cannot touch '/no': Read-only file system" in said
    assert "\nyes\n" in said
    assert "\n0\n" in said
    assert "secrets" not in said


def test_token(space: Namespace) -> None:
    """A pod that does not say otherwise mounts the token of its service account."""
    said = _said(space, _pod("ls /var/run/secrets/kubernetes.io/serviceaccount"))
    assert said.split()[-3:] == ["ca.crt", "namespace", "token"]


def test_variables(space: Namespace) -> None:
    """Values, fields, keys of a secret: each variable is what Kubernetes makes of it."""
    space.make_secret("hidden", {"WHOLE": "w", "part": "p"})
    env = [
        {"name": "PLAIN", "value": "$(WHOLE)-$(NOBODY)-$$(WHOLE)"},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "PLACE", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "part"}}},
    ]
    start = {"env": env, "envFrom": [{"secretRef": {"name": "hidden"}}]}
    start["args"] = ["/bin/sh", "-c", "echo $0; env; hostname -I", "$(NAME)"]
    told = set(_said(space, _pod(container=start)).splitlines())
    assert {"one", "NAME=one", "PLAIN=w-$(NOBODY)-$(WHOLE)", "KEY=p", "WHOLE=w"} <= told
    (address,) = (line.partition("=")[2] for line in told if line.startswith("PLACE="))
    assert f"{address} " in told


def test_names(space: Namespace) -> None:
    """A service's name leads to the pods it selects, which listen at one port side by side."""
    serve = "cd /tmp; echo $HOSTNAME > name; exec python -m http.server 8786"
    for name in ("left", "right"):
        pod = _pod(serve, name=name, labels={"app": name})
        space.kube.api.create("pods", space.name, pod)
        spec = {"selector": {"app": name}, "ports": [{"port": 8786}]}
        space.kube.api.create("services", space.name, {"metadata": {"name": name}, "spec": spec})
    full = f"right.{space.name}.svc.cluster.local"
    asked = f"""
for attempt in $(seq 100); do
  python -c 'from urllib.request import urlopen as ask
print("heard", *(ask("http://" + n + ":8786/name").read() for n in ("left", "{full}")))' && break
  sleep 0.2
done"""
    assert "heard b'left\\n' b'right\\n'" in _said(space, _pod(asked))


def test_ends(space: Namespace) -> None:
    """A pod that is deleted hears SIGTERM; one that is killed has failed with 137."""
    for name in ("asked", "killed"):
        loop = "trap 'echo heard; exit 0' TERM; echo up; while :; do sleep 0.1; done"
        space.kube.api.create("pods", space.name, _pod(loop, name=name))
    space.wait(
        lambda: all("up" in space.kube.node.log(space.name, n) for n in ("asked", "killed")),
        "both are up",
    )
    space.kube.api.delete("pods", space.name, "asked")
    space.wait(lambda: len(space.find("pods")) == 1, "the pod is removed", 10)
    assert "heard" in space.kube.node.log(space.name, "asked")
    space.kube.node.kill(space.name, "killed")
    space.wait(lambda: _phase(space, "killed") == "Failed", "the pod has failed", 10)
    (status,) = space.get("pods", "killed")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 137


def test_restarts(space: Namespace) -> None:
    """A container that fails is started again, in the pod that it was in, until it succeeds."""
    counted = "echo x >> /tmp/starts; test $(wc -l < /tmp/starts) -eq 2"
    _said(space, _pod(counted, restartPolicy="OnFailure"))
    (status,) = space.get("pods", "one")["status"]["containerStatuses"]
    assert status["restartCount"] == 1
