"""Jobs to be killed, in a folder and in a bucket, and what they should come to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.made.buckets import S3, s3_server
from tests.made.struck import warm
from tests.made.victims import Victim

if TYPE_CHECKING:
    from distributed import Client


@pytest.fixture(scope="session")
def context() -> ForkServerContext:
    """What starts processes that have everything imported."""
    return warm()


@pytest.fixture
def victim(context: ForkServerContext, cluster: Client, tmp_path: Path) -> Victim:
    """A job whose output is a folder."""
    return Victim(context, cluster, tmp_path, str(tmp_path / "out"))


@pytest.fixture(scope="session")
def server() -> Iterator[S3]:
    """An S3 server."""
    with s3_server() as server:
        yield server


@pytest.fixture
def bucket_victim(
    context: ForkServerContext,
    cluster: Client,
    tmp_path: Path,
    server: S3,
    monkeypatch: pytest.MonkeyPatch,
) -> Victim:
    """A job whose output is in a bucket."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    out = f"{server.make_bucket(f'chaos-{uuid.uuid4()}')}/out"
    return Victim(context, cluster, tmp_path, out, dict(server.environment))
