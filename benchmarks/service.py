"""The HTTP service under many requests at once, beside titiler's statistics of the same areas."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from benchmarks.data import Data
from benchmarks.report import Outcome, at_least, at_most
from benchmarks.timing import alternate

__all__ = ["service"]

AT_ONCE, AREAS, ROUNDS = 200, 50, 10
PORTS = {"zonalbatch": 8765, "titiler": 8766}


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that runs, and how it is asked."""

    process: subprocess.Popen[bytes]
    url: str
    bodies: Sequence[Any]

    @property
    def processes(self) -> list[int]:
        """It and all its children."""
        found = [self.process.pid]
        for pid in found:
            for path in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, path.read_text().split())
        return found

    @property
    def seconds(self) -> float:
        """Of processors that it took until now."""
        ticks = 0
        for pid in self.processes:
            told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(told[11]) + int(told[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def mib(self) -> float:
        """Memory of its own that it holds, in all processes."""
        lines = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.processes]
        private = [line for text in lines for line in text.splitlines() if "Private" in line]
        return sum(int(line.split()[1]) for line in private) / 1024


def service(data: Data) -> Outcome:
    """200 at once: p95 ≤ 1.3 x 200 / cores x one's processor time; ≥ 3 x titiler; memory flat."""
    raster = data.scenes(1)[0]
    zones = gpd.read_parquet(data.fields(1_000)).iloc[:AREAS].to_crs("OGC:CRS84")
    shapes = [shapely.geometry.mapping(shape) for shape in zones.geometry]
    with _zonalbatch(raster, shapes) as ours, _titiler(raster, shapes) as theirs:
        for peer in (ours, theirs):
            _burst(peer, 4)
        one = _processor_time(ours)
        latencies = [second for _ in range(ROUNDS) for second in _burst(ours, 1)]
        before = ours.mib
        times = alternate(
            {"zonalbatch": partial(_burst, ours, 5), "titiler": partial(_burst, theirs, 5)},
            repeats=5,
        )
        after = ours.mib
    us, them = (timing.median for timing in times.values())
    bound = AT_ONCE / (os.cpu_count() or 1) * one
    p95 = statistics.quantiles(latencies, n=20)[-1]
    findings = (
        at_most(1.3, "p95 of 200 at once / (200 / cores x one's processor time)", p95 / bound),
        at_most(None, "processor time of one request", 1e3 * one, "ms"),
        at_least(3, "titiler / zonalbatch, 1,000 requests, 200 at once", them / us),
        at_most(1.05, "memory after 6,000 more requests", after / before),
    )
    return Outcome(times, findings)


def _processor_time(peer: Peer) -> float:
    """Seconds of a processor for one request, one after the other."""
    before, many = peer.seconds, 300
    asyncio.run(_asked(peer, many, at_once=1))
    return (peer.seconds - before) / many


def _burst(peer: Peer, times: int) -> list[float]:
    """Seconds until each answer, 200 at once."""
    return asyncio.run(_asked(peer, times * AT_ONCE, AT_ONCE))


async def _asked(peer: Peer, many: int, at_once: int) -> list[float]:
    import aiohttp

    turn, latencies = asyncio.Semaphore(at_once), list[float]()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:

        async def ask(i: int) -> None:
            async with turn:
                began = time.perf_counter()
                async with session.post(peer.url, json=peer.bodies[i % len(peer.bodies)]) as answer:
                    text = await answer.text()
                    if answer.status != 200:
                        raise RuntimeError(f"{answer.status}: {text[:200]}")
                latencies.append(time.perf_counter() - began)

        await asyncio.gather(*map(ask, range(many)))
    return latencies


@contextmanager
def _zonalbatch(raster: Path, shapes: Sequence[Any]) -> Iterator[Peer]:
    folder, port = raster.parent.resolve(), PORTS["zonalbatch"]
    settings = {"ROOT": str(folder), "RATE": "0", "AT_ONCE": "1000"}
    command = ["-c", "from zonalbatch.cli import main; main()", "serve", "--port", str(port)]
    bodies = [{"aoi": shape, "url": f"file:///{raster.name}"} for shape in shapes]
    url = f"http://127.0.0.1:{port}/api/v1/zonal-stats/raster"
    named = {f"ZONALBATCH_SERVICE_{name}": value for name, value in settings.items()}
    with _running(command, named, port) as process:
        yield Peer(process, url, bodies)


@contextmanager
def _titiler(raster: Path, shapes: Sequence[Any]) -> Iterator[Peer]:
    """titiler with as many processes, and GDAL's settings that it recommends."""
    port, folder = PORTS["titiler"], Path(__file__).parent
    settings = {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "VSI_CACHE": "TRUE", "GDAL_CACHEMAX": "200",
        "PYTHONPATH": os.pathsep.join([str(folder.parent), os.environ.get("PYTHONPATH", "")]),
    }  # fmt: skip
    workers = str(os.cpu_count() or 1)
    command = ["-m", "uvicorn", "benchmarks.titiler_app:app", "--port", str(port)]
    command += ["--workers", workers, "--no-access-log"]
    bodies = [{"type": "Feature", "properties": {}, "geometry": shape} for shape in shapes]
    url = f"http://127.0.0.1:{port}/cog/statistics?url={raster.resolve()}"
    with _running(command, settings, port) as process:
        yield Peer(process, url, bodies)


@contextmanager
def _running(
    command: Sequence[str], settings: dict[str, str], port: int
) -> Iterator[subprocess.Popen[bytes]]:
    import urllib.error
    import urllib.request

    with subprocess.Popen(
        [sys.executable, *command], env={**os.environ, **settings}, stderr=subprocess.DEVNULL
    ) as process:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json").close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield process
        process.terminate()
