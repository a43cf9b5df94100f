"""Cluster: servers, a node and what its containers start from."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.made.certificates import certified
from tests.made.kube.api import Api, Object
from tests.made.kube.bridge import Bridge, bridged
from tests.made.kube.image import (
    HOME,
    REPOSITORY,
    Image,
    compile_kernels,
    image_of,
    made_venv,
)
from tests.made.kube.kubelet import Kubelet, Rig, kubelet, settle
from tests.made.kube.releases import Releases
from tests.made.kube.servers import binaries, served
from tests.made.kube.volumes import Mount

__all__ = ["DATA", "Kube", "Namespace", "kubernetes"]

DATA = "/data"
"""Where containers find the data of the tests."""
PROGRAMS = ("zonalbatch", "dask", "kopf")


@dataclass(frozen=True)
class Kube:
    """A cluster of one node."""

    api: Api
    node: Kubelet
    bridge: Bridge
    data: Path
    """Here what containers have at ``DATA``."""

    def make_namespace(self, name: str) -> None:
        """A namespace whose service account can be used."""
        self.api.create("namespaces", "", {"metadata": {"name": name}})
        settle(
            lambda: bool((self.api.get("serviceaccounts", name, "default") or {}).get("secrets")),
            30,
        )

    @contextmanager
    def namespace(self) -> Iterator[Namespace]:
        """A namespace of its own, which is emptied at the end of the block."""
        name = f"space-{uuid.uuid4().hex[:6]}"
        self.make_namespace(name)
        try:
            yield Namespace(self, name)
        finally:
            self.api.delete("namespaces", "", name)
            for pod in self.api.find("pods", name):
                self.api.delete("pods", name, pod["metadata"]["name"], gracePeriodSeconds=0)


@dataclass(frozen=True)
class Namespace:
    """A namespace for one test."""

    kube: Kube
    name: str

    @property
    def releases(self) -> Releases:
        """Helm in it."""
        return Releases(self.kube.api, self.name)

    def find(self, kind: str, selector: str = "") -> list[Object]:
        """Objects in it."""
        return self.kube.api.find(kind, self.name, selector)

    def get(self, kind: str, name: str) -> Object:
        """An object that is there."""
        found = self.kube.api.get(kind, self.name, name)
        assert found is not None, f"no {name} among {kind}"
        return found

    def claim(self, claim: str) -> Path:
        """The folder of a claim."""
        return self.kube.node.claims.folder_of(self.name, claim)

    def pods(self, component: str) -> list[str]:
        """Names of the pods of a part of a release that run."""
        found = [
            *self.find("pods", f"app.kubernetes.io/component={component}"),
            *self.find("pods", f"dask.org/component={component}"),
        ]
        running = [pod for pod in found if pod["status"].get("phase") == "Running"]
        return sorted({pod["metadata"]["name"] for pod in running})

    def restarts(self, pod: str) -> int:
        """How often the containers of a pod were started again."""
        found = self.kube.api.get("pods", self.name, pod) or {"status": {}}
        told = found["status"].get("containerStatuses") or []
        return sum(container["restartCount"] for container in told)

    def codes(self, job: str) -> list[int]:
        """Exit codes of the pods of a batch Job that have ended."""
        return [
            container["state"]["terminated"]["exitCode"]
            for pod in self.find("pods", f"job-name={job}")
            for container in pod["status"].get("containerStatuses") or []
            if "terminated" in container["state"]
        ]

    def kill(self, pod: str) -> None:
        """Kill the processes of a pod, as the kernel does where memory is short."""
        self.kube.node.kill(self.name, pod)

    def make_claim(self, claim: str) -> Path:
        """A claim, and its folder."""
        wanted = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
        body: Object = {"metadata": {"name": claim}, "spec": wanted}
        self.kube.api.create("persistentvolumeclaims", self.name, body)
        return self.claim(claim)

    def make_secret(self, name: str, keys: dict[str, str]) -> None:
        """A secret."""
        body: Object = {"metadata": {"name": name}, "stringData": keys}
        self.kube.api.create("secrets", self.name, body)

    def make_certificates(self, name: str) -> None:
        """A secret of certificates that one authority gave."""
        with TemporaryDirectory() as folder:
            authority, given = certified(Path(folder), "zonalbatch")
            certificate, mark, key = given.read_text().partition("-----BEGIN PRIVATE KEY")
            keys = {"ca.crt": authority.read_text(), "tls.crt": certificate, "tls.key": mark + key}
            self.make_secret(name, keys)

    def wait(self, holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
        """Wait until something holds; else tell what the pods said."""
        if not settle(holds, seconds):
            pods = [f"{p['metadata']['name']}: {p['status']}" for p in self.find("pods")]
            faults = "\n".join(self.kube.node.faults[-3:])
            said = self.kube.node.said(self.name)
            raise AssertionError(f"not within {seconds} s: {what}\n{pods}\n{said}\n{faults}")


@contextmanager
def kubernetes(folder: Path, images: dict[str, Image]) -> Iterator[Kube]:
    """A cluster that ends with the block.

    Args:
        folder: for all that it writes.
        images: by name; that of this repository is for all other names.
    """
    programs = binaries()
    data = folder / "data"
    for name in ("servers", "node", "data"):
        (folder / name).mkdir(parents=True)
    own = image_of(REPOSITORY / "Dockerfile")
    rig = Rig({"": own, **images}, _files(folder, data, own))
    with (
        bridged() as bridge,
        served(programs, folder / "servers", bridge) as api,
        kubelet(api, bridge, rig, folder / "node") as node,
    ):
        yield Kube(api, node, bridge, data)


def _files(folder: Path, data: Path, image: Image) -> list[Mount]:
    """What containers have: the environment, and what it points to at its own places."""
    venv = made_venv(folder / "venv", PROGRAMS, REPOSITORY / "helm" / "image" / "entrypoint")
    (venv / "kernels").mkdir()
    kernels = REPOSITORY / ".cache" / "kernels"
    compile_kernels(image, kernels)
    places = {Path(sys.prefix), Path(sys.base_prefix), REPOSITORY}
    shared = [place for place in sorted(places) if not place.is_relative_to("/usr")]
    return [
        *(Mount(place, str(place)) for place in shared),
        Mount(venv, HOME),
        Mount(kernels, f"{HOME}/kernels"),
        Mount(data, DATA),
    ]
