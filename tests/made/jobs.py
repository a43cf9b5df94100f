"""Jobs: documents, and runs of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pyarrow.parquet as pq
import yaml

import zonalbatch as zb
from tests.made.commands import Command, Told, command
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares

DATES = ("20240601", "20240701")
"""In the names of the files of two dates."""
NOWHERE = {"kind": "address", "address": "tcp://127.0.0.1:9"}
"""A cluster where nobody listens."""


def write_job(folder: Path, document: dict[str, Any], name: str = "job.yaml") -> Path:
    """Write a job document into a folder; its path."""
    path = folder / name
    path.write_text(yaml.safe_dump(document))
    return path


def amend(job: Path, name: str = "job.yaml", **keys: Any) -> Path:
    """Write a job file again with other keys, under a name beside it; its path."""
    return write_job(job.parent, yaml.safe_load(job.read_text()) | keys, name)


def job_over(
    zones: geopandas.GeoDataFrame, files: str | Sequence[str], out: Path, **keys: Any
) -> zb.Job:
    """A job of one band, red, of some files."""
    document: dict[str, Any] = {
        "zones": {"path": zones, "id": "id"},
        "source": {"kind": "cog", "files": files},
        "bands": {"red": 1},
        "output": {"path": str(out)},
    }
    return zb.Job(**document | keys)


def run_over(
    folder: Path, zones: geopandas.GeoDataFrame, *, by: Command = command, **document: Any
) -> tuple[Told, pd.DataFrame, pd.DataFrame]:
    """Run a job from the command line in a folder; what it told, its rows and its failures."""
    zones.to_parquet(folder / "zones.parquet")
    usual = {
        "zones": {"path": "zones.parquet", "id": "id"},
        "output": {"path": "out", "geometry": "none"},
        "statistics": ["count", "mean", "max", "n_total"],
    }
    told = by("run", write_job(folder, usual | document))
    rows = pd.read_parquet(folder / "out" / "results")
    return told, rows, pq.read_table(folder / "out/failures.parquet").to_pandas()


def many_parts(folder: Path) -> Path:
    """A job of many small parts, 60 years on four cells of the partition; its path."""
    first = write_tif(folder / "a_19500601.tif", noise(400, 400, seed=1), tiled=True)
    for year in range(1951, 2010):
        shutil.copy(first, folder / f"a_{year}0601.tif")
    squares(30, side=130).to_parquet(folder / "zones.parquet")
    document = {
        "zones": {"path": "zones.parquet", "id": "id"},
        "source": {"kind": "cog", "pattern": "a_{date:%Y%m%d}.tif"},
        "bands": {"red": 1},
        "statistics": ["count", "mean", "median", "p10", "p90"],
        "output": {"path": "out"},
        "cluster": {"kind": "local", "workers": 1},
    }
    return write_job(folder, document)


@dataclass(frozen=True)
class Bench:
    """A small good job in a folder, to be spoilt in one point."""

    folder: Path

    @property
    def out(self) -> Path:
        """The job's output."""
        return self.folder / "out"

    def document(self) -> dict[str, Any]:
        """The good job: four zones, two dates of red and nir; zones and files are written."""
        names = [f"s2_{date}_{band}.tif" for date in DATES for band in ("red", "nir")]
        for seed, name in enumerate(names):
            write_tif(self.folder / name, noise(64, 64, seed=seed))
        squares(2, side=320.0).to_parquet(self.folder / "zones.parquet")
        return {
            "zones": {"path": "zones.parquet", "id": "id", "columns": ["crop"]},
            "source": {"kind": "cog", "pattern": "s2_{date:%Y%m%d}_{band}.tif"},
            "bands": {"red": "red", "nir": "nir"},
            "measurements": {"red": "red", "ndvi": "(nir - red) / (nir + red)"},
            "output": {"path": "out"},
        }

    def write(self, document: dict[str, Any]) -> Path:
        """Write a job document; its path."""
        return write_job(self.folder, document)

    def assert_nothing_done(self) -> None:
        """No row, no plan, no claim on the output."""
        assert not list(self.folder.rglob("part-*.parquet"))
        assert not list(self.folder.rglob("manifest.json"))
        assert not list(self.folder.rglob("parts.parquet"))


def write_text(folder: Path, text: str, name: str = "job.yaml") -> Path:
    """A job file of that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
