"""A Dask Gateway: the real server and its proxy on loopback, whose clusters are local processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.made.apis import free_port, need
from tests.made.commands import environment
from zonalbatch.clusters import settings

__all__ = ["gateway"]

PATIENCE = 60.0
"""Seconds that the server may take to answer."""

CONFIGURATION = """
from dask_gateway_server.options import Integer, Options

c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
c.DaskGateway.address = "127.0.0.1:{inner}"
c.Proxy.address = "127.0.0.1:{port}"
c.UnsafeLocalBackend.clusters_directory = "{folder}"
c.Backend.cluster_options = Options(Integer("worker_cores", default=1, min=1, max=2))
c.ClusterConfig.scheduler_cmd = ["dask", "scheduler"]
c.ClusterConfig.worker_cmd = ["dask", "worker"]
c.ClusterConfig.worker_memory = "3 G"
c.ClusterConfig.environment = {settings}
c.ClusterConfig.adaptive_period = 1
"""


@contextmanager
def gateway() -> Iterator[str]:
    """The URL of a gateway that is ended with the block."""
    need(find_spec("dask_gateway_server") is not None, "dask-gateway-server is not installed")
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        port, log = free_port(), Path(folder) / "log"
        configuration = Path(folder) / "gateway.py"
        text = CONFIGURATION.format(
            inner=free_port(), port=port, folder=folder, settings=settings.environment()
        )
        configuration.write_text(text)
        command = [sys.executable, "-m", "dask_gateway_server", "--config", str(configuration)]
        with (
            open(log, "wb") as told,
            subprocess.Popen(command, stdout=told, stderr=told, env=environment()) as server,
        ):
            try:
                yield _answering(f"http://127.0.0.1:{port}", server, log)
            finally:
                server.terminate()


def _answering(url: str, server: subprocess.Popen[bytes], log: Path) -> str:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/health", timeout=5):
                return url
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the gateway does not answer:\n{log.read_text()}")
