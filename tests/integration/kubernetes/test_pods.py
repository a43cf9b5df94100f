"""Pods that are processes here: what Kubernetes promises to a container holds for them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.made.kube.cluster import Room

pytestmark = pytest.mark.long


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


def _phase(room: Room, name: str = "one") -> str:
    return str(room.get("pods", name)["status"].get("phase"))


def _said(room: Room, pod: dict[str, Any], phase: str = "Succeeded") -> str:
    room.kube.api.create("pods", room.namespace, pod)
    name = pod["metadata"]["name"]
    room.wait(lambda: _phase(room, name) in ("Succeeded", "Failed"), "the pod ends", 30)
    said = room.kube.node.log(room.namespace, name)
    assert _phase(room, name) == phase, said
    return said


def test_fences(room: Room) -> None:
    """A container is no root, writes nothing but its volumes, and sees no process but its own."""
    asked = "id -u; touch /no /tmp/yes; ls /tmp; ps ax | grep -c [k]ube-; ls /var/run; true"
    said = _said(room, _pod(asked, automountServiceAccountToken=False))
    assert "\n1000\n" in said
    assert "cannot touch '/no': Read-only file system" in said
    assert "\nyes\n" in said
    assert "\n0\n" in said
    assert "secrets" not in said


def test_token(room: Room) -> None:
    """A pod that does not say otherwise mounts the token of its service account."""
    said = _said(room, _pod("ls /var/run/secrets/kubernetes.io/serviceaccount"))
    assert said.split()[-3:] == ["ca.crt", "namespace", "token"]


def test_variables(room: Room) -> None:
    """Values, fields, keys of a secret: each variable is what Kubernetes makes of it."""
    room.make_secret("hidden", {"WHOLE": "w", "part": "p"})
    env = [
        {"name": "PLAIN", "value": "$(WHOLE)-$(NOBODY)-$$(WHOLE)"},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "PLACE", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "part"}}},
    ]
    start = {"env": env, "envFrom": [{"secretRef": {"name": "hidden"}}]}
    start["args"] = ["/bin/sh", "-c", "echo $0; env; hostname -I", "$(NAME)"]
    told = set(_said(room, _pod(container=start)).splitlines())
    assert {"one", "NAME=one", "PLAIN=w-$(NOBODY)-$(WHOLE)", "KEY=p", "WHOLE=w"} <= told
    (address,) = (line.partition("=")[2] for line in told if line.startswith("PLACE="))
    assert f"{address} " in told


def test_names(room: Room) -> None:
    """A service's name leads to the pods it selects, which listen at one port side by side."""
    serve = "cd /tmp; echo $HOSTNAME > name; exec python -m http.server 8786"
    for name in ("left", "right"):
        pod = _pod(serve, name=name, labels={"app": name})
        room.kube.api.create("pods", room.namespace, pod)
        spec = {"selector": {"app": name}, "ports": [{"port": 8786}]}
        room.kube.api.create("services", room.namespace, {"metadata": {"name": name}, "spec": spec})
    full = f"right.{room.namespace}.svc.cluster.local"
    asked = f"""
for attempt in $(seq 100); do
  python -c 'from urllib.request import urlopen as ask
print("heard", *(ask("http://" + n + ":8786/name").read() for n in ("left", "{full}")))' && break
  sleep 0.2
done"""
    assert "heard b'left\\n' b'right\\n'" in _said(room, _pod(asked))


def test_ends(room: Room) -> None:
    """A pod that is deleted hears SIGTERM; one that is killed has failed with 137."""
    for name in ("asked", "killed"):
        loop = "trap 'echo heard; exit 0' TERM; echo up; while :; do sleep 0.1; done"
        room.kube.api.create("pods", room.namespace, _pod(loop, name=name))
    room.wait(
        lambda: all("up" in room.kube.node.log(room.namespace, n) for n in ("asked", "killed")),
        "both are up",
    )
    room.kube.api.delete("pods", room.namespace, "asked")
    room.wait(lambda: len(room.find("pods")) == 1, "the pod is removed", 10)
    assert "heard" in room.kube.node.log(room.namespace, "asked")
    room.kube.node.kill(room.namespace, "killed")
    room.wait(lambda: _phase(room, "killed") == "Failed", "the pod has failed", 10)
    (status,) = room.get("pods", "killed")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 137


def test_restarts(room: Room) -> None:
    """A container that fails is started again, in the pod that it was in, until it succeeds."""
    counted = "echo x >> /tmp/starts; test $(wc -l < /tmp/starts) -eq 2"
    _said(room, _pod(counted, restartPolicy="OnFailure"))
    (status,) = room.get("pods", "one")["status"]["containerStatuses"]
    assert status["restartCount"] == 1
