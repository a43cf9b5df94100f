"""`plan`: what a run would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from tests.made.commands import Command
from tests.made.jobs import amend
from zonalbatch.demo import Landscape


class TestPlan:
    """plan: what a run would do."""

    def test_numbers(self, here: Command, job: Path, land: Landscape) -> None:
        """Zones, layers, rows, parts and bytes are those of the run that follows."""
        code, out, err = here("plan", job, "--json")
        assert (code, err) == (0, "")
        plan = json.loads(out)
        whole = sum(self.decoded(scene) for scene in land.scenes)
        assert (plan["zones"], plan["layers"], plan["rows"]) == (60, 3, 180)
        assert 0.5 * whole < plan["decoded"] <= whole
        assert 0 < plan["memory"] < 1536 * 1024**2
        _, ran, _ = here("run", job, "--json")
        report = json.loads(ran)
        assert report["parts"] == plan["parts"]
        assert report["rows"] <= plan["rows"]
        assert report["fingerprint"] == plan["fingerprint"]

    @staticmethod
    def decoded(scene: Path) -> int:
        """Bytes of the bands of a scene that the job needs."""
        size = 0
        for name in ("B04", "B08", "SCL"):
            with rasterio.open(scene / f"{name}.tif") as file:
                size += file.width * file.height * np.dtype(file.dtypes[0]).itemsize
        return size

    def test_text(self, here: Command, job: Path) -> None:
        """For people a plan is told in a few lines."""
        code, out, _ = here("plan", job)
        assert code == 0
        for words in ("zones     60", "layers    3 on 2 lattices", "rows      at most 180"):
            assert words in out

    def test_it_reads_no_pixel(
        self,
        here: Command,
        job: Path,
        land: Landscape,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A plan reads no pixel, by any way of reading; with items it opens not even a file."""
        read: list[str] = []

        def noted(self: Any, *_: Any, **__: Any) -> None:
            read.append(self.name)
            raise AssertionError(f"pixels of {self.name} were read")

        for name in ("read", "read_masks", "dataset_mask", "sample"):
            monkeypatch.setattr(rasterio.io.DatasetReader, name, noted)
        assert here("plan", job).code == 0
        pattern = str(land.folder / "scenes/{date:%Y%m%d}/{band}.tif")
        other = amend(
            job, "other.yaml", source={"kind": "cog", "pattern": pattern}, output={"path": "other"}
        )
        assert here("plan", other).code == 0
        assert read == []

    def test_it_leaves_room_for_another_job(
        self, here: Command, job: Path, land: Landscape
    ) -> None:
        """A plan claims nothing: the job may change before it is run."""
        here("plan", job)
        amend(job, statistics=["mean"])
        code, out, _ = here("plan", job, "--json")
        assert code == 0
        assert json.loads(out)["rows"] == 180

    def test_it_leaves_the_plan_alone(self, here: Command, job: Path) -> None:
        """A plan is stored, which is said; no other folder is made, and another job may run."""
        _, out, _ = here("plan", job)
        (stored,) = (job.parent / "out" / "plan").iterdir()
        assert f"stored    {stored}" in out
        entries = {entry.name for entry in (job.parent / "out").iterdir()}
        assert entries == {".lock", "plan"}
        amend(job, statistics=["mean"])
        assert here("run", job, "--quiet").code == 0
