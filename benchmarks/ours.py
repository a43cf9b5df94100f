"""Our side: the public API as a user calls it, and the kernels without any file around them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
from distributed import Client, LocalCluster
from numpy.typing import NDArray

import zonalbatch as zb

__all__ = ["EIGHT", "FIVE", "KERNELS", "Kernels", "Run", "cluster", "run", "zonal_stats"]

FIVE = ("count", "mean", "min", "max", "std")
EIGHT = (*FIVE, "median", "p10", "p90")


@dataclass(frozen=True, slots=True)
class Kernels:
    """The two kernels, on arrays in memory."""

    cover: Callable[[NDArray[Any], tuple[float, float, float, float]], Any]
    """Coverage of polygons on a grid with 10 m cells and these (left, bottom, right, top)."""
    reduce: Callable[[Any, NDArray[Any], Sequence[str]], Any]
    """Statistics by name of one (row, col) image, from what ``cover`` returned."""


KERNELS: Kernels | None = None
"""None until they are called here; the benchmark then shows extractrs alone."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run on a cluster cost."""

    wall: float
    """Seconds from ``zb.run`` to its return."""
    cpu: float
    """Processor seconds of all workers, and of the client with its scheduler."""


def zonal_stats(zones: gpd.GeoDataFrame, paths: Sequence[Path], stats: Sequence[str] = FIVE) -> Any:
    """Statistics of one or many rasters by the front door, in this process."""
    raster = [str(path) for path in paths] if len(paths) > 1 else str(paths[0])
    return zb.zonal_stats(zones, raster, stats=list(stats), coverage="fraction", geometry=False)


def run(client: Client, zones: Path, scenes: Path, out: Path) -> Run:
    """One job over all scenes in a folder, into a new output."""
    shutil.rmtree(out, ignore_errors=True)
    job, before = zb.Job(**_document(zones, scenes, out)), _cpu(client)
    start = time.perf_counter()
    zb.run(job, client=client)
    return Run(time.perf_counter() - start, _cpu(client) - before)


@contextmanager
def cluster(workers: int) -> Iterator[Client]:
    """A local cluster whose workers each have one thread and a core of their own."""
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=0, dashboard_address=":0"
        ) as local,
        Client(local) as client,
    ):
        for core, address in enumerate(client.scheduler_info(n_workers=-1)["workers"]):
            client.run(os.sched_setaffinity, 0, {core % (os.cpu_count() or 1)}, workers=[address])
        yield client


def _document(zones: Path, scenes: Path, out: Path) -> dict[str, Any]:
    """The job: five statistics of one band for every date."""
    return {
        "zones": {"path": str(zones.resolve()), "id": "field_id"},
        "source": {
            "kind": "cog",
            "pattern": str(scenes.resolve() / "S2_{date:%Y%m%d}_{band}.tif"),
        },
        "bands": {"nir": "B08"},
        "measurements": {"nir": "nir"},
        "statistics": list(FIVE),
        "output": {"path": str(out.resolve())},
    }


def _cpu(client: Client) -> float:
    """Processor seconds used so far by the workers and by this process."""
    return sum(client.run(time.process_time).values()) + time.process_time()
