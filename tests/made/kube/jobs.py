"""Jobs for pods: rasters and zones that all containers see, values of the chart, and results."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.made.kube.cluster import DATA, REPOSITORY
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares

__all__ = ["CHART", "document", "parts_in", "values_of", "write_data"]

CHART = REPOSITORY / "helm" / "zonalbatch"
YEARS = range(1950, 1974)
SMALL = {"requests": {"cpu": "100m", "memory": "64Mi"}}


def write_data(folder: Path) -> None:
    """900 zones, and a raster of each year, of four blocks of the partition."""
    first = write_tif(folder / f"a_{YEARS[0]}0601.tif", noise(400, 400, seed=1), tiled=True)
    for year in YEARS[1:]:
        shutil.copy(first, folder / f"a_{year}0601.tif")
    squares(30, side=130).to_parquet(folder / "zones.parquet")


def document(**keys: Any) -> dict[str, Any]:
    """A job over these data, as values have it: of one year, unless ``pattern`` says otherwise."""
    return {
        "zones": {"path": f"{DATA}/zones.parquet", "id": "id"},
        "source": {"kind": "cog", "pattern": DATA + "/a_{date:%Y%m%d}.tif"},
        "bands": {"red": 1},
        "statistics": ["count", "mean", "median", "p10", "p90"],
        **keys,
    }


def values_of(mode: str, **keys: Any) -> dict[str, Any]:
    """Values of the chart: the job with its output on the claim ``out``."""
    usual = {
        "mode": mode,
        "job": document(),
        "output": {"claim": {"existing": "out"}},
        "runner": {"resources": SMALL},
        "scheduler": {"resources": SMALL},
        "workers": {"replicas": 2},
    }
    return usual | keys


def parts_in(output: Path) -> set[Path]:
    """Files of parts that are done."""
    return set((output / "results").rglob("part-*.parquet"))
