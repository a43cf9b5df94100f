"""Servers of Kubernetes: etcd, the API server and the controllers, on this machine alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.made.apis import free_port
from tests.made.certificates import certified
from tests.made.kube.api import Api
from tests.made.kube.bridge import Bridge
from tests.made.kube.sandbox import WITH_US
from tests.made.room import why_not

__all__ = ["binaries", "kubeconfig", "served"]

REPOSITORY = Path(__file__).resolve().parents[3]
BUILDER = REPOSITORY.parent / "shared" / "kube" / "build-kube.sh"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
CONTROLLERS = (
    "cronjob", "deployment", "endpoint", "garbagecollector", "job", "namespace", "pvc-protection",
    "replicaset", "serviceaccount", "serviceaccount-token", "ttl-after-finished",
)  # fmt: skip
TOKEN = "of-the-administrator"
PATIENCE = 60.0
"""Seconds that a server may take to start."""


def binaries() -> Path:
    """The folder of the programs; else the test is skipped, or fails where they must be there."""
    if reason := why_not():
        pytest.skip(reason)
    if any(Path(one).resolve().is_relative_to("/tmp") for one in (REPOSITORY, sys.prefix)):
        pytest.skip(
            "pods have a /tmp of their own, and this repository lies in that of the machine"
        )
    given = os.environ.get("ZONALBATCH_KUBE")
    home = Path(given) if given else Path.home() / ".cache" / "zonalbatch" / "kube"
    missing = [name for name in PROGRAMS if not (home / "bin" / name).exists()]
    if missing:
        told = f"no {', '.join(missing)} in {home / 'bin'}; build with {BUILDER.name} {home}"
        if os.environ.get("ZONALBATCH_CI") and BUILDER.exists():
            pytest.fail(f"{told}, which .ci/run should have seen to")
        pytest.skip(told)
    return home / "bin"


def kubeconfig(api: Api) -> str:
    """A file by which programs find the API; JSON is YAML."""
    return json.dumps(
        {
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{
                "name": "here",
                "cluster": {"server": api.url, "certificate-authority": str(api.authority)},
            }],
            "users": [{"name": "admin", "user": {"token": api.token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
        }
    )  # fmt: skip


@contextmanager
def served(programs: Path, folder: Path, bridge: Bridge) -> Iterator[Api]:
    """The API of servers that listen on the bridge, as its administrator."""
    with ExitStack() as running:
        store = f"http://127.0.0.1:{free_port()}"
        peers = f"http://127.0.0.1:{free_port()}"
        running.enter_context(_started(_etcd(programs, folder, store, peers), folder))
        authority, certificate = certified(folder, bridge.gateway, "kubernetes.default.svc")
        api = Api(f"https://{bridge.gateway}:{free_port()}", authority, TOKEN)
        _write_keys(folder)
        (folder / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
        (folder / "kubeconfig").write_text(kubeconfig(api))
        running.enter_context(
            _started(_api_server(programs, folder, api, store, certificate, bridge), folder)
        )
        _wait_until(api.ready, "the API server")
        running.enter_context(_started(_controllers(programs, folder, api), folder))
        running.callback(api.client.close)
        yield api


def _etcd(programs: Path, folder: Path, clients: str, peers: str) -> list[str]:
    return [
        str(programs / "etcd"), "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync",
        "--listen-client-urls", clients, "--advertise-client-urls", clients,
        "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
        "--initial-cluster", f"default={peers}",
    ]  # fmt: skip


def _api_server(
    programs: Path, folder: Path, api: Api, store: str, certificate: Path, bridge: Bridge
) -> list[str]:
    return [
        str(programs / "kube-apiserver"), f"--etcd-servers={store}",
        f"--bind-address={bridge.gateway}", f"--advertise-address={bridge.gateway}",
        f"--secure-port={api.url.rpartition(':')[2]}",
        f"--tls-cert-file={certificate}", f"--tls-private-key-file={certificate}",
        f"--cert-dir={folder / 'certificates'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.pub'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        f"--token-auth-file={folder / 'tokens.csv'}", "--authorization-mode=RBAC",
        f"--service-cluster-ip-range={bridge.services}", "--allow-privileged=true",
        "--feature-gates=TTLAfterFinished=true",
    ]  # fmt: skip


def _controllers(programs: Path, folder: Path, api: Api) -> list[str]:
    return [
        str(programs / "kube-controller-manager"), f"--kubeconfig={folder / 'kubeconfig'}",
        f"--service-account-private-key-file={folder / 'accounts.key'}",
        f"--root-ca-file={api.authority}", f"--controllers={','.join(CONTROLLERS)}",
        "--leader-elect=false", "--bind-address=127.0.0.1", f"--secure-port={free_port()}",
        "--port=0", f"--cert-dir={folder / 'certificates'}",
        "--feature-gates=TTLAfterFinished=true", "--kube-api-qps=200", "--kube-api-burst=300",
    ]  # fmt: skip


def _write_keys(folder: Path) -> None:
    """The pair by which tokens of service accounts are signed."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.TraditionalOpenSSL, forms.NoEncryption()
    )
    public = key.public_key().public_bytes(
        forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "accounts.key").write_bytes(private)
    (folder / "accounts.pub").write_bytes(public)


@contextmanager
def _started(command: Sequence[str], folder: Path) -> Iterator[None]:
    """A server that tells what happens into a file, and is ended with the block."""
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        server = subprocess.Popen([*WITH_US, *command], cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            server.kill()
            server.wait()


def _wait_until(answers: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not answers():
        assert time.monotonic() < ends, f"{what} does not answer"
        time.sleep(0.05)
