"""Steady: 2,000 small parts in one process, the last done as the first: time and memory.

`python -m benchmarks.steady` says how the last 200 compare with the first 200 after 100 to warm up.
The dates of the parts are shuffled, so that neither lies in a corner of its own.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from datetime import date, timedelta
from pathlib import Path
from unittest import mock

import geopandas
import numpy as np
import rasterio
import shapely

import zonalbatch as zb
from benchmarks.measured import Taken, taken_by
from zonalbatch.planning import partition

__all__ = ["steady"]

WARM, PARTS, SOME = 100, 2_000, 200
SIDE, CELL = 200, 10.0
LEFT, TOP = 500_000.0, 5_600_000.0


def steady(folder: Path) -> Taken:
    """Do 2,000 small parts after 100; what each took."""
    start = date(1950, 6, 1)
    first = _scene(folder / f"a_{start:%Y%m%d}.tif").read_bytes()
    for i in range(1, WARM + PARTS):
        day = start + timedelta(days=10 * i)
        (folder / f"a_{day:%Y%m%d}.tif").write_bytes(first)
    row, col = np.divmod(np.arange(64), 8)
    left, top = LEFT + 240 * col + 20, TOP - 240 * row - 20
    shapes = shapely.box(left, top - 200, left + 200, top)
    zones = geopandas.GeoDataFrame({"id": range(64)}, geometry=shapes, crs="EPSG:32631")
    job = zb.Job(
        zones={"path": zones, "id": "id"},
        source={"kind": "cog", "pattern": str(folder / "a_{date:%Y%m%d}.tif")},
        bands={"red": 1},
        statistics=["count", "mean", "median", "mode"],
        output={"path": str(folder / "out")},
    )
    with mock.patch.object(partition, "ROWS", 64):
        plan = zb.plan(job)
    parts = [part.id for part in plan.parts]
    random.Random(1).shuffle(parts)
    if len(parts) < WARM + PARTS:
        raise RuntimeError(f"the plan has {len(parts)} parts")
    return taken_by(job, plan, parts[: WARM + PARTS])


def _scene(path: Path) -> Path:
    values = np.random.default_rng(1).integers(0, 5_000, (SIDE, SIDE)).astype(np.uint16)
    with rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="uint16",
        crs="EPSG:32631", transform=rasterio.transform.from_origin(LEFT, TOP, CELL, CELL),
        tiled=True, blockxsize=128, blockysize=128, compress="deflate",
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def main() -> None:
    """Measure, and say it."""
    with tempfile.TemporaryDirectory() as name:
        taken = steady(Path(name))
    first = statistics.median(taken.times[WARM : WARM + SOME])
    last = statistics.median(taken.times[-SOME:])
    grown = taken.resident[-1] - taken.resident[WARM]
    print(f"processor time of a part: {1e3 * first:.1f} ms at first, {1e3 * last:.1f} ms at last")
    print(f"ratio {last / first:.2f}; memory {grown:+.1f} MiB over {PARTS:,} parts")


if __name__ == "__main__":
    main()
