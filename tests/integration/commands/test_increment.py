"""`zonalbatch plan` and `run` where the output holds a part of what the job asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.made.commands import Command, assert_one_sentence
from tests.made.jobs import amend, write_job
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares


@pytest.fixture
def job(tmp_path: Path, at_hand: dict[str, str]) -> Path:
    """A job over four zones and all rasters of its folder, of which there is one."""
    write_tif(tmp_path / "a_20240101.tif", noise(64, 64, seed=1))
    squares(2, side=320.0).to_parquet(tmp_path / "zones.parquet")
    document = {
        "zones": {"path": "zones.parquet", "id": "id"},
        "source": {"kind": "cog", "pattern": "a_{date:%Y%m%d}.tif"},
        "bands": {"red": 1}, "statistics": ["mean"], "output": {"path": "out"},
        "cluster": at_hand,
    }  # fmt: skip
    return write_job(tmp_path, document)


def test_more_and_less(here: Command, job: Path) -> None:
    """The plan says what is new, the report what was there; what would be lost is refused."""
    _, out, _ = here("plan", job)
    assert "to do" not in out
    assert here("run", job, "-q").code == 0
    write_tif(job.parent / "a_20240201.tif", noise(64, 64, seed=2))
    code, out, _ = here("plan", job)
    assert code == 0
    assert "new       zones as they were; layers 1 new" in out
    assert "to do     1 part, at most" in out
    assert "0 rewritten from their rows, 1 kept" in out
    plan = json.loads(here("plan", job, "--json").out)
    assert plan["new"]["layers"] == {"new": 1, "changed": 0, "removed": 0}
    assert (plan["todo"]["computed"], plan["todo"]["kept"]) == (1, 1)
    code, out, _ = here("run", job)
    assert code == 0
    assert "in 2 parts (1 were there already)" in out
    squares(2, side=320.0).iloc[:3].to_parquet(job.parent / "fewer.parquet")
    fewer = amend(job, zones={"path": "fewer.parquet", "id": "id"})
    for command in ("plan", "run"):
        told = here(command, fewer)
        assert told.code == 2
        assert_one_sentence(told.err, "1 zone (such as 3)", "--prune")
    assert "3 kept" not in here("plan", fewer, "--prune").out
    code, out, _ = here("run", fewer, "--prune")
    assert code == 0
    assert "6 rows" in out
    assert "2 rewritten from rows that were" in out
