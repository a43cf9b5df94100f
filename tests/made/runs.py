"""Runs of a landscape's job, varied in one point or another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import pyarrow.parquet as pq
import pytest

import zonalbatch as zb
from tests.made.names import USUAL
from tests.made.zones import squares
from zonalbatch.demo import Landscape
from zonalbatch.demo.land import LEFT, TOP
from zonalbatch.planning import partition
from zonalbatch.receipts import Receipt, Report
from zonalbatch.results import Results

if TYPE_CHECKING:
    from distributed import Client

CLOUDY = [0, 1, 3, 8, 9, 10]
"""Classes of Sentinel-2's SCL that are no land in sight."""


def cut_small(monkeypatch: pytest.MonkeyPatch, rows: int = 40) -> None:
    """Make the planner cut parts of few rows; workers do as they are told."""
    monkeypatch.setattr(partition, "ROWS", rows)


@dataclass(frozen=True)
class Runner:
    """Runs variants of a landscape's job, each into a folder of its own."""

    land: Landscape
    client: Client
    folder: Path

    def job(self, out: str = "out", **changes: Any) -> zb.Job:
        """The job: red and NDVI without clouds, all statistics."""
        document = {
            "zones": {"path": str(self.land.fields), "id": "field_id", "columns": ["crop"]},
            "source": {"kind": "stac", "items": str(self.land.items)},
            "bands": {"red": "B04", "nir": "B08", "scl": "SCL"},
            "measurements": {"red": "red", "ndvi": "(nir - red) / (nir + red)"},
            "mask": {"band": "scl", "exclude": CLOUDY},
            "statistics": USUAL,
            "group_by": "item",
        }
        output = {"path": str(self.folder / out)} | changes.pop("output", {})
        return zb.Job(**document | changes | {"output": output})

    def half_outside(self) -> geopandas.GeoDataFrame:
        """64 squares over the upper left corner of the landscape; some meet no scene."""
        return squares(8, left=LEFT - 400, top=TOP + 400, side=400)

    def run(self, out: str = "out", **changes: Any) -> Report:
        """Do the job on the cluster of the tests."""
        return zb.run(self.job(out, **changes), self.client)

    def results(self, out: str = "out") -> Results:
        """What a run left."""
        return zb.open_results(self.folder / out)

    def digest(self, out: str, **changes: Any) -> str:
        """The digest of what a run leaves."""
        self.run(out, **changes)
        return self.results(out).digest

    def receipts(self, out: str = "out") -> dict[str, Receipt]:
        """Receipts in the footers of the result files, by part."""
        found = {}
        for file in map(Path, self.results(out).files):
            metadata = pq.read_metadata(file).metadata
            found[file.stem.removeprefix("part-")] = Receipt.from_json(
                metadata[b"zonalbatch"].decode()
            )
        return found
