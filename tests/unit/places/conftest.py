"""A folder and a bucket, each a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from zonalbatch.places import Place, place_of


@pytest.fixture
def in_bucket(bucket: str) -> Place:
    """A place in a bucket of its own."""
    return place_of(bucket)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place of each kind, where nothing is yet."""
    if request.param == "folder":
        return place_of(tmp_path / "deep" / "out")
    return place_of(request.getfixturevalue("bucket"))
