"""Ranges that are asked for together, and within bounds."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.shutil import copy

from tests.made.ranges import Server, serving_ranges
from tests.made.rasters import noise, write_tif
from zonalbatch.errors import DoubtfulReadError, InputError, ReadError
from zonalbatch.sources import open_pixels
from zonalbatch.sources.access import access_again, access_given
from zonalbatch.sources.access.reader import VARIABLES, Reader, reader_here
from zonalbatch.sources.async_cog.blocks import Blocks
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.front import length_of_directories
from zonalbatch.sources.async_cog.pixels import CogPixels
from zonalbatch.sources.async_cog.ranges import LARGEST, merged
from zonalbatch.sources.async_cog.tiff import FILL_ORDER, OFFSETS, PLANAR, directories_in
from zonalbatch.sources.async_cog.traffic import Bounds, Traffic

spans = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 300)).map(lambda one: (one[0], sum(one))),
    max_size=30,
)


@given(spans, st.integers(0, 200))
def test_what_is_merged_holds_all(asked: list[tuple[int, int]], gap: int) -> None:
    """Each span lies in one that is asked for; no byte is asked for twice, and few for nothing."""
    found = list(merged(asked, gap))
    assert all(any(a <= start and stop <= b for a, b in found) for start, stop in asked)
    assert all(one[1] < other[0] for one, other in pairwise(found))
    wanted = {byte for span in asked for byte in range(*span)}
    assert sum(stop - start for start, stop in found) <= len(wanted) + gap * max(0, len(asked) - 1)


def test_requests_do_not_grow_without_end() -> None:
    """Neighbours are asked for in several requests beyond a size: one connection is slow."""
    blocks = [(i * 2**20, (i + 1) * 2**20) for i in range(10)]
    found = list(merged(blocks, 0))
    assert len(found) == 3
    assert max(stop - start for start, stop in found) <= LARGEST


@given(st.integers(1, 8), st.lists(st.integers(1, 100), max_size=40), st.integers(1, 150))
def test_traffic_keeps_to_its_bounds(requests: int, sizes: list[int], most: int) -> None:
    """Never more requests, nor more bytes but for one alone; and all get through."""

    async def drive() -> int:
        traffic, under_way, done = Traffic(Bounds(requests, most)), list[int](), 0

        async def one(size: int) -> None:
            nonlocal done
            async with traffic.room(size):
                under_way.append(size)
                assert len(under_way) <= requests
                assert sum(under_way) <= most or len(under_way) == 1
                await asyncio.sleep(0)
                under_way.remove(size)
            done += 1

        await asyncio.gather(*map(one, sizes))
        return done

    assert asyncio.run(asyncio.wait_for(drive(), 20)) == len(sizes)


def test_who_gives_up_makes_room() -> None:
    """Of many that wait, some of whom are given up as their turn comes, all others get through."""

    async def drive() -> int:
        traffic, done = Traffic(Bounds(2, 100)), list[int]()

        async def one(number: int) -> None:
            async with traffic.room(60):
                await asyncio.sleep(0)
                done.append(number)

        tasks = [asyncio.create_task(one(number)) for number in range(40)]
        await asyncio.sleep(0)
        while len(done) < 3:
            await asyncio.sleep(0)
        given_up = [task for task in tasks[3:20] if task.cancel()]
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(done) + sum(task.cancelled() for task in given_up)

    assert asyncio.run(asyncio.wait_for(drive(), 20)) == 40


def test_blocks_that_are_kept() -> None:
    """Those that were asked for longest ago make room."""
    blocks = Blocks(most_bytes=300)
    for row in range(4):
        blocks.put((0, None, 0, row), np.zeros(100, np.uint8))
        blocks.get((0, None, 0, 1))
    assert [row for row in range(4) if blocks.get((0, None, 0, row)) is not None] == [1, 2, 3]


@pytest.fixture
def tiled(tmp_path: Path) -> str:
    """A COG of 600 × 600 cells in blocks of 64, so that its tables take some kilobytes."""
    target = tmp_path / "a.tif"
    plain = write_tif(tmp_path / "plain.tif", noise(600, 600))
    copy(plain, target, driver="COG", blocksize=64, compress="DEFLATE")
    return str(target)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The folder of the test over HTTP."""
    with serving_ranges(tmp_path) as served:
        yield served


def by(**settings: Any) -> Any:
    """Files that are read so."""
    return access_given(None, reader=Reader(**settings))


def test_a_long_header_takes_two_requests(tiled: str, server: Server) -> None:
    """The first tells how long it is."""
    header = CogPixels(f"{server.url}/a.tif", by(open_bytes=512)).header
    assert header.block == (64, 64)
    spans = server.counts()["requests"]
    assert [span[1] for span in spans] == [0, 512]
    head = Path(tiled).read_bytes()
    assert length_of_directories(head[:512]) == spans[-1][2] or spans[-1][2] == len(head)


def test_neighbours_are_one_request(tiled: str, server: Server) -> None:
    """A row of blocks that lie one behind the other is asked for at once."""
    pixels = CogPixels(f"{server.url}/a.tif", by(merge_gap=64))
    pixels.read([1], (64, 0, 128, 600))
    assert len([one for one in server.counts()["requests"] if one[1] > 0]) == 1


def test_blocks_are_asked_for_once(tiled: str, server: Server) -> None:
    """Another handle of the same run knows them; one of another run does not."""
    run = by()
    for access, requests in ((run, 2), (run, 0), (by(), 2)):
        CogPixels(f"{server.url}/a.tif", access).read([1], (64, 64, 100, 100))
        assert len(server.counts()["requests"]) == requests


def test_a_file_that_changes(tiled: str, server: Server, tmp_path: Path) -> None:
    """After a read that failed its header is asked for again."""
    pixels = CogPixels(f"{server.url}/a.tif", by())
    whole = Path(tiled).read_bytes()
    assert pixels.read([1], (0, 0, 64, 64)).size
    Path(tiled).write_bytes(whole[:3000])
    with pytest.raises(DoubtfulReadError):
        pixels.read([1], (300, 300, 600, 600))
    Path(tiled).write_bytes(whole)
    found = pixels.read([1], (300, 300, 600, 600))[0]
    assert np.array_equal(found, noise(600, 600)[300:, 300:])


def test_a_place_that_cannot_be(tmp_path: Path, server: Server) -> None:
    """A block beyond any file is broken, and not one that was left out."""
    plain = write_tif(tmp_path / "plain.tif", noise(256, 256), nodata=0)
    options = {"driver": "COG", "blocksize": 128, "compress": "DEFLATE", "bigtiff": "YES"}
    copy(plain, tmp_path / "far.tif", **options)
    data = bytearray((tmp_path / "far.tif").read_bytes())
    entry = directories_in(lambda start, stop: bytes(data[start:stop]))[0].entries[OFFSETS]
    assert (entry.kind, entry.count) == (16, 4)
    struct.pack_into("<Q", data, entry.start, 2**63 + 5)
    (tmp_path / "far.tif").write_bytes(data)
    pixels = CogPixels(f"{server.url}/far.tif")
    assert pixels.read([1], (128, 128, 256, 256)).any()
    with pytest.raises(ReadError, match="missing"):
        pixels.read([1], (0, 0, 128, 128))


def test_what_is_no_cog(tmp_path: Path, server: Server) -> None:
    """It is left to GDAL, which says what is wrong with it."""
    (tmp_path / "text.tif").write_text("no raster at all")
    write_tif(tmp_path / "strips.tif", noise(64, 64))
    for name, why in (("text.tif", "front"), ("strips.tif", "not tiled")):
        with pytest.raises(UnfitError, match=why):
            _ = CogPixels(f"{server.url}/{name}").header
    with pytest.raises(ReadError, match="404"):
        _ = CogPixels(f"{server.url}/none.tif").header


def test_a_cause_is_said_alike_of_all_files(server: Server) -> None:
    """It names no path but the link, and no time: so that failures are counted by their cause."""
    told = set()
    for name in ("none.tif", "deep/not there.tif"):
        with pytest.raises(ReadError) as raised:
            _ = CogPixels(f"{server.url}/{name}").header
        told.add(str(raised.value).replace(f"{server.url}/{name}", "…"))
    (one,) = told
    assert "could not be read (Server returned non-2xx status code: 404 Not Found);" in one


def test_bits_the_other_way(tmp_path: Path, server: Server) -> None:
    """A FillOrder of 2 turns the bits of each byte about: it is left to GDAL, which does so."""
    size: Any = {"tiled": True, "blockxsize": 64, "blockysize": 64}
    write_tif(tmp_path / "a.tif", noise(64, 64), **size)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    entry = directories_in(lambda start, stop: bytes(data[start:stop]))[0].entries[PLANAR]
    struct.pack_into("<H", data, entry.start - 8, FILL_ORDER)
    struct.pack_into("<H", data, entry.start, 2)
    (tmp_path / "a.tif").write_bytes(data)
    turned = np.packbits(np.unpackbits(noise(64, 64).view("u1"), bitorder="little")).view("u2")
    found = open_pixels(f"{server.url}/a.tif", access=by()).read([1], (0, 0, 64, 64))
    assert np.array_equal(found[0].ravel(), turned.ravel())


def test_a_server_without_ranges(tiled: str) -> None:
    """It is left to GDAL, which says that it wants them."""

    class Whole(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(Path(tiled).parent))

        def log_message(self, *args: object) -> None:
            """Keep silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Whole)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        href = f"http://127.0.0.1:{server.server_port}/a.tif"
        with pytest.raises(UnfitError, match="whole files only"):
            _ = CogPixels(href).header
        with pytest.raises(ReadError, match="not supported by this server"):
            open_pixels(href, access=by()).read([1], (0, 0, 600, 600))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class TestSettings:
    """How files are read, by the environment."""

    def test_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each setting has one."""
        told = {"kind": "async", "open_bytes": "1MiB", "header_cache": "5MB", "merge_gap": "7"}
        for name, value in told.items():
            monkeypatch.setenv(VARIABLES[name], value)
        assert reader_here() == Reader(
            kind="async", open_bytes=2**20, header_cache=5_000_000, merge_gap=7
        )

    @pytest.mark.parametrize(("name", "value"), [("kind", "fast"), ("open_bytes", "many")])
    def test_wrong(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        """The variable is named, and what it may hold."""
        monkeypatch.setenv(VARIABLES[name], value)
        with pytest.raises(InputError, match=f"{VARIABLES[name]} is '{value}'; write"):
            reader_here()

    def test_it_travels_with_the_access(self) -> None:
        """Workers read as the job says, and share what they keep within its run."""
        access = by(kind="rioxarray", merge_gap=3)
        again = access_again(access.document)
        assert again == access
        assert again.grant("a.tif").reader.merge_gap == 3
        assert by().grant("a.tif").reader.run != by().grant("a.tif").reader.run
