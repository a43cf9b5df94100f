"""Views of files: overviews by how large cells may be, and hrefs that say so."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.transform import Affine

from tests.made.items import asset, item
from tests.made.places import CELL, CRS, LEFT, TOP
from tests.made.rasters import write_tif
from zonalbatch.errors import SourceError
from zonalbatch.layers import Asset, Layers
from zonalbatch.planning.files import layer_table
from zonalbatch.planning.identity import layer_hash
from zonalbatch.sources import Band, RasterPixels, Resolution, cog_layers, read_headers, stac_layers
from zonalbatch.sources.causes import shown
from zonalbatch.sources.overviews import cell_metres
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.view import View
from zonalbatch.sources.weights import weights_asset

SHAPE = (515, 389)
"""Height and width, which no power of two divides."""


@pytest.fixture
def values() -> NDArray[np.uint16]:
    """(row, col) values from 1 to 9998."""
    return np.random.default_rng(0).integers(1, 9999, SHAPE).astype("uint16")


def with_overviews(path: Path, values: NDArray[Any], *factors: int, **profile: Any) -> str:
    """A GeoTIFF of 10 m cells with overviews of averages; its path."""
    href = write_tif(path, values, **{"tiled": True, "blockxsize": 64, "blockysize": 64} | profile)
    with rasterio.open(href, "r+") as file:
        file.build_overviews(factors, Resampling.average)
    return href


def beside(href: str, how: Resampling) -> None:
    """Make an overview of half the size in a file of its own."""
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(href, "r+") as file:
        file.build_overviews([2], how)


def asset_at(href: str, resolution: Resolution | None, **band: Any) -> Asset:
    """The first band of a file, seen at a resolution."""
    bands = {"x": Band(index=1, **band)}
    return (
        cog_layers(files=[href], bands=bands, resolution=resolution).layers[0].scenes[0].assets["x"]
    )


class TestHrefs:
    """A view is an href."""

    @pytest.mark.parametrize(
        "file",
        ["/data/a.tif", "https://me:pw@example.com/a.tif?sig=S:1", "/vsis3/b/a.tif",
         'NETCDF:"/data/a.nc":ndvi', "view:/x", "/data/view:overview=1:/a.tif"],
    )  # fmt: skip
    @pytest.mark.parametrize("overview", [None, 0, 11])
    @pytest.mark.parametrize("part", [None, "abs"])
    def test_text_and_back(self, file: str, overview: int | None, part: Any) -> None:
        """A view is what its text says; a file is the text of itself."""
        view = View(href=file, overview=overview, part=part)
        assert View.of(str(view)) == view
        assert (str(view) == file) == view.plain
        assert is_remote(str(view)) == is_remote(file)
        assert str(view).endswith(file)

    def test_a_signature_is_never_shown(self) -> None:
        """What hides queries and users of URLs does so in views of them."""
        href = str(View(href="https://me:pw@example.com/a.tif?sig=SECRET", overview=3))
        assert shown(href) == "view:overview=3:https://***@example.com/a.tif?***"

    def test_it_pickles_as_its_text(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """An open overview goes to another process by its href and reads the same there."""
        href = asset_at(with_overviews(tmp_path / "a.tif", values, 2), 20).href
        pixels = RasterPixels(href)
        window = (0, 0, 30, 30)
        packed = pickle.dumps(pixels)
        assert len(packed) < 300
        np.testing.assert_array_equal(
            pickle.loads(packed).read([1], window), pixels.read([1], window)
        )


class TestChoice:
    """Which overview is read."""

    @pytest.mark.parametrize(
        ("resolution", "height"),
        [(9, 515), (10, 515), (19, 515), (20, 258), (39.8, 258), (40, 129), (60, 129), (1e9, 65),
         ("approx", 515)],
    )  # fmt: skip
    def test_the_coarsest_that_is_not_coarser(
        self, tmp_path: Path, values: NDArray[Any], resolution: Resolution, height: int
    ) -> None:
        """Cells are at most as large as asked; a file without such an overview is read whole."""
        href = with_overviews(tmp_path / "a.tif", values, 2, 4, 8)
        asset = asset_at(href, resolution)
        assert asset.grid.shape[0] == height
        level = {515: None, 258: 0, 129: 1, 65: 2}[height]
        assert View.of(asset.href) == View(href=href, overview=level)

    def test_levels_in_any_order(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """A level is a place in GDAL's list, whichever was made first."""
        href = with_overviews(tmp_path / "a.tif", values, 8, 2, 4)
        with rasterio.open(href) as file:
            assert file.overviews(1) != sorted(file.overviews(1))
        assert asset_at(href, 40).grid.shape == (129, 98)

    @pytest.mark.parametrize(
        ("crs", "cell", "metres"),
        [
            ("EPSG:32631", 10.0, 10.0),
            ("EPSG:2263", 10.0, 3.048006),  # US survey feet
            ("EPSG:4326", 0.001, 111.319),  # the height of cells: they are narrower than high
            ("EPSG:4807", 0.001, 100.187),  # grads
        ],
    )
    def test_a_resolution_is_in_metres(
        self, tmp_path: Path, values: NDArray[Any], crs: str, cell: float, metres: float
    ) -> None:
        """Whatever the unit of the CRS."""
        place = Affine(cell, 0, 2, 0, -cell, 48)
        href = with_overviews(tmp_path / "a.tif", values, 2, 4, crs=crs, transform=place)
        assert cell_metres(asset_at(href, None).grid) == pytest.approx(metres, rel=1e-4)
        assert asset_at(href, 1.99 * metres).grid.shape == SHAPE
        assert asset_at(href, 2.01 * metres).grid.shape == (258, 195)

    def test_wide_cells_of_degrees(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """Cells that are wider than high count by their width on the ground."""
        place = Affine(0.004, 0, 2, 0, -0.001, 60 + 0.001 * SHAPE[0] / 2)
        href = write_tif(tmp_path / "a.tif", values, crs="EPSG:4326", transform=place)
        assert cell_metres(asset_at(href, None).grid) == pytest.approx(2 * 111.319, rel=1e-4)

    @pytest.mark.parametrize(("width", "expected"), [(1000, 1000), (2046, 2046), (5000, 1250)])
    def test_approximate(self, tmp_path: Path, width: int, expected: int) -> None:
        """The fewest cells that are still 1024 along the longer side, all cells if fewer."""
        href = with_overviews(tmp_path / "a.tif", np.ones((40, width), "uint8"), 2, 4, 8)
        assert asset_at(href, "approx").grid.shape[1] == expected

    @pytest.mark.parametrize("resolution", [0, -10, float("nan"), float("inf"), "60", "about"])
    def test_no_length(self, tmp_path: Path, values: NDArray[Any], resolution: Any) -> None:
        """What is no length is refused."""
        href = write_tif(tmp_path / "a.tif", values)
        with pytest.raises(SourceError, match="is no length; give metres, or 'approx'"):
            asset_at(href, resolution)


class TestPixels:
    """What is read of an overview."""

    def test_cells_cover_what_the_file_covers(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """The grid is the overview's own: as many times larger as it has fewer cells."""
        asset = asset_at(with_overviews(tmp_path / "a.tif", values, 2, 4), 40)
        grid = asset.grid
        assert grid.lattice.dx == pytest.approx(CELL * 389 / 98, rel=1e-15)
        assert grid.lattice.dy == pytest.approx(CELL * 515 / 129, rel=1e-15)
        bounds = LEFT, TOP - 515 * CELL, LEFT + 389 * CELL, TOP
        np.testing.assert_allclose(grid.lattice.bounds(grid.window), bounds, rtol=1e-15)
        assert RasterPixels(asset.href).header.grid == grid

    def test_values_are_the_overviews(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """Pixels, blocks and types are those of the overview."""
        href = with_overviews(tmp_path / "a.tif", values, 2, 4)
        pixels = RasterPixels(asset_at(href, 20).href)
        with rasterio.open(href, OVERVIEW_LEVEL=0) as file:
            np.testing.assert_array_equal(
                pixels.read([1], (3, 5, 258, 195)), file.read()[:, 3:, 5:]
            )
            assert pixels.header.block == file.block_shapes[0]

    def test_what_values_mean_the_file_says(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """An overview has no scale, and beside the file no nodata: the asset has the file's."""
        href = write_tif(tmp_path / "a.tif", values, scale=0.5, offset=3.0, names=["x"])
        beside(href, Resampling.nearest)
        with rasterio.open(href, "r+") as file:
            file.nodata = 7
        assert Path(f"{href}.ovr").exists()
        assert RasterPixels(str(View(href=href, overview=0))).header.nodata == (None,)
        asset = asset_at(href, 20)
        assert (asset.nodata, asset.scale, asset.offset) == (7, 0.5, 3.0)
        layers = cog_layers(files=[href], bands={"x": Band(description="x")}, resolution=20).layers
        assert layers[0].scenes[0].assets["x"] == asset

    @pytest.mark.parametrize("inside", [True, False])
    def test_the_overview_of_a_mask(
        self, tmp_path: Path, values: NDArray[Any], inside: bool
    ) -> None:
        """Where the mask has overviews they count, in any window."""
        href = write_tif(tmp_path / "a.tif", values, tiled=True, blockxsize=64, blockysize=64)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside):
            with rasterio.open(href, "r+") as file:
                file.write_mask(values > 5000)
            with rasterio.open(href, "r+") as file:
                file.build_overviews([2, 4], Resampling.nearest)
        with rasterio.open(href, OVERVIEW_LEVEL=1) as file:
            expected = file.read_masks(1) > 0
        assert 0.4 < expected.mean() < 0.6
        pixels = RasterPixels(asset_at(href, 40).href)
        assert pixels.header.masked
        for window in ((0, 0, 129, 98), (64, 64, 129, 98), (3, 5, 4, 6), (7, 7, 7, 9)):
            top, left, bottom, right = window
            np.testing.assert_array_equal(
                pixels.read_mask(window), expected[top:bottom, left:right]
            )
        pixels.close()

    @pytest.mark.parametrize("inside", [True, False])
    def test_a_mask_without_overviews(
        self, tmp_path: Path, values: NDArray[Any], inside: bool
    ) -> None:
        """Where it has none GDAL says that all is valid: then the file's own mask is read."""
        href = with_overviews(tmp_path / "a.tif", values, 2, 4)
        mask = np.zeros(SHAPE, "uint8")
        mask[200:] = 255
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(href, "r+") as file:
            file.write_mask(mask)
        with rasterio.open(href, OVERVIEW_LEVEL=1) as file:
            assert file.read_masks(1).all()
        found = RasterPixels(asset_at(href, 40).href).read_mask((0, 0, 129, 98))
        assert not found[:50].any()
        assert found[51:].all()

    def test_values_that_were_nodata_once(self, tmp_path: Path) -> None:
        """Overviews of float64 that were made in float32 hold its nodata, rounded: none."""
        nodata, rounded = -1.2676506e30, float(np.float32(-1.2676506e30))
        assert nodata != rounded
        doubles = np.full((64, 64), nodata)
        doubles[:20] = rounded
        doubles[40:] = 5.0
        href = with_overviews(tmp_path / "a.tif", doubles, 2, nodata=nodata)
        with rasterio.open(href, "r+", OVERVIEW_LEVEL=None) as file:
            assert file.nodata == nodata
        pixels = RasterPixels(asset_at(href, 20).href)
        found = pixels.read([1], (0, 0, 32, 32))
        assert set(np.unique(found)) == {nodata, 5.0}


class TestIdentity:
    """An overview is another thing than the file."""

    def test_each_view_is_another_layer(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """The hash of a layer tells resolutions apart where another file is read."""
        href = with_overviews(tmp_path / "a.tif", values, 2, 4)
        asked: Sequence[Resolution | None] = (None, 10, 20, 30, 40, "approx")
        found = [cog_layers(files=[href], resolution=r).layers[0] for r in asked]
        hashes = [layer_hash(layer) for layer in found]
        full, ten, twenty, thirty, forty, approx = hashes
        assert full == ten == approx
        assert twenty == thirty
        assert len({full, twenty, forty}) == 3
        assert {layer.items for layer in found} == {(href,)}

    def test_the_plan_says_which(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """The table of layers has the overview in its href, and the size of its cells."""
        href = with_overviews(tmp_path / "a.tif", values, 2, 4)
        rows = layer_table(cog_layers(files=[href], resolution=20).layers).to_pylist()
        assert [row["href"] for row in rows] == [f"view:overview=0:{href}"]
        assert rows[0]["dx"] == pytest.approx(CELL * 389 / 195)

    def test_overviews_beside_the_file_count(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """New overviews of an old file are another layer where they are read, and only there."""
        href = write_tif(tmp_path / "a.tif", values)
        versions = []
        for how in (Resampling.nearest, Resampling.average):
            beside(href, how)
            versions.append((asset_at(href, None).version, asset_at(href, 20).version))
        (whole, near), (again, mean) = versions
        assert whole == again
        assert near != mean


class TestItems:
    """Overviews of the assets of STAC items."""

    def layers(self, href: str, resolution: Resolution | None, **band: Any) -> Layers:
        """The layers of an item that says all of its asset."""
        said = {
            "proj:code": CRS, "proj:shape": [*SHAPE], "nodata": 3, "raster:scale": 0.25,
            "proj:transform": [CELL, 0, LEFT, 0, -CELL, TOP, 0, 0, 1], "data_type": "uint16",
        }  # fmt: skip
        item: dict[str, Any] = {
            "type": "Feature", "stac_version": "1.1.0", "id": "a", "geometry": None, "links": [],
            "properties": {"datetime": "2020-01-01T00:00:00Z"},
            "assets": {"red": {"href": href, "type": "image/tiff", "roles": ["data"], **said}},
        }  # fmt: skip
        bands = {"red": Band(asset="red", **band)}
        return stac_layers([item], bands=bands, resolution=resolution)

    def test_the_grid_is_the_overviews(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """The file is asked for its overviews; what values mean is still what the item says."""
        href = with_overviews(tmp_path / "a.tif", values, 2, 4)
        whole = self.layers(href, None).layers[0].scenes[0].assets["red"]
        seen = self.layers(href, 60).layers[0].scenes[0].assets["red"]
        assert (whole.href, whole.grid.shape) == (href, SHAPE)
        assert (View.of(seen.href).overview, seen.grid.shape) == (1, (129, 98))
        assert (seen.nodata, seen.scale, seen.dtype) == (3, 0.25, "uint16")
        assert self.layers(href, 60).layers[0].items == ("a",)

    def test_a_file_that_is_not_there(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """It is a failure that names the file: where its overviews lie is unknown."""
        gone = str(tmp_path / "gone.tif")
        with pytest.raises(Exception, match=r"gone\.tif could not be read"):
            self.layers(gone, 60)

    def test_a_part_of_complex_pixels(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """The item's nodata and scale are of complex numbers: the file is asked for the part's."""
        href = write_tif(tmp_path / "a.tif", (values * 1j).astype("complex64"))
        red = self.layers(href, None, part="imag").layers[0].scenes[0].assets["red"]
        assert (red.href, red.nodata, red.scale) == (f"view:part=imag:{href}", None, None)
        header = read_headers([red.href])[red.href]
        assert not isinstance(header, Exception)
        assert (header.dtypes, header.scales) == (("float32",), (1.0,))
        np.testing.assert_array_equal(RasterPixels(red.href).read([1], (0, 0, *SHAPE))[0], values)


@pytest.mark.parametrize("href", ["view:warp=x:/a.tif", "view:overview=1:/a.tif", "view:x"])
def test_views_are_no_links_of_users(href: str) -> None:
    """They are names inside of plans, be it in a list of files, as weights or in an item."""
    for given in (lambda: cog_layers(files=[href]), lambda: weights_asset(href),
                  lambda: stac_layers([item(assets={"red": asset(href)})]),
                  lambda: stac_layers(href)):  # fmt: skip
        with pytest.raises(SourceError, match="is no file: views are names inside of plans"):
            given()
