"""Operator: the Dask operator as its own chart installs it, in a pod, with its own token."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import dask_kubernetes
import httpx

from tests.made.kube.cluster import Kube
from tests.made.kube.image import Image, image_of
from tests.made.kube.kubelet import settle
from tests.made.kube.releases import Releases

__all__ = ["ACCOUNT", "IMAGE", "NAMESPACE", "install_operator", "operator_image"]

NAMESPACE = "dask-operator"
ACCOUNT = "dask-kubernetes-operator"
IMAGE = "ghcr.io/dask/dask-kubernetes-operator"
DEPLOYMENT = Path(dask_kubernetes.__file__).parent / "operator" / "deployment"


def operator_image() -> Image:
    """The operator's image, whose program lies where ours has its own."""
    found = image_of(DEPLOYMENT / "Dockerfile")
    (program, *rest) = found.entrypoint
    here = program.replace("/usr/local/bin", "/opt/zonalbatch/bin")
    return replace(found, entrypoint=(here, *rest))


def install_operator(kube: Kube) -> None:
    """Install it, and wait until it is at work."""
    kube.make_namespace(NAMESPACE)
    chart = DEPLOYMENT / "helm" / "dask-kubernetes-operator"
    Releases(kube.api, NAMESPACE).install(chart, ACCOUNT, {"image": {"tag": "latest"}})
    assert settle(lambda: _lives(kube), 60), kube.node.said(NAMESPACE)


def _lives(kube: Kube) -> bool:
    """Whether it answers the question that its liveness probe asks."""
    for pod in kube.api.find("pods", NAMESPACE):
        with suppress(httpx.HTTPError):
            url = f"http://{pod['status'].get('podIP', '127.0.0.1')}:8080/healthz"
            return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    return False
