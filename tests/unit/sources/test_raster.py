"""One raster file: header, windows, masks, errors."""

from __future__ import annotations

import os
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.transform import Affine

from zonalbatch.errors import (
    DoubtfulReadError,
    PassingReadError,
    PermanentReadError,
    RefusedReadError,
    SourceError,
)
from zonalbatch.sources import (
    FilePixels,
    RasterPixels,
    crs_text,
    open_pixels,
    read_error,
    read_headers,
)
from zonalbatch.sources.access import access_given
from zonalbatch.sources.causes import shown
from zonalbatch.sources.nodata import held_nodata


def write(path: Path, values: np.ndarray, **profile: Any) -> str:
    """A GeoTIFF of (band, row, col) values; its path."""
    settings: dict[str, Any] = {
        "driver": "GTiff",
        "count": values.shape[0],
        "height": values.shape[1],
        "width": values.shape[2],
        "dtype": values.dtype.name,
        "crs": "EPSG:32631",
        "transform": Affine(10, 0, 500000, 0, -10, 5600000),
    }
    with rasterio.open(path, "w", **(settings | profile)) as file:
        file.write(values)
    return str(path)


@pytest.fixture
def cube() -> np.ndarray:
    """Three bands of 40 × 30 distinct values."""
    return np.arange(3 * 40 * 30, dtype=np.uint16).reshape(3, 40, 30)


def test_a_window_holds_what_the_file_holds(tmp_path: Path, cube: np.ndarray) -> None:
    """A read is the raw array sliced, for bands in any order."""
    pixels = RasterPixels(write(tmp_path / "a.tif", cube, interleave="pixel"))
    np.testing.assert_array_equal(pixels.read([1, 2], (5, 7, 9, 30)), cube[:2, 5:9, 7:30])
    np.testing.assert_array_equal(pixels.read([3, 1], (0, 0, 40, 1)), cube[[2, 0], :, :1])
    assert pixels.read([2], (3, 3, 3, 5)).shape == (1, 0, 2)


def test_the_header_says_the_grid(tmp_path: Path, cube: np.ndarray) -> None:
    """CRS by its code, shape, dtype, nodata as an integer, and a version that knows the size."""
    href = write(tmp_path / "a.tif", cube, nodata=7)
    header = RasterPixels(href).header
    assert header.grid.lattice.crs == "EPSG:32631"
    assert header.grid.shape == (40, 30)
    assert header.dtypes == ("uint16",) * 3
    assert header.nodata == (7, 7, 7)
    assert isinstance(header.nodata[0], int)
    assert header.version.startswith(f"{os.path.getsize(href)}-")
    assert not header.masked


def test_pickling_keeps_the_name_only(tmp_path: Path, cube: np.ndarray) -> None:
    """An open raster pickles to a few bytes and opens again elsewhere."""
    pixels = RasterPixels(write(tmp_path / "a.tif", cube))
    pixels.read([1], (0, 0, 1, 1))
    packed = pickle.dumps(pixels)
    assert len(packed) < 300
    np.testing.assert_array_equal(pickle.loads(packed).read([1], (0, 0, 2, 2)), cube[:1, :2, :2])


def test_one_handle_serves_every_thread(
    tmp_path: Path, cube: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is opened once, though different threads read it one after the other."""
    opened: list[str] = []
    real = rasterio.open

    def counting(path: Any, *args: Any, **options: Any) -> Any:
        opened.append(str(path))
        return real(path, *args, **options)

    href = write(tmp_path / "a.tif", cube)
    monkeypatch.setattr(rasterio, "open", counting)
    pixels = RasterPixels(href)
    assert pixels.header.masked is False
    for _ in range(3):
        thread = threading.Thread(target=pixels.read, args=([1], (0, 0, 4, 4)))
        thread.start()
        thread.join()
    pixels.read_mask((0, 0, 4, 4))
    assert opened == [href]


def test_closing_is_not_the_end(tmp_path: Path, cube: np.ndarray) -> None:
    """A closed raster opens again when it is read."""
    pixels = RasterPixels(write(tmp_path / "a.tif", cube))
    pixels.close()
    pixels.read([1], (0, 0, 1, 1))
    pixels.close()
    assert pixels.read([1], (0, 1, 1, 2)).item() == 1


def test_a_window_outside_is_refused(tmp_path: Path, cube: np.ndarray) -> None:
    """A window beyond the file is an error, never a smaller array."""
    pixels = RasterPixels(write(tmp_path / "a.tif", cube))
    with pytest.raises(PermanentReadError, match="40 × 30 cells"):
        pixels.read([1], (0, 0, 41, 30))


def test_a_mask_of_its_own(tmp_path: Path, cube: np.ndarray) -> None:
    """A per-dataset mask and an alpha band are the file's own; a nodata tag is not."""
    mask = np.zeros((40, 30), dtype=np.uint8)
    mask[:10] = 255
    href = write(tmp_path / "m.tif", cube)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(href, "r+") as file:
        file.write_mask(mask)
    pixels = RasterPixels(href)
    assert pixels.header.masked
    np.testing.assert_array_equal(pixels.read_mask((8, 0, 12, 30)), mask[8:12] > 0)
    plain = RasterPixels(write(tmp_path / "n.tif", cube, nodata=0))
    assert not plain.header.masked
    assert plain.read_mask((0, 0, 40, 30)).all()


def test_a_mask_beside_a_local_file_counts(tmp_path: Path, cube: np.ndarray) -> None:
    """Side files of local rasters are found: reading of folders is off for remote ones only."""
    href = write(tmp_path / "m.tif", cube)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(href, "r+") as file:
        file.write_mask(np.zeros((40, 30), dtype=np.uint8))
    assert Path(f"{href}.msk").exists()
    assert RasterPixels(href).header.masked


@pytest.mark.parametrize(
    ("value", "dtype", "held"),
    [
        (-9999.0, "uint8", None),
        (float("nan"), "int16", None),
        (float("inf"), "int32", None),
        (0.5, "uint16", None),
        (255.0, "uint8", 255),
        (-9999.0, "float32", -9999.0),
        (1e300, "float32", None),
        (None, "float32", None),
    ],
)
def test_nodata_that_a_dtype_cannot_hold_means_none(
    value: float | None, dtype: str, held: float | None
) -> None:
    """Only a value that a pixel can have can mark a pixel."""
    assert held_nodata(value, dtype) == held


def test_float_nodata_is_rounded_as_pixels_are() -> None:
    """A float32 file's −3.4e38 is compared as float32 has it."""
    assert held_nodata(-3.4e38, "float32") == float(np.float32(-3.4e38))
    nan = held_nodata(float("nan"), "float32")
    assert nan is not None
    assert np.isnan(nan)


def test_a_crs_has_one_spelling() -> None:
    """A code, WKT1, WKT2 and PROJJSON of one CRS compare equal."""
    crs = CRS.from_epsg(32631)
    known = pyproj.CRS.from_epsg(32631)
    spellings = [
        "EPSG:32631",
        crs,
        crs.to_wkt(),
        known.to_wkt(),
        known.to_json_dict(),
    ]
    assert {crs_text(one) for one in spellings} == {"EPSG:32631"}
    with pytest.raises(SourceError, match="EPSG:1234567"):
        crs_text("EPSG:1234567")


def test_a_file_without_crs_is_refused(tmp_path: Path, cube: np.ndarray) -> None:
    """A raster that does not say where it lies cannot be used, and the error says what to do."""
    with pytest.raises(SourceError, match="has no CRS; write"):
        _ = RasterPixels(write(tmp_path / "a.tif", cube, crs=None)).header


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_file_without_place_warns_nobody(tmp_path: Path, cube: np.ndarray) -> None:
    """rasterio's warning of a missing transform becomes our error and does not leak."""
    href = write(tmp_path / "a.tif", cube, crs=None, transform=None)
    import warnings

    for action in ("error", "always"):
        with warnings.catch_warnings(record=action == "always") as seen:
            warnings.simplefilter(action)  # type: ignore[arg-type]
            with pytest.raises(SourceError, match="no CRS and no affine"):
                _ = RasterPixels(href).header
            with pytest.raises(SourceError, match="no CRS and no affine"):
                read_headers([href])
        assert not seen


def test_ground_control_points_are_refused(tmp_path: Path, cube: np.ndarray) -> None:
    """A raster placed by points only has no grid."""
    points = [GroundControlPoint(r, c, 3 + c / 100, 50 - r / 100) for r in (0, 9) for c in (0, 9)]
    path = tmp_path / "a.tif"
    write(path, cube, transform=None, gcps=points, crs="EPSG:4326")
    with pytest.raises(SourceError, match="ground control points"):
        _ = RasterPixels(str(path)).header


def test_a_rotated_grid_is_refused(tmp_path: Path, cube: np.ndarray) -> None:
    """Cells must be aligned with the axes."""
    turned = Affine.translation(5e5, 5e6) @ Affine.rotation(10) @ Affine.scale(10, -10)
    with pytest.raises(SourceError, match="rotated"):
        _ = RasterPixels(write(tmp_path / "a.tif", cube, transform=turned)).header


def test_complex_pixels_are_refused(tmp_path: Path, cube: np.ndarray) -> None:
    """A complex number has no mean that anyone meant."""
    with pytest.raises(SourceError, match="complex64"):
        _ = RasterPixels(write(tmp_path / "a.tif", cube.astype(np.complex64))).header


def test_scales_that_differ_between_bands_are_kept(tmp_path: Path, cube: np.ndarray) -> None:
    """Each band keeps its scale and offset, and rioxarray's warning does not leak."""
    href = write(tmp_path / "a.tif", cube)
    with rasterio.open(href, "r+") as file:
        file.scales, file.offsets = (1.0, 0.1, 0.01), (0.0, 1.0, 2.0)
    pixels = RasterPixels(href)
    assert pixels.header.scales == (1.0, 0.1, 0.01)
    assert pixels.header.offsets == (0.0, 1.0, 2.0)
    np.testing.assert_array_equal(pixels.read([2], (0, 0, 40, 30)), cube[1:2])


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("HTTP response code: 404", PermanentReadError),
        ("HTTP response code: 403", RefusedReadError),
        ("HTTP response code: 429", PassingReadError),
        ("HTTP response code: 503", PassingReadError),
        ("CURL error: Connection timed out after 5001 milliseconds", PassingReadError),
        ("CURL error: Recv failure: Connection reset by peer", PassingReadError),
        ("not recognized as being in a supported file format", DoubtfulReadError),
    ],
)
def test_errors_pass_or_stay(said: str, kind: type[Exception]) -> None:
    """Time-outs, resets, 429 and 5xx pass; missing, forbidden and unsupported stay."""
    assert type(read_error("https://example.com/a.tif", OSError(said))) is kind


def test_the_cause_of_a_cause_is_heard() -> None:
    """rasterio says 'see previous exception'; that one is what counts."""
    outer = OSError("Read failed. See previous exception for details.")
    outer.__cause__ = TimeoutError("slow")
    error = read_error("a.tif", outer)
    assert isinstance(error, PassingReadError)
    assert "slow" in str(error)
    assert "previous" not in str(error)


def test_a_signature_is_never_shown() -> None:
    """Neither the query nor the user of a URL is in a message, wherever GDAL repeats it."""
    href = "https://me:pw@example.com/a.tif?sig=SECRET"
    said = f"'/vsicurl/{href}' does not exist; a.tif?sig=SECRET"
    text = str(read_error(href, OSError(said))) + shown(href) + repr(RasterPixels(href))
    assert "SECRET" not in text
    assert "pw" not in text
    assert "example.com/a.tif" in text


def test_a_missing_file_is_a_permanent_failure(tmp_path: Path) -> None:
    """Reading headers gives an error for each file that has none, and goes on."""
    href = str(tmp_path / "none.tif")
    found = read_headers([href, href])
    assert list(found) == [href]
    assert isinstance(found[href], PermanentReadError)


def test_an_href_opens_as_a_raster() -> None:
    """Opening is lazy: a name alone touches nothing."""
    assert isinstance(open_pixels("nowhere.tif"), FilePixels)


def test_corrupt_blocks_are_permanent(data_dir: Path) -> None:
    """A header may be whole where a block is not; the error names the file."""
    pixels = RasterPixels(str(data_dir / "tricky/rasterio/corrupt.tif"))
    assert pixels.header.grid.shape == (1024, 1024)
    with pytest.raises(PermanentReadError, match=r"corrupt\.tif"):
        pixels.read([1], (0, 0, 1024, 1024))


@pytest.mark.parametrize("name", ["rotated.tif", "float_nan.tif", "RGB.byte.gcp.vrt"])
def test_real_files_without_a_grid_are_refused(data_dir: Path, name: str) -> None:
    """Rotated without a CRS, a bare array, points only: each a clear error."""
    path = str(data_dir / "tricky/rasterio" / name)
    with pytest.raises(SourceError, match=name):
        _ = RasterPixels(path, access_given(None, trusted=True)).header


def test_inverted_latitudes_are_south_up(data_dir: Path) -> None:
    """A file whose rows run north is a window read in reverse."""
    header = RasterPixels(str(data_dir / "tricky/rio_tiler/inverted_lat.tif")).header
    assert header.grid.south_up
    assert header.grid.lattice.crs == "EPSG:4326"


def test_one_dem_in_many_encodings(data_dir: Path) -> None:
    """Every encoding gives the same values at the same place; south-up ones in reverse."""
    folder = data_dir / "tricky/derived"
    twin = RasterPixels(str(folder / "dem_plain_strip.tif"))
    height, width = twin.header.grid.shape
    expected = valid_values(twin, (0, 0, height, width))
    others = sorted(folder.glob("dem_*.tif"))
    assert len(others) > 10
    for path in others:
        pixels = RasterPixels(str(path))
        grid = pixels.header.grid
        assert grid.on(twin.header.grid.lattice).window == twin.header.grid.window  # type: ignore[union-attr]
        values = valid_values(pixels, (0, 0, height, width))
        np.testing.assert_array_equal(values[::-1] if grid.south_up else values, expected)


def valid_values(pixels: RasterPixels, window: tuple[int, int, int, int]) -> np.ndarray:
    """Band 1 with NaN where nodata or the file's own mask says so."""
    values = pixels.read([1], window)[0].astype(np.float64)
    nodata = pixels.header.nodata[0]
    values[~pixels.read_mask(window)] = np.nan
    return values if nodata is None else np.where(values == nodata, np.nan, values)
