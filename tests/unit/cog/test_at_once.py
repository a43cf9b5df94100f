"""COGs that many coroutines read at once, or give up to read."""

from __future__ import annotations

import asyncio
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
