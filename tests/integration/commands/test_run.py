"""`run`: what is told of it, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

import zonalbatch as zb
from tests.made.commands import Command


class TestRun:
    """run: what is told of it."""

    def test_lines(self, here: Command, job: Path) -> None:
        """Progress comes in plain lines on stderr where that is no terminal, the sum on stdout."""
        code, out, err = here("run", job)
        assert code == 0
        assert "60 zones × 3 layers" in err
        assert "1/1 parts, 180 rows" in err
        assert "Dask dashboard: http" in err
        assert out.startswith("180 rows, ")
        assert str(job.parent / "out/results") in out
        again = here("run", job)
        assert again.code == 0
        assert "(1 were there already)" in again.out

    def test_quiet(self, here: Command, job: Path) -> None:
        """`--quiet` prints nothing at all if all is well."""
        assert here("run", job, "--quiet") == (0, "", "")

    def test_json(self, here: Command, job: Path) -> None:
        """`--json` prints one JSON document on stdout."""
        code, out, _ = here("run", job, "--json")
        report = json.loads(out)
        assert code == 0
        assert (report["rows"], report["computed"], report["failures"]) == (180, 1, 0)

    def test_job_yaml_is_kept(self, here: Command, job: Path) -> None:
        """The output has the whole job, and running that one finds all done."""
        here("run", job)
        kept = job.parent / "out" / "job.yaml"
        assert zb.Job.from_file(kept) == zb.Job.from_file(job)
        code, out, _ = here("run", kept, "--json")
        assert (code, json.loads(out)["computed"]) == (0, 0)


def test_results_of_a_run(here: Command, job: Path) -> None:
    """What the README promises of a result folder is there after a run."""
    here("run", job, "--quiet")
    out = job.parent / "out"
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "job.yaml", "plan", "results", "zones.parquet", "layers.parquet", "failures.parquet",
        "ledger", "manifest.json",
    }  # fmt: skip
    manifest = json.loads((out / "manifest.json").read_text())
    plan = out / "plan" / manifest["fingerprint"]
    assert {p.name for p in plan.iterdir()} >= {"zones.parquet", "layers.parquet", "parts.parquet"}
    assert len(pq.read_table(out / "zones.parquet")) == 60
    assert len(pq.read_table(out / "failures.parquet")) == 0
    assert set(pq.read_table(out / "layers.parquet")["band"].to_pylist()) == {"red", "nir", "scl"}
