"""Hostile input: no crash, no traceback, no file but the input's own, no secret told."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

REPOSITORY = Path(__file__).resolve().parents[2]
KINDS = ("expressions", "jobs", "links", "tiffs")
IN_OPEN, IN_NONBLOCK = 0x20, 0o4000
"""Of Linux's inotify."""
CONTENT = 173
"""What the canary's cells hold."""


@contextmanager
def unopened(*paths: Path) -> Iterator[Callable[[], bool]]:
    """Whether files were opened since, by whatever process; never where nobody can say."""
    if not sys.platform.startswith("linux"):
        yield lambda: False
        return
    system = ctypes.CDLL(None, use_errno=True)
    watch = system.inotify_init1(IN_NONBLOCK)
    try:
        for path in paths:
            assert system.inotify_add_watch(watch, os.fsencode(path), IN_OPEN) >= 0
        yield lambda: _heard(watch)
    finally:
        os.close(watch)


def _heard(watch: int) -> bool:
    try:
        return bool(os.read(watch, 4096))
    except BlockingIOError:
        return False


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A raster outside of the folder of inputs, which nothing has a right to read."""
    path = tmp_path / "outside" / "canary.tif"
    path.parent.mkdir()
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=9, width=9, dtype="uint8", crs="EPSG:32631",
        transform=Affine(10, 0, 0, 0, -10, 90),
    ) as file:  # fmt: skip
        file.write(np.full((1, 9, 9), CONTENT, "uint8"))
    return path


def fuzz(kind: str, count: int, seed: int, canary: Path) -> None:
    """Feed a process of its own with inputs, and see how it ends."""
    folder = canary.parent.parent / "inputs"
    folder.mkdir()
    own = {
        "PYTHONPATH": str(REPOSITORY),
        "GDAL_HTTP_PROXY": "127.0.0.1:9",
        "GDAL_HTTP_TIMEOUT": "1",
    }
    with unopened(canary) as opened:
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.worker", kind, str(count),
             str(seed), str(folder)],
            cwd=REPOSITORY, env={**os.environ, **own}, capture_output=True, text=True,
            errors="replace", timeout=3000, check=False,
        )  # fmt: skip
        read = opened()
    assert (done.returncode, done.stdout) == (0, f"{count} inputs\n"), done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    assert not read, "the canary was opened"


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample(kind: str, canary: Path) -> None:
    """Two hundred inputs of each kind."""
    fuzz(kind, 200, 1, canary)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand(kind: str, canary: Path) -> None:
    """Ten thousand inputs of each kind."""
    fuzz(kind, 10_000, 2, canary)


def test_a_canary_that_is_read_is_noticed(canary: Path) -> None:
    """What the tests above rely on."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells who opens a file")
    with unopened(canary) as opened:
        assert not opened()
        canary.read_bytes()
        assert opened()
