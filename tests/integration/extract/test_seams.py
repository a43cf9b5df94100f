"""Boxes over files that meet: what a real STAC API tells of, as one GeoTIFF."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

import zonalbatch as zb
from tests.made.apis import light_api
from tests.made.datasets import NONE, data_set, tile
from tests.made.silence import silent
from zonalbatch.errors import InputError, PassingReadError, SourceError

Offer = Callable[[Sequence[dict[str, Any]]], str]


def full(value: int, side: int) -> Any:
    """A square of one value."""
    return np.full((side, side), value, "int16")


@contextmanager
def offered(folder: Path, items: Sequence[dict[str, Any]], **keys: Any) -> Iterator[str]:
    """The data set of some items in a real API."""
    with light_api(folder, items) as url:
        place = {"kind": "stac", "api": url, "collections": ["dem"], "trusted": True}
        yield data_set(folder, place, **keys)


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two tiles that meet at 11 degrees east; the west one's last column is nodata."""
    folder = tmp_path_factory.mktemp("meeting")
    west = full(100, 20)
    west[:, -1] = NONE
    items = [tile(folder, "w", west, 10, 51), tile(folder, "e", full(200, 20), 11, 51)]
    with offered(folder, items) as name:
        yield name


def value_at(path: Path, lon: float, lat: float) -> int:
    """Of the pixel that holds a place."""
    with rasterio.open(path) as file:
        return int(file.read(1)[file.index(lon, lat)])


def test_two_tiles_that_meet(meeting: str, tmp_path: Path) -> None:
    """Right to the pixel: 20 x 12 of them, without a seam, and gaps stay nodata."""
    found = zb.extract_raster(meeting, bbox=(10.5, 50.2, 11.5, 50.8), output_dir=tmp_path)
    assert found.shape == (12, 20)
    assert [value_at(found.path, lon, 50.5) for lon in (10.7, 11.3, 10.975)] == [100, 200, NONE]
    with rasterio.open(found.path) as file:
        assert file.bounds == pytest.approx((10.5, 50.2, 11.5, 50.8), abs=1e-9)
        assert (file.nodata, file.units, file.crs.to_epsg()) == (NONE, ("m",), 4326)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.tags()["LICENSE"] == "Free for all uses."
        assert json.loads(file.tags()["PROVENANCE"])["items"] == ["e", "w"]
    assert (found.dataset, found.nodata, found.license.name) == ("own:height", NONE, "CC0")
    assert [one.name for one in tmp_path.iterdir()] == [found.path.name]


def test_tiles_of_half_a_pixel_aside(tmp_path: Path) -> None:
    """Grids that begin half a pixel before the degree leave no column unfilled."""
    items = [
        tile(tmp_path, "w", full(100, 21), 9.975, 51.025),
        tile(tmp_path, "e", full(200, 21), 10.975, 51.025),
    ]
    with offered(tmp_path, items) as name:
        found = zb.extract_raster(
            name, bbox=(10.47, 50.22, 11.53, 50.81), output_dir=tmp_path / "out"
        )
    with rasterio.open(found.path) as file:
        assert set(np.unique(file.read(1))) == {100, 200}
        left, bottom, right, top = file.bounds
    assert 10.42 < left <= 10.47
    assert 50.17 < bottom <= 50.22
    assert 11.53 <= right < 11.58
    assert 50.81 <= top < 50.86


def test_tiles_whose_grids_differ(tmp_path: Path) -> None:
    """Half a pixel of one against the other: the seam is filled, by values of one or the other."""
    items = [
        tile(tmp_path, "w", full(100, 20), 10, 51),
        tile(tmp_path, "e", full(200, 20), 10.975, 51.025),
    ]  # fmt: skip
    with offered(tmp_path, items) as name:
        found = zb.extract_raster(name, bbox=(10.5, 50.2, 11.5, 50.8), output_dir=tmp_path / "out")
    with rasterio.open(found.path) as file:
        assert set(np.unique(file.read(1))) == {100, 200}


def test_cells_of_two_sizes(tmp_path: Path) -> None:
    """The smaller ones are taken, as elevation models have wider ones towards the poles."""
    items = [
        tile(tmp_path, "s", full(100, 20), 10, 51), tile(tmp_path, "n", full(200, 10), 10, 52, 0.1)
    ]  # fmt: skip
    with offered(tmp_path, items) as name:
        found = zb.extract_raster(name, bbox=(10.2, 50.8, 10.8, 51.2), output_dir=tmp_path / "out")
    assert found.shape == (8, 12)
    with rasterio.open(found.path) as file:
        values = file.read(1)
    assert (values[:4] == 200).all()
    assert (values[4:] == 100).all()


def test_coarser_cells(tmp_path: Path) -> None:
    """Means over the seam are those of the cells of both files; nodata has no part in them."""
    rng = np.random.default_rng(4)
    values = rng.integers(0, 1000, (20, 40)).astype("int16")
    values[3, 5] = NONE
    east = tile(tmp_path, "e", values[:, 20:], 11, 51)
    items = [tile(tmp_path, "w", values[:, :20], 10, 51), east]
    with offered(tmp_path, items) as name:
        found = zb.extract_raster(
            name, bbox=(10, 50, 12, 51), output_dir=tmp_path / "out", target_resolution=0.2,
            resampling="average",
        )  # fmt: skip
    blocks = np.ma.masked_equal(values, NONE).reshape(5, 4, 10, 4)
    with rasterio.open(found.path) as file:
        assert np.array_equal(file.read(1), blocks.mean(axis=(1, 3)).round())
        assert file.res == pytest.approx((0.2, 0.2))


def test_on_a_cluster(meeting: str, tmp_path: Path, cluster: Any) -> None:
    """Workers read, and the file is the same to the byte."""
    box = (10.13, 50.07, 11.9, 50.99)
    one = zb.extract_raster(meeting, bbox=box, output_dir=tmp_path, filename="one.tif")
    two = zb.extract_raster(
        meeting, bbox=box, output_dir=tmp_path, filename="two.tif", client=cluster
    )
    with rasterio.open(one.path) as a, rasterio.open(two.path) as b:
        assert np.array_equal(a.read(1), b.read(1))
        assert a.transform == b.transform


BOX = (10, 50, 11, 51)
REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a box outside": ({"bbox": (50, 10, 51, 11)}, SourceError, "nothing about"),
    "across 180 degrees": ({"bbox": (179, 0, -179, 1)}, InputError, "each for itself"),
    "no box": ({"bbox": (11, 50, 10, 49)}, InputError, "holds nothing"),
    "beyond the Earth": ({"bbox": (170, 50, 190, 60)}, InputError, "beyond the Earth"),
    "another CRS": ({"bbox": BOX, "target_crs": "EPSG:3035"}, SourceError, "target_crs"),
    "an unknown way": ({"bbox": BOX, "resampling": "lanczos"}, InputError, "unknown"),
    "cells of no size": ({"bbox": BOX, "target_resolution": 0}, InputError, "no size"),
    "a name that leads away": ({"bbox": BOX, "filename": "../a.tif"}, InputError, "no name"),
    "box and zones": ({"bbox": BOX, "zones": "a.parquet"}, InputError, "one of them"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_had(meeting: str, tmp_path: Path, name: str) -> None:
    """One sentence, and no file."""
    asked, kind, said = REFUSED[name]
    with pytest.raises(kind, match=said):
        zb.extract_raster(meeting, output_dir=tmp_path, **asked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["stac", "wcs"])
def test_a_provider_that_does_not_answer(tmp_path: Path, kind: str) -> None:
    """It is told after its time limit, however often it would be asked again."""
    with silent() as silence:
        url = f"http://127.0.0.1:{silence.port}"
        places: dict[str, dict[str, Any]] = {
            "stac": {"kind": "stac", "api": url, "collections": ["dem"], "seconds": 0.5},
            "wcs": {"kind": "wcs", "url": url, "seconds": 0.5},
        }
        with pytest.raises(PassingReadError, match=r"did not answer in 0\.5 s"):
            zb.extract_raster(data_set(tmp_path, places[kind]), bbox=BOX, output_dir=tmp_path)
        assert silence.calls


def test_a_data_set_without_a_raster(tmp_path: Path) -> None:
    """Its items have no such asset, and say which they have."""
    items = [tile(tmp_path, "a", full(1, 20), 10, 51)]
    height = {"about": "Height.", "asset": "dem", "nodata": NONE, "resolution": "1"}
    with (
        offered(tmp_path, items, variables={"height": height}) as name,
        pytest.raises(SourceError, match="dem"),
    ):
        zb.extract_raster(name, bbox=BOX, output_dir=tmp_path / "out")


def test_in_asyncio(meeting: str, tmp_path: Path) -> None:
    """The twin does the same, and other coroutines go on meanwhile."""

    async def both() -> tuple[Any, int]:
        task = asyncio.create_task(zb.aio.extract_raster(meeting, bbox=BOX, output_dir=tmp_path))
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0.001)
        return task.result(), turns

    found, turns = asyncio.run(both())
    assert found.shape == (20, 20)
    assert turns > 3


def test_data_sets_that_are_none(tmp_path: Path) -> None:
    """Several at once, unknown ones, and those whose provider does not answer."""
    with pytest.raises(InputError, match="a file of its own"):
        zb.extract_raster(["a:b", "c:d"], bbox=BOX, output_dir=tmp_path)
    with pytest.raises(SourceError, match="did you mean 'copernicus_dem'"):
        zb.extract_raster("copernicus_dm:elevation", bbox=BOX, output_dir=tmp_path)
    with pytest.raises(SourceError, match="say of when"):
        zb.extract_raster("sentinel2_l2a:red", bbox=BOX, output_dir=tmp_path)
    place = {"kind": "stac", "api": "http://127.0.0.1:9", "collections": ["dem"]}
    with pytest.raises(PassingReadError, match="cannot be reached"):
        zb.extract_raster(data_set(tmp_path, place), bbox=BOX, output_dir=tmp_path)
