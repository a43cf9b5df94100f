"""What values of an extract mean: nodata, scale, classes; and boxes at odd places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely

import zonalbatch as zb
from tests.made.apis import light_api
from tests.made.datasets import NONE, data_set, tile
from zonalbatch.errors import InputError, ReadError, SourceError

BOX = (10.1, 50.1, 10.9, 50.9)


@contextmanager
def offered(folder: Path, items: Sequence[dict[str, Any]], **variable: Any) -> Iterator[str]:
    """The data set of some items; its variable has these keys."""
    height = {"about": "Height.", "asset": "data", "resolution": "1"} | variable
    with light_api(folder, items) as url:
        place = {"kind": "stac", "api": url, "collections": ["dem"], "trusted": True}
        yield data_set(folder, place, variables={"height": height})


def read(path: Path) -> Any:
    """The cells of a file."""
    with rasterio.open(path) as file:
        return file.read(1)


def test_nan_stays_nan(tmp_path: Path) -> None:
    """Where nobody says a nodata, what is NaN is none, and gaps are NaN."""
    values = np.full((20, 20), 5, "float32")
    values[:, :10] = np.nan
    items = [tile(tmp_path, "a", values, 10, 51, nodata=None)]
    zone = geopandas.GeoDataFrame(geometry=[shapely.box(*BOX)], crs="EPSG:4326")
    with offered(tmp_path, items) as name:
        found = zb.extract_raster(name, bbox=(9.5, 50, 11, 51), output_dir=tmp_path / "out")
        told = zb.zonal_stats(zone, {"kind": "dataset", "name": name}, ["mean", "count"])
    assert np.isnan(read(found.path)[:, :20]).all()
    assert (read(found.path)[:, 20:] == 5).all()
    again = zb.zonal_stats(zone, str(found.path), ["mean", "count"])
    assert again[["mean", "count"]].equals(told[["mean", "count"]])


def test_a_file_is_replaced_once_the_new_one_is_whole(tmp_path: Path) -> None:
    """Who reads the old one goes on with it; where a read fails it stays, and nothing else does."""
    out, rng = tmp_path / "out", np.random.default_rng(4)
    whole = rng.integers(0, 30_000, (600, 600), "int16")
    items = [tile(tmp_path, "a", whole, 10, 51, step=1 / 600, tiled=True)]
    with offered(tmp_path, items) as name:
        asked: dict[str, Any] = {"bbox": BOX, "output_dir": out, "filename": "dem.tif"}
        old = zb.extract_raster(name, **asked).path.read_bytes()
        with (out / "dem.tif").open("rb") as reader:
            zb.extract_raster(name, **asked | {"target_resolution": 0.01})
            assert reader.read() == old
        new = (out / "dem.tif").read_bytes()
        assert new != old
        path = tmp_path / "a.tif"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(ReadError, match=r"a\.tif"):
            zb.extract_raster(name, **asked)
    assert (out / "dem.tif").read_bytes() == new
    assert [one.name for one in out.iterdir()] == ["dem.tif"]


def test_gaps_that_nothing_would_tell(tmp_path: Path) -> None:
    """Integers without nodata: a box with a gap is refused, one without is not."""
    items = [tile(tmp_path, "a", np.full((20, 20), 7, "uint8"), 10, 51, nodata=None)]
    with offered(tmp_path, items) as name:
        with pytest.raises(SourceError, match="no nodata to tell them by"):
            zb.extract_raster(name, bbox=(9.5, 50, 11, 51), output_dir=tmp_path / "out")
        found = zb.extract_raster(name, bbox=BOX, output_dir=tmp_path / "out")
    assert (read(found.path) == 7).all()
    assert [one.name for one in (tmp_path / "out").iterdir()] == [found.path.name]


def test_a_nodata_that_is_none(tmp_path: Path) -> None:
    """One that the type does not hold is told, with the data set."""
    items = [tile(tmp_path, "a", np.full((20, 20), 7, "uint8"), 10, 51, nodata=None)]
    with (
        offered(tmp_path, items, nodata=-9999) as name,
        pytest.raises(SourceError, match="nodata -9999 of own:height is no uint8"),
    ):
        zb.extract_raster(name, bbox=BOX, output_dir=tmp_path)


def scaled(path: Path, scale: float, offset: float) -> None:
    """Tag a file."""
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (scale,), (offset,)


def test_scales(tmp_path: Path) -> None:
    """They are carried; files whose raw values mean different things are not put together."""
    items = [
        tile(tmp_path, name, np.full((20, 20), 10, "int16"), left, 51)
        for name, left in (("w", 10), ("e", 11))
    ]
    scaled(tmp_path / "w.tif", 0.1, 0.0)
    scaled(tmp_path / "e.tif", 0.1, -100.0)
    with offered(tmp_path, items, nodata=NONE) as name:
        found = zb.extract_raster(name, bbox=BOX, output_dir=tmp_path / "out")
        with rasterio.open(found.path) as file:
            assert (file.scales, file.offsets) == ((0.1,), (0.0,))
        with pytest.raises(SourceError, match="raw values of own:height mean"):
            zb.extract_raster(name, bbox=(10.5, 50.1, 11.5, 50.9), output_dir=tmp_path / "out")


def test_scales_of_items(tmp_path: Path) -> None:
    """What an item says of raw values comes before its file, as in statistics."""
    item = tile(tmp_path, "a", np.full((20, 20), 100, "int16"), 10, 51)
    item["assets"]["data"]["raster:bands"] = [{"scale": 0.5, "offset": -3, "nodata": NONE}]
    with offered(tmp_path, [item]) as name:
        found = zb.extract_raster(name, bbox=BOX, output_dir=tmp_path / "out")
    with rasterio.open(found.path) as file:
        assert (file.scales, file.offsets) == ((0.5,), (-3.0,))


def test_classes_are_never_mixed(tmp_path: Path) -> None:
    """Nor where cells of one file lie aside of another's, whatever way is asked for."""
    rng = np.random.default_rng(3)
    items = [
        tile(tmp_path, "w", rng.choice([10, 20, 30], (20, 20)).astype("int16"), 10, 51),
        tile(tmp_path, "e", rng.choice([10, 20, 30], (20, 20)).astype("int16"), 10.975, 51.025),
    ]
    classes = {10: "a", 20: "b", 30: "c"}
    with offered(tmp_path, items, nodata=NONE, type="categorical", classes=classes) as name:
        found = zb.extract_raster(
            name, bbox=(10.5, 50.1, 11.5, 50.9), output_dir=tmp_path / "out", resampling="bilinear"
        )
    assert set(np.unique(read(found.path))) == {10, 20, 30}
    assert found.provenance["resampling"] == "nearest"


def test_means_that_are_nodata(tmp_path: Path) -> None:
    """A mean that happens to be the nodata value is moved by one: it is no gap."""
    values = np.tile(np.array([[3, -3], [-3, 3]], "int16"), (10, 10))
    items = [tile(tmp_path, "a", values, 10, 51, nodata=0)]
    with offered(tmp_path, items, nodata=0) as name:
        found = zb.extract_raster(
            name, bbox=(10, 50, 11, 51), output_dir=tmp_path / "out", target_resolution=0.1,
            resampling="average",
        )  # fmt: skip
    assert (read(found.path) == 1).all()


def test_longitudes_beyond_180(tmp_path: Path) -> None:
    """A grid of 0 to 360 degrees is found from the west too; a box over its seam is refused."""
    values = np.arange(36 * 18, dtype="int16").reshape(18, 36)
    item = tile(tmp_path, "a", values, 0, 90, 10.0)
    world = [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]
    item |= {"bbox": [-180, -90, 180, 90], "geometry": {"type": "Polygon", "coordinates": world}}
    with offered(tmp_path, [item], nodata=NONE) as name:
        found = zb.extract_raster(name, bbox=(-40, 0, -10, 20), output_dir=tmp_path / "out")
        assert np.array_equal(read(found.path), values[7:9, 32:35])
        with pytest.raises(SourceError, match="both sides of 0"):
            zb.extract_raster(name, bbox=(-20, 0, 10, 10), output_dir=tmp_path / "out")


def test_two_zones_of_utm(tmp_path: Path) -> None:
    """The one that is meant is named by its CRS."""
    items = []
    for zone, left in ((32, 790_000.0), (33, 350_000.0)):
        item = tile(
            tmp_path, f"z{zone}", np.full((400, 400), zone, "int16"), left, 5_600_000.0, 100.0,
            crs=f"EPSG:326{zone}",
        )  # fmt: skip
        ring = [[[12.5, 50], [13.5, 50], [13.5, 51], [12.5, 51], [12.5, 50]]]
        items.append(
            item
            | {"bbox": [12.5, 50, 13.5, 51], "geometry": {"type": "Polygon", "coordinates": ring}}
        )
    with offered(tmp_path, items, nodata=NONE) as name:
        box = (13.1, 50.3, 13.2, 50.35)
        with pytest.raises(SourceError, match="say which by target_crs, such as EPSG:32632"):
            zb.extract_raster(name, bbox=box, output_dir=tmp_path / "out")
        for zone in (32, 33):
            found = zb.extract_raster(
                name, bbox=box, output_dir=tmp_path / "out", target_crs=f"EPSG:326{zone}",
                filename=f"{zone}.tif",
            )  # fmt: skip
            assert zone in read(found.path)
            assert found.crs == f"EPSG:326{zone}"
        with pytest.raises(InputError, match="is no CRS"):
            zb.extract_raster(name, bbox=box, output_dir=tmp_path / "out", target_crs="hello")


def test_names_tell_what_was_asked(tmp_path: Path) -> None:
    """Two extracts that differ do not get one name."""
    items = [tile(tmp_path, "a", np.full((20, 20), 7, "int16"), 10, 51)]
    with offered(tmp_path, items, nodata=NONE) as name:
        asked: list[dict[str, Any]] = [
            {"bbox": BOX}, {"bbox": (10.1000001, *BOX[1:])},
            {"bbox": BOX, "target_resolution": 0.2},
            {"bbox": BOX, "target_resolution": 0.2, "resampling": "average"},
        ]  # fmt: skip
        paths = {zb.extract_raster(name, output_dir=tmp_path / "out", **one).path for one in asked}
    assert len(paths) == 4


def test_sizes_at_the_ends(tmp_path: Path) -> None:
    """A box narrower than a cell is one cell; cells as large as a country are refused."""
    items = [tile(tmp_path, "a", np.full((20, 20), 7, "int16"), 10, 51)]
    with offered(tmp_path, items, nodata=NONE) as name:
        narrow = (10.1, 50.1, 10.100000001, 50.2)
        found = zb.extract_raster(name, bbox=narrow, output_dir=tmp_path / "out")
        assert found.shape == (2, 1)
        for size in (1e6, 1e-9):
            with pytest.raises(SourceError, match="in the units of EPSG:4326"):
                zb.extract_raster(
                    name, bbox=BOX, output_dir=tmp_path / "out", target_resolution=size
                )
        with pytest.raises(InputError, match="no size of a cell"):
            zb.extract_raster(name, bbox=BOX, output_dir=tmp_path / "out", target_resolution=True)
