"""The landscape's job, as a user has it in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.made.jobs import write_job
from zonalbatch.demo import Landscape


@pytest.fixture
def job(land: Landscape, tmp_path: Path, at_hand: dict[str, str]) -> Path:
    """The landscape's job, on the cluster of the tests, into a folder of this test's own."""
    document = yaml.safe_load(land.job.read_text())
    document["zones"]["path"] = str(land.fields)
    document["source"]["items"] = str(land.items)
    return write_job(tmp_path, document | {"cluster": at_hand})
