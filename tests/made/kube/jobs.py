"""Jobs for pods: rasters and zones that all containers see, values of the chart, and results."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.made.chart import merged
from tests.made.kube.api import Object
from tests.made.kube.cluster import DATA, Namespace
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares

__all__ = [
    "FEW", "MANY", "PARTS", "dask_status", "document", "ended", "holds_token", "parts_in",
    "under_way", "values_of", "write_data",
]  # fmt: skip

FEW, MANY = "few", "many"
"""Names of folders of rasters: a job over the second one can be struck in its middle."""
YEARS = {FEW: range(1990, 2000), MANY: range(1920, 2000)}
PARTS = 160
"""Of the job over the many."""
SMALL = {"requests": {"cpu": "100m", "memory": "64Mi"}}


def write_data(folder: Path) -> None:
    """900 zones in four cells of the partition, and a raster of each year."""
    first = Path(write_tif(folder / "first.tif", noise(400, 400, seed=1), tiled=True))
    for name, years in YEARS.items():
        (folder / name).mkdir()
        for year in years:
            os.link(first, folder / name / f"a_{year}0601.tif")
    squares(30, side=130).to_parquet(folder / "zones.parquet")


def document(name: str = FEW, data: str = DATA, **keys: Any) -> dict[str, Any]:
    """A job over the rasters of a folder, as values have it."""
    return {
        "zones": {"path": f"{data}/zones.parquet", "id": "id"},
        "source": {"kind": "cog", "pattern": f"{data}/{name}/a_{{date:%Y%m%d}}.tif"},
        "bands": {"red": 1},
        "statistics": ["count", "mean", "median", "p10", "p90"],
        **keys,
    }


def values_of(mode: str, name: str = FEW, **keys: Any) -> dict[str, Any]:
    """Values of the chart for a mode: the job, whose output is on the claim ``out``."""
    usual = {
        "mode": mode,
        "job": document(name),
        "output": {"claim": {"existing": "out"}},
        "runner": {"resources": SMALL},
        "scheduler": {"resources": SMALL},
        "workers": {"replicas": 2},
    }
    return merged(usual, keys)


def parts_in(output: Path) -> dict[Path, int]:
    """Files of parts that are done, and when each was written (ns)."""
    files = (output / "results").rglob("part-*.parquet")
    return {file: file.stat().st_mtime_ns for file in files}


def under_way(space: Namespace, output: Path, parts: int = 20) -> None:
    """Wait until some parts are done."""
    space.wait(lambda: len(parts_in(output / "results")) >= parts, "parts are done")


def dask_status(space: Namespace, revision: int = 1) -> str:
    """How the release ``run``'s DaskJob fares; empty where it is not there."""
    found = space.kube.api.get("daskjobs", space.name, f"run-zonalbatch-r{revision}") or {}
    return str(found.get("status", {}).get("jobStatus", ""))


def ended(space: Namespace, job: str) -> str:
    """Whether a batch Job is Complete, or Failed; empty while it runs."""
    conditions = space.get("jobs", job)["status"].get("conditions") or []
    return "".join(found["type"] for found in conditions if found["status"] == "True")


def holds_token(pod: Object) -> bool:
    """Whether a pod mounts a token of a service account."""
    return "/var/run/secrets/kubernetes.io" in json.dumps(pod["spec"])
