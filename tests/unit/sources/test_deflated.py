"""Blocks that are decompressed without GDAL hold the bytes that GDAL gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from zonalbatch.errors import PermanentReadError
from zonalbatch.sources import RasterPixels
from zonalbatch.sources.deflated import Deflated

SHAPE = (3, 100, 150)
TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
         "float32", "float64")  # fmt: skip


def noise(dtype: str, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Values over the whole range of a type."""
    random = np.random.default_rng(1)
    if np.dtype(dtype).kind == "f":
        return random.normal(0, 1e3, shape).astype(dtype)
    info = np.iinfo(dtype)
    return random.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def write(path: Path, values: np.ndarray, **profile: Any) -> str:
    """A DEFLATE GeoTIFF; its path."""
    settings: dict[str, Any] = {
        "driver": "GTiff", "count": len(values), "height": values.shape[1],
        "width": values.shape[2], "dtype": values.dtype.name, "crs": "EPSG:32631",
        "transform": Affine(10, 0, 500000, 0, -10, 5600000), "compress": "deflate",
        "tiled": True, "blockxsize": 64, "blockysize": 32,
    }  # fmt: skip
    with rasterio.open(path, "w", **(settings | profile)) as file:
        file.write(values)
    return str(path)


WINDOWS = ((0, 0, 100, 150), (32, 64, 64, 128), (64, 128, 100, 150), (0, 64, 96, 150))
"""Of whole blocks: all, an inner one, the last, some that end at a side."""


@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize(
    ("dtype", "predictor"),
    [(t, p) for t in TYPES for p in (1, 2, 3) if p < 3 or t.startswith("float")],
)
def test_blocks_are_the_same_bytes(
    tmp_path: Path, dtype: str, predictor: int, interleave: str
) -> None:
    """For each type, predictor and order of bands; some bands, in any order."""
    values = noise(dtype)
    path = write(tmp_path / "a.tif", values, predictor=predictor, interleave=interleave)
    with rasterio.open(path) as file:
        blocks = Deflated.of(file, path)
        assert blocks is not None
        for top, left, bottom, right in WINDOWS:
            for bands in ([1, 2, 3], [3, 1], [2]):
                found = blocks.read(bands, (top, left, bottom, right))
                assert found is not None
                wanted = values[np.array(bands) - 1, top:bottom, left:right]
                assert found.dtype == wanted.dtype
                assert found.tobytes() == wanted.tobytes()
        blocks.close()


@pytest.mark.parametrize("predictor", [1, 2])
def test_strips(tmp_path: Path, predictor: int) -> None:
    """The last strip has fewer rows; a file may be one strip."""
    values = noise("uint16")
    for rows in (32, 100):
        path = write(
            tmp_path / f"{rows}.tif", values, predictor=predictor, tiled=False, blockysize=rows
        )
        with rasterio.open(path) as file:
            blocks = Deflated.of(file, path)
            assert blocks is not None
            found = blocks.read([1, 3], (0, 0, 100, 150))
            assert found is not None
            np.testing.assert_array_equal(found, values[[0, 2]])
            blocks.close()


def test_what_is_not_plain_is_for_gdal(tmp_path: Path) -> None:
    """Other compressions, big-endian files, fewer bits, other drivers, complex pixels."""
    values = noise("uint16")
    made = {
        "lzw": write(tmp_path / "lzw.tif", values, compress="lzw"),
        "big": write(tmp_path / "big.tif", values, ENDIANNESS="BIG"),
        "bits": write(tmp_path / "bits.tif", values >> 5, nbits=11),
        "png": write(tmp_path / "a.png", values, driver="PNG", compress=None, tiled=None,
                     blockxsize=None, blockysize=None),
        "complex": write(tmp_path / "complex.tif", values.astype(np.complex64)),
    }  # fmt: skip
    for path in made.values():
        with rasterio.open(path) as file:
            assert Deflated.of(file, path) is None


def test_a_window_that_cuts_a_block_is_for_gdal(tmp_path: Path) -> None:
    """It would be decompressed again for what is left of it; the pixels are right all the same."""
    values = noise("uint16")
    path = write(tmp_path / "a.tif", values, predictor=2)
    with rasterio.open(path) as file:
        blocks = Deflated.of(file, path)
        assert blocks is not None
        assert blocks.read([1], (1, 0, 100, 150)) is None
        assert blocks.read([1], (0, 0, 100, 149)) is None
        blocks.close()
    found = RasterPixels(path).read([1], (1, 0, 100, 149))
    np.testing.assert_array_equal(found[0], values[0, 1:, :149])


def test_sparse_blocks_are_for_gdal(tmp_path: Path) -> None:
    """A block that is not there is nodata, which GDAL knows."""
    path = str(tmp_path / "sparse.tif")
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=128, width=128, dtype="uint8", nodata=9,
        compress="deflate", tiled=True, blockxsize=64, blockysize=64, sparse_ok=True,
        crs="EPSG:32631", transform=Affine(10, 0, 0, 0, -10, 0),
    ) as file:  # fmt: skip
        file.write(np.ones((1, 64, 64), np.uint8), window=((0, 64), (0, 64)))
    found = RasterPixels(path).read([1], (0, 0, 128, 128))[0]
    assert (found[:64, :64] == 1).all()
    assert (found[64:] == 9).all()


def test_a_broken_block_fails_as_it_does_in_gdal(tmp_path: Path) -> None:
    """GDAL is asked what is wrong with it."""
    path = write(tmp_path / "a.tif", noise("uint16"), predictor=2)
    with rasterio.open(path) as file:
        at = int(file.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", 1))
    with open(path, "r+b") as raw:
        raw.seek(at)
        raw.write(b"\xff" * 40)
    pixels = RasterPixels(path)
    with pytest.raises(PermanentReadError, match="could not be read"):
        pixels.read([1], (0, 0, 32, 64))
    pixels.close()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_every_raster_of_the_data(data_dir: Path) -> None:
    """Real files: each whole row of blocks holds the bytes that GDAL reads."""
    plain = 0
    for path in sorted(map(str, data_dir.rglob("*.tif"))):
        try:
            file = rasterio.open(path)
        except rasterio.RasterioIOError:
            continue
        with file:
            blocks = Deflated.of(file, path)
            if blocks is None:
                continue
            plain += 1
            height = file.block_shapes[0][0]
            starts = range(0, file.height, height)
            for top in starts if len(starts) < 9 else (*starts[:4], *starts[-4:]):
                bottom = min(top + height, file.height)
                found = blocks.read(file.indexes, (top, 0, bottom, file.width))
                try:
                    wanted = file.read(window=((top, bottom), (0, file.width)))
                except rasterio.RasterioIOError:
                    assert found is None
                    continue
                assert found is None or found.tobytes() == wanted.tobytes()
            blocks.close()
    assert plain > 100
