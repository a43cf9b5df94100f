"""A folder and a bucket, each a place."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.made.buckets import S3, s3_server
from zonalbatch.places import Place, place_of


@pytest.fixture(scope="session")
def server() -> Iterator[S3]:
    """An S3 server."""
    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(server: S3, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place in a bucket of its own."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return place_of(f"{server.make_bucket(f'zones-{uuid.uuid4()}')}/deep/out")


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place of each kind, where nothing is yet."""
    if request.param == "folder":
        return place_of(tmp_path / "deep" / "out")
    found: Place = request.getfixturevalue("bucket")
    return found
