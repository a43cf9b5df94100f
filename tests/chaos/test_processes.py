"""Workers, nannies, the scheduler and the client, killed at random: nothing is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import zonalbatch as zb
from tests.made.mayhem import Mayhem


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_mayhem(tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int) -> None:
    """A dozen kills while parts are unfinished; then the digest of a quiet run, no row twice."""
    mayhem = Mayhem(tmp_path, random.Random(seed), years=30)
    job = mayhem.make()
    expected = mayhem.quiet(job)
    assert mayhem.ends(job, 120.0, kills=12) == expected
    rows = zb.open_results(tmp_path / "out").table.select(["zone_id", "layer"]).to_pandas()
    assert not rows.duplicated().any()
    assert {5, -9}.issuperset(mayhem.codes), mayhem.codes
    with capsys.disabled():
        print(f"\n{mayhem.kills.total()} kills while parts were unfinished: {dict(mayhem.kills)}")
    assert mayhem.kills.total() >= 8
