"""Our side: the public API as a user calls it, and the kernels without any file around them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
from distributed import Client, LocalCluster
from numpy.typing import NDArray

import zonalbatch as zb
from zonalbatch.compat import rasterstats
from zonalbatch.compat.exactextract import exact_extract
from zonalbatch.cover.cells import Cells, Covered, gather
from zonalbatch.cover.coverage import cover
from zonalbatch.cover.outlines import Outlines, outline
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.sources import open_pixels
from zonalbatch.statistics import parse_statistics, summary_of

__all__ = [
    "EIGHT", "FIVE", "OF_VALUES", "Run", "cluster", "coverage", "decode", "reduction", "rings",
    "run", "zonal_stats",
]  # fmt: skip

Bounds: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right, top."""

FIVE = ("count", "mean", "min", "max", "std")
OF_VALUES = ("mode", "variety", "median", "frac")
EIGHT = (*FIVE, "median", "p10", "p90")


CRS = "EPSG:32631"
CELL = 10.0


def as_rasterstats(
    zones: gpd.GeoDataFrame, raster: Path | NDArray[Any], affine: Any = None
) -> list[Any]:
    """Five statistics by rasterstats' call."""
    return rasterstats.zonal_stats(
        zones, raster, affine=affine, nodata=0, stats="count mean min max std"
    )


def as_exactextract(zones: gpd.GeoDataFrame, paths: Sequence[Path]) -> Any:
    """Five statistics by exactextract's call."""
    return exact_extract(
        [str(path) for path in paths], zones, ["count", "mean", "min", "max", "stdev"],
        include_cols=["field_id"], output="pandas",
    )  # fmt: skip


def rings(wkb: Sequence[bytes]) -> Outlines:
    """The rings of polygons, ready for the coverage kernel."""
    return outline(np.array(wkb, object), CRS, CRS, cell=(CELL, CELL))


def coverage(outlines: Outlines, bounds: Bounds, shape: tuple[int, int]) -> Covered:
    """Coverage on a grid with 10 m cells and these (left, bottom, right, top)."""
    lattice, window = _grid(bounds, shape)
    return Covered.of(cover(outlines, lattice, extent=window))


def reduction(covered: Covered, image: NDArray[Any], bounds: Bounds, names: Sequence[str]) -> Any:
    """Statistics by name of one (row, col) image, tile by tile as the engine does."""
    _, window = _grid(bounds, image.shape)
    summary, all_valid = summary_of(covered, parse_statistics(names), window), np.zeros(0, np.uint8)
    for layout in covered.layouts:
        tile = _tile(
            image, layout.tile_row * TILE - window.top, layout.tile_col * TILE - window.left
        )
        summary.add(Cells(layout, gather(tile, layout), all_valid))
    summary.finish(1.0, 0.0)
    return [statistic.finalize(summary) for statistic in parse_statistics(names)]


def _grid(bounds: Bounds, shape: tuple[int, ...]) -> tuple[Lattice, Window]:
    lattice = Lattice.through(CRS, bounds[0], bounds[3], CELL, CELL)
    window = lattice.window(bounds[0], bounds[3], shape[0], shape[1])
    if window is None:
        raise ValueError(f"{bounds} is no window of a grid of {CELL} m")
    return lattice, window


def _tile(image: NDArray[Any], top: int, left: int) -> NDArray[Any]:
    """A fold tile cut from an image that it may hang over."""
    tile = np.zeros((TILE, TILE), image.dtype)
    part = image[max(top, 0) : top + TILE, max(left, 0) : left + TILE]
    row, col = max(-top, 0), max(-left, 0)
    tile[row : row + part.shape[0], col : col + part.shape[1]] = part
    return tile


@dataclass(frozen=True, slots=True)
class Run:
    """What one run on a cluster cost."""

    wall: float
    """Seconds from ``zb.run`` to its return."""
    cpu: float
    """Processor seconds of all workers, and of the client with its scheduler."""


def decode(paths: Sequence[Path]) -> int:
    """Read every block of every file once, by rows of blocks; returns the cells read."""
    cells = 0
    for path in paths:
        pixels = open_pixels(str(path))
        (height, width), step = pixels.header.grid.shape, pixels.header.block[0]
        for top in range(0, height, step):
            cells += pixels.read([1], (top, 0, min(top + step, height), width)).size
        pixels.close()
    return cells


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
