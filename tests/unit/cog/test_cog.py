"""COGs for asyncio: what they say, their tiles, and arrays for any box."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.shutil import copy
from rasterio.vrt import WarpedVRT

from tests.made.commands import command
from tests.made.places import CELL, LEFT, TOP
from tests.made.ranges import Server, serving_ranges
from tests.made.rasters import noise, write_tif
from tests.made.scenes import asset, item
from zonalbatch.cog import Cog, open_cog, open_scenes
from zonalbatch.errors import ExpressionError, InputError, ReadError

SIZE, BLOCK = 700, 128
VALUES = noise(2, SIZE, SIZE)
VALUES[:, 300:340, 100:180] = 0
"""Two bands in which 0 means no data."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COG with overviews, the same of bytes with a mask, and a file in strips."""
    path = tmp_path_factory.mktemp("cogs")
    plain = write_tif(
        path / "strips.tif", VALUES, nodata=0, names=("red", "nir"), scale=0.1, interleave="pixel"
    )
    options = {"driver": "COG", "blocksize": BLOCK, "compress": "DEFLATE"}
    copy(plain, path / "a.tif", **options, overview_resampling="nearest")
    rgb = write_tif(path / "rgb.tif", (noise(3, SIZE, SIZE) % 250).astype("uint8"))
    with rasterio.open(rgb, "r+") as file:
        file.write_mask(VALUES[0] != 0)
    copy(rgb, path / "masked.tif", **options)
    return path


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """The files over HTTP."""
    with serving_ranges(folder) as served:
        yield served


def asked(href: object, ask: Callable[[Cog], Awaitable[Any]]) -> Any:
    """What an open COG answers."""

    async def run() -> Any:
        async with open_cog(str(href)) as cog:
            return await ask(cog)

    return asyncio.run(run())


def same(found: NDArray[Any], expected: NDArray[Any]) -> None:
    """Equal where there is data, which is at the same cells."""
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    lacking = np.ma.getmaskarray(expected)
    assert np.array_equal(np.ma.getmaskarray(found), lacking)
    assert np.array_equal(np.ma.getdata(found)[~lacking], np.ma.getdata(expected)[~lacking])


def box(top: float, left: float, bottom: float, right: float) -> tuple[float, float, float, float]:
    """The bounds of some rows and columns."""
    return LEFT + left * CELL, TOP - bottom * CELL, LEFT + right * CELL, TOP - top * CELL


async def everything(cog: Cog) -> Any:
    """All pixels."""
    return await cog.read()


class TestFacts:
    """What a file says of itself."""

    @pytest.mark.parametrize("name", ["a.tif", "masked.tif", "strips.tif"])
    def test_as_rasterio_tells_it(self, folder: Path, name: str) -> None:
        """Profile, bounds, CRS, nodata, scale, overviews and tags are those of the dataset."""

        async def look(cog: Cog) -> None:
            with rasterio.open(folder / name) as file:
                assert cog.profile == dict(file.profile)
                assert cog.bounds == tuple(file.bounds)
                assert (cog.crs, cog.epsg) == (file.crs, file.crs.to_epsg())
                assert (cog.nodata, cog.shape) == (file.nodata, file.shape)
                assert (cog.scales, cog.offsets) == (file.scales, file.offsets)
                assert list(cog.overviews) == file.overviews(1)
                assert cog.tags == file.tags()
                assert cog.is_masked == (name != "strips.tif" or file.nodata is not None)
                assert cog.colormap is None
            with pytest.raises(AttributeError, match="no attribute 'nothing'"):
                _ = cog.nothing

        asked(folder / name, look)

    def test_directories(self, folder: Path) -> None:
        """The file, its overviews and masks, with tiles and tags by name and code."""

        async def look(cog: Cog) -> None:
            kinds = [(one.is_mask, one.is_overview) for one in cog.ifds]
            assert kinds[:2] == [(False, False), (True, False)]
            assert sorted(kinds[2:]) == [(False, True)] * 3 + [(True, True)] * 3
            first = cog.ifds[0]
            assert (first.width, first.height, first.tile) == (SIZE, SIZE, (BLOCK, BLOCK))
            assert first.tile_count == (6, 6)
            assert first["TileWidth"] == first[322] == BLOCK
            assert first["SamplesPerPixel"] == 3
            assert len(first["TileOffsets"]) == 36
            codes = [tag.code for tag in first]
            assert codes == sorted(codes)
            assert len(codes) == first.tag_count
            with pytest.raises(KeyError):
                first["Nothing"]

        asked(folder / "masked.tif", look)

    def test_a_header_is_one_request(self, server: Server) -> None:
        """And it is counted."""

        async def look(cog: Cog) -> tuple[int, int]:
            return cog.requests, cog.bytes_read

        server.counts()
        requests, read = asked(f"{server.url}/a.tif", look)
        (request,) = server.counts()["requests"]
        assert requests == 1
        assert read == 32 * 1024 == request[2]


class TestArrays:
    """Pixels for a box."""

    @pytest.mark.parametrize("name", ["a.tif", "masked.tif", "strips.tif"])
    def test_all_of_it(self, folder: Path, server: Server, name: str) -> None:
        """As rasterio reads it, masked where there is no data; near or far."""
        with rasterio.open(folder / name) as file:
            expected = file.read(masked=True)
        same(asked(folder / name, everything), expected)
        same(asked(f"{server.url}/{name}", everything), expected)

    def test_tiles(self, folder: Path) -> None:
        """Blocks of the file and of an overview, whole also at its sides."""

        async def look(cog: Cog) -> None:
            with rasterio.open(folder / "a.tif") as file:
                inner = file.read(window=((128, 256), (384, 512)), masked=True)
                edge = file.read(window=((640, 700), (0, 128)), masked=True)
            same(await cog.get_tile(3, 1), inner)
            tile: Any = await cog.get_tile(0, 5)
            assert tile.shape == (2, BLOCK, BLOCK)
            same(tile[:, :60], edge)
            assert tile.mask[:, 60:].all()
            with rasterio.open(folder / "a.tif", overview_level=0) as smaller:
                second = smaller.read(window=((128, 256), (128, 256)), masked=True)
            same(await cog.get_tile(1, 1, 1), second)
            for place in ((6, 0, 0), (0, -1, 0), (0, 0, 9)):
                with pytest.raises(InputError, match=r"has no|0 or more"):
                    await cog.get_tile(*place)

        asked(folder / "a.tif", look)

    def test_a_box_on_edges_of_cells(self, folder: Path) -> None:
        """Its cells are those of the file; beyond it there is nothing, whatever fills it."""

        async def look(cog: Cog) -> None:
            with rasterio.open(folder / "a.tif") as file:
                same(await cog.read(box(290, 90, 350, 200)),
                     file.read(window=((290, 350), (90, 200)), masked=True))  # fmt: skip
                corner = file.read(window=((0, 30), (0, 40)), masked=True)
            over: Any = await cog.read(box(-20, -10, 30, 40), bands=[2], fill=77)
            assert over.shape == (1, 50, 50)
            same(over[:, 20:, 10:], corner[1:])
            assert over.mask[:, :20].all()
            assert over.mask[:, :, :10].all()
            assert (over.data[over.mask] == 77).all()
            nowhere: Any = await cog.read(box(9000, 0, 9010, 10))
            assert nowhere.mask.all()

        asked(folder / "a.tif", look)

    @pytest.mark.parametrize("times", [2, 4])
    def test_an_overview_is_read(self, folder: Path, server: Server, times: int) -> None:
        """The one whose cells are as large as is asked for; and few bytes of it."""

        async def look(cog: Cog) -> tuple[NDArray[Any], int]:
            return await cog.read(max_size=SIZE // times), cog.bytes_read

        found, read = asked(f"{server.url}/a.tif", look)
        with rasterio.open(folder / "a.tif", overview_level=times // 2 - 1) as smaller:
            same(found, smaller.read(masked=True))
        assert read < (folder / "a.tif").stat().st_size / 2

    def test_another_grid(self, folder: Path) -> None:
        """As GDAL warps it, of valid cells alone."""
        bounds = (LEFT + 1000, TOP - 4500, LEFT + 4000, TOP - 1500)

        async def look(cog: Cog) -> Any:
            return await cog.read(bounds, shape=(300, 300), resampling="bilinear")

        found = asked(folder / "a.tif", look)
        with rasterio.open(folder / "a.tif") as file, WarpedVRT(
            file, resampling=Resampling.bilinear, width=300, height=300,
            transform=rasterio.transform.from_bounds(*bounds, 300, 300),
        ) as warped:  # fmt: skip
            expected = warped.read(masked=True)
        both = ~(np.ma.getmaskarray(found) | np.ma.getmaskarray(expected))
        assert both.mean() > 0.9
        assert np.abs(found[both].astype(int) - expected[both].astype(int)).max() <= 1

    def test_expressions(self, folder: Path) -> None:
        """Of bands by number; null where a band is, or where it is no number."""

        async def look(cog: Cog) -> Any:
            with pytest.raises(ExpressionError, match="b3"):
                await cog.read(expression="b3 - b1")
            ratio = "(b2 - b1) / (b2 + b1)"
            return await cog.read(box(290, 90, 350, 200), expression=ratio, fill=-9999.0)

        found = asked(folder / "a.tif", look)
        red, nir = VALUES[:, 290:350, 90:200].astype(float)
        with np.errstate(all="ignore"):
            expected = (nir - red) / (nir + red)
        assert found.shape == (1, 60, 110)
        assert np.array_equal(found.mask[0], np.isnan(expected))
        assert np.allclose(found.compressed(), expected[~np.isnan(expected)])
        assert (found.data[found.mask] == -9999).all()

    def test_a_tile_of_a_web_map(self, folder: Path) -> None:
        """In Web Mercator, by morecantile's bounds; most of it lies on the file."""
        import morecantile

        tms = morecantile.tms.get("WebMercatorQuad")

        async def look(cog: Cog) -> None:
            west, south, east, north = rasterio.warp.transform_bounds(
                cog.crs, "EPSG:4326", *cog.bounds
            )
            place = tms.tile((west + east) / 2, (south + north) / 2, 15)
            found = await cog.tile(place.x, place.y, place.z, bands=[1])
            with rasterio.open(folder / "a.tif") as file, WarpedVRT(
                file, crs="EPSG:3857", width=256, height=256,
                transform=rasterio.transform.from_bounds(*tms.xy_bounds(place), 256, 256),
            ) as warped:  # fmt: skip
                expected = warped.read([1], masked=True)
            assert found.shape == (1, 256, 256)
            assert (np.ma.getmaskarray(found) == np.ma.getmaskarray(expected)).mean() > 0.99
            there = ~(np.ma.getmaskarray(found) | np.ma.getmaskarray(expected))
            assert (found.data[there] == expected.data[there]).mean() > 0.99
            with pytest.raises(InputError, match="no tile matrix set"):
                await cog.tile(0, 0, 0, tms="Nowhere")

        asked(folder / "a.tif", look)

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"bounds": (2.0, 0.0, 1.0, 1.0)}, "are no box"),
            ({"bands": [3]}, "bands 1 to 2"),
            ({"shape": (10**6, 10**6)}, "too large; give max_size"),
            ({"fill": -9999}, "holds uint16, which cannot be filled with -9999"),
        ],
    )
    def test_what_makes_no_sense(self, folder: Path, keys: dict[str, Any], said: str) -> None:
        """Is refused in a sentence."""

        async def look(cog: Cog) -> None:
            with pytest.raises(InputError, match=said):
                await cog.read(**keys)

        asked(folder / "a.tif", look)

    def test_a_header_that_lies(self, folder: Path, tmp_path: Path) -> None:
        """Values that lie beyond the file, or are no numbers, are an error of reading."""
        data = bytearray((folder / "strips.tif").read_bytes())
        (first,) = struct.unpack_from("<I", data, 4)
        struct.pack_into("<I", data, first + 2 + 8, len(data) + 100)  # where values of a tag lie
        struct.pack_into("<HI", data, first + 2 + 2, 3, 50)
        (tmp_path / "a.tif").write_bytes(data)
        with serving_ranges(tmp_path) as served, pytest.raises(ReadError):
            asked(f"{served.url}/a.tif", everything)

    def test_what_is_not_there(self, server: Server) -> None:
        """An error of reading, as everywhere."""
        with pytest.raises(ReadError, match="404"):
            asked(f"{server.url}/none.tif", everything)


def test_assets_of_items(folder: Path) -> None:
    """Of several items, in the cells of the first; an expression of their keys."""
    items = [
        item(name, red=asset(str(folder / "a.tif"), (SIZE, SIZE)),
             rgb=asset(str(folder / "masked.tif"), (SIZE, SIZE)))
        for name in ("one", "two")
    ]  # fmt: skip

    async def run() -> None:
        async with open_scenes(items, ["red", "rgb"]) as scenes:
            assert scenes.ids == ("one", "two")
            both = await scenes.read(box(290, 90, 350, 200))
            assert both.shape == (2, 2, 60, 110)
            assert np.array_equal(both[0, 0].data, VALUES[0, 290:350, 90:200])
            ratio = await scenes.read(box(0, 0, 60, 110), expression="rgb / red")
            assert ratio.shape == (2, 1, 60, 110)
            first = (noise(3, SIZE, SIZE)[0] % 250)[:60, :110]
            assert np.allclose(ratio[1, 0], first / VALUES[0, :60, :110])
        with pytest.raises(InputError, match="'one' has no asset 'blue', but red, rgb"):
            async with open_scenes(items, ["blue"]):
                pass

    asyncio.run(run())


class TestCommands:
    """``info`` and ``create-tms``."""

    def test_info(self, folder: Path, server: Server) -> None:
        """For people, and as JSON."""
        told = command("info", f"{server.url}/a.tif")
        assert told.code == 0
        assert "700 × 700, 2 × uint16" in told.out
        assert "ifd 0       image 700 × 700, tiles of 128 × 128, DEFLATE" in told.out
        assert "32,768 bytes in 1 requests" in told.out
        document = json.loads(command("info", folder / "strips.tif", "--json").out)
        assert (document["cog"], document["ifds"][0]["tile"]) == (False, None)
        assert document["ifds"][0]["tags"]["ImageWidth"] == {"code": 256, "value": SIZE}

    def test_create_tms(self, folder: Path, tmp_path: Path) -> None:
        """A matrix for each level, by which morecantile knows the tiles of the file."""
        import morecantile

        out = tmp_path / "tms.json"
        assert command("create-tms", folder / "a.tif", "--out", out).code == 0
        tms = morecantile.TileMatrixSet.model_validate_json(out.read_text())
        assert [one.matrixWidth for one in tms.tileMatrices] == [1, 2, 3, 6]
        bounds = tms.xy_bounds(morecantile.Tile(3, 1, 3))
        assert tuple(bounds) == pytest.approx(box(BLOCK, 3 * BLOCK, 2 * BLOCK, 4 * BLOCK))
        told = command("create-tms", folder / "strips.tif")
        assert (told.code, told.out) == (2, "")
        assert "is not tiled" in told.err


class TestDoctor:
    """What limits the reads of a file."""

    def test_a_cog_far_away(self, folder: Path) -> None:
        """A request that takes long is what is waited for."""
        with serving_ranges(folder, delay=0.1) as far:
            told = command("doctor", f"{far.url}/a.tif", "--json")
        document = json.loads(told.out)
        assert document["limit"] == "latency"
        assert document["trial"]["latency"] > 0.1
        assert document["trial"]["blocks"] == 8
        assert document["left_to_gdal"] is None
        assert ["waited for" in sentence for sentence in document["advice"]] == [True]

    def test_strips(self, folder: Path, tmp_path: Path) -> None:
        """How many times the bytes a field takes, and what to do."""
        wide = write_tif(tmp_path / "wide.tif", np.zeros((40, 8000), "uint8"), blockysize=1)
        told = command("doctor", wide)
        assert told.code == 0
        assert "read by     GDAL, as its directories do not all lie at its front" in told.out
        assert "not tiled: a field takes 126 × the bytes needed; write it as a COG" in told.out
        assert "no overviews" in told.out

    def test_all_is_well(self, folder: Path) -> None:
        """Then it says so."""
        assert (
            command("doctor", folder / "a.tif").out.splitlines()[-1] == "- nothing to complain of"
        )


def test_a_palette(tmp_path: Path) -> None:
    """Colours by value, and as a tag."""
    path = write_tif(tmp_path / "map.tif", np.zeros((32, 32), "uint8"), photometric="palette")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {1: (255, 128, 0, 255)})

    async def look(cog: Cog) -> None:
        assert cog.colormap[1] == (255, 128, 0, 255)
        assert len(cog.ifds[0]["ColorMap"]) in (256, 768)

    asked(path, look)
