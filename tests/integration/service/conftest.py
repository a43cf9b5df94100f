"""A service that tests of a process share, and the folder that it may read."""

from __future__ import annotations

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
def service(root: Path) -> Iterator[Served]:
    """A service on loopback that reads files of one folder."""
    with serving(Settings(root=root, workers=1, rate=0)) as served:
        yield served
