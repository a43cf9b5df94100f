"""COGs that many coroutines read at once, or give up to read."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rasterio.shutil import copy

from tests.made.places import CELL, LEFT, TOP
from tests.made.ranges import Server, serving_ranges
from tests.made.rasters import noise, write_tif
from zonalbatch.cog import open_cog

SIZE, BLOCK = 1024, 128
VALUES = noise(SIZE, SIZE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COG, and the same pixels in strips."""
    path = tmp_path_factory.mktemp("cogs")
    plain = write_tif(path / "strips.tif", VALUES)
    copy(plain, path / "a.tif", driver="COG", blocksize=BLOCK, compress="DEFLATE")
    return path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """The files over HTTP."""
    with serving_ranges(folder) as served:
        yield served


def box(top: int, left: int, size: int) -> tuple[float, float, float, float]:
    """The bounds of some rows and columns."""
    x, y = LEFT + left * CELL, TOP - top * CELL
    return x, y - size * CELL, x + size * CELL, y


@pytest.mark.parametrize("name", ["a.tif", "strips.tif"])
def test_coroutines_do_not_disturb_each_other(folder: Path, name: str) -> None:
    """Also where GDAL reads, whose handles bear one thread at a time."""
    corners = np.random.default_rng(0).integers(0, SIZE - 100, (400, 2)).tolist()

    async def run() -> list[bool]:
        async with open_cog(str(folder / name)) as cog:

            async def one(top: int, left: int) -> bool:
                found = await cog.read(box(top, left, 100))
                return np.array_equal(found[0], VALUES[top : top + 100, left : left + 100])

            return await asyncio.gather(*(one(*corner) for corner in corners))

    assert all(asyncio.run(run()))


def test_many_open_at_once(server: Server) -> None:
    """Each has its header and its blocks asked for once, and counts its own requests."""

    async def one() -> list[int]:
        async with open_cog(f"{server.url}/a.tif") as cog:
            told = []
            for _ in range(2):
                await cog.read(box(0, 0, 100))
                told.append(cog.requests)
            return told

    async def run() -> list[list[int]]:
        return await asyncio.gather(*(one() for _ in range(20)))

    assert asyncio.run(run()) == [[2, 2]] * 20
    assert len(server.counts()["requests"]) == 40


def test_requests_are_under_way_together(folder: Path) -> None:
    """More of them than a machine has cores."""
    with serving_ranges(folder, delay=0.2) as far:

        async def run() -> None:
            async with open_cog(f"{far.url}/a.tif") as cog:
                await asyncio.gather(*(cog.get_tile(x, y) for x in range(8) for y in range(8)))

        asyncio.run(run())
        assert far.counts()["peak"] >= 24


@pytest.mark.long
def test_who_gives_up(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Is not held: neither by what was asked for, nor by the end of the loop; nothing is told."""
    with serving_ranges(folder, delay=8) as far:

        async def run() -> None:
            href = f"{far.url}/a.tif?sig=SECRET"
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5), open_cog(href):
                    pass

        asyncio.run(run())
        assert far.counts()["requests"] == []  # that is, of those that were answered
    for _ in range(50):  # the server is gone: what was asked of it fails, and is let go of
        time.sleep(0.01)
        gc.collect()
    assert "SECRET" not in capfd.readouterr().err


def test_after_one_gave_up(folder: Path) -> None:
    """The file can be read by others."""
    with serving_ranges(folder, delay=0.3) as far:

        async def run() -> None:
            async with open_cog(f"{far.url}/a.tif") as cog:
                whole = cog.read(box(0, 0, 400))
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(whole, 0.1)
                found = await cog.read(box(0, 0, 400))
                assert np.array_equal(found[0], VALUES[:400, :400])

        asyncio.run(run())
