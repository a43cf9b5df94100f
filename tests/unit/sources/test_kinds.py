"""Kinds of rasters: types, encodings, masks, nodata and formats, each made here."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from tests.made.rasters import write_tif
from zonalbatch.errors import SourceError
from zonalbatch.sources import Band, RasterPixels, cog_layers
from zonalbatch.sources.access import access_given
from zonalbatch.sources.parts import part_of
from zonalbatch.sources.view import Part

SHAPE = (70, 50)
WHOLE = (0, 0, *SHAPE)
TRUSTING = access_given(None, trusted=True)
"""Lets VRTs be read, which say of a band what no writer of files would."""


@pytest.fixture
def values() -> NDArray[np.uint8]:
    """(row, col) values from 1 to 99."""
    return np.random.default_rng(0).integers(1, 100, SHAPE).astype("uint8")


def valid_values(href: str, band: int = 1) -> NDArray[np.float64]:
    """(row, col) values of a band, NaN where nodata or the file's own mask says so."""
    pixels = RasterPixels(href, TRUSTING)
    raw = pixels.read([band], WHOLE)[0]
    nodata = pixels.header.nodata[band - 1]
    lost = ~pixels.read_mask(WHOLE) if pixels.header.masked else np.zeros(SHAPE, bool)
    if nodata is not None:
        lost = lost | (np.isnan(raw) if nodata != nodata else raw == nodata)
    return np.where(lost, np.nan, raw.astype(float))


def described(path: Path, values: NDArray[Any], **band: str) -> str:
    """A VRT of values whose band says what no writer would; its path."""
    vrt = path.with_suffix(".vrt")
    rasterio.shutil.copy(write_tif(path, values), vrt, driver="VRT")
    tree = ET.parse(vrt)
    for element in tree.getroot().findall("VRTRasterBand"):
        for key, text in band.items():
            ET.SubElement(element, key).text = text
    tree.write(vrt)
    return str(vrt)


class TestTypes:
    """What pixels may be."""

    @pytest.mark.parametrize(
        "dtype",
        ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32",
         "float64"],
    )  # fmt: skip
    def test_numbers_of_every_size(self, tmp_path: Path, values: NDArray[Any], dtype: str) -> None:
        """Values and nodata are the file's, in its own type."""
        href = write_tif(tmp_path / "a.tif", values.astype(dtype), nodata=7)
        header = RasterPixels(href).header
        assert (header.dtypes, header.nodata) == ((dtype,), (7,))
        np.testing.assert_array_equal(valid_values(href), np.where(values == 7, np.nan, values))

    def test_float16_is_held_by_float32(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """GDAL reads 16-bit floats into larger ones; no value changes."""
        small = (values / 8).astype("float16")
        href = write_tif(tmp_path / "a.tif", small.astype("float32"), nbits=16)
        np.testing.assert_array_equal(valid_values(href), small.astype(float))

    @pytest.mark.parametrize("bits", [1, 4, 7])
    def test_few_bits(self, tmp_path: Path, values: NDArray[Any], bits: int) -> None:
        """Pixels of less than a byte are small integers."""
        few = values % 2**bits
        href = write_tif(tmp_path / "a.tif", few, nbits=bits)
        np.testing.assert_array_equal(valid_values(href), few)

    def test_a_palette(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """Values are the palette's indices, not its colours."""
        href = write_tif(tmp_path / "a.tif", values)
        with rasterio.open(href, "r+") as file:
            file.write_colormap(1, {i: (255 - i, 0, i, 255) for i in range(256)})
        np.testing.assert_array_equal(valid_values(href), values)


class TestEncodings:
    """How pixels are packed."""

    @pytest.mark.parametrize(
        "profile",
        [
            *({"compress": name} for name in ("lzw", "packbits", "zstd", "lzma", "deflate")),
            *({"compress": f"lerc{also}", "tiled": True} for also in ("", "_zstd", "_deflate")),
            {"compress": "webp", "webp_lossless": True, "interleave": "pixel"},
            {"compress": "zstd", "predictor": 2, "interleave": "pixel"},
            {"interleave": "band", "tiled": True, "blockxsize": 16, "blockysize": 32},
            {"interleave": "pixel", "blockysize": 3},
            {"endianness": "big", "bigtiff": "yes", "interleave": "pixel", "compress": "lzw"},
            {"driver": "COG", "blocksize": 128},
        ],
        ids=str,
    )
    def test_lossless(self, tmp_path: Path, values: NDArray[Any], profile: dict[str, Any]) -> None:
        """Each gives the values that were written, in all bands and in any window."""
        cube = np.stack([values, values[::-1], values + 100])
        pixels = RasterPixels(write_tif(tmp_path / "a.tif", cube, **profile))
        np.testing.assert_array_equal(pixels.read([1, 2, 3], WHOLE), cube)
        np.testing.assert_array_equal(pixels.read([3], (11, 3, 40, 47)), cube[2:, 11:40, 3:47])

    @pytest.mark.parametrize("compress", ["jpeg", "webp"])
    def test_lossy(self, tmp_path: Path, values: NDArray[Any], compress: str) -> None:
        """What is lost was lost when it was written: values are those that GDAL decodes."""
        cube = np.stack([values] * 3)
        href = write_tif(tmp_path / "a.tif", cube, compress=compress, interleave="pixel")
        with rasterio.open(href) as file:
            decoded = file.read()
        assert (decoded != cube).any()
        np.testing.assert_array_equal(RasterPixels(href).read([1, 2, 3], WHOLE), decoded)

    @pytest.mark.parametrize(("nodata", "expected"), [(None, 0.0), (0, np.nan), (9, np.nan)])
    def test_blocks_that_are_not_there(
        self, tmp_path: Path, nodata: int | None, expected: float
    ) -> None:
        """A block that was never written is nodata, or zero where there is none."""
        blank = np.full(SHAPE, nodata or 0, "uint8")
        blocks: dict[str, Any] = {"tiled": True, "blockxsize": 16, "blockysize": 16}
        href = write_tif(tmp_path / "a.tif", blank, sparse_ok=True, nodata=nodata, **blocks)
        with rasterio.open(href) as file:
            assert file.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1) is None
        np.testing.assert_array_equal(valid_values(href), np.full(SHAPE, expected))


class TestNodata:
    """What marks a cell as none."""

    @pytest.mark.parametrize(
        ("dtype", "nodata"),
        [
            ("uint64", 2**64 - 1),
            ("uint64", 2**53 + 1),
            ("int64", -(2**63)),
            ("int64", 2**63 - 1),
            ("int64", -(2**60) - 1),
        ],
    )
    def test_integers_that_float64_cannot_hold(
        self, tmp_path: Path, values: NDArray[Any], dtype: str, nodata: int
    ) -> None:
        """Nodata is exact to the last digit: cells of it are no numbers, their neighbours are."""
        wide = values.astype(dtype)
        wide[:10] = nodata
        wide[10:12] = nodata - 1 if nodata > 0 else nodata + 1
        href = described(tmp_path / "a.tif", wide, NoDataValue=str(nodata))
        assert RasterPixels(href, TRUSTING).header.nodata == (nodata,)
        found = valid_values(href)
        assert np.isnan(found[:10]).all()
        np.testing.assert_array_equal(found[10:], wide[10:].astype(float))

    @pytest.mark.parametrize("nodata", ["-9999", "nan", "7.5", "256"])
    def test_values_that_no_pixel_can_have(
        self, tmp_path: Path, values: NDArray[Any], nodata: str
    ) -> None:
        """They mark none."""
        href = described(tmp_path / "a.tif", values, NoDataValue=nodata)
        np.testing.assert_array_equal(valid_values(href), values)

    @pytest.mark.parametrize("nodata", [-3.4e38, float(np.finfo("float32").min), -9999.1, np.nan])
    def test_floats(self, tmp_path: Path, values: NDArray[Any], nodata: float) -> None:
        """They are compared as the pixels have them."""
        floats = values.astype("float32")
        floats[:10] = nodata
        href = write_tif(tmp_path / "a.tif", floats, nodata=nodata)
        assert np.isnan(valid_values(href)[:10]).all()
        np.testing.assert_array_equal(valid_values(href)[10:], values[10:])


class TestMasks:
    """What a file says beside nodata."""

    COLORS = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)

    @pytest.mark.parametrize("nodata", [None, 7])
    @pytest.mark.parametrize("first", [True, False])
    def test_alpha_counts_beside_nodata(
        self, tmp_path: Path, values: NDArray[Any], first: bool, nodata: int | None
    ) -> None:
        """An alpha band masks all bands, wherever it stands, though nodata hides it from GDAL."""
        alpha = np.where(values > 50, 255, 0).astype("uint8")
        bands, colors = [values] * 3, [*self.COLORS]
        at = 0 if first else 3
        bands.insert(at, alpha)
        colors.insert(at, ColorInterp.alpha)
        href = write_tif(tmp_path / "a.tif", np.stack(bands), nodata=nodata, photometric="rgb")
        with rasterio.open(href, "r+") as file:
            file.colorinterp = colors
        lost = (alpha == 0) | (values == nodata if nodata else False)
        np.testing.assert_array_equal(
            valid_values(href, 3), np.where(lost, np.nan, values.astype(float))
        )

    @pytest.mark.parametrize("inside", [True, False])
    def test_a_mask_beside_nodata(self, tmp_path: Path, values: NDArray[Any], inside: bool) -> None:
        """Both count, whether the mask is in the file or beside it."""
        href = write_tif(tmp_path / "a.tif", values, nodata=70)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(href, "r+") as file:
            file.write_mask(values > 50)
        lost = (values <= 50) | (values == 70)
        np.testing.assert_array_equal(
            valid_values(href), np.where(lost, np.nan, values.astype(float))
        )

    def test_nodata_of_all_bands_together(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """NODATA_VALUES means cells that have these values in all bands at once."""
        values[:10] = 7
        cube = np.stack([values, np.where(np.arange(50) < 20, 9, values), values])
        href = write_tif(tmp_path / "a.tif", cube.astype("uint8"))
        with rasterio.open(href, "r+") as file:
            file.update_tags(NODATA_VALUES="7 9 7")
        lost = (cube[0] == 7) & (cube[1] == 9)
        assert 200 <= lost.sum() < 500
        np.testing.assert_array_equal(
            valid_values(href), np.where(lost, np.nan, values.astype(float))
        )

    @pytest.mark.parametrize("count", [1, 2])
    def test_a_mask_for_each_band(self, tmp_path: Path, values: NDArray[Any], count: int) -> None:
        """The mask of the only band counts; several bands with masks of their own are refused."""
        mask = write_tif(tmp_path / "m.tif", np.where(values > 50, 255, 0).astype("uint8"))
        href = described(tmp_path / "a.tif", np.stack([values] * count))
        tree = ET.parse(href)
        band = ET.fromstring(
            f'<MaskBand><VRTRasterBand dataType="Byte"><SimpleSource><SourceFilename>{mask}'
            "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></MaskBand>"
        )
        for element in tree.getroot().findall("VRTRasterBand"):
            element.append(band)
        tree.write(href)
        if count > 1:
            with pytest.raises(SourceError, match="a mask for each of its 2 bands; give one file"):
                _ = RasterPixels(href, TRUSTING).header
        else:
            expected = np.where(values > 50, values.astype(float), np.nan)
            np.testing.assert_array_equal(valid_values(href), expected)


class TestComplex:
    """One real number of each complex one."""

    PARTS: tuple[tuple[Part, Any], ...] = (
        ("real", np.real), ("imag", np.imag), ("abs", np.abs), ("phase", np.angle),
    )  # fmt: skip

    @pytest.fixture
    def waves(self, values: NDArray[Any]) -> NDArray[np.complex64]:
        """(row, col) complex values with whole parts."""
        return (values * 1.0 - 50 + 1j * values[::-1]).astype("complex64")

    @pytest.mark.parametrize(("part", "take"), PARTS)
    @pytest.mark.parametrize("dtype", ["complex64", "complex128", "complex_int16"])
    def test_a_part_is_measured(
        self, tmp_path: Path, waves: NDArray[Any], dtype: str, part: Part, take: Any
    ) -> None:
        """A band by its part is real: planned, opened and read as such."""
        numbers = waves.astype("complex64" if "int" in dtype else dtype)
        href = write_tif(tmp_path / "a.tif", numbers, dtype=dtype)
        band = Band(index=1, part=part)
        asset = cog_layers(files=[href], bands={"x": band}).layers[0].scenes[0].assets["x"]
        pixels = RasterPixels(asset.href)
        real = "float64" if dtype == "complex128" else "float32"
        assert (asset.dtype, pixels.header.dtypes) == (real, (real,))
        np.testing.assert_array_equal(pixels.read([1], WHOLE)[0], take(numbers))
        assert asset.grid == pixels.header.grid

    def test_without_a_part_they_are_refused(self, tmp_path: Path, waves: NDArray[Any]) -> None:
        """The error names the parts to choose from; so it does at a worker."""
        href = write_tif(tmp_path / "a.tif", waves)
        for ask in (lambda: cog_layers(files=[href]), lambda: RasterPixels(href).header):
            with pytest.raises(SourceError, match="part: real, imag, abs or phase"):
                ask()

    def test_real_pixels_have_no_part(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """To ask for one is a mistake."""
        href = write_tif(tmp_path / "a.tif", values)
        with pytest.raises(SourceError, match=r"real pixels \(uint8\)"):
            cog_layers(files=[href], bands={"x": Band(index=1, part="abs")})

    @pytest.mark.parametrize(("part", "take"), PARTS)
    def test_nodata_is_of_the_whole_number(self, part: Part, take: Any) -> None:
        """A cell is none by its real and imaginary part together, whatever part is wanted."""
        numbers = np.array([0, 5j, 3 + 4j, -9 + 0j, -9 - 9j, -9 + 2j], "complex64")
        for nodata, lost in ((0, [0]), (-9, [3, 4]), (None, [])):
            expected = np.array(take(numbers))
            expected[lost] = np.nan
            np.testing.assert_array_equal(part_of(numbers, part, nodata), expected)

    def test_a_phase_has_no_scale(self, tmp_path: Path, waves: NDArray[Any]) -> None:
        """An angle stays what it is; an offset of complex numbers is refused but for the real."""
        href = write_tif(tmp_path / "a.tif", waves, scale=0.5)
        scales = {}
        for part, _ in self.PARTS:
            layer = cog_layers(files=[href], bands={"x": Band(index=1, part=part)}).layers[0]
            scales[part] = layer.scenes[0].assets["x"].scale
        assert scales == {"real": 0.5, "imag": 0.5, "abs": 0.5, "phase": 1.0}
        moved = write_tif(tmp_path / "b.tif", waves, offset=2.0)
        with pytest.raises(SourceError, match=r"adds 2\.0 to its complex pixels"):
            cog_layers(files=[moved], bands={"x": Band(index=1, part="abs")})


class TestFormats:
    """Other formats than GeoTIFF, from a path that is trusted."""

    @pytest.mark.parametrize(
        ("driver", "name"),
        [("netCDF", "a.nc"), ("Zarr", "a.zarr"), ("HFA", "a.img"), ("ENVI", "a.dat"),
         ("VRT", "a.vrt"), ("PNG", "a.png"), ("AAIGrid", "a.asc")],
    )  # fmt: skip
    def test_any_format(self, tmp_path: Path, values: NDArray[Any], driver: str, name: str) -> None:
        """Whatever GDAL opens gives the same cells, values and nodata."""
        twin = write_tif(tmp_path / "twin.tif", values, nodata=7)
        path = tmp_path / name
        rasterio.shutil.copy(twin, path, driver=driver)
        found = (
            cog_layers(files=[str(path)], bands={"x": Band(index=1)}, access=TRUSTING)
            .layers[0]
            .scenes[0]
            .assets["x"]
        )
        expected = (
            cog_layers(files=[twin], bands={"x": Band(index=1)}).layers[0].scenes[0].assets["x"]
        )
        assert found.grid.on(expected.grid.lattice) == expected.grid
        assert found.nodata == 7
        np.testing.assert_array_equal(valid_values(found.href), valid_values(twin))

    def test_several_rasters_in_one_file(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """The error names one of them; by its name it is read, and its file is its version."""
        twin = write_tif(tmp_path / "twin.tif", np.stack([values, values[::-1]]))
        path = str(tmp_path / "a.nc")
        rasterio.shutil.copy(twin, path, driver="netCDF")
        with pytest.raises(SourceError, match="holds 2 rasters; name one of them"):
            cog_layers(files=[path])
        named = f'NETCDF:"{path}":Band2'
        (layer,) = cog_layers(files=[named]).layers
        np.testing.assert_array_equal(valid_values(named), values[::-1])
        (asset,) = layer.scenes[0].assets.values()
        assert asset.version == RasterPixels(f"netcdf:{path}:Band1").header.version
        assert asset.version

    def test_bands_of_different_types(self, tmp_path: Path, values: NDArray[Any]) -> None:
        """They are refused: rasterio would read them all as one type."""
        href = described(tmp_path / "a.tif", np.stack([values, values]))
        tree = ET.parse(href)
        tree.getroot().findall("VRTRasterBand")[1].set("dataType", "Float32")
        tree.write(href)
        with pytest.raises(SourceError, match=r"types \('uint8', 'float32'\); give one"):
            cog_layers(files=[href], access=TRUSTING)
