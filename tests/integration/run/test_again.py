"""What a second run into the same output does."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import zonalbatch as zb
from tests.made.jobs import NOWHERE
from tests.made.runs import Runner, cut_small
from zonalbatch.errors import OutputError, SchemaError
from zonalbatch.sinks.output import Output


class TestAgain:
    """What a second run into the same output does; each has several parts."""

    @pytest.fixture(autouse=True)
    def _several_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cut_small(monkeypatch)

    def test_nothing_is_left_to_do(self, runner: Runner) -> None:
        """A second run computes nothing, needs no cluster, and touches neither parts nor digest."""
        first = runner.run()
        before = {f: Path(f).stat().st_mtime_ns for f in runner.results().files}
        digest = runner.results().digest
        again = zb.run(runner.job(cluster=NOWHERE))
        assert (first.computed, again.computed) == (first.parts, 0)
        assert again.rows == first.rows
        assert {f: Path(f).stat().st_mtime_ns for f in runner.results().files} == before
        assert runner.results().digest == digest

    def test_only_a_lost_part_is_computed(self, runner: Runner) -> None:
        """A part whose file is gone is done again, and no other."""
        runner.run()
        digest, files = runner.results().digest, runner.results().files
        kept = {f: Path(f).stat().st_mtime_ns for f in files[1:]}
        Path(files[0]).unlink()
        assert runner.run().computed == 1
        assert runner.results().digest == digest
        assert {f: Path(f).stat().st_mtime_ns for f in kept} == kept

    def test_rows_without_layer_come_back(self, runner: Runner) -> None:
        """The file of zones that meet no layer is written again if it is gone."""
        zones = runner.half_outside()
        zones.to_parquet(runner.folder / "squares.parquet")
        keys = {"path": str(runner.folder / "squares.parquet"), "id": "id"}
        runner.run(zones=keys)
        digest = runner.results().digest
        (alone,) = [f for f in runner.results().files if pq.read_table(f)["layer"].null_count]
        Path(alone).unlink()
        assert runner.run(zones=keys).computed == 0
        assert runner.results().digest == digest

    def test_a_lost_ledger_is_no_loss(self, runner: Runner) -> None:
        """A lost ledger is no loss: the files carry their receipts."""
        runner.run()
        digest = runner.results().digest
        for file in (runner.folder / "out/ledger").iterdir():
            file.unlink()
        assert runner.run().computed == 0
        assert runner.results().digest == digest

    def test_a_lost_manifest_is_no_loss(self, runner: Runner) -> None:
        """Parts are known by their names: none is computed again, and the manifest is back."""
        runner.run()
        digest = runner.results().digest
        manifest = runner.folder / "out/manifest.json"
        before = json.loads(manifest.read_text())
        manifest.unlink()
        assert runner.run().computed == 0
        assert runner.results().digest == digest
        assert json.loads(manifest.read_text()) == before

    def test_what_takes_no_part_in_numbers_may_change(self, runner: Runner) -> None:
        """Limits and cluster are no part of a result's identity."""
        runner.run()
        again = runner.run(
            limits={"memory": "300MB", "requests_in_flight": 2},
            cluster={"kind": "local", "workers": 7},
        )
        assert again.computed == 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"statistics": ["mean"]},
            {"mask": None},
            {"measurements": {"red": "red", "ndvi": "nir - red"}},
            {"coverage": "center"},
            {"output": {"layout": "long"}},
            {"prefix": "x_"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_another_job_is_refused(self, runner: Runner, changes: dict[str, Any]) -> None:
        """Results of one job are not mixed with those of another, nor touched."""
        runner.run()
        digest = runner.results().digest
        with pytest.raises(SchemaError, match="holds the results of") as caught:
            runner.run(**changes)
        assert "zones or scenes" not in str(caught.value)  # they are the same
        assert runner.results().digest == digest
        assert runner.run().computed == 0

    def test_measurements_in_another_order(self, runner: Runner) -> None:
        """Measurements in another order make another job, or the same result: never a mixture."""
        zones = runner.half_outside()
        keys = {"path": zones, "id": "id"}
        runner.run(zones=keys)
        digest = runner.results().digest
        turned = {"ndvi": "(nir - red) / (nir + red)", "red": "red"}
        with contextlib.suppress(SchemaError):
            runner.run(zones=keys, measurements=turned)
        assert runner.results().digest == digest

    def test_a_result_that_is_being_written_is_refused(self, runner: Runner) -> None:
        """An output has one run at a time; another one ends at once."""
        with (
            Output.at(runner.folder / "out").opened(),
            pytest.raises(OutputError, match="another run is writing"),
        ):
            runner.run()
        assert runner.run().failures == 0
