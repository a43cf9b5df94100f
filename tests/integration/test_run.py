"""Whole runs on a Dask cluster of two processes, over a small generated landscape."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import dask_geopandas
import geopandas
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import rasterio
import rioxarray
import shapely
from distributed.protocol import pickle as dask_pickle
from rasterio.transform import from_origin

import zonalbatch as zb
from zonalbatch import partition, planning
from zonalbatch.demo import Landscape, make_landscape
from zonalbatch.errors import OutputError, SchemaError
from zonalbatch.receipts import Receipt, Report
from zonalbatch.results import Results
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    from distributed import Client

STATISTICS = [
    "count", "mean", "std", "min", "max", "median", "p90", "sum", "valid_fraction", "n_total",
    "n_nodata", "n_nan", "n_masked", "n_outside",
]  # fmt: skip
REASONS = ["count", "n_nodata", "n_nan", "n_masked", "n_outside"]
CLOUDY = [0, 1, 3, 8, 9, 10]


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """60 fields and 3 dates."""
    return make_landscape(tmp_path_factory.mktemp("land"), fields=60, dates=3)


@dataclass(frozen=True)
class Runner:
    """Runs variants of the landscape's job, each into a folder of its own."""

    land: Landscape
    client: Client
    folder: Path

    def job(self, out: str = "out", **changes: Any) -> zb.Job:
        """The job: red and NDVI without clouds, all statistics."""
        document = {
            "zones": {"path": str(self.land.fields), "id": "field_id", "columns": ["crop"]},
            "source": {"kind": "stac", "items": str(self.land.items)},
            "bands": {"red": "B04", "nir": "B08", "scl": "SCL"},
            "measurements": {"red": "red", "ndvi": "(nir - red) / (nir + red)"},
            "mask": {"band": "scl", "exclude": CLOUDY},
            "statistics": STATISTICS,
            "output": {"path": str(self.folder / out)},
        }
        output = {"path": str(self.folder / out)} | changes.pop("output", {})
        return zb.Job(**document | changes | {"output": output})

    def run(self, out: str = "out", **changes: Any) -> Report:
        """Do the job on the cluster of the tests."""
        return zb.run(self.job(out, **changes), self.client)

    def results(self, out: str = "out") -> Results:
        """What a run left."""
        return zb.open_results(self.folder / out)

    def digest(self, out: str, **changes: Any) -> str:
        """The digest of what a run leaves."""
        self.run(out, **changes)
        return self.results(out).digest

    def receipts(self, out: str = "out") -> dict[str, Receipt]:
        """Receipts in the footers of the result files, by part."""
        found = {}
        for file in self.results(out).files:
            metadata = pq.read_metadata(file).metadata
            found[file.stem.removeprefix("part-")] = Receipt.from_json(
                metadata[b"zonalbatch"].decode()
            )
        return found


@pytest.fixture
def runner(land: Landscape, cluster: Client, tmp_path: Path) -> Runner:
    """Runs into a folder of this test's own."""
    return Runner(land, cluster, tmp_path)


def cut_small(monkeypatch: pytest.MonkeyPatch, rows: int = 40) -> None:
    """Make the planner cut parts of few rows; workers do as they are told."""
    monkeypatch.setattr(partition, "ROWS", rows)


def squares(count: int, *, left: float, top: float, side: float) -> geopandas.GeoDataFrame:
    """A grid of count × count squares with gaps between them, ids from 0."""
    cells = [(row, col) for row in range(count) for col in range(count)]
    shapes = [
        shapely.box(left + (c + 0.1) * side, top - (r + 0.9) * side,
                    left + (c + 0.9) * side, top - (r + 0.1) * side)
        for r, c in cells
    ]  # fmt: skip
    return geopandas.GeoDataFrame({"id": range(len(cells))}, geometry=shapes, crs="EPSG:32631")


def write_tif(
    path: Path, values: Any, *, left: float = 500_000, top: float = 5_600_000, **profile: Any
) -> str:
    """Write (row, col) values as a GeoTIFF with cells of 10 m; its path."""
    height, width = values.shape
    options = {"driver": "GTiff", "count": 1, "dtype": values.dtype, "crs": "EPSG:32631"} | profile
    with rasterio.open(
        path, "w", height=height, width=width, transform=from_origin(left, top, 10, 10), **options
    ) as file:
        file.write(values, 1)
    return str(path)


class TestRows:
    """Which rows there are, and what stands in them."""

    @pytest.fixture
    def odd(self, land: Landscape, tmp_path: Path) -> Path:
        """Three fields and five odd zones: outside, empty, missing, crossed, hanging over."""
        fields = geopandas.read_parquet(land.fields).iloc[:3]
        left, bottom, right, top = self.extent(land)
        y = (bottom + top) / 2
        crossed = shapely.Polygon(
            [(left + 100, y), (left + 300, y + 200), (left + 300, y), (left + 100, y + 200)]
        )
        shapes = [
            shapely.box(right + 5_000, y, right + 5_200, y + 200), shapely.Polygon(), None, crossed,
            shapely.box(right - 105, y, right + 95, y + 200),
        ]  # fmt: skip
        more = geopandas.GeoDataFrame(
            {"field_id": range(101, 106), "crop": ["away", "empty", "missing", "crossed", "over"]},
            geometry=shapes,
            crs=fields.crs,
        )
        path = tmp_path / "odd.parquet"
        pd.concat([fields, more]).to_parquet(path)
        return path

    @staticmethod
    def extent(land: Landscape) -> tuple[float, float, float, float]:
        """Bounds of the scenes."""
        with rasterio.open(land.scenes[0] / "B04.tif") as file:
            return tuple(file.bounds)

    def test_a_row_for_each_pair_that_meets(self, runner: Runner, odd: Path) -> None:
        """Zones that meet layers have a row for each; the others one with a null layer."""
        report = runner.run(zones={"path": str(odd), "id": "field_id"})
        rows = runner.results().gdf
        layers = {scene.name for scene in runner.land.scenes}
        for zone in (1, 2, 3, 104, 105):
            assert set(rows.loc[rows["zone_id"] == zone, "layer"]) == {f"demo_{d}" for d in layers}
        for zone in (101, 102, 103):
            alone = rows[rows["zone_id"] == zone]
            assert alone["layer"].tolist() == [None]
            assert alone["status"].tolist() == ["empty"]
            assert alone["datetime"].isna().all()
            assert alone.filter(regex="^(red|ndvi)_").isna().all(axis=None)
        assert len(rows) == report.rows == 5 * 3 + 3
        assert json.loads((runner.folder / "out/manifest.json").read_text())["rows"] == 18
        assert len(pq.read_table(runner.folder / "out/zones.parquet")) == 8

    def test_odd_geometry_is_told(self, runner: Runner, odd: Path) -> None:
        """Repaired and empty zones are noted in the report."""
        report = runner.run(zones={"path": str(odd), "id": "field_id"})
        notes = " ".join(report.notes)
        assert "1 geometry repaired" in notes
        assert "2 geometries empty" in notes

    def test_counts_are_areas(self, runner: Runner, odd: Path) -> None:
        """n_total is the (repaired) area in cells; what hangs over is n_outside; all adds up."""
        runner.run(zones={"path": str(odd), "id": "field_id"})
        rows = runner.results().gdf.dropna(subset="layer")
        zones = geopandas.read_parquet(odd).set_index("field_id").geometry
        valid = shapely.make_valid(zones.loc[rows["zone_id"]].to_numpy())
        inside = shapely.area(shapely.intersection(valid, shapely.box(*self.extent(runner.land))))
        np.testing.assert_allclose(rows["red_n_total"], shapely.area(valid) / 100, rtol=1e-9)
        outside = (shapely.area(valid) - inside) / 100
        np.testing.assert_allclose(rows["red_n_outside"], outside, rtol=1e-9, atol=1e-7)
        for name in ("red", "ndvi"):
            parts = rows[[f"{name}_{reason}" for reason in REASONS]].sum(axis=1)
            np.testing.assert_allclose(parts, rows[f"{name}_n_total"], rtol=1e-12)
            share = rows[f"{name}_count"] / rows[f"{name}_n_total"]
            np.testing.assert_allclose(rows[f"{name}_valid_fraction"], share, rtol=1e-12)

    def test_no_value_is_null(self, runner: Runner) -> None:
        """Statistics of nothing are null, never NaN and never 0; counts of nothing are 0."""
        runner.run()
        table = runner.results().table
        empty = table.filter(pc.equal(table["status"], "empty"))
        assert empty.num_rows > 0
        for name in table.column_names:
            if name.startswith(("red_", "ndvi_")):
                assert not pc.any(pc.is_nan(table[name])).as_py(), name
        for name in ("mean", "std", "min", "max", "median", "p90", "sum"):
            assert empty[f"red_{name}"].null_count == empty.num_rows
        assert pc.unique(empty["red_count"]).to_pylist() == [0.0]
        ok = table.filter(pc.equal(table["status"], "ok"))
        assert ok["red_mean"].null_count == 0

    def test_all_columns_are_carried_by_default(self, runner: Runner) -> None:
        """`zones.columns: null` carries all, as its description in the schema says."""
        runner.run(zones={"path": str(runner.land.fields), "id": "field_id"})
        assert "crop" in runner.results().table.column_names

    def test_columns_of_any_type(self, runner: Runner) -> None:
        """Text, numbers, dates, categories, lists, nulls: they come out as they went in."""
        frame = geopandas.read_parquet(runner.land.fields).iloc[:4].reset_index(drop=True)
        frame = frame.assign(
            text=["ä", None, "", "b"], whole=pd.array([1, None, 3, 4], "Int64"),
            day=pd.to_datetime(pd.Series(["2024-01-01", None, "2024-02-01", "2024-03-01"])),
            kind=pd.Categorical(["x", "y", None, "x"]), yes=[True, False, True, True],
            some=[[1, 2], [], None, [3]], part=[0.5, np.nan, 1.5, 2.5],
        )  # fmt: skip
        names = ["text", "whole", "day", "kind", "yes", "some", "part"]
        zones = {"path": frame, "id": "field_id", "columns": names}
        digest = runner.digest("frame", zones=zones)
        frame.to_parquet(runner.folder / "zones.parquet")
        zones["path"] = str(runner.folder / "zones.parquet")
        assert runner.digest("file", zones=zones) == digest
        rows = runner.results("file").table.to_pylist()
        first = {row["zone_id"]: row for row in rows}
        assert [first[z]["text"] for z in (1, 2, 3, 4)] == ["ä", None, "", "b"]
        assert [first[z]["whole"] for z in (1, 2, 3, 4)] == [1, None, 3, 4]
        assert [first[z]["kind"] for z in (1, 2, 3, 4)] == ["x", "y", None, "x"]
        assert [first[z]["some"] for z in (1, 2, 3, 4)] == [[1, 2], [], None, [3]]
        assert first[2]["day"] is None

    def test_ids(self, runner: Runner) -> None:
        """Text is an id too; without one, rows of a file are numbered, and a frame's index is."""
        frame = geopandas.read_parquet(runner.land.fields).iloc[:3]
        frame = frame.assign(name=["b", "a", "ä"]).set_index(pd.Index([7, 5, 6]))
        frame.reset_index(drop=True).to_parquet(runner.folder / "zones.parquet")
        path = str(runner.folder / "zones.parquet")
        keys: dict[str, tuple[dict[str, Any], set[Any]]] = {
            "text": ({"path": path, "id": "name"}, {"a", "b", "ä"}),
            "rows": ({"path": path}, {0, 1, 2}),
            "index": ({"path": frame}, {5, 6, 7}),
        }
        for out, (zones, ids) in keys.items():
            runner.run(out, zones=zones)
            assert set(runner.results(out).table["zone_id"].to_pylist()) == ids
            assert set(runner.results(out).gdf["zone_id"]) == ids

    def test_no_column_is_carried_if_none_is_named(self, runner: Runner) -> None:
        """An empty list is not null."""
        zones = {"path": str(runner.land.fields), "id": "field_id", "columns": []}
        runner.run(zones=zones)
        assert "crop" not in runner.results().table.column_names


class TestForm:
    """Columns, layouts, files."""

    def test_wide(self, runner: Runner) -> None:
        """zone_id, the zone's columns, datetime, layer, {measurement}_{statistic}, status."""
        runner.run(statistics=["count", "p2.5"])
        table = runner.results().table
        assert table.column_names == [
            "zone_id", "crop", "datetime", "layer", "red_count", "red_p2_5", "ndvi_count",
            "ndvi_p2_5", "status", "geometry", "bbox",
        ]  # fmt: skip
        assert str(table.schema.field("datetime").type) == "timestamp[us, tz=UTC]"
        crops = geopandas.read_parquet(runner.land.fields).set_index("field_id")["crop"]
        rows = table.to_pandas()
        assert rows["crop"].tolist() == crops.loc[rows["zone_id"]].tolist()

    def test_geometry_is_left_out_of_very_many_rows(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By default rows repeat the geometry up to a number of rows, and not above it."""
        runner.run("few")
        assert "geometry" in runner.results("few").table.column_names
        monkeypatch.setattr(planning, "WITH_GEOMETRY", 10)
        runner.run("many")
        assert "geometry" not in runner.results("many").table.column_names

    def test_without_geometry(self, runner: Runner) -> None:
        """The rows are the same; zones.parquet has the shapes, and `gdf` puts them back."""
        runner.run("with")
        runner.run("without", output={"geometry": "none"})
        table = runner.results("without").table
        assert not {"geometry", "bbox"} & set(table.column_names)
        pd.testing.assert_frame_equal(runner.results("with").gdf, runner.results("without").gdf)

    def test_long(self, runner: Runner) -> None:
        """One row for each measurement and statistic, with the values of the wide form."""
        runner.run("wide")
        runner.run("long", output={"layout": "long"})
        long = runner.results("long").table
        assert long.column_names == [
            "zone_id", "layer", "datetime", "measurement", "statistic", "value", "status",
        ]  # fmt: skip
        keys = ["zone_id", "layer"]
        rows = long.to_pandas()
        rows["name"] = rows["measurement"] + "_" + rows["statistic"]
        turned = rows.pivot(index=keys, columns="name", values="value").sort_index()
        wide = runner.results("wide").gdf.set_index(keys).sort_index()
        assert len(long) == len(wide) * 2 * len(STATISTICS)
        assert runner.results("long").gdf.geometry.notna().all()
        pd.testing.assert_frame_equal(
            turned[sorted(turned)], wide[sorted(turned)], check_names=False
        )

    def test_prefix(self, runner: Runner) -> None:
        """A prefix stands before the names of result columns only."""
        runner.run(prefix="s2_", statistics=["mean"])
        names = runner.results().table.column_names
        assert {"s2_red_mean", "s2_ndvi_mean", "zone_id", "crop", "status"} <= set(names)

    def test_the_folder_is_one_geoparquet(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """geopandas opens all files as one frame, and reads by their covering boxes."""
        cut_small(monkeypatch)
        report = runner.run()
        folder = runner.folder / "out" / "results"
        assert report.parts > 1
        frame = geopandas.read_parquet(folder)
        assert len(frame) == report.rows
        assert frame.crs == "EPSG:32631"
        fields = geopandas.read_parquet(runner.land.fields).set_index("field_id").geometry
        assert frame.geometry.geom_equals(
            geopandas.GeoSeries(fields.loc[frame["zone_id"]].to_numpy(), crs=frame.crs)
        ).all()
        box = fields.iloc[0].bounds
        near = geopandas.read_parquet(folder, bbox=box)
        meets = set(fields.index[fields.intersects(shapely.box(*box))])
        assert set(fields.index[:1]) <= meets <= set(near["zone_id"]) < set(fields.index)

    def test_geoparquet_says_its_covering(self, runner: Runner) -> None:
        """Version 1.1.0, WKB, the CRS, and the bbox column; zones.parquet too."""
        runner.run()
        for file in (*runner.results().files, runner.folder / "out/zones.parquet"):
            geo = json.loads(pq.read_schema(file).metadata[b"geo"])
            column = geo["columns"][geo["primary_column"]]
            assert geo["version"] == "1.1.0"
            assert column["encoding"] == "WKB"
            assert column["crs"]["id"] == {"authority": "EPSG", "code": 32631}
            assert column["covering"]["bbox"]["ymax"] == ["bbox", "ymax"]
            table = pq.read_table(file)
            shapes = shapely.from_wkb(table["geometry"].to_numpy())
            boxes = pd.DataFrame(table["bbox"].to_pylist())[["xmin", "ymin", "xmax", "ymax"]]
            np.testing.assert_array_equal(boxes.to_numpy(), shapely.bounds(shapes))

    def test_rows_are_in_order_of_zone_and_time(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In each file the rows of a zone stand together, in order of time."""
        cut_small(monkeypatch)
        runner.run()
        for file in runner.results().files:
            rows = pq.read_table(file, columns=["zone_id", "datetime"]).to_pandas()
            starts = rows["zone_id"].ne(rows["zone_id"].shift()).sum()
            assert starts == rows["zone_id"].nunique()
            assert rows.groupby("zone_id")["datetime"].is_monotonic_increasing.all()
        frame = runner.results().gdf
        assert frame["zone_id"].is_monotonic_increasing

    def test_layers_say_what_was_read(self, runner: Runner) -> None:
        """layers.parquet: file, grid, nodata, scale of each band of each layer."""
        runner.run()
        layers = pq.read_table(runner.folder / "out/layers.parquet").to_pandas()
        red = layers[layers["band"] == "red"]
        assert len(red) == 3
        assert red["href"].map(lambda h: Path(h).name).unique().tolist() == ["B04.tif"]
        assert red["scale"].unique().tolist() == [0.0001]
        assert set(layers["layer"]) == set(runner.results().table["layer"].to_pylist())

    def test_layers_say_what_the_files_said(self, runner: Runner) -> None:
        """Where the plan leaves nodata and scale to the files, what was applied stands there."""
        runner.run("item")
        runner.run("file", scale_offset="file")
        tables = []
        for out in ("item", "file"):
            table = pq.read_table(runner.folder / out / "layers.parquet").to_pandas()
            tables.append(table.sort_values(["index", "band"], ignore_index=True))
        columns = ["layer", "band", "nodata", "scale", "offset"]
        pd.testing.assert_frame_equal(tables[0][columns], tables[1][columns])
        assert set(tables[0]["nodata"].map(json.loads)) == {0}

    @pytest.mark.parametrize("name", ["with space", "ünïcode", "100%", "a#b", "[x]{y}"])
    def test_any_name_of_an_output(self, runner: Runner, name: str) -> None:
        """Paths are paths, not patterns."""
        report = runner.run(name)
        assert (report.rows, runner.run(name).computed) == (180, 0)
        assert len(runner.results(name).gdf) == 180

    def test_relative_paths(self, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        """From Python they are relative to where it runs, wherever the workers run."""
        (runner.folder / "here").mkdir()
        shutil.copy(runner.land.fields, runner.folder / "here" / "fields.parquet")
        monkeypatch.chdir(runner.folder / "here")
        job = runner.job(zones={"path": "fields.parquet", "id": "field_id"}, output={"path": "out"})
        assert zb.run(job, runner.client).rows == 180
        assert len(zb.open_results("out").gdf) == 180


class TestReceipts:
    """Every pair of zone and layer is accounted for."""

    def test_rows_and_uncovered_are_all_pairs(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """rows + uncovered = zones × layers in every part, and the rows are in its file."""
        cut_small(monkeypatch)
        zones = squares(8, left=548_160 - 400, top=5_632_000 + 400, side=400)  # some lie outside
        zones.to_parquet(runner.folder / "squares.parquet")
        job = runner.job(zones={"path": str(runner.folder / "squares.parquet"), "id": "id"})
        planned = zb.plan(job)
        report = zb.run(job, runner.client)
        assert report.parts == len(planned.parts) > 2
        receipts = runner.receipts()
        for part in planned.parts:
            receipt = receipts.pop(part.id)
            assert receipt.rows + receipt.uncovered == part.pairs
            assert (
                receipt.rows
                == pq.read_metadata(Output(Path(report.output)).part_path(part.id)).num_rows
            )
        (alone,) = receipts.values()  # what is left are the zones that meet no layer
        met = set(runner.results().gdf.dropna(subset="layer")["zone_id"])
        assert alone.rows == len(zones) - len(met) > 0
        assert sum(p.pairs for p in planned.parts) <= len(zones) * 3

    def test_the_ledger_holds_them(self, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each receipt of the ledger is that of the footer, which cannot know its file's size."""
        cut_small(monkeypatch)
        runner.run()
        ledger = [
            Receipt.from_json(line)
            for file in (runner.folder / "out/ledger").glob("*.jsonl")
            for line in file.read_text().splitlines()
        ]
        assert {r.part: replace(r, bytes=0) for r in ledger} == runner.receipts()

    def test_a_receipt_says_the_size_of_its_file(self, runner: Runner) -> None:
        """`bytes` is the size of the written file, in what the client is given."""
        report = runner.run()
        (file,) = (runner.folder / "out/ledger").glob("*.jsonl")
        receipt = Receipt.from_json(file.read_text().splitlines()[0])
        assert receipt.bytes == report.bytes


class TestAgain:
    """What a second run does."""

    @pytest.fixture(autouse=True)
    def _several_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cut_small(monkeypatch)

    def test_nothing_is_left_to_do(self, runner: Runner) -> None:
        """It computes nothing, needs no cluster, touches no part, and keeps the digest."""
        first = runner.run()
        before = {f: f.stat().st_mtime_ns for f in runner.results().files}
        digest = runner.results().digest
        nowhere = {"kind": "address", "address": "tcp://127.0.0.1:9"}
        again = zb.run(runner.job(cluster=nowhere))
        assert (first.computed, again.computed) == (first.parts, 0)
        assert again.rows == first.rows
        assert {f: f.stat().st_mtime_ns for f in runner.results().files} == before
        assert runner.results().digest == digest

    def test_only_a_lost_part_is_computed(self, runner: Runner) -> None:
        """A part whose file is gone is done again, and no other."""
        runner.run()
        digest, files = runner.results().digest, runner.results().files
        kept = {f: f.stat().st_mtime_ns for f in files[1:]}
        files[0].unlink()
        assert runner.run().computed == 1
        assert runner.results().digest == digest
        assert {f: f.stat().st_mtime_ns for f in kept} == kept

    def test_rows_without_layer_come_back(self, runner: Runner) -> None:
        """The file of zones that meet no layer is written again if it is gone."""
        zones = squares(8, left=548_160 - 400, top=5_632_000 + 400, side=400)
        zones.to_parquet(runner.folder / "squares.parquet")
        keys = {"path": str(runner.folder / "squares.parquet"), "id": "id"}
        runner.run(zones=keys)
        digest = runner.results().digest
        (alone,) = [f for f in runner.results().files if pq.read_table(f)["layer"].null_count]
        alone.unlink()
        assert runner.run(zones=keys).computed == 0
        assert runner.results().digest == digest

    def test_a_lost_ledger_is_no_loss(self, runner: Runner) -> None:
        """The files carry their receipts."""
        runner.run()
        digest = runner.results().digest
        for file in (runner.folder / "out/ledger").iterdir():
            file.unlink()
        assert runner.run().computed == 0
        assert runner.results().digest == digest

    def test_a_lost_manifest_is_no_loss(self, runner: Runner) -> None:
        """Parts are known by their names: none is computed again, and the manifest is back."""
        runner.run()
        digest = runner.results().digest
        manifest = runner.folder / "out/manifest.json"
        before = json.loads(manifest.read_text())
        manifest.unlink()
        assert runner.run().computed == 0
        assert runner.results().digest == digest
        assert json.loads(manifest.read_text()) == before

    def test_what_takes_no_part_in_numbers_may_change(self, runner: Runner) -> None:
        """Limits and cluster are no part of a result's identity."""
        runner.run()
        again = runner.run(
            limits={"memory": "300MB", "requests_in_flight": 2},
            cluster={"kind": "local", "workers": 7},
        )
        assert again.computed == 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"statistics": ["mean"]},
            {"mask": None},
            {"measurements": {"red": "red", "ndvi": "nir - red"}},
            {"coverage": "center"},
            {"output": {"layout": "long"}},
            {"prefix": "x_"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_another_job_is_refused(self, runner: Runner, changes: dict[str, Any]) -> None:
        """Results of one job are not mixed with those of another, nor touched."""
        runner.run()
        digest = runner.results().digest
        with pytest.raises(SchemaError, match="holds the results of") as caught:
            runner.run(**changes)
        assert "zones or scenes" not in str(caught.value)  # they are the same
        assert runner.results().digest == digest
        assert runner.run().computed == 0

    def test_measurements_in_another_order(self, runner: Runner) -> None:
        """Are another job, or the same result: never files with columns in two orders."""
        zones = squares(8, left=548_160 - 400, top=5_632_000 + 400, side=400)  # some meet nothing
        keys = {"path": zones, "id": "id"}
        runner.run(zones=keys)
        digest = runner.results().digest
        turned = {"ndvi": "(nir - red) / (nir + red)", "red": "red"}
        with contextlib.suppress(SchemaError):
            runner.run(zones=keys, measurements=turned)
        assert runner.results().digest == digest

    def test_a_result_that_is_being_written_is_refused(self, runner: Runner) -> None:
        """One run at a time; the other ends at once."""
        with (
            Output(runner.folder / "out").opened(),
            pytest.raises(OutputError, match="another run is writing"),
        ):
            runner.run()
        assert runner.run().failures == 0


class TestLaws:
    """What must change no bit of a result."""

    @pytest.fixture
    def digest(self, runner: Runner) -> str:
        """Of the run as it comes."""
        return runner.digest("plain")

    @pytest.mark.parametrize("memory", ["64MB", "300MiB", "1.5GiB"])
    def test_memory(self, runner: Runner, digest: str, memory: str) -> None:
        """The memory limit changes when blocks are read, not what comes out."""
        assert runner.digest("other", limits={"memory": memory}) == digest

    @pytest.mark.parametrize("rows", [7, 40, 100])
    def test_rows(
        self, runner: Runner, digest: str, monkeypatch: pytest.MonkeyPatch, rows: int
    ) -> None:
        """Parts of few rows, of few layers or of few zones, give what one part gives."""
        cut_small(monkeypatch, rows)
        assert runner.run("other").parts > 1
        assert runner.results("other").digest == digest

    @pytest.mark.parametrize("decoded", [10_000, 200_000])
    def test_decoded(
        self, runner: Runner, digest: str, monkeypatch: pytest.MonkeyPatch, decoded: int
    ) -> None:
        """So do parts of few bytes."""
        monkeypatch.setattr(partition, "DECODED", decoded)
        assert runner.run("other").parts > 1
        assert runner.results("other").digest == digest

    def test_workers(self, runner: Runner, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """One worker gives what two give."""
        from distributed import Client, LocalCluster

        cut_small(monkeypatch)
        with (
            LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as one,
            Client(one) as client,
        ):
            zb.run(runner.job("other"), client)
        assert runner.results("other").digest == digest

    def test_order_of_zones(self, runner: Runner, digest: str) -> None:
        """Nor does the order in which zones come."""
        shuffled = geopandas.read_parquet(runner.land.fields).sample(frac=1, random_state=1)
        path = runner.folder / "shuffled.parquet"
        shuffled.to_parquet(path)
        zones = {"path": str(path), "id": "field_id", "columns": ["crop"]}
        assert runner.digest("other", zones=zones) == digest

    def test_huge_zones_in_little_memory(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Zones over many fold tiles and blocks, cut in every way, give the same bits."""
        rng = np.random.default_rng(5)
        files = [
            write_tif(
                runner.folder / f"{i}.tif", rng.integers(0, 9999, (1500, 1300)).astype("uint16"),
                nodata=0, tiled=True, blockxsize=256, blockysize=256, compress="deflate",
            )
            for i in range(3)
        ]  # fmt: skip
        zones = geopandas.GeoDataFrame(
            {"id": [1, 2, 3]},
            geometry=[
                shapely.Point(506_000, 5_592_000).buffer(6_500),
                shapely.box(500_003, 5_585_007, 512_995, 5_599_991),
                shapely.Polygon([(500_010, 5_599_900), (512_900, 5_599_000), (501_000, 5_585_100)]),
            ],
            crs="EPSG:32631",
        )
        job = {
            "zones": {"path": zones, "id": "id"},
            "source": {"kind": "cog", "files": files},
            "bands": {"value": 1},
            "measurements": None,
            "mask": None,
        }
        digest = runner.digest("plain", **job)
        assert runner.digest("little", **job, limits={"memory": "64MB"}) == digest
        cut_small(monkeypatch, 2)
        assert runner.digest("cut", **job) == digest


class TestTask:
    """What travels to the workers."""

    def test_a_task_is_small_and_has_no_geometry(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Function and arguments take under 1 kB pickled, and are plain values."""
        cut_small(monkeypatch)
        sent: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        submit = runner.client.submit

        def noted(function: Any, *args: Any, **options: Any) -> Any:
            given = {k: v for k, v in options.items() if k not in ("key", "pure")}
            sent.append((function, args, given))
            return submit(function, *args, **options)

        monkeypatch.setattr(runner.client, "submit", noted)
        report = runner.run()
        assert len(sent) == report.parts > 1
        for function, args, given in sent:
            assert len(dask_pickle.dumps((function, args, given))) < 1000
            assert all(isinstance(a, str | int | bool) for a in (*args, *given.values()))

    def test_a_receipt_is_small(self, runner: Runner) -> None:
        """No row comes back: a receipt does not grow with the rows."""
        receipts = []

        class Listener:
            def began(self, *_: Any) -> None:
                """Not asked."""

            def finished(self, part: Any, receipt: Receipt) -> None:
                """Keep it."""
                receipts.append(receipt)

        zb.run(runner.job(), runner.client, Listener())
        (receipt,) = receipts
        assert receipt.rows == 180
        assert len(dask_pickle.dumps(receipt)) < 1000


class TestSources:
    """The same pixels and zones give the same rows, wherever they come from."""

    BAND: ClassVar[dict[str, Any]] = {"bands": {"red": 1}, "measurements": None, "mask": None}

    def files(self, runner: Runner) -> dict[str, Any]:
        """The first red band as a file."""
        scene = str(runner.land.scenes[0] / "B04.tif")
        return self.BAND | {"source": {"kind": "cog", "files": scene}}

    def array(self, runner: Runner, **options: Any) -> Any:
        """The same as a DataArray."""
        array: Any = rioxarray.open_rasterio(runner.land.scenes[0] / "B04.tif", **options)
        return array.squeeze("band", drop=True).rename("B04")

    def test_array_in_memory(self, runner: Runner) -> None:
        """A loaded DataArray is the file it was read from."""
        digest = runner.digest("file", **self.files(runner))
        array = self.array(runner).load()
        source = {"kind": "array", "data": array}
        assert runner.digest("array", source=source, **self.BAND) == digest

    def test_lazy_array(self, runner: Runner) -> None:
        """So is one that dask reads in chunks."""
        digest = runner.digest("file", **self.files(runner))
        array = self.array(runner, chunks={"x": 100, "y": 64}, lock=False)
        source = {"kind": "array", "data": array}
        assert runner.digest("array", source=source, **self.BAND) == digest

    def test_array_over_time(self, runner: Runner) -> None:
        """Time steps are layers, as the files of their dates are."""
        import xarray as xr

        pattern = str(runner.land.folder / "scenes/{date:%Y%m%d}/{band}.tif")
        job = {"bands": {"red": "B04"}, "measurements": None, "mask": None}
        runner.run("files", source={"kind": "cog", "pattern": pattern}, **job)
        bands: list[Any] = [
            rioxarray.open_rasterio(scene / "B04.tif") for scene in runner.land.scenes
        ]
        times = pd.Index(pd.to_datetime([s.name for s in runner.land.scenes]), name="time")
        cube = xr.concat([b.squeeze("band", drop=True) for b in bands], times).rename("B04")
        runner.run("array", source={"kind": "array", "data": cube}, **job)
        pd.testing.assert_frame_equal(
            pd.DataFrame(runner.results("array").gdf.drop(columns=["layer", "geometry"])),
            pd.DataFrame(runner.results("files").gdf.drop(columns=["layer", "geometry"])),
        )

    def test_an_array_leaves_no_job_document(self, runner: Runner) -> None:
        """What is in memory cannot be written down; a second run with it computes nothing."""
        source = {"kind": "array", "data": self.array(runner).load()}
        runner.run(source=source, **self.BAND)
        assert not (runner.folder / "out/job.yaml").exists()
        assert runner.run(source=source, **self.BAND).computed == 0

    @pytest.mark.parametrize("partitions", [0, 3])
    def test_zones_in_memory(self, runner: Runner, partitions: int) -> None:
        """A GeoDataFrame, whole or in Dask's partitions, is the file it was read from."""
        digest = runner.digest("file")
        frame = geopandas.read_parquet(runner.land.fields)
        zones = (
            dask_geopandas.from_geopandas(frame, npartitions=partitions) if partitions else frame
        )
        keys = {"path": zones, "id": "field_id", "columns": ["crop"]}
        assert runner.digest("frame", zones=keys) == digest

    def test_zones_in_parts(self, runner: Runner) -> None:
        """So is a folder of several GeoParquet files."""
        digest = runner.digest("file")
        frame = geopandas.read_parquet(runner.land.fields)
        (runner.folder / "zones").mkdir()
        for i in range(3):
            frame.iloc[i::3].to_parquet(runner.folder / "zones" / f"{i}.parquet")
        keys = {"path": str(runner.folder / "zones"), "id": "field_id", "columns": ["crop"]}
        assert runner.digest("folder", zones=keys) == digest

    def test_stac_is_cog(self, runner: Runner) -> None:
        """Items and a pattern over the same files give the same values."""
        runner.run("stac")
        pattern = str(runner.land.folder / "scenes/{date:%Y%m%d}/{band}.tif")
        runner.run("cog", source={"kind": "cog", "pattern": pattern})
        stac, cog = (runner.results(out).gdf for out in ("stac", "cog"))
        stac["datetime"] = stac["datetime"].dt.normalize()
        drop = ["layer", "geometry"]
        pd.testing.assert_frame_equal(
            pd.DataFrame(stac.drop(columns=drop)), pd.DataFrame(cog.drop(columns=drop))
        )


class TestMismatch:
    """Items that are wrong about their files."""

    def items(self, runner: Runner, change: Callable[[dict[str, Any]], None]) -> str:
        """A copy of the landscape's items, the first one changed; its path."""
        document = json.loads(runner.land.items.read_text())
        for feature in document["features"]:
            for asset in feature["assets"].values():
                asset["href"] = str((runner.land.folder / asset["href"]).resolve())
        change(document["features"][0])
        path = runner.folder / "wrong.json"
        path.write_text(json.dumps(document))
        return str(path)

    def test_the_file_is_believed_and_it_is_noted(self, runner: Runner) -> None:
        """The layer is planned again by its file: the rows are those of the right item."""

        def shift(feature: dict[str, Any]) -> None:
            for asset in feature["assets"].values():
                asset["proj:transform"][2] += 1000

        digest = runner.digest("right")
        wrong = {"kind": "stac", "items": self.items(runner, shift)}
        report = runner.run("wrong", source=wrong)
        name = f"demo_{runner.land.scenes[0].name}"
        assert [note for note in report.notes if name in note and "disagree" in note]
        assert runner.results("wrong").digest == digest
        again = runner.run("wrong", source=wrong)
        assert again.computed == 0
        assert runner.results("wrong").digest == digest

    def test_no_row_comes_twice(self, runner: Runner) -> None:
        """What was written by the first plan and is not in the second is not left in the result.

        The item says that the second file ends in the western cell of the partition; it does not.
        The eastern part is written with one layer before that is known, and then with two.
        """
        left = 500_000 - 500_000 % (1024 * 10) + 9 * 1024  # 102.4 cells west of a border of cells
        top = 5_600_000
        rng = np.random.default_rng(3)
        values = rng.integers(1, 9999, (100, 600)).astype("uint16")
        hrefs = [
            write_tif(runner.folder / f"{name}.tif", values, left=left, top=top)
            for name in ("a", "b")
        ]
        features = [self.item(Path(h).stem, h, [100, 600], left, top) for h in hrefs]
        features[1] = self.item("b", hrefs[1], [100, 100], left, top)
        items = runner.folder / "items.json"
        items.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        zones = squares(1, left=left, top=top, side=900)
        zones = pd.concat([zones, squares(1, left=left + 5000, top=top, side=900).assign(id=1)])
        job: dict[str, Any] = {
            "zones": {"path": zones, "id": "id"}, "bands": {"red": "data"}, "measurements": None,
            "mask": None,
        }  # fmt: skip
        report = runner.run(source={"kind": "stac", "items": str(items)}, **job)
        rows = runner.results().table.to_pandas()
        pairs = list(zip(rows["zone_id"], rows["layer"], strict=True))
        assert sorted(pairs) == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
        assert report.rows == 4

    @staticmethod
    def item(name: str, href: str, shape: Sequence[int], left: float, top: float) -> dict[str, Any]:
        """A STAC item with one asset."""
        return {
            "type": "Feature", "stac_version": "1.1.0", "id": name, "links": [], "bbox": None,
            "geometry": None,
            "properties": {"datetime": "2024-05-01T00:00:00Z", "proj:code": "EPSG:32631"},
            "assets": {
                "data": {
                    "href": href, "proj:shape": list(shape), "data_type": "uint16",
                    "proj:transform": [10.0, 0.0, left, 0.0, -10.0, top],
                }
            },
        }  # fmt: skip


@dataclass(frozen=True)
class Stopped:
    """A run from the command line that was stopped."""

    job: Path
    code: int
    told: str
    """What stood on stderr."""


def many_parts(folder: Path) -> Path:
    """A job of many small parts: 60 years on four cells of the partition."""
    values = np.random.default_rng(1).integers(1, 9999, (400, 400)).astype("uint16")
    first = write_tif(folder / "a_19500601.tif", values, tiled=True)
    for year in range(1951, 2010):
        shutil.copy(first, folder / f"a_{year}0601.tif")
    squares(30, left=500_000, top=5_600_000, side=130).to_parquet(folder / "zones.parquet")
    job = folder / "job.yaml"
    job.write_text(
        "zones: {path: zones.parquet, id: id}\n"
        "source: {kind: cog, pattern: 'a_{date:%Y%m%d}.tif'}\n"
        "bands: {red: 1}\n"
        "statistics: [count, mean, median, p10, p90]\n"
        "output: {path: out}\n"
        "cluster: {kind: local, workers: 1}\n"
    )
    return job


def stop(job: Path, number: signal.Signals) -> Stopped:
    """A run that gets a signal once its first part is there.

    Ctrl-C reaches all processes of a terminal, SIGTERM the one that was started.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}
    run = subprocess.Popen(
        [Path(sys.executable).with_name("zonalbatch"), "run", job],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        start_new_session=True,
    )  # fmt: skip
    try:
        results, deadline = job.parent / "out" / "results", time.monotonic() + 90
        while not any(results.glob("part-*.parquet")):
            assert run.poll() is None, run.communicate()[1]
            assert time.monotonic() < deadline, "no part was written in time"
            time.sleep(0.005)
        send = os.killpg if number is signal.SIGINT else os.kill
        send(run.pid, number)
        _, told = run.communicate(timeout=60)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    return Stopped(job, run.returncode, told)


@pytest.fixture(
    scope="module", params=[signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
def stopped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    """A run that was stopped by Ctrl-C, or by whoever ends processes."""
    return stop(many_parts(tmp_path_factory.mktemp("many")), request.param)


class TestInterruption:
    """Runs that are stopped, from the command line, and go on."""

    def test_a_stopped_run_goes_on(self, stopped: Stopped, cluster: Client) -> None:
        """It exits 130; a second run does the rest, and the digest is that of one run."""
        assert stopped.code == 130
        out = stopped.job.parent / "out"
        done = len(list((out / "results").glob("part-*.parquet")))
        document = zb.Job.from_file(stopped.job)
        planned = len(zb.plan(document).parts)
        assert 0 < done < planned
        assert not json.loads((out / "manifest.json").read_text())["sealed"]
        report = zb.run(document, cluster)
        assert report.computed == planned - done
        assert json.loads((out / "manifest.json").read_text())["sealed"]
        digest = zb.open_results(out).digest
        shutil.rmtree(out)
        zb.run(document, cluster)
        assert zb.open_results(out).digest == digest

    def test_a_stopped_run_says_how_to_go_on(self, stopped: Stopped) -> None:
        """One sentence in the end, and no traceback of ours or Dask's."""
        assert "Traceback" not in stopped.told
        assert stopped.told.splitlines()[-1].startswith("interrupted; run the same command again")

    def test_a_second_run_beside_it_is_refused(self, tmp_path: Path) -> None:
        """Exit 4 and one sentence, in the process that came second."""
        job = many_parts(tmp_path)
        with Output(job.parent / "out").opened():
            done = subprocess.run(
                [Path(sys.executable).with_name("zonalbatch"), "run", job],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 4
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("error: another run is writing to")
