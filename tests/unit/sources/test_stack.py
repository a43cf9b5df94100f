"""Files on a common grid: where their cells lie, what is in them, and what identifies them."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pystac
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT

from tests.made.places import LEFT, TOP
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.scenes import asset, item
from tests.made.tokens import ACCOUNT, SECRET, Issuer, blobs
from zonalbatch.errors import PermanentReadError, RefusedReadError, SourceError
from zonalbatch.lattice import TILE, Grid, Lattice
from zonalbatch.layers import Asset
from zonalbatch.planning.identity import layer_hash
from zonalbatch.sources import (
    Band,
    CommonGrid,
    Pixels,
    gdal,
    open_pixels,
    stac_layers,
    stack_layers,
)
from zonalbatch.sources.access import access_from
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.view import View
from zonalbatch.sources.warp import Warp

SHAPE = (700, 600)
"""Height and width, more than a block each."""
SAME = CommonGrid(epsg=32631, resolution=(10, 10))
"""The grid that the files of these tests have by themselves."""
OTHER = CommonGrid(epsg=32632, resolution=(10, 10))


def told(href: str, **fields: Any) -> dict[str, Any]:
    """An item of one file, red."""
    return item("a", red=asset(href, SHAPE) | fields)


def on(grid: CommonGrid, *items: dict[str, Any], **band: Any) -> Asset:
    """The asset of the first item on a grid."""
    bands = {"red": Band(asset="red", **band)}
    return stack_layers(items, grid, bands=bands).layers[0].scenes[0].assets["red"]


def whole(pixels: Pixels) -> NDArray[Any]:
    """All pixels of the first band."""
    found: NDArray[Any] = pixels.read([1], (0, 0, *pixels.header.grid.shape))[0]
    return found


def by_rasterio(
    href: str, grid: Grid, how: str, band: int = 1, **options: Any
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values and validity by rasterio's warping, block by block: it approximates in each window."""
    left, _, _, top = grid.lattice.bounds(grid.window)
    height, width = grid.shape
    values, valid = np.zeros(grid.shape), np.zeros(grid.shape, bool)
    with rasterio.open(href) as file, WarpedVRT(
        file, crs=grid.lattice.crs, transform=from_origin(left, top, grid.lattice.dx,
        grid.lattice.dy), height=height, width=width, resampling=Resampling[how], **options,
    ) as warped:  # fmt: skip
        for row in range(0, height, TILE):
            for col in range(0, width, TILE):
                at = np.s_[row : row + TILE, col : col + TILE]
                rows, cols = (row, min(row + TILE, height)), (col, min(col + TILE, width))
                values[at] = warped.read(band, window=(rows, cols))
                valid[at] = warped.read_masks(band, window=(rows, cols)) != 0
    return values, valid


@pytest.fixture
def holed(tmp_path: Path) -> str:
    """A file with nodata in a tenth of its cells."""
    values = noise(*SHAPE)
    values[np.random.default_rng(1).random(SHAPE) < 0.1] = 0
    return write_tif(tmp_path / "holed.tif", values, nodata=0)


class TestPixels:
    """What is read."""

    def test_on_its_own_grid_a_file_is_itself(self, holed: str) -> None:
        """The same cells at the same place, to the last one."""
        one, native = on(SAME, told(holed)), stac_layers([told(holed)]).layers[0].assets[0]
        assert one.grid.on(native.grid.lattice) == native.grid
        pixels = open_pixels(one.href)
        assert pixels.header.grid == one.grid
        with rasterio.open(holed) as file:
            np.testing.assert_array_equal(whole(pixels), file.read(1))

    @pytest.mark.parametrize("how", ["nearest", "bilinear", "cubic", "average", "mode"])
    def test_values_are_those_of_rasterio(self, holed: str, how: Any) -> None:
        """In another CRS, and nodata has no part in them nor is it anywhere else."""
        grid = CommonGrid(epsg=3035, resolution=(12, 15), resampling=how)
        one = on(grid, told(holed))
        found = whole(open_pixels(one.href))
        wanted, valid = by_rasterio(holed, one.grid, how)
        assert 0.5 < valid.mean() < 1
        np.testing.assert_array_equal(found, np.where(valid, wanted, 0))

    def test_the_plan_has_the_word_of_nodata(self, tmp_path: Path, holed: str) -> None:
        """A nodata of the item's has no part in means; one that the job denies has."""
        with rasterio.open(holed) as file:
            plain = write_tif(tmp_path / "plain.tif", file.read(1))
        grid = CommonGrid(epsg=32632, resolution=(20, 20), resampling="average")
        of_file = whole(open_pixels(on(grid, told(holed)).href))
        of_item = whole(open_pixels(on(grid, told(plain, nodata=0)).href))
        np.testing.assert_array_equal(of_item, of_file)
        denied = whole(open_pixels(on(grid, told(holed), nodata="none").href))
        assert denied[300:305, 200:205].mean() < of_file[300:305, 200:205].mean()

    def test_cells_that_no_pixel_reaches_are_masked_without_nodata(self, tmp_path: Path) -> None:
        """No value is free to say so; all values that are there stay."""
        href = write_tif(tmp_path / "a.tif", noise(*SHAPE))
        one = on(OTHER, told(href))
        pixels = open_pixels(one.href)
        valid = pixels.read_mask((0, 0, *one.grid.shape))
        wanted, there = by_rasterio(href, one.grid, "nearest", add_alpha=True)
        assert pixels.header.masked
        assert not there.all()
        np.testing.assert_array_equal(valid, there)
        np.testing.assert_array_equal(whole(pixels)[valid], wanted[there])

    @pytest.mark.parametrize("alpha", [False, True])
    def test_a_mask_is_warped_along(self, tmp_path: Path, alpha: bool) -> None:
        """What a file masks by a mask or an alpha band has no part in means, and is masked."""
        values, hidden = noise(*SHAPE), np.zeros(SHAPE, bool)
        hidden[100:300, 50:400] = True
        values[hidden] = 60_000
        href = str(tmp_path / "m.tif")
        layers = np.stack([values, np.where(hidden, 0, 65535).astype("uint16")][: 1 + alpha])
        write_tif(tmp_path / "m.tif", layers)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(href, "r+") as file:
            if alpha:
                file.colorinterp = (ColorInterp.gray, ColorInterp.alpha)
            else:
                file.write_mask(~hidden)
        grid = CommonGrid(epsg=32631, resolution=(20, 20), resampling="average")
        one = on(grid, told(href))
        pixels = open_pixels(one.href)
        valid = pixels.read_mask((0, 0, *one.grid.shape))
        np.testing.assert_array_equal(valid, ~hidden[::2, ::2])
        assert whole(pixels)[valid].max() < 10_000

    def test_a_window_is_the_same_however_it_is_asked(self, holed: str) -> None:
        """GDAL approximates anew for each window it warps, so blocks are warped whole."""
        one = on(OTHER, told(holed))
        every = whole(open_pixels(one.href))
        for top, left, bottom, right in ((0, 0, 30, 40), (500, 480, 530, 520), (100, 7, 700, 8)):
            part = open_pixels(one.href).read([1], (top, left, bottom, right))[0]
            np.testing.assert_array_equal(part, every[top:bottom, left:right])

    def test_a_window_computes_its_blocks_alone(
        self, holed: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A block is warped when a window needs it, by this thread.

        The file is opened once to see what it says, and its VRT once for each band.
        """
        from stackstac.rio_reader import AutoParallelRioReader as Reader

        opened, asked, read, where = [], [], [], set()
        open_one, read_one, ask_one = Reader._open, Reader.read, gdal.opened_by

        def spied(self: Any, window: Any, **keys: Any) -> Any:
            read.append((window.row_off, window.col_off))
            where.add(threading.get_ident())
            return read_one(self, window, **keys)

        def spied_open(self: Any) -> Any:
            opened.append(self.url)
            return open_one(self)

        def spied_ask(name: str, *rest: Any, **keys: Any) -> Any:
            asked.append(name)
            return ask_one(name, *rest, **keys)

        monkeypatch.setattr(gdal, "opened_by", spied_ask)
        monkeypatch.setattr(Reader, "_open", spied_open)
        monkeypatch.setattr(Reader, "read", spied)
        href = on(OTHER, told(holed)).href
        asked.clear()
        pixels = open_pixels(href)
        pixels.read([1], (3, 4, 5, 5))
        with dask.config.set(scheduler="processes"):
            pixels.read([1], (512, 0, 600, 600))
        assert sorted(read) == [(0, 0), (512, 0), (512, 512)]
        assert (len(opened), where) == (1, {threading.get_ident()})
        pixels.read_mask((0, 0, 5, 5))
        assert (asked.count(holed), len(opened)) == (1, 2)

    def test_each_band_of_a_file(self, tmp_path: Path) -> None:
        """Of a file of several, one and the other are read, which stackstac refuses."""
        cube = noise(3, *SHAPE)
        href = write_tif(tmp_path / "rgb.tif", cube, nodata=0)
        doc = told(href, bands=[{"name": "r"}, {"name": "g"}, {"name": "b"}])
        bands = {"b": Band(asset="red", index=3), "r": Band(asset="red", index=1)}
        assets = stack_layers([doc], SAME, bands=bands).layers[0].scenes[0].assets
        assert assets["b"].href == assets["r"].href
        read = open_pixels(assets["b"].href).read([3, 1], (0, 0, *SHAPE))
        np.testing.assert_array_equal(read, cube[[2, 0]])

    @pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "int32", "float32", "float64"])
    @pytest.mark.parametrize("nodata", [None, 7])
    def test_types_are_kept(self, tmp_path: Path, dtype: str, nodata: int | None) -> None:
        """Raw values come as they are stored, NaN too."""
        values = (noise(*SHAPE) % 100).astype(dtype)
        if dtype.startswith("float"):
            values[3, 4] = np.nan
        href = write_tif(tmp_path / "t.tif", values, nodata=nodata)
        read = whole(open_pixels(on(SAME, told(href)).href))
        assert read.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(read, values)

    def test_pixels_travel_by_name(self, holed: str) -> None:
        """An open file is pickled as its href, below 1 kB, and reads the same."""
        pixels = open_pixels(on(OTHER, told(holed)).href)
        every = whole(pixels)
        sent = pickle.dumps(pixels)
        assert len(sent) < 1000
        np.testing.assert_array_equal(whole(pickle.loads(sent)), every)
        pixels.close()
        np.testing.assert_array_equal(whole(pixels), every)

    def test_what_is_not_there_is_an_error(self, tmp_path: Path, holed: str) -> None:
        """stackstac takes what is missing for nodata, if it is let."""
        one = on(OTHER, told(holed))
        pixels = open_pixels(one.href)
        whole(pixels)
        pixels.close()
        Path(holed).unlink()
        with pytest.raises(PermanentReadError, match=r"holed\.tif could not be read"):
            whole(pixels)

    def test_a_broken_block_is_an_error(self, holed: str) -> None:
        """Pixels that cannot be decoded are unread, not nodata."""
        pixels = open_pixels(on(OTHER, told(holed)).href)
        whole(pixels)
        pixels.close()
        with open(holed, "r+b") as file:
            file.truncate(400_000)
        with pytest.raises(PermanentReadError, match=r"holed\.tif could not be read"):
            whole(pixels)


class TestRights:
    """Files that are not open to all."""

    @pytest.fixture
    def issuer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
        """The service of tokens for a store of one file."""
        write_tif(tmp_path / "box" / "a.tif", noise(*SHAPE), nodata=0, **BLOCKS)
        found = Issuer()
        with blobs(tmp_path, found, monkeypatch):
            yield found

    @pytest.fixture
    def remote(self, issuer: Issuer) -> Asset:
        """That file on another grid, by its bare link."""
        access = access_from("planetary-computer")
        doc = told(f"{ACCOUNT}/box/a.tif?sig={SECRET}", nodata=0, data_type="uint16")
        return stack_layers([doc], OTHER, access=access).layers[0].assets[0]

    def test_a_token_that_ends_is_renewed(
        self, issuer: Issuer, remote: Asset, tmp_path: Path
    ) -> None:
        """Between two blocks of a file; its values are those of the file itself."""
        assert SECRET not in remote.href
        pixels = open_pixels(remote.href, access=access_from("planetary-computer"))
        height, width = pixels.header.grid.shape
        first = pixels.read([1], (0, 0, 300, 300))[0]
        asked = len(issuer.asked)
        time.sleep(1.1)  # a token that is new is not to blame
        issuer.ends = dict.fromkeys(issuer.ends, 0.0)
        later = pixels.read([1], (512, 0, height, width))[0]
        assert len(issuer.asked) > asked
        local = whole(open_pixels(on(OTHER, told(str(tmp_path / "box" / "a.tif"))).href))
        np.testing.assert_array_equal(first, local[:300, :300])
        np.testing.assert_array_equal(later, local[512:])

    def test_what_is_forbidden_says_so(self, issuer: Issuer, remote: Asset) -> None:
        """Without the signature."""
        issuer.forbidden.add("/box/a.tif")
        pixels = open_pixels(remote.href, access=access_from("planetary-computer"))
        with pytest.raises(RefusedReadError) as caught:
            whole(pixels)
        assert SECRET not in str(caught.value)


class TestGrid:
    """Where cells lie."""

    def test_cells_count_from_zero_without_bounds(self, tmp_path: Path) -> None:
        """Edges are multiples of the resolution; every file is on one lattice."""
        href = write_tif(tmp_path / "a.tif", noise(*SHAPE), left=LEFT + 3, top=TOP - 4)
        one = on(SAME, item("a", red=asset(href, SHAPE, left=LEFT + 3, top=TOP - 4)))
        assert one.grid.lattice == Lattice("EPSG:32631", 10, 10, 0, 0)
        assert one.grid.shape == (SHAPE[0] + 1, SHAPE[1] + 1)
        left, _, _, top = one.grid.lattice.bounds(one.grid.window)
        assert (left, top) == (LEFT, TOP)

    def test_bounds_cut_and_say_where_cells_begin(self, holed: str) -> None:
        """Cells count from the left and the top; files beyond are left out, and that is told."""
        bounds = (LEFT + 5, TOP - 1015, LEFT + 1005, TOP - 15)
        grid = CommonGrid(epsg=32631, resolution=(10, 10), bounds=bounds)
        far = item("far", red=asset("/nowhere.tif", SHAPE, left=LEFT + 90_000))
        found = stack_layers([told(holed), far], grid)
        (layer,) = found.layers
        assert layer.assets[0].grid.lattice.bounds(layer.assets[0].grid.window) == bounds
        assert any("1 items lie outside of bounds" in note for note in found.notes)

    def test_all_outside_of_bounds(self, holed: str) -> None:
        """Bounds that hold no item are an error that names them."""
        grid = CommonGrid(epsg=32631, resolution=(10, 10), bounds=(0, 0, 100, 100))
        with pytest.raises(SourceError, match="all 1 items lie outside of bounds"):
            stack_layers([told(holed)], grid)

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"epsg": 4326}, "is not projected"),
            ({"epsg": 999_999}, "is no CRS that PROJ knows"),
            ({"resolution": (0, 10)}, "is no size of a cell"),
            ({"bounds": (10, 0, 0, 10)}, "hold nothing"),
            ({"bounds": (0, 0, 105, 100)}, "no whole number of cells of 10"),
            ({"resampling": "best"}, "'best' is unknown; use nearest, bilinear"),
        ],
    )
    def test_what_makes_no_grid(self, keys: dict[str, Any], said: str) -> None:
        """Each is refused in one sentence."""
        with pytest.raises(SourceError, match=said):
            CommonGrid(**dict[str, Any](epsg=32631, resolution=(10, 10)) | keys)

    def test_parts_of_complex_pixels_are_refused(self, holed: str) -> None:
        """A mean of complex pixels is not the part of a mean."""
        with pytest.raises(SourceError, match="which cannot be put on a common grid"):
            on(SAME, told(holed), part="abs")


class TestIdentity:
    """What a file on a grid is called."""

    @pytest.mark.parametrize("nodata", [None, "none", 0, -9999.5, float("nan")])
    @pytest.mark.parametrize("bounds", [None, (-0.1, 0.2, 0.3, 0.4)])
    def test_an_href_says_all_of_it(self, nodata: Any, bounds: Any) -> None:
        """Its text gives the same warp again, to the last bit."""
        grid = CommonGrid(
            epsg=3035, resolution=(0.1, 1e-7 if bounds is None else 0.1), bounds=bounds
        )
        view = View(href="https://host/a.tif?b=c:d,e", warp=Warp(grid, nodata))
        assert is_remote(str(view))
        again = View.of(str(view))
        assert str(again) == str(view)
        assert again.href == view.href
        assert again.warp is not None
        assert again.warp.common == grid

    def test_layers_are_told_apart_by_grid(self, holed: str) -> None:
        """Another CRS, cell, way of resampling or bounds is another layer; it opens no pixel."""
        grids = [
            SAME,
            OTHER,
            CommonGrid(epsg=32631, resolution=(20, 20)),
            CommonGrid(epsg=32631, resolution=(10, 10), resampling="cubic"),
            CommonGrid(epsg=32631, resolution=(10, 10), bounds=(LEFT, TOP - 100, LEFT + 100, TOP)),
        ]
        hashes = {layer_hash(stack_layers([told(holed)], grid).layers[0]) for grid in grids}
        assert len(hashes) == len(grids)

    @pytest.mark.parametrize(("how", "kept"), [("cubic", "nearest"), ("mode", "mode")])
    def test_classes_are_not_averaged(self, holed: str, how: Any, kept: str) -> None:
        """Between clear and cloud there is no class, whatever is done with other bands."""
        grid = CommonGrid(epsg=3035, resolution=(20, 20), resampling=how)
        doc = told(holed)
        doc["assets"]["scl"] = doc["assets"]["red"]
        scene = stack_layers([doc], grid, classes={"scl"}).layers[0].scenes[0]
        ways = {name: View.of(one.href).warp for name, one in scene.assets.items()}
        assert ways["red"] is not None
        assert ways["scl"] is not None
        assert (ways["red"].common.resampling, ways["scl"].common.resampling) == (how, kept)

    def test_pystac_items_are_as_good(self, holed: str) -> None:
        """pystac says proj:code, of which stackstac knows nothing; it is not asked for it."""
        doc = told(holed) | {"geometry": {"type": "Point", "coordinates": [3, 50]}}
        doc["properties"]["proj:epsg"] = int(doc["properties"].pop("proj:code")[5:])
        doc["bbox"] = [3, 50, 3, 50]
        made = pystac.Item.from_dict(doc)
        found = stack_layers([made], OTHER).layers[0].assets[0]
        assert found == on(OTHER, told(holed))
        assert whole(open_pixels(found.href)).any()

    def test_scale_is_the_items(self, holed: str) -> None:
        """Scale and offset are those of raw values, by the rules of items."""
        doc = told(holed, bands=[{"scale": 0.5, "offset": -1.0}])
        one, native = on(OTHER, doc), stac_layers([doc]).layers[0].assets[0]
        assert (one.scale, one.offset) == (native.scale, native.offset) == (0.5, -1.0)
