"""An S3 server on this machine, moto's, and buckets in it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["S3", "s3_server"]


@dataclass(frozen=True)
class S3:
    """A server, as the environment of whoever talks to it says."""

    port: int
    host: str = "127.0.0.1"

    @property
    def environment(self) -> dict[str, str]:
        """What obstore and boto3 look for."""
        return {
            "AWS_ENDPOINT_URL": f"http://{self.host}:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "something",
            "AWS_REGION": "us-east-1",
        }

    def make_bucket(self, name: str) -> str:
        """A new bucket; its link."""
        import boto3

        boto3.client(
            "s3", endpoint_url=self.environment["AWS_ENDPOINT_URL"], region_name="us-east-1",
            aws_access_key_id="someone", aws_secret_access_key="something",
        ).create_bucket(Bucket=name)  # fmt: skip
        return f"s3://{name}"


@contextmanager
def s3_server(host: str = "127.0.0.1", **settings: str) -> Iterator[S3]:
    """A server in a process of its own, while the block lasts; with settings of moto's."""
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)]
    plain = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | settings
    server = subprocess.Popen(
        command, env=plain, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(host, port)
        yield S3(port, host)
    finally:
        server.kill()
        server.wait()


def _wait_for(host: str, port: int, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as asked:
            asked.settimeout(1.0)
            if asked.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"no server at {host}:{port}")
