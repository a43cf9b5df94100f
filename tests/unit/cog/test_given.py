"""Arguments that make no sense, and values that a type does not hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.shutil import copy
from rasterio.transform import from_bounds, from_origin
from rasterio.vrt import WarpedVRT

from tests.made.commands import command
from tests.made.ranges import serving_ranges
from tests.made.rasters import noise, write_tif
from tests.made.scenes import asset, item
from zonalbatch.cog import Cog, frame, open_cog, open_scenes
from zonalbatch.cog.tiles import tile_matrix_set
from zonalbatch.errors import InputError, PassingReadError, PermanentReadError
from zonalbatch.sources import open_pixels
from zonalbatch.sources.access import Reader, access_given


def asked(href: object, ask: Callable[[Cog], Awaitable[Any]]) -> Any:
    """What an open COG answers."""

    async def run() -> Any:
        async with open_cog(str(href)) as cog:
            return await ask(cog)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A raster of one band."""
    return write_tif(tmp_path_factory.mktemp("given") / "a.tif", noise(300, 300))


class TestArguments:
    """Each is refused in a sentence, whatever it is."""

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"max_size": 0}, "max_size is 0; give a whole number of 1 or more"),
            ({"max_size": "a"}, "max_size is 'a'"),
            ({"shape": (0, 5)}, "a side of shape is 0"),
            ({"shape": (2.5, 3)}, "a side of shape is 2.5"),
            ({"shape": 5}, "give rows and columns"),
            ({"bounds": (1.0, 2.0, 3.0)}, "are no box"),
            ({"bounds": "abc"}, "are no box"),
            ({"bounds": (1.0, 2.0, 3.0, 4.0), "crs": "nonsense"}, "not known to PROJ"),
            ({"bounds": (1.0, 2.0, 3.0, 4.0), "crs": 999999}, "not known to PROJ"),
            ({"resampling": "best"}, "resampling is 'best'; use one of nearest"),
            ({"bands": 1}, "give a list of numbers"),
            ({"bands": [1.5]}, "a band is 1.5"),
            ({"fill": "x"}, "fill is 'x'; give a number"),
            ({"fill": "x", "expression": "b1"}, "fill is 'x'; give a number"),
        ],
    )
    def test_of_read(self, plain: str, keys: dict[str, Any], said: str) -> None:
        """By an InputError, and not by what Python, rasterio or PROJ raise."""
        with pytest.raises(InputError, match=said):
            asked(plain, lambda cog: cog.read(**keys))

    @pytest.mark.parametrize("place", [(-1, 0, 0), (0, 0.5, 0), (0, 0, "a"), (9, 0, 0)])
    def test_of_get_tile(self, plain: str, place: Any) -> None:
        """There are no tiles between others."""
        with pytest.raises(InputError, match=r"of a tile is|has no tile"):
            asked(plain, lambda cog: cog.get_tile(*place))

    @pytest.mark.parametrize(
        ("place", "keys", "said"),
        [
            ((0, 0, -1), {}, "z of a tile is -1"),
            ((8, 0, 3), {}, "no tile 8, 0 in level 3, but 8 × 8"),
            ((0, 0, 99), {}, "levels 0 to 24, and 99"),
            ((0, 0, 0), {"size": 0}, "size is 0"),
            ((0, 0, 0), {"size": 10**6}, "too large"),
        ],
    )
    def test_of_tile(self, plain: str, place: Any, keys: dict[str, Any], said: str) -> None:
        """A web map ends at its sides, and at its last level."""
        with pytest.raises(InputError, match=said):
            asked(plain, lambda cog: cog.tile(*place, **keys))

    def test_far_more_cells_than_are_wanted(
        self, plain: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A small array of a file without overviews may take all pixels, if they can be held."""
        monkeypatch.setattr(frame, "MOST_LOOKED_AT", 299 * 300)
        with pytest.raises(InputError, match="300 × 300 cells read for this array"):
            asked(plain, lambda cog: cog.read(max_size=10))


@pytest.mark.parametrize("assets", ["red", []])
def test_of_open_scenes(assets: Any) -> None:
    """Keys of assets are a list, of one or more."""

    async def run() -> None:
        async with open_scenes([item("one", red=asset("a.tif", (4, 4)))], assets):
            pass

    with pytest.raises(InputError, match="give a list of keys"):
        asyncio.run(run())


def test_cubic_keeps_to_the_type(tmp_path: Path) -> None:
    """What overshoots 0 and 255 is cut there, as GDAL does, and does not begin anew."""
    steps = np.kron(np.array([[0, 255], [255, 0]], "uint8"), np.ones((40, 40), "uint8"))
    path = write_tif(tmp_path / "a.tif", steps)
    found = asked(path, lambda cog: cog.read(shape=(320, 320), resampling="cubic"))
    with rasterio.open(path) as file, WarpedVRT(
        file, resampling=Resampling.cubic, width=320, height=320,
        transform=from_bounds(*file.bounds, 320, 320),
    ) as warped:  # fmt: skip
        expected = warped.read()
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_what_json_does_not_know(tmp_path: Path) -> None:
    """Infinite nodata and scales are words in what `info` prints."""
    path = write_tif(tmp_path / "a.tif", np.zeros((8, 8), "float32"), nodata=float("-inf"))
    with rasterio.open(path, "r+") as file:
        file.offsets = [float("inf")]
    told = command("info", path, "--json").out
    document = json.loads(told, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert (document["nodata"], document["offsets"]) == ("-inf", ["inf"])


def test_cells_that_are_no_squares(tmp_path: Path) -> None:
    """No tile matrix set can say them: none is made."""
    path = tmp_path / "a.tif"
    write_tif(
        path, noise(256, 256), transform=from_origin(5, 50, 0.01, 0.02), crs="EPSG:4326",
        tiled=True, blockxsize=128, blockysize=128,
    )  # fmt: skip

    async def look(cog: Cog) -> None:
        with pytest.raises(InputError, match="no squares"):
            tile_matrix_set(cog)

    asked(path, look)


class TestFaults:
    """Commands on what cannot be read or written."""

    def test_a_broken_block(self, tmp_path: Path) -> None:
        """The doctor says that the file is broken."""
        plain = write_tif(tmp_path / "plain.tif", noise(300, 300))
        copy(plain, tmp_path / "a.tif", driver="COG", blocksize=128, compress="DEFLATE")
        whole = (tmp_path / "a.tif").read_bytes()
        (tmp_path / "a.tif").write_bytes(whole[: len(whole) * 2 // 3])
        told = command("doctor", tmp_path / "a.tif")
        assert told.code == 3
        assert "check that it exists and is whole" in told.err

    def test_a_place_that_is_not_there(self, tmp_path: Path) -> None:
        """The file cannot be written, and this is said."""
        plain = write_tif(tmp_path / "plain.tif", noise(300, 300))
        copy(plain, tmp_path / "a.tif", driver="COG", blocksize=128, compress="DEFLATE")
        told = command("create-tms", tmp_path / "a.tif", "-o", tmp_path / "none" / "tms.json")
        assert (told.code, "cannot be written" in told.err) == (4, True)

    def test_a_text(self, tmp_path: Path) -> None:
        """One sentence of GDAL's, without what was tried before."""
        (tmp_path / "a.tif").write_text("no raster at all")
        told = command("info", tmp_path / "a.tif")
        assert told.code == 3
        assert "not recognized as being in a supported file format);" in told.err

    def test_a_host_that_is_down(self) -> None:
        """Reading again may help."""
        with pytest.raises(PassingReadError, match="run again"):
            asked("http://127.0.0.1:1/a.tif", lambda cog: cog.read())


class TestLeftToGdal:
    """Files that obstore cannot fetch, or is not to."""

    def test_what_is_not_known_is_not_denied(self, plain: str) -> None:
        """Whether it is a COG, where its directories cannot be seen."""
        with serving_ranges(Path(plain).parent) as server:
            href = f"{server.url}/a.tif".replace("//", "//somebody@")
            told = command("info", href).out
            document = json.loads(command("info", href, "--json").out)
            tms = command("create-tms", href)
        assert "no COG" not in told
        assert "ifds        not shown, as its link is no plain URL" in told
        assert (document["cog"], document["ifds"]) == (None, [])
        assert (tms.code, "shows no directories of a TIFF" in tms.err) == (2, True)

    def test_by_the_environment(self, plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who wants rioxarray is told that GDAL reads."""
        monkeypatch.setenv("ZONALBATCH_READER", "rioxarray")
        assert "read by     GDAL, as the reader is rioxarray" in command("doctor", plain).out


class TestBeside:
    """Files beside a local raster, which GDAL reads with it."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """A file that by itself would be read by ranges; what lies beside it is of its twin."""
        twin, path = tmp_path / "twin.tif", tmp_path / "a.tif"
        for one in (twin, path):
            write_tif(one, noise(96, 96), tiled=True, blockxsize=48, blockysize=48)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(twin, "r+") as file:
            file.write_mask(noise(96, 96) > 5000)
        with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(twin, "r+") as file:
            file.build_overviews([2, 4])
        return path

    def test_overviews(self, path: Path) -> None:
        """Are those of the file."""
        path.with_name("twin.tif.ovr").rename(f"{path}.ovr")

        async def look(cog: Cog) -> tuple[Any, ...]:
            return cog.overviews, (await cog.get_tile(0, 0, 2)).ndim, cog.left_to_gdal

        assert asked(path, look) == ((2, 4), 3, "a file .ovr lies beside it")

    def test_masks(self, path: Path) -> None:
        """Are never passed over: by ranges alone the file is refused."""
        access = access_given(None, reader=Reader(kind="async"))
        assert open_pixels(str(path), access=access).header.block == (48, 48)
        path.with_name("twin.tif.msk").rename(f"{path}.msk")
        found = asked(path, lambda cog: cog.read())
        assert np.array_equal(~found.mask[0], noise(96, 96) > 5000)
        with pytest.raises(PermanentReadError, match=r"as a file \.msk lies beside it"):
            _ = open_pixels(str(path), access=access).header
