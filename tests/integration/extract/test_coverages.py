"""Boxes of coverages that a real WCS offers, in both versions: its native pixels."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin
from rasterio.windows import from_bounds

import zonalbatch as zb
from tests.made.datasets import data_set
from tests.made.wcs import wcs_server
from zonalbatch.errors import (
    InputError,
    PassingReadError,
    PermanentReadError,
    RefusedReadError,
    SourceError,
)

GRIDS: dict[str, tuple[str, tuple[float, float], float, str]] = {
    "whole": ("EPSG:4326", (10.0, 51.0), 0.05, "int16"),
    "half": ("EPSG:4326", (9.975, 51.025), 0.05, "int16"),
    "utm": ("EPSG:32632", (500_010.0, 5_600_010.0), 30.0, "float32"),
}
BOXES = {"whole": (10.47, 49.22, 11.53, 50.81), "half": (10.47, 49.22, 11.53, 50.81),
         "utm": (9.005, 50.54, 9.02, 50.55)}  # fmt: skip
NODATA = -9999


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Rasters of noise on three grids, with a hole each."""
    folder, rng = tmp_path_factory.mktemp("coverages"), np.random.default_rng(8)
    made = {}
    for name, (crs, corner, step, dtype) in GRIDS.items():
        values = rng.integers(1, 3000, (60, 80)).astype(dtype)
        values[10:14, 12:15] = NODATA
        made[name] = folder / f"{name}.tif"
        with rasterio.open(
            made[name], "w", driver="GTiff", width=80, height=60, count=1, dtype=dtype, crs=crs,
            transform=from_origin(*corner, step, step), nodata=NODATA,
        ) as file:  # fmt: skip
            file.write(values, 1)
    return made


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, files: dict[str, Path]) -> Iterator[str]:
    """A service that offers them."""
    with wcs_server(tmp_path_factory.mktemp("wcs"), files) as url:
        yield url


def named(folder: Path, url: str, version: str, coverage: str, **place: Any) -> str:
    """A data set that is a coverage."""
    keys = {"kind": "wcs", "url": url, "version": version, **place}
    height = {"about": "Height.", "asset": coverage, "nodata": NODATA, "resolution": "1"}
    return data_set(folder, keys, variables={"height": height})


@pytest.mark.parametrize("version", ["1.0.0", "2.0.1"])
@pytest.mark.parametrize("name", GRIDS)
def test_native_pixels(
    service: str, files: dict[str, Path], tmp_path: Path, name: str, version: str
) -> None:
    """Those of the file behind the service, where they lie there, half a pixel aside or not."""
    data = named(tmp_path, service, version, name)
    found = zb.extract_raster(data, bbox=BOXES[name], output_dir=tmp_path / "out")
    with rasterio.open(found.path) as file, rasterio.open(files[name]) as source:
        window = from_bounds(*file.bounds, source.transform).round_offsets().round_lengths()
        assert np.array_equal(file.read(1), source.read(1, window=window))
        assert file.res == pytest.approx(source.res)
        assert (file.bounds.left - source.bounds.left) / source.res[0] == pytest.approx(
            window.col_off, abs=1e-6
        )
    assert found.nodata == NODATA


def test_beyond_the_coverage(service: str, tmp_path: Path) -> None:
    """What of the box it does not hold is nodata."""
    data = named(tmp_path, service, "2.0.1", "whole")
    found = zb.extract_raster(data, bbox=(9.5, 50.5, 10.5, 51.5), output_dir=tmp_path / "out")
    with rasterio.open(found.path) as file:
        values = file.read(1)
    assert found.shape == (20, 20)
    assert (values[:10] == NODATA).all()
    assert (values[:, :10] == NODATA).all()
    assert (values[10:, 10:] != NODATA).any()


@pytest.mark.parametrize("version", ["1.0.0", "2.0.1"])
def test_statistics(service: str, files: dict[str, Path], tmp_path: Path, version: str) -> None:
    """A coverage is measured as the file behind it is."""
    zones = geopandas.GeoDataFrame(
        {"name": ["a", "b"]},
        geometry=[shapely.box(10.41, 49.33, 11.02, 50.07), shapely.Point(12, 49.5).buffer(0.4)],
        crs="EPSG:4326",
    )
    data = {"kind": "dataset", "name": named(tmp_path, service, version, "whole")}
    told = zb.zonal_stats(zones, data, ["mean", "count", "n_nodata"])
    expected = zb.zonal_stats(zones, str(files["whole"]), ["mean", "count", "n_nodata"])
    told, expected = told.drop(columns="geometry"), expected.drop(columns="geometry")
    pandas.testing.assert_frame_equal(told, expected, rtol=1e-9)


def test_resolutions_are_refused(service: str, tmp_path: Path) -> None:
    """A service would resample by a rule of its own."""
    data = named(tmp_path, service, "2.0.1", "whole")
    with pytest.raises(SourceError, match="native grid only"):
        zb.extract_raster(data, bbox=BOXES["whole"], output_dir=tmp_path, target_resolution=0.1)


def test_a_coverage_that_is_not_there(service: str, tmp_path: Path) -> None:
    """Those that there are."""
    data = named(tmp_path, service, "2.0.1", "none")
    with pytest.raises(PermanentReadError, match="no coverage 'none'; it has whole"):
        zb.extract_raster(data, bbox=BOXES["whole"], output_dir=tmp_path)


def test_a_login(files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment; without it, the error names the variables."""
    with wcs_server(tmp_path, files, word="secret") as url:
        data = named(tmp_path, url, "2.0.1", "whole", user="MADE_USER", password="MADE_WORD")
        box = BOXES["whole"]
        with pytest.raises(InputError, match="MADE_USER and MADE_WORD"):
            zb.extract_raster(data, bbox=box, output_dir=tmp_path / "out")
        monkeypatch.setenv("MADE_USER", "me")
        monkeypatch.setenv("MADE_WORD", "wrong")
        with pytest.raises(RefusedReadError) as refused:
            zb.extract_raster(data, bbox=box, output_dir=tmp_path / "out")
        assert "wrong" not in str(refused.value)
        monkeypatch.setenv("MADE_WORD", "secret")
        found = zb.extract_raster(data, bbox=box, output_dir=tmp_path / "out")
    assert found.shape == (33, 22)
    assert "secret" not in found.path.read_bytes().decode("latin-1")


def test_one_column(service: str, files: dict[str, Path], tmp_path: Path) -> None:
    """Services that take one cell's breadth for none are asked for two."""
    for version in ("1.0.0", "2.0.1"):
        data = named(tmp_path, service, version, "whole")
        found = zb.extract_raster(
            data, bbox=(10.11, 50.1, 10.14, 50.6), output_dir=tmp_path / version
        )
        with rasterio.open(found.path) as file, rasterio.open(files["whole"]) as source:
            assert file.shape == (10, 1)
            assert np.array_equal(file.read(1)[:, 0], source.read(1)[8:18, 2])


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", PermanentReadError),
        (200, b"<html><p>Welcome", PermanentReadError),
        (200, b"<html><p>Welcome</p></html>", PermanentReadError),
        (503, b"busy", PassingReadError),
    ],
)
def test_what_is_no_service(
    tmp_path: Path, status: int, body: bytes, kind: type[Exception]
) -> None:
    """One sentence, whatever it says."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/wcs"
        for version in ("1.0.0", "2.0.1"):
            with pytest.raises(kind):
                zb.extract_raster(
                    named(tmp_path, url, version, "whole"), bbox=BOXES["whole"], output_dir=tmp_path
                )
        server.shutdown()
        thread.join()
