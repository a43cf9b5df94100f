"""What a run asks of a server: each byte once, no more than it needs, and many at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import rasterio
from rasterio.shutil import copy

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.ranges import Server, serving_ranges
from tests.made.rasters import noise, write_tif
from tests.made.runs import cut_small
from tests.made.zones import cells, frame
from zonalbatch.sources import cog_layers

if TYPE_CHECKING:
    from distributed import Client

SIZE, BLOCK = 1024, 128
"""Cells to a side of a file, and of a block."""
NAMES = tuple(f"scene_{i}.tif" for i in range(6))


@pytest.fixture(scope="module")
def one_worker() -> Iterator[Client]:
    """A client of one worker process of one thread."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as workers,
        Client(workers) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of COGs of one lattice; noise, so that each block takes about as many bytes."""
    folder = tmp_path_factory.mktemp("scenes")
    for i, name in enumerate(NAMES):
        cog(write_tif(folder / "plain.tif", noise(SIZE, SIZE, seed=i)), folder / name)
    (folder / "plain.tif").unlink()
    return folder


def cog(source: str, target: Path, **options: str) -> None:
    """Write a file again as a COG."""
    copy(source, target, driver="COG", blocksize=BLOCK, **{"compress": "DEFLATE"} | options)


@pytest.fixture
def server(scenes: Path) -> Iterator[Server]:
    """The scenes over HTTP."""
    with serving_ranges(scenes) as served:
        yield served


def scattered(count: int, side: int = 24) -> geopandas.GeoDataFrame:
    """Square fields anywhere on the scenes, some of them across the sides of blocks."""
    corners = np.random.default_rng(4).integers(0, SIZE - side, (count, 2)).tolist()
    shapes = [cells(row, col, side, side) for row, col in corners]
    return frame(*shapes, id=range(count))


def needed(path: Path, fields: geopandas.GeoDataFrame) -> dict[tuple[int, int], int]:
    """(first byte, byte after the last) of each block that a field touches -> its bytes."""
    found = {}
    with rasterio.open(path) as file:
        for bounds in fields.bounds.to_numpy():
            (top, left), (bottom, right) = file.index(*bounds[[0, 3]]), file.index(*bounds[[2, 1]])
            for row in range(top // BLOCK, (bottom - 1) // BLOCK + 1):
                for col in range(left // BLOCK, (right - 1) // BLOCK + 1):
                    start, size = (
                        int(file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", 1))
                        for what in ("OFFSET", "SIZE")
                    )
                    found[start, start + size] = size
    return found


def test_bytes_are_asked_for_once(
    scenes: Path, server: Server, one_worker: Client, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Scattered fields, in many parts of one worker: headers, and the blocks that they touch."""
    cut_small(monkeypatch, rows=12)
    fields = scattered(40)
    job = job_over(fields, [f"{server.url}/{name}" for name in NAMES], tmp_path / "out")
    report = zb.run(job, one_worker)
    requests = server.counts()["requests"]
    assert report.failures == 0
    assert report.parts > 4
    local = job_over(fields, [str(scenes / name) for name in NAMES], tmp_path / "local")
    zb.run(local, one_worker)
    values = zb.open_results(tmp_path / "out").gdf["red_mean"]
    assert values.tolist() == zb.open_results(tmp_path / "local").gdf["red_mean"].tolist()

    for name in NAMES:
        spans = [(start, stop) for path, start, stop in requests if path == f"/{name}"]
        heads = [span for span in spans if span[0] == 0]
        blocks = [span for span in spans if span[0] > 0]
        wanted = needed(scenes / name, fields)
        assert len(heads) <= 2  # the plan's, and the worker's
        assert all(any(a <= start and stop <= b for a, b in spans) for start, stop in wanted)
        asked = sum(stop - start for start, stop in blocks)
        assert asked <= 1.05 * sum(wanted.values())
        times = Counter(byte for span in blocks for byte in range(*span, 100))
        assert not blocks or max(times.values()) == 1
        assert len(wanted) < (SIZE // BLOCK) ** 2


def test_headers_are_asked_for_together(scenes: Path, tmp_path: Path) -> None:
    """500 unknown headers: one request each, at least 32 at a time."""
    for i in range(500):
        (tmp_path / f"{i}.tif").symlink_to(scenes / NAMES[i % len(NAMES)])
    with serving_ranges(tmp_path, delay=0.2) as far:
        layers = cog_layers(files=[f"{far.url}/{i}.tif" for i in range(500)])
        counts = far.counts()
    assert len(layers.layers) == 500
    assert not layers.failures
    assert len(counts["requests"]) == 500
    assert 32 <= counts["peak"] <= 64


def test_a_part_asks_for_all_at_once(scenes: Path, tmp_path: Path) -> None:
    """The blocks of all layers are under way together, up to ``requests_in_flight``."""
    with serving_ranges(scenes, delay=0.2) as far:
        files = [f"{far.url}/{name}" for name in NAMES]
        zb.zonal_stats(scattered(40), files, ["mean"], id="id")
        assert 32 <= far.counts()["peak"] <= 64


@pytest.mark.parametrize("reader", ["rioxarray", "async"])
def test_another_reader(reader: str, server: Server, one_worker: Client, tmp_path: Path) -> None:
    """`reader` of a job says who reads, for the plan as for workers; the rows are the same."""
    fields, files = scattered(9), [f"{server.url}/{name}" for name in NAMES]
    zb.run(job_over(fields, files, tmp_path / "auto"), one_worker)
    zb.run(job_over(fields, files, tmp_path / "out", reader=reader), one_worker)
    digests = {zb.open_results(tmp_path / name).digest for name in ("auto", "out")}
    assert len(digests) == 1


def test_what_cannot_be_read_by_ranges(
    scenes: Path, server: Server, one_worker: Client, tmp_path: Path
) -> None:
    """JPEG is left to GDAL; `reader: async` records why it is not read."""
    plain = write_tif(tmp_path / "plain.tif", (noise(SIZE, SIZE) % 200).astype("uint8"))
    cog(plain, scenes / "photo.tif", compress="JPEG")
    files = [f"{server.url}/{name}" for name in ("photo.tif", NAMES[0])]
    fields = scattered(3)
    assert zb.run(job_over(fields, files, tmp_path / "auto"), one_worker).failures == 0
    report = zb.run(job_over(fields, files, tmp_path / "out", reader="async"), one_worker)
    assert report.failures == 1
    (cause,) = zb.open_results(tmp_path / "out").failures["cause"]
    assert "reader: async, as its blocks are compressed in a way that GDAL has to undo" in cause
    assert "use reader: auto" in cause
