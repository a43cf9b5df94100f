"""Files far away: ``python -m benchmarks.remote [--data FOLDER]``; a server on loopback that waits
50 ms before each answer stands for the network.

    blocks     8 blocks of each of 24 files, beside async-geotiff alone and a serial rioxarray loop
    headers    500 unknown headers, as a plan asks for them
    job        2,000 fields × 24 files on two workers, beside the same job on local files
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

import zonalbatch as zb
from benchmarks.data import FULL, Data
from benchmarks.empty import two_workers
from tests.made.ranges import Server, serving_ranges
from zonalbatch.sources import cog_layers, limit_requests, open_pixels
from zonalbatch.sources.access import access_given

DELAY = 0.05
"""Seconds before each answer."""
BLOCK = 512
PLACES = tuple((x, y) for x in (0, 2, 4, 6) for y in (1, 4))
"""(column, row) of the blocks that are read of each file: none beside another."""
ROUNDS = 5
FIELDS, HEADERS = 2_000, 500


def main() -> None:
    """Measure, print as it goes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.remote", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".bench-data"))
    data = Data(parser.parse_args().data, FULL)
    console, folder = Console(), data.dates(FULL.scenes)
    names = sorted(path.name for path in folder.iterdir())
    with serving_ranges(folder, DELAY) as server:
        _blocks(console, server, names)
        _headers(console, folder)
        _job(console, server, folder, names, data.fields(FIELDS))


def _blocks(console: Console, server: Server, names: list[str]) -> None:
    limit_requests(len(names) * len(PLACES))  # as many as async-geotiff asks for at once
    peers = {
        "ours": lambda: _by_ours(server.url, names),
        "async-geotiff": lambda: asyncio.run(_by_async_geotiff(server.url, names)),
    }
    took = _alternately(peers)
    began = time.perf_counter()
    _by_rioxarray(server.url, names)
    serial = time.perf_counter() - began
    limit_requests(64)
    ours = took["ours"]
    console.print(
        f"blocks: ours {ours:.2f} s = {ours / took['async-geotiff']:.2f} × async-geotiff "
        f"({took['async-geotiff']:.2f} s); serial rioxarray {serial / ours:.1f} × ours"
    )


def _alternately(runs: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median seconds of each, in turns, after one to warm up."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            took[name].append(time.perf_counter() - began)
    return {name: statistics.median(some[1:]) for name, some in took.items()}


def _by_ours(url: str, names: list[str]) -> None:
    access = access_given(None)
    files = {name: open_pixels(f"{url}/{name}", access=access) for name in names}

    def read(one: tuple[str, tuple[int, int]]) -> None:
        name, (x, y) = one
        files[name].read([1], (y * BLOCK, x * BLOCK, (y + 1) * BLOCK, (x + 1) * BLOCK))

    wanted = [(name, place) for name in names for place in PLACES]
    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(read, wanted))


async def _by_async_geotiff(url: str, names: list[str]) -> None:
    from async_geotiff import GeoTIFF
    from obstore.store import HTTPStore

    store = HTTPStore.from_url(url, client_options={"allow_http": True})

    async def read(name: str) -> None:
        file = await GeoTIFF.open(name, store=store)
        await asyncio.gather(*(file.fetch_tile(*place) for place in PLACES))

    await asyncio.gather(*map(read, names))


def _by_rioxarray(url: str, names: list[str]) -> None:
    import rioxarray

    for name in names:
        array: Any = rioxarray.open_rasterio(f"{url}/{name}", cache=False, lock=False)
        for x, y in PLACES:
            _ = array[:, y * BLOCK : (y + 1) * BLOCK, x * BLOCK : (x + 1) * BLOCK].values


def _headers(console: Console, folder: Path) -> None:
    scenes = sorted(folder.iterdir())
    with TemporaryDirectory() as links:
        for i in range(HEADERS):
            Path(links, f"{i}.tif").symlink_to(scenes[i % len(scenes)].resolve())
        with serving_ranges(Path(links), DELAY) as server:
            began = time.perf_counter()
            cog_layers(files=[f"{server.url}/{i}.tif" for i in range(HEADERS)])
            seconds = time.perf_counter() - began
            counts = server.counts()
    console.print(
        f"headers: {HEADERS} in {seconds:.2f} s, {len(counts['requests'])} requests, "
        f"{counts['peak']} at once"
    )


def _job(console: Console, server: Server, folder: Path, names: list[str], fields: Path) -> None:
    with TemporaryDirectory() as out, two_workers() as client:

        def run(files: list[str], name: str) -> float:
            job = zb.Job(
                zones={"path": str(fields), "id": "field_id"},
                source={"kind": "cog", "files": files}, bands={"red": 1},
                statistics=["count", "mean", "std", "median"], output={"path": f"{out}/{name}"},
            )  # fmt: skip
            began = time.perf_counter()
            zb.run(job, client)
            return time.perf_counter() - began

        near, far = [str(folder / name) for name in names], [f"{server.url}/{n}" for n in names]
        run(near, "warm")
        before = server.counts()["seconds"]
        local = statistics.median(run(near, f"near{i}") for i in range(3))
        remote = statistics.median(run(far, f"far{i}") for i in range(3))
        counts = server.counts()
    console.print(
        f"job: far {remote:.2f} s, near {local:.2f} s: {(remote - 2) / local:.2f} × near + 2 s; "
        f"the server's processor {(counts['seconds'] - before) / 3:.2f} s a run"
    )


if __name__ == "__main__":
    main()
