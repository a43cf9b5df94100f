"""The pixels about each zone, as files and as a cube, from a real STAC API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
import pytest
import rasterio
import shapely
import xarray
from rasterio.features import geometry_mask
from rasterio.windows import from_bounds

import zonalbatch as zb
from tests.made.apis import light_api
from tests.made.datasets import NONE, data_set, tile
from zonalbatch.errors import InputError, SourceError

DAYS = ("2024-06-01", "2024-06-11")


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two tiles of noise that meet, on each of two days."""
    folder, rng = tmp_path_factory.mktemp("noise"), np.random.default_rng(6)
    for day in DAYS:
        for name, left in (("w", 10), ("e", 11)):
            values = rng.integers(0, 3000, (100, 100)).astype("int16")
            tile(folder, f"{name}-{day}", values, left, 51, 0.01)
    return folder


@pytest.fixture(scope="module")
def changing(noise: Path) -> Iterator[str]:
    """The data set of both days."""
    items = []
    for path in sorted(noise.glob("*.tif")):
        with rasterio.open(path) as file:
            item = tile_item(path, file.bounds)
        items.append(item)
    with light_api(noise, items) as url:
        place = {"kind": "stac", "api": url, "collections": ["dem"], "trusted": True}
        yield data_set(noise, place, changes=True)


def tile_item(path: Path, bounds: Any) -> dict[str, Any]:
    """The item of a file that bears its day in its name."""
    from tests.made.apis import scene

    asset = {"href": str(path), "type": "image/tiff; application=geotiff", "roles": ["data"]}
    return scene(
        path.stem, bounds.left, bounds.bottom, side=1.0, collection="dem", day=path.stem[2:],
        assets={"data": asset},
    )  # fmt: skip


def zones() -> geopandas.GeoDataFrame:
    """Over the seam, in one tile, and where there is nothing."""
    shapes = [
        shapely.Point(11.0, 50.5).buffer(0.1), shapely.box(10.201, 50.203, 10.288, 50.299),
        shapely.box(20, 20, 20.1, 20.1),
    ]  # fmt: skip
    return geopandas.GeoDataFrame(
        {"name": ["seam", "box", "away"]}, geometry=shapes, crs="EPSG:4326"
    )


def pixels(noise: Path, day: str, bounds: tuple[float, ...]) -> Any:
    """What both files of a day hold of a box, by rasterio alone."""
    found = None
    for name in ("w", "e"):
        with rasterio.open(noise / f"{name}-{day}.tif") as file:
            window = from_bounds(*bounds, file.transform).round_offsets().round_lengths()
            part = file.read(1, window=window, boundless=True, fill_value=NONE)
        found = part if found is None else np.where(found == NONE, part, found)
    return found


def test_files(changing: str, noise: Path, tmp_path: Path) -> None:
    """A file for each zone and day, right to the pixel, and a table of them."""
    found = zb.clip(changing, zones(), output_dir=tmp_path, id="name", datetime="2024-06")
    assert (found.chips, found.outside, found.failures) == (4, 2, ())
    table = pandas.read_parquet(tmp_path / "chips.parquet")
    assert sorted(table["file"]) == sorted(
        f"{name}_{day}.tif" for name in ("seam", "box") for day in DAYS
    )
    for row in table.itertuples():
        with rasterio.open(tmp_path / str(row.file)) as file:
            assert np.array_equal(file.read(1), pixels(noise, str(row.day), file.bounds))
            shape = zones().set_index("name").geometry[row.zone_id]
            west, south, east, north = shape.bounds
            left, bottom, right, top = file.bounds
            assert left <= west
            assert right >= east
            assert bottom <= south
            assert top >= north
            assert max(west - left, right - east, south - bottom, top - north) < 0.01 + 1e-9


def test_cells_aside_are_blanked(changing: str, noise: Path, tmp_path: Path) -> None:
    """By `outside`, all that the zone does not touch, and nothing else."""
    zb.clip(
        changing, zones().iloc[:2], output_dir=tmp_path, id="name", datetime=DAYS[0],
        outside="nodata",
    )  # fmt: skip
    for name, shape in zip(("seam", "box"), zones().geometry, strict=False):
        with rasterio.open(tmp_path / f"{name}_{DAYS[0]}.tif") as file:
            aside = geometry_mask([shape], file.shape, file.transform, all_touched=True)
            told, whole = file.read(1), pixels(noise, DAYS[0], file.bounds)
        differ = (told == NONE) != aside
        assert differ.mean() < 0.01  # GDAL takes cells that are met in a point alone
        assert np.array_equal(told[told != NONE], whole[told != NONE])


def test_a_cube(changing: str, noise: Path, tmp_path: Path) -> None:
    """All chips of one size, by zone and day, where their corners say."""
    found = zb.clip(
        changing, zones(), output_dir=tmp_path, id="name", datetime="2024-06", size=16, form="zarr"
    )
    assert found.path == tmp_path / "chips.zarr"
    with xarray.open_zarr(found.path, consolidated=False) as cube:
        chips = cube["chips"]
        assert chips.dims == ("zone", "time", "y", "x")
        assert chips.shape == (3, 2, 16, 16)
        assert [str(day)[:10] for day in cube["time"].to_numpy()] == list(DAYS)
        assert cube["zone_id"].to_numpy().tolist() == ["seam", "box", "away"]
        for zone in range(2):
            left, top = float(cube["left"][zone]), float(cube["top"][zone])
            middle = zones().geometry[zone].envelope.centroid
            assert (left + 0.08, top - 0.08) == pytest.approx((middle.x, middle.y), abs=0.01)
            for at, day in enumerate(DAYS):
                expected = pixels(noise, day, (left, top - 0.16, left + 0.16, top))
                assert np.array_equal(chips[zone, at].to_numpy(), expected)
        assert (chips[2].to_numpy() == NONE).all()
        assert cube.attrs["crs"] == "EPSG:4326"
    assert [one.name for one in tmp_path.iterdir()] == ["chips.zarr"]


def test_one_that_cannot_be_read(changing: str, noise: Path, tmp_path: Path) -> None:
    """It is listed; the others are written."""
    path = noise / f"e-{DAYS[1]}.tif"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: len(whole) // 3])
        found = zb.clip(changing, zones(), output_dir=tmp_path, id="name", datetime="2024-06")
    finally:
        path.write_bytes(whole)
    assert [one[:2] for one in found.failures] == [("seam", DAYS[1])]
    assert found.chips == 3
    again = zb.clip(changing, zones(), output_dir=tmp_path, id="name", datetime="2024-06")
    assert (again.chips, again.kept, again.failures) == (1, 3, ())
    assert len(pandas.read_parquet(tmp_path / "chips.parquet")) == 4


def test_a_second_run_goes_on(changing: str, tmp_path: Path) -> None:
    """What is there is kept; what is broken, or asked for otherwise, is written anew."""

    def run(**asked: Any) -> tuple[int, int]:
        found = zb.clip(
            changing, zones(), output_dir=tmp_path, id="name", datetime="2024-06", **asked
        )
        return found.chips, found.kept

    assert run() == (4, 0)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.tif")}
    broken, gone = sorted(before)[:2]
    broken.write_bytes(b"II*\0")
    gone.unlink()
    assert run() == (2, 2)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.tif")} == before
    assert run(outside="nodata") == (4, 0)
    moved = zones()
    moved.loc[0, "geometry"] = moved.geometry[0].buffer(0.002)  # the same cells, cut otherwise
    found = zb.clip(
        changing, moved, output_dir=tmp_path, id="name", datetime="2024-06", outside="nodata"
    )
    assert (found.chips, found.kept) == (2, 2)


def test_on_a_cluster(changing: str, tmp_path: Path, cluster: Any) -> None:
    """The same files, read by workers."""
    asked: dict[str, Any] = {"id": "name", "datetime": "2024-06", "outside": "nodata"}
    zb.clip(changing, zones(), output_dir=tmp_path / "there", client=cluster, **asked)
    zb.clip(changing, zones(), output_dir=tmp_path / "here", **asked)
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert len(names) == 5
    for name in names:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"form": "zarr"}, "give size"),
        ({"form": "png"}, "use cog or zarr"),
        ({"size": 0}, "no side of a chip"),
        ({"outside": "blank"}, "use keep or nodata"),
        ({"datetime": None}, "give datetime"),
    ],
)
def test_what_makes_no_sense(
    changing: str, tmp_path: Path, asked: dict[str, Any], said: str
) -> None:
    """One sentence, before anything is read."""
    with pytest.raises(InputError, match=said):
        zb.clip(changing, zones(), output_dir=tmp_path, **({"datetime": "2024-06"} | asked))


def test_zones_of_one_name(changing: str, tmp_path: Path) -> None:
    """Names that make the same file are refused, not overwritten."""
    some = zones().iloc[:2].assign(name=["a b", "a/b"])
    with pytest.raises(InputError, match=r"several zones would be written to a_b\.tif"):
        zb.clip(changing, some, output_dir=tmp_path, id="name", datetime="2024-06")


def test_points_and_lines(changing: str, tmp_path: Path) -> None:
    """They have chips too: the cell of a point, the box of a line."""
    shapes = [shapely.Point(10.505, 50.505), shapely.LineString([(10.2, 50.2), (10.25, 50.3)])]
    some = geopandas.GeoDataFrame({"name": ["p", "l"]}, geometry=shapes, crs="EPSG:4326")
    found = zb.clip(changing, some, output_dir=tmp_path, id="name", datetime=DAYS[0])
    assert found.chips == 2
    with rasterio.open(tmp_path / f"p_{DAYS[0]}.tif") as file:
        assert file.shape == (1, 1)
    with rasterio.open(tmp_path / f"l_{DAYS[0]}.tif") as file:
        assert file.shape == (10, 5)


def test_days_of_several_types(tmp_path: Path) -> None:
    """They make no cube, in which one type would be cut to the other's."""
    items = []
    for day, dtype in zip(DAYS, ("uint8", "int16"), strict=True):
        tile(tmp_path, f"a-{day}", np.full((50, 50), 100, dtype), 10, 51, 0.01, nodata=0)
        with rasterio.open(tmp_path / f"a-{day}.tif") as file:
            items.append(tile_item(tmp_path / f"a-{day}.tif", file.bounds))
    with light_api(tmp_path, items) as url:
        place = {"kind": "stac", "api": url, "collections": ["dem"], "trusted": True}
        height = {"about": "Height.", "asset": "data", "nodata": 0, "resolution": "1"}
        name = data_set(tmp_path, place, changes=True, variables={"height": height})
        zone = geopandas.GeoDataFrame(
            {"name": ["a"]}, geometry=[shapely.box(10.1, 50.6, 10.2, 50.7)], crs="EPSG:4326"
        )
        with pytest.raises(SourceError, match="make no cube"):
            zb.clip(name, zone, output_dir=tmp_path, datetime="2024-06", size=4, form="zarr")
        assert zb.clip(name, zone, output_dir=tmp_path / "out", datetime="2024-06").chips == 2
