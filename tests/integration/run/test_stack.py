"""Jobs on a common grid."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

import zonalbatch as zb
from tests.made.places import CELL, CRS, LEFT, TOP
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.runs import Runner, cut_small
from tests.made.scenes import asset, item, write_items
from tests.made.store import Store
from tests.made.tokens import ACCOUNT, SECRET, Issuer, blobs
from tests.made.zones import squares
from zonalbatch.errors import JobError
from zonalbatch.lattice import TILE

NATIVE = {"epsg": 32631, "resolution": CELL}
"""The grid of the landscape's bands of 10 m."""
EUROPE = {"epsg": 3035, "resolution": 20}
STATISTICS = ["count", "mean", "min", "max", "n_nodata", "n_outside", "n_total"]
EAST, NORTH = 790_000.0, 5_600_000.0
"""A corner in zone 31 near where zone 32 begins."""
SIDE = 300


def plain(items: str, **keys: Any) -> dict[str, Any]:
    """A job of one band of some items on one grid."""
    usual: dict[str, Any] = {
        "source": {"kind": "stack", "items": items} | EUROPE,
        "bands": {"red": "red"},
        "measurements": None,
        "mask": None,
        "statistics": STATISTICS,
        "group_by": None,
    }
    return usual | keys


class TestNative:
    """On the grid that files have anyway."""

    @pytest.mark.parametrize("group_by", ["item", "solar_day"])
    def test_nearest_is_the_native_run(self, runner: Runner, group_by: str) -> None:
        """All columns of all rows are the same to the bit: bands of 10 m and masks of 20 m."""
        items = str(runner.land.items)
        stack = {"kind": "stack", "items": items, **NATIVE}
        keys = {"group_by": group_by, "zones": {"path": runner.half_outside(), "id": "id"}}
        native = runner.digest("native", **keys)
        assert runner.digest("stack", source=stack, **keys) == native
        assert runner.results("stack").table.num_rows > 60

    def test_a_stack_of_the_users_is_the_native_run(self, runner: Runner) -> None:
        """What stackstac makes in Python is an array; by default its coordinates are of corners."""
        import stackstac

        docs = json.loads(runner.land.items.read_text())["features"]
        for doc in docs:
            doc["properties"]["proj:epsg"] = 32631
            for one in doc["assets"].values():
                one["href"] = str(runner.land.items.parent / one["href"])
        with rasterio.open(runner.land.scenes[0] / "B04.tif") as file:
            bounds, nodata = tuple(file.bounds), file.nodata
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # stackstac's, of affine 3
            data = stackstac.stack(
                docs, assets=["B04"], epsg=32631, resolution=10, bounds=bounds, dtype="uint16",
                fill_value=np.uint16(nodata), rescale=False, properties=False,
            )  # fmt: skip
        keys: dict[str, Any] = {"measurements": None, "mask": None, "scale_offset": "none"}
        band = {"asset": "B04", "nodata": nodata}
        runner.run("native", bands={"red": band}, **keys)
        source = {"kind": "array", "data": data}
        runner.run("array", source=source, bands={"red": band}, **keys)
        rows = [
            runner.results(out).table.to_pandas().drop(columns=["layer", "geometry"])
            for out in ("native", "array")
        ]
        assert (rows[0]["red_count"] > 0).any()
        assert rows[0].equals(rows[1])


class TestTwoZones:
    """Items of two UTM zones, side by side, on one grid."""

    @pytest.fixture
    def items(self, tmp_path: Path) -> list[dict[str, Any]]:
        """Two rasters of one day, with gaps, that overlap by some cells."""
        east, north = Transformer.from_crs(CRS, 32632, always_xy=True).transform(EAST, NORTH)
        east, north = round(east / 10) * 10 + 2000, round(north / 10) * 10 + 100
        made = []
        for name, left, top, crs in (("a", EAST, NORTH, CRS), ("b", east, north, "EPSG:32632")):
            values = noise(SIDE, SIDE, seed=ord(name))
            values[np.random.default_rng(ord(name)).random(values.shape) < 0.2] = 0
            href = str(tmp_path / f"{name}.tif")
            write_tif(Path(href), values, left=left, top=top, nodata=0, crs=crs, **BLOCKS)
            told = asset(href, values.shape, left=left, top=top, nodata=0, data_type="uint16")
            made.append(item(name, crs=crs, red=told | {"bands": [{"scale": 0.5, "offset": 3}]}))
        return made

    @staticmethod
    def warped(
        href: str, left: float, top: float, shape: tuple[int, int], how: str
    ) -> NDArray[Any]:
        """A file on the cells of Europe by rasterio, block by block."""
        found = np.zeros(shape, "uint16")
        with rasterio.open(href) as file, WarpedVRT(
            file, crs=3035, transform=from_origin(left, top, 20, 20), height=shape[0],
            width=shape[1], resampling=Resampling[how],
        ) as warp:  # fmt: skip
            for row in range(0, shape[0], TILE):
                for col in range(0, shape[1], TILE):
                    rows = (row, min(row + TILE, shape[0]))
                    cols = (col, min(col + TILE, shape[1]))
                    part = warp.read(1, window=(rows, cols))
                    found[row : row + TILE, col : col + TILE] = part
        return found

    @pytest.mark.parametrize("how", ["nearest", "bilinear", "average"])
    def test_numbers_are_those_of_a_mosaic_by_rasterio(
        self, runner: Runner, items: list[dict[str, Any]], how: str
    ) -> None:
        """Each warped by rasterio, put together by the first valid value, and scaled."""
        zones = squares(30, left=EAST - 1000, top=NORTH + 1000, side=250).to_crs(3035)
        source = {"kind": "stack", "items": items, "resampling": how, **EUROPE}
        runner.run(**plain("", source=source, zones={"path": zones, "id": "id"}))
        found = runner.results().table.to_pandas()
        found = found[found["layer"].notna()].set_index("zone_id")
        assert set(found["layer"]) == {"2024-05-01"}

        mosaic, left, top = self.mosaic(items, how)
        href = write_tif(
            runner.folder / "mosaic.tif", mosaic, left=left, top=top, cell=20.0, crs="EPSG:3035",
            nodata=0,
        )  # fmt: skip
        wanted = zb.zonal_stats(zones, href, stats=["count", "mean", "min", "max"], id="id")
        wanted = wanted.set_index("id") if "id" in wanted else wanted
        assert (found["red_count"] > 0).sum() > 200
        for name, scaled in (("count", False), ("mean", True), ("min", True), ("max", True)):
            there = wanted.loc[found.index, name].astype(float)
            there = there * 0.5 + 3 if scaled else there
            np.testing.assert_allclose(found[f"red_{name}"].astype(float), there, rtol=1e-9)

    def mosaic(self, items: list[dict[str, Any]], how: str) -> tuple[NDArray[Any], float, float]:
        """Both files on one grid, the first valid value of each cell; its left and top."""
        hrefs = [one["assets"]["red"]["href"] for one in items]
        windows = np.array([self.reach(href) for href in hrefs])
        (left, top), (right, bottom) = windows[:, :2].min(axis=0), windows[:, 2:].max(axis=0)
        mosaic = np.zeros((bottom - top, right - left), "uint16")
        for href, (west, north, east, south) in zip(hrefs, windows, strict=True):
            shape = (south - north, east - west)
            part = self.warped(href, west * 20.0, -north * 20.0, shape, how)
            at = np.s_[north - top : south - top, west - left : east - left]
            mosaic[at] = np.where(mosaic[at] == 0, part, mosaic[at])
        return mosaic, float(left * 20), float(-top * 20)

    @staticmethod
    def reach(href: str) -> tuple[int, int, int, int]:
        """First column and row, and those after the last, of the cells of Europe under a file."""
        with rasterio.open(href) as file:
            edges = transform_bounds(file.crs, 3035, *file.bounds, densify_pts=200)
        west, south, east, north = (edge / 20 for edge in edges)
        return math.floor(west), math.floor(-north), math.ceil(east), math.ceil(-south)

    def test_cutting_changes_no_bit(
        self, runner: Runner, items: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Parts that read other windows give what one part of all gives; nothing is done twice."""
        zones = squares(12, left=EAST - 500, top=NORTH + 500, side=500)
        source = {"kind": "stack", "items": items, "resampling": "cubic", **EUROPE}
        keys = plain("", source=source, zones={"path": zones, "id": "id"})
        digest = runner.digest("whole", **keys)
        cut_small(monkeypatch)
        assert runner.digest("cut", **keys) == digest
        assert runner.run("cut", **keys).computed == 0


def test_what_no_pixel_reaches(runner: Runner) -> None:
    """Beyond a file's extent on the grid cells are outside; in its corners there they are nodata,
    or masked where the band has no nodata value."""
    zones = squares(12, left=LEFT - 500, top=TOP + 500, side=500)
    numbers = {}
    for name, nodata in (("with", 0), ("without", None)):
        href = write_tif(runner.folder / f"{name}.tif", noise(400, 400), nodata=nodata)
        items = write_items(
            runner.folder / f"{name}.json", [item("a", red=asset(href, (400, 400)))]
        )
        statistics = [*STATISTICS, "n_masked"]
        runner.run(name, **plain(items, zones={"path": zones, "id": "id"}, statistics=statistics))
        rows = runner.results(name).table.to_pandas()
        numbers[name] = (
            rows[rows["layer"].notna()].set_index("zone_id").sort_index().filter(like="red_")
        )
    one, other = numbers["with"], numbers["without"]
    assert one["red_n_nodata"].sum() > 100
    assert one["red_n_outside"].sum() > 100
    assert one["red_n_masked"].sum() == 0
    np.testing.assert_array_equal(one["red_n_nodata"], other["red_n_masked"])
    same = ["red_count", "red_mean", "red_n_outside", "red_n_total"]
    assert one[same].equals(other[same])


def test_files_are_signed_when_they_are_opened(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker asks for the right to read; neither plan nor results hold a signature, and the
    numbers are those of the files."""
    shape = (600, 600)
    href = write_tif(tmp_path / "box" / "a.tif", noise(*shape), nodata=0, **BLOCKS)
    issuer, zones = Issuer(), squares(4, side=1500)
    local = write_items(tmp_path / "local.json", [item("a", red=asset(href, shape))])
    link = f"{ACCOUNT}/box/a.tif?sig={SECRET}"
    remote = write_items(tmp_path / "remote.json", [item("a", red=asset(link, shape))])
    keys: dict[str, Any] = {"zones": {"path": zones, "id": "id"}}
    digest = runner.digest("local", **plain(local, **keys))
    with blobs(tmp_path, issuer, monkeypatch) as store:
        source = {"kind": "stack", "items": remote, "sign": "planetary-computer", **EUROPE}
        job = runner.job("signed", **plain(remote, **keys, source=source))
        job = zb.Job(**dict(job) | {"cluster": {"kind": "local", "workers": 1}})
        zb.run(job)
        assert store.log
    assert isinstance(store, Store)
    assert issuer.asked
    assert runner.results("signed").digest == digest
    files = [path for path in (runner.folder / "signed").rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_a_grid_that_is_none_is_refused(runner: Runner) -> None:
    """Before anything is opened, in the words of the job."""
    with pytest.raises(JobError, match=r"source is .*epsg 4326 \(WGS 84\) is not projected"):
        runner.job(**plain("", source={"kind": "stack", "items": "a.json", **NATIVE, "epsg": 4326}))
