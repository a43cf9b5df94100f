"""Files far away: a server on loopback that waits before each answer stands for the network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import zonalbatch as zb
from benchmarks.data import Data
from benchmarks.empty import two_workers
from benchmarks.report import Finding, Outcome, at_least, at_most
from benchmarks.timing import alternate
from tests.made.ranges import serving_ranges
from zonalbatch.sources import cog_layers, limit_requests, open_pixels
from zonalbatch.sources.access import access_given

__all__ = ["remote_blocks", "remote_headers", "remote_job"]

DELAY = 0.05
"""Seconds before each answer."""
BLOCK = 512
PLACES = tuple((x, y) for x in (0, 2, 4, 6) for y in (1, 4))
"""(column, row) of the blocks that are read of each file: none beside another."""
FIELDS, HEADERS, AT_ONCE = 2_000, 500, 64


def remote_blocks(data: Data) -> Outcome:
    """50 ms a request, 8 blocks of each file: ≤ 1.3 x async-geotiff; serial rioxarray ≥ 8 x."""
    paths = data.scenes()
    limit_requests(len(paths) * len(PLACES))  # as many as async-geotiff asks for at once
    with serving_ranges(paths[0].parent, DELAY) as server:
        links = [f"{server.url}/{path.name}" for path in paths]
        times = alternate(
            {
                "zonalbatch": partial(_by_ours, links),
                "async-geotiff": lambda: asyncio.run(_by_async_geotiff(server.url, links)),
            },
            repeats=5,
        ) | alternate(
            {"serial rioxarray": partial(_by_rioxarray, links)}, repeats=1, warm=False
        )  # fmt: skip
    limit_requests(AT_ONCE)
    ours, theirs, serial = (timing.median for timing in times.values())
    findings = (
        at_most(1.3, "zonalbatch / async-geotiff", ours / theirs),
        at_least(8, "serial rioxarray / zonalbatch", serial / ours),
    )
    return Outcome(times, findings)


def remote_headers(data: Data) -> Outcome:
    """50 ms a request, 500 unknown headers of a plan: ≤ 2 s, ≥ 32 at once, ≤ 2 requests each."""
    scenes = data.scenes()
    with TemporaryDirectory() as links:
        for i in range(HEADERS):
            Path(links, f"{i}.tif").symlink_to(scenes[i % len(scenes)].resolve())
        with serving_ranges(Path(links), DELAY) as server:
            files = [f"{server.url}/{i}.tif" for i in range(HEADERS)]
            times = alternate({"plan": partial(cog_layers, files=files)}, repeats=1, warm=False)
            counts = server.counts()
    findings = (
        at_most(2, "headers of 500 files", times["plan"].median, "s"),
        at_least(32, "requests at once", counts["peak"], "requests"),
        at_most(2, "requests for a header", len(counts["requests"]) / HEADERS, "requests"),
    )
    return Outcome(times, findings)


def remote_job(data: Data) -> Outcome:
    """50 ms a request, 2,000 fields, two workers: ≤ 1.5 x the same job on local files + 2 s."""
    paths, fields = data.scenes(), data.fields(FIELDS)
    with (
        serving_ranges(paths[0].parent, DELAY) as server,
        two_workers() as client,
        TemporaryDirectory() as out,
    ):
        names = count()

        def run(files: Sequence[str]) -> None:
            job = zb.Job(
                zones={"path": str(fields), "id": "field_id"},
                source={"kind": "cog", "files": list(files)}, bands={"red": 1},
                statistics=["count", "mean", "std", "median"],
                output={"path": f"{out}/{next(names)}"},
            )  # fmt: skip
            zb.run(job, client)

        far = [f"{server.url}/{path.name}" for path in paths]
        times = alternate(
            {"near": partial(run, [str(path) for path in paths]), "far": partial(run, far)},
            repeats=3,
        )
        runs, served = len(times["far"].seconds) + 1, server.counts()["seconds"]
    near, distant = (timing.median for timing in times.values())
    findings: tuple[Finding, ...] = (
        at_most(1.5, "(far - 2 s) / near", (distant - 2) / near),
        at_most(None, "the server's processor, a run", served / runs, "s"),
    )
    return Outcome(times, findings)


def _by_ours(links: Sequence[str]) -> None:
    access = access_given(None)
    files = {link: open_pixels(link, access=access) for link in links}

    def read(one: tuple[str, tuple[int, int]]) -> None:
        link, (x, y) = one
        files[link].read([1], (y * BLOCK, x * BLOCK, (y + 1) * BLOCK, (x + 1) * BLOCK))

    wanted = [(link, place) for link in links for place in PLACES]
    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(read, wanted))


async def _by_async_geotiff(url: str, links: Sequence[str]) -> None:
    from async_geotiff import GeoTIFF
    from obstore.store import HTTPStore

    store = HTTPStore.from_url(url, client_options={"allow_http": True})

    async def read(link: str) -> None:
        file = await GeoTIFF.open(link.rpartition("/")[2], store=store)
        await asyncio.gather(*(file.fetch_tile(*place) for place in PLACES))

    await asyncio.gather(*map(read, links))


def _by_rioxarray(links: Sequence[str]) -> None:
    import rioxarray

    for link in links:
        array: Any = rioxarray.open_rasterio(link, cache=False, lock=False)
        for x, y in PLACES:
            _ = array[:, y * BLOCK : (y + 1) * BLOCK, x * BLOCK : (x + 1) * BLOCK].values
