"""A small good job, to be spoilt in one point."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made.jobs import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A folder with a small good job."""
    return Bench(tmp_path)
