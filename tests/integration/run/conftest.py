"""Runs of the landscape's job on a Dask cluster of two processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.made.runs import Runner
from zonalbatch.demo import Landscape

if TYPE_CHECKING:
    from distributed import Client


@pytest.fixture
def runner(land: Landscape, cluster: Client, tmp_path: Path) -> Runner:
    """Runs into a folder of this test's own."""
    return Runner(land, cluster, tmp_path)
