"""Walltime: seconds of what queues write, and when workers leave before that."""

from __future__ import annotations

import pytest

from zonalbatch.clusters.walltime import lifetime, seconds_of


@pytest.mark.parametrize(
    ("kind", "walltime", "seconds"),
    [
        ("slurm", "90", 5400),
        ("slurm", 90, 5400),
        ("slurm", "90:30", 5430),
        ("slurm", "01:30:00", 5400),
        ("slurm", "2-12", 216_000),
        ("slurm", "2-12:30", 217_800),
        ("slurm", "1-00:00:30", 86_430),
        ("lsf", "90", 5400),
        ("lsf", "1:30", 5400),
        ("pbs", "90", 90),
        ("pbs", "01:30:00", 5400),
        ("sge", "36:00:00", 129_600),
        ("moab", "1:00:00:00", 86_400),
        ("oar", "0:30:0", 1800),
        ("slurm", "UNLIMITED", None),
        ("htcondor", None, None),
    ],
)
def test_forms(kind: str, walltime: object, seconds: float | None) -> None:
    """Each queue's own form; of others nothing is known."""
    assert seconds_of(kind, walltime) == seconds


def test_leaving() -> None:
    """Workers leave before the end, not all at once, and lose little of a long walltime."""
    assert lifetime("pbs", "00:30:00") == ["--lifetime", "1530s", "--lifetime-stagger", "90s"]
    assert lifetime("pbs", "24:00:00") == ["--lifetime", "86100s", "--lifetime-stagger", "100s"]
    assert lifetime("slurm", "INFINITE") == lifetime("slurm", None) == []
