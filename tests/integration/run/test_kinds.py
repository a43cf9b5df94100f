"""Jobs over zones that are no polygons: points, lines, rasters of labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

import zonalbatch as zb
from tests.made.jobs import write_job
from tests.made.places import CELL, CRS, LEFT, TOP
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.runs import cut_small
from zonalbatch.errors import InputError, JobError, ZonesError
from zonalbatch.explanation.inquiry import explain_job

if TYPE_CHECKING:
    from distributed import Client

SIDE = 120
DAYS = ("20240601", "20240611", "20240621")


@pytest.fixture
def scenes(tmp_path: Path) -> list[str]:
    """Three dates of 120 × 120 cells, some of them nodata."""
    files = []
    for seed, day in enumerate(DAYS):
        values = noise(SIDE, SIDE, seed=seed)
        values[np.random.default_rng(seed).random(values.shape) < 0.1] = 0
        path = tmp_path / "scenes" / f"S_{day}.tif"
        files.append(write_tif(path, values, nodata=0, scale=0.5, **BLOCKS))
    return files


@pytest.fixture
def spots() -> geopandas.GeoDataFrame:
    """Points inside the scenes, on their edges, and beside them."""
    xy = np.random.default_rng(5).uniform(-1, SIDE + 1, (300, 2))
    xy[:40] = np.round(xy[:40] * 2) / 2
    xy[40:44] = [[-0.3, 50], [SIDE + 0.3, 50], [50, -0.4], [50, SIDE + 0.2]]
    shapes = shapely.points(LEFT + CELL * xy[:, 0], TOP - CELL * xy[:, 1])
    return geopandas.GeoDataFrame({"plot": np.arange(300) * 3}, geometry=shapes, crs=CRS)


def document(folder: Path, zones: Any, files: list[str], **keys: Any) -> dict[str, Any]:
    """A job over some zones on all dates."""
    usual = {
        "zones": zones,
        "source": {"kind": "cog", "files": files, "datetime_pattern": "%Y%m%d"},
        "bands": {"red": 1},
        "output": {"path": str(folder / "out"), "geometry": "none"},
    }
    return usual | keys


def by_zone(rows: pd.DataFrame, column: str) -> pd.Series:
    """A column by zone and layer, without rows of zones that meet nothing."""
    return rows.dropna(subset="layer").set_index(["zone_id", "layer"])[column].sort_index()


def results(folder: Path) -> pd.DataFrame:
    """All rows of a run."""
    return pd.read_parquet(folder / "out" / "results")


class TestInterpolate:
    """interpolate: the value at points, on many dates."""

    @pytest.mark.parametrize("way", ["nearest", "bilinear"])
    def test_values_are_those_of_point_query(
        self, spots: Any, scenes: list[str], tmp_path: Path, cluster: Client, way: Any
    ) -> None:
        """Points of a file in a job have the column `value`, the same to the bit."""
        spots.to_parquet(tmp_path / "plots.parquet")
        zones = {"path": str(tmp_path / "plots.parquet"), "id": "plot"}
        job = zb.Job(**document(tmp_path, zones, scenes, interpolate=way))
        assert job.statistics == ("value",)
        zb.run(job, cluster)
        found = by_zone(results(tmp_path), "red_value")
        expected = zb.point_query(spots, scenes, interpolate=way, id="plot")
        expected = expected.set_index("layer", append=True)["value"]
        expected.index.names = ["zone_id", "layer"]
        lacking = expected.index.difference(found.index)
        assert expected[lacking].isna().all()  # beside the scenes: without a row
        pd.testing.assert_series_equal(
            found, expected[found.index].rename("red_value"), check_exact=True
        )
        assert found.notna().mean() > 0.7

    def test_rows_do_not_depend_on_how_the_work_is_cut(
        self, spots: Any, scenes: list[str], tmp_path: Path, cluster: Client,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """Also not those of points whose four cells lie half in a scene."""
        zones = {"path": spots, "id": "plot"}
        digests = []
        for name in ("whole", "cut"):
            job = document(tmp_path / name, zones, scenes, interpolate="bilinear")
            zb.run(zb.Job(**job), cluster)
            digests.append(zb.open_results(tmp_path / name / "out").digest)
            cut_small(monkeypatch, rows=30)
        assert digests[0] == digests[1]

    def test_a_second_run_goes_on(
        self, spots: Any, scenes: list[str], tmp_path: Path, cluster: Client
    ) -> None:
        """A part that is gone is computed again, and that one only."""
        zones = {"path": spots, "id": "plot"}
        job = zb.Job(**document(tmp_path, zones, scenes, interpolate="bilinear"))
        zb.run(job, cluster)
        digest = zb.open_results(tmp_path / "out").digest
        assert zb.run(job, cluster).computed == 0
        (part,) = zb.plan(job).parts  # beside its file lies that of zones which meet no layer
        (tmp_path / "out" / "results" / f"part-{part.id}.parquet").unlink()
        assert zb.run(job, cluster).computed == 1
        assert zb.open_results(tmp_path / "out").digest == digest

    def test_the_way_is_part_of_what_a_job_is(
        self, spots: Any, scenes: list[str], tmp_path: Path, cluster: Client
    ) -> None:
        """The results of one way are not continued by the other."""
        zones = {"path": spots, "id": "plot"}
        zb.run(zb.Job(**document(tmp_path, zones, scenes, interpolate="bilinear")), cluster)
        with pytest.raises(InputError, match="another job"):
            zb.run(zb.Job(**document(tmp_path, zones, scenes, interpolate="nearest")), cluster)

    def test_document(self, tmp_path: Path) -> None:
        """The document says what is asked, and reads back as the same job."""
        job = zb.Job(**document(tmp_path, "plots.gpkg", ["a.tif"], interpolate="bilinear"))
        assert zb.Job.from_yaml(job.to_yaml()) == job
        assert "interpolate: bilinear" in job.to_yaml()

    @pytest.mark.parametrize(
        ("keys", "text"),
        [
            ({"coverage": "center"}, "leave coverage out"),
            ({"zones": {"path": "plots.gpkg", "buffer": 5}}, "leave one of them out"),
            ({"interpolate": "cubic"}, "'cubic'; use nearest or bilinear$"),
        ],
    )
    def test_what_makes_no_sense(self, tmp_path: Path, keys: dict[str, Any], text: str) -> None:
        """Options of areas are refused beside interpolate, and unknown ways."""
        with pytest.raises(JobError, match=text):
            zb.Job(
                **document(tmp_path, "plots.gpkg", ["a.tif"]) | {"interpolate": "nearest"} | keys
            )

    def test_other_zones_are_refused(self, scenes: list[str], tmp_path: Path) -> None:
        """Interpolation is of single points; what else there is, is named by its row."""
        shapes = [shapely.Point(LEFT + 5, TOP - 5), shapely.MultiPoint([(LEFT + 5, TOP - 5)] * 2)]
        zones = geopandas.GeoDataFrame(geometry=shapes, crs=CRS)
        job = zb.Job(**document(tmp_path, {"path": zones}, scenes, interpolate="nearest"))
        with pytest.raises(ZonesError, match="row 1 of the zones is a MultiPoint; explode"):
            zb.plan(job)

    def test_explain(self, spots: Any, scenes: list[str], tmp_path: Path) -> None:
        """An explanation of a point tells its four cells and its value."""
        zones = {"path": spots, "id": "plot"}
        job = zb.Job(**document(tmp_path, zones, scenes[:1], interpolate="bilinear"))
        made = explain_job(job, 297)
        expected = zb.point_query(spots, scenes[0], interpolate="bilinear", id="plot")["value"]
        assert made.totals["value"] == expected[297]
        assert made.fraction.sum() == pytest.approx(1)
        assert made.coverage == "bilinear"


class TestOtherKinds:
    """Multipoints, lines and circles in jobs are what they are in zonal_stats."""

    def assert_as_at_once(
        self, zones: geopandas.GeoDataFrame, scenes: list[str], folder: Path, cluster: Client,
        **keys: Any,
    ) -> None:  # fmt: skip
        """A job has the numbers of zonal_stats, from a file."""
        zones.to_parquet(folder / "zones.parquet")
        names = ["count", "mean", "n_total", "p90"]
        path = {"path": str(folder / "zones.parquet"), "id": "name"} | keys
        zb.run(zb.Job(**document(folder, path, scenes, statistics=names)), cluster)
        rows = results(folder)
        if "buffer" in keys:
            zones = zones.set_geometry(zones.buffer(keys["buffer"], quad_segs=8))
        expected = zb.zonal_stats(zones, scenes, names, id="name").set_index("layer", append=True)
        expected.index.names = ["zone_id", "layer"]
        for name in names:
            found = by_zone(rows, f"red_{name}")
            assert len(found) > 50
            np.testing.assert_allclose(found, expected.loc[found.index, name], rtol=2e-3)

    def test_multipoints(
        self, spots: Any, scenes: list[str], tmp_path: Path, cluster: Client
    ) -> None:
        """Cells weigh by the number of a zone's points in them."""
        zones = spots.assign(name=[f"m{i // 6}" for i in range(300)]).dissolve("name")
        self.assert_as_at_once(zones.reset_index(), scenes, tmp_path, cluster)

    def test_lines(self, scenes: list[str], tmp_path: Path, cluster: Client) -> None:
        """Cells weigh by the metres of a line in them."""
        xy = np.random.default_rng(6).uniform(0, SIDE, (60, 3, 2))
        shapes = shapely.linestrings(np.array([LEFT, TOP]) + xy * [CELL, -CELL])
        zones = geopandas.GeoDataFrame({"name": range(60)}, geometry=shapes, crs=CRS)
        self.assert_as_at_once(zones, scenes, tmp_path, cluster)

    def test_circles(self, spots: Any, scenes: list[str], tmp_path: Path, cluster: Client) -> None:
        """A buffer makes points circles: statistics within a radius."""
        zones = spots.assign(name=spots["plot"])
        self.assert_as_at_once(zones, scenes, tmp_path, cluster, buffer=25.0)


class TestLabels:
    """A raster of labels as the zones of a job."""

    LABELS = (np.indices((SIDE, SIDE)).sum(axis=0) // 17 + 100).astype(np.uint16)

    def test_a_job_has_the_numbers_of_zonal_stats(
        self, scenes: list[str], tmp_path: Path, cluster: Client
    ) -> None:
        """Labels are the ids of zones; a band other than the first is named."""
        path = write_tif(tmp_path / "labels.tif", np.stack([self.LABELS * 0, self.LABELS]))
        job = document(tmp_path, {"path": "labels.tif", "band": 2}, scenes, statistics=["mean"])
        zb.run(zb.Job.from_file(write_job(tmp_path, job)), cluster)
        found = by_zone(results(tmp_path), "red_mean")
        one = write_tif(tmp_path / "one.tif", self.LABELS)
        expected = zb.zonal_stats(one, scenes, "mean").set_index("layer", append=True)["mean"]
        np.testing.assert_array_equal(found, expected.sort_index())
        assert found.index.get_level_values(0).unique().tolist() == np.unique(self.LABELS).tolist()
        assert Path(path).exists()

    def test_an_array_of_labels(self, scenes: list[str], tmp_path: Path, cluster: Client) -> None:
        """From Python the labels may be a DataArray; a second run has nothing to do."""
        from tests.made.rasters import in_xarray

        job = zb.Job(**document(tmp_path, in_xarray(self.LABELS), scenes))
        assert job.in_memory == ("zones",)
        assert zb.run(job, cluster).computed > 0
        assert zb.run(job, cluster).computed == 0

    def test_columns_are_refused(self, scenes: list[str], tmp_path: Path) -> None:
        """An id or columns in the job say what to do instead."""
        write_tif(tmp_path / "labels.tif", self.LABELS)
        for more in ({"id": "field"}, {"columns": ["crop"]}):
            zones = {"path": str(tmp_path / "labels.tif")} | more
            with pytest.raises(ZonesError, match="leave id and columns out"):
                zb.plan(zb.Job(**document(tmp_path, zones, scenes)))
