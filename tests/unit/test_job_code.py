"""Code beside a job: each job has the functions of its own folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zonalbatch.job.code import load_function, place_of


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two folders with a module of one name, whose functions return 1 and 2."""
    for name, number in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        text = f"def mine(values, fractions):\n    return {number}\n"
        (tmp_path / name / "of_two_jobs.py").write_text(text)
    yield str(tmp_path / "a"), str(tmp_path / "b")
    sys.modules.pop("of_two_jobs", None)


def test_each_job_has_its_own(folders: tuple[str, str]) -> None:
    """The second job of a process does not get the first one's, whose place stays known."""
    first, second = (load_function("of_two_jobs:mine", folder) for folder in folders)
    assert (first(0, 0), second(0, 0)) == (1, 2)
    assert load_function("of_two_jobs:mine", folders[1]) is second
    assert place_of(first) == place_of(second) == "of_two_jobs:mine"


def test_modules_from_elsewhere_stay(tmp_path: Path) -> None:
    """Where none lies beside the job, what is imported is taken."""
    import json

    assert load_function("json:loads", str(tmp_path)) is json.loads
    assert sys.modules["json"] is json
