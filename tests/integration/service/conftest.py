"""A service that tests of a process share, and the folder that it may read."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.made.service import Served, serving, write_fact
from zonalbatch.service.settings import Settings


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose files the service reads."""
    folder = tmp_path_factory.mktemp("root")
    write_fact(folder / "fact.tif")
    return folder


@pytest.fixture(scope="session")
def closed_port() -> Iterator[int]:
    """A port of loopback at which nobody listens, and which the service may reach.

    It is held, so that no other program is given it; a server of a test may still listen there.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="session")
def service(root: Path, closed_port: int) -> Iterator[Served]:
    """A service on loopback that reads files of one folder."""
    private = (f"127.0.0.1:{closed_port}",)
    settings = Settings(root=root, workers=1, rate=0, private=private, seconds=120)
    with serving(settings) as served:
        yield served
