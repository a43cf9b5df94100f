"""Kubelet: runs the pods of all namespaces here, and tells the API how they fare."""

from __future__ import annotations

import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.made.kube.api import Api, Object
from tests.made.kube.bridge import Bridge
from tests.made.kube.containers import NotThereError, variables_of, words_of
from tests.made.kube.image import Image
from tests.made.kube.names import Names
from tests.made.kube.pod import Container, Pod
from tests.made.kube.relays import Relays
from tests.made.kube.sandbox import NAMES, Process, sandbox
from tests.made.kube.volumes import Claims, Mount, folders_of, mounts_of

__all__ = ["Kubelet", "Rig", "kubelet"]

NODE = "here"
ROUND = 0.15
"""Seconds between two looks at what the API wants."""


@dataclass(frozen=True)
class Rig:
    """What containers start from."""

    images: Mapping[str, Image]
    """By their names without a tag; the one named "" is for all others."""
    files: Sequence[Mount]
    """What all images hold."""

    def image(self, name: str) -> Image:
        """The image that a container names."""
        bare = name.rpartition(":")[0] or name
        return self.images.get(bare, self.images[""])


@dataclass(eq=False)
class Kubelet:
    """The one node: its pods."""

    api: Api
    bridge: Bridge
    rig: Rig
    folder: Path
    claims: Claims
    names: Names
    pods: dict[str, Pod] = field(default_factory=dict)
    """By uid."""
    gone: dict[tuple[str, str], list[Pod]] = field(default_factory=dict)
    """Pods that were removed, by (namespace, name)."""
    ended: threading.Event = field(default_factory=threading.Event)
    faults: list[str] = field(default_factory=list)

    def kill(self, namespace: str, name: str) -> None:
        """Kill the processes of a pod, as the kernel does that lacks memory."""
        for pod in list(self.pods.values()):
            if pod.place == (namespace, name):
                pod.signal(signal.SIGKILL)
                return
        raise KeyError(f"no pod {name} runs in {namespace}")

    def log(self, namespace: str, name: str) -> str:
        """What a pod has said, or those of its name that are gone."""
        here = [pod for pod in self.pods.values() if pod.place == (namespace, name)]
        return "\n".join(pod.log() for pod in (*self.gone.get((namespace, name), ()), *here))

    def said(self, namespace: str) -> str:
        """What all pods of a namespace have said, those that are gone too."""
        places = {*self.gone, *(pod.place for pod in list(self.pods.values()))}
        return "\n".join(
            f"== {name}\n{self.log(namespace, name)[-6000:]}"
            for _, name in sorted(place for place in places if place[0] == namespace)
        )

    def live(self) -> None:
        """Do what the API wants until the end."""
        while not self.ended.wait(ROUND):
            try:
                self._round()
            except (httpx.HTTPError, AssertionError, OSError):
                self.faults.append(traceback.format_exc())
        for pod in list(self.pods.values()):
            pod.signal(signal.SIGKILL)
        for pod in list(self.pods.values()):
            pod.remove()

    def _round(self) -> None:
        self.claims.keep_up()
        wanted = {pod["metadata"]["uid"]: pod for pod in self.api.find("pods")}
        for uid, body in wanted.items():
            if uid in self.pods:
                self._go_on(self.pods[uid], body)
            elif "deletionTimestamp" in body["metadata"]:
                self._remove(body)
            elif body["status"].get("phase") not in ("Succeeded", "Failed"):
                self._begin(body)
        for uid in self.pods.keys() - wanted.keys():
            self._forget(uid)
        self.names.keep_up()

    def _begin(self, body: Object) -> None:
        """Take a pod that nobody has."""
        place, uid = body["metadata"], body["metadata"]["uid"]
        if not body["spec"].get("nodeName"):
            self.api.bind(place["namespace"], place["name"], NODE)
        folder = self.folder / "pods" / f"{place['namespace']}-{place['name']}-{uid[:8]}"
        spec = body["spec"]
        pod = Pod(
            body, sandbox(self.bridge), folder, self._start,
            [Container(found) for found in spec.get("initContainers", [])],
            [Container(found) for found in spec["containers"]],
        )  # fmt: skip
        self.pods[uid] = pod
        self._go_on(pod, body)

    def _go_on(self, pod: Pod, body: Object) -> None:
        place = body["metadata"]
        if "deletionTimestamp" in place:
            pod.step()
            pod.terminate(float(place.get("deletionGracePeriodSeconds", 30)))
            if pod.ended:
                self._remove(body)
                return
        else:
            try:
                pod.step()
            except NotThereError:
                return  # it is waited for
        status = pod.status()
        if status != pod.told:
            self.api.report("pods", place["namespace"], place["name"], status)
            pod.told = status

    def _remove(self, body: Object) -> None:
        place = body["metadata"]
        self.api.delete("pods", place["namespace"], place["name"], gracePeriodSeconds=0)

    def _forget(self, uid: str) -> None:
        pod = self.pods.pop(uid)
        pod.remove()
        self.gone.setdefault(pod.place, []).append(pod)

    def _start(self, body: Object, spec: Object, folder: Path) -> Process:
        pod = self.pods[body["metadata"]["uid"]]
        seen = body | {"status": pod.status()}
        image = self.rig.image(spec["image"])
        given = self._given(body)
        variables = variables_of(self.api, seen, spec, image, given)
        volumes = folders_of(self.api, self.claims, body, pod.folder / "volumes")
        own = sorted(mounts_of(spec, volumes), key=lambda mount: len(mount.target))
        names = Mount(self.names.folder_of(pod.place[0]), NAMES)
        secured = body["spec"].get("securityContext", {}) | spec.get("securityContext", {})
        return pod.sandbox.start(
            words_of(spec, image, variables),
            variables=variables,
            mounts=[*self.rig.files, names, *own],
            user=_user(image, secured),
            folder=folder,
            host=given["HOSTNAME"],
            place=spec.get("workingDir", image.place),
            read_only=secured.get("readOnlyRootFilesystem", False),
        )

    def _given(self, body: Object) -> dict[str, str]:
        """Variables that every container has: the API, and services that were there before."""
        host, _, port = self.api.url.removeprefix("https://").partition(":")
        found = {
            "HOSTNAME": body["spec"].get("hostname") or body["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
            "KUBERNETES_PORT": f"tcp://{host}:{port}",
        }
        if body["spec"].get("enableServiceLinks", True):
            for service in self.api.find("services", body["metadata"]["namespace"]):
                found |= _links(service)
        return found


@contextmanager
def kubelet(api: Api, bridge: Bridge, rig: Rig, folder: Path) -> Iterator[Kubelet]:
    """A node whose pods run until the end of the block."""
    for name in ("pods", "claims", "names"):
        (folder / name).mkdir()
    api.create("nodes", "", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    claims = Claims(api, folder / "claims")
    names = Names(api, folder / "names", Relays(bridge))
    node = Kubelet(api, bridge, rig, folder, claims, names)
    thread = threading.Thread(target=node.live, name="kubelet")
    thread.start()
    try:
        yield node
    finally:
        node.ended.set()
        thread.join()
        names.relays.end()


def _user(image: Image, secured: Object) -> str:
    user, _, group = image.user.partition(":")
    return f"{secured.get('runAsUser', user)}:{secured.get('runAsGroup', group)}"


def _links(service: Object) -> dict[str, str]:
    """What a service adds to the environment of pods that begin after it."""
    address = service["spec"].get("clusterIP", "None")
    if address == "None":
        return {}
    name = service["metadata"]["name"].upper().replace("-", "_")
    port = service["spec"]["ports"][0]["port"]
    return {
        f"{name}_SERVICE_HOST": address,
        f"{name}_SERVICE_PORT": str(port),
        f"{name}_PORT": f"tcp://{address}:{port}",
        f"{name}_PORT_{port}_TCP_ADDR": address,
    }


def settle(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds; whether it does."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.1)
    return True
