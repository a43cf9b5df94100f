"""The form of a result: columns, layouts, files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

import zonalbatch as zb
from tests.made.names import USUAL
from tests.made.runs import Runner, cut_small
from zonalbatch.planning import plan as planning


class TestForm:
    """Columns, layouts, files."""

    def test_wide(self, runner: Runner) -> None:
        """Columns: zone_id, the zone's own, datetime, layer, {measurement}_{statistic}, status."""
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
        assert len(long) == len(wide) * 2 * len(USUAL)
        assert runner.results("long").gdf.geometry.notna().all()
        pd.testing.assert_frame_equal(
            turned[sorted(turned)], wide[sorted(turned)], check_names=False
        )

    def test_prefix(self, runner: Runner) -> None:
        """A prefix stands before the names of result columns only."""
        runner.run(prefix="s2_", statistics=["mean"])
        names = runner.results().table.column_names
        assert {"s2_red_mean", "s2_ndvi_mean", "zone_id", "crop", "status"} <= set(names)

    def test_prefix_of_long_rows(self, runner: Runner) -> None:
        """Measurement and statistic of long rows make the names that wide columns have."""
        shared: dict[str, Any] = {"prefix": "s2_", "statistics": ["mean", "count"]}
        runner.run("wide", **shared)
        runner.run("long", output={"layout": "long"}, **shared)
        rows = runner.results("long").table.to_pandas()
        names = set(rows["measurement"] + "_" + rows["statistic"])
        wide = runner.results("wide").table.column_names
        assert {name for name in wide if name.startswith("s2_")} == names

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
        """Files say version 1.1.0, WKB, the CRS, and the bbox column; zones.parquet too."""
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
        """From Python paths are relative to where it runs, wherever the workers run."""
        (runner.folder / "here").mkdir()
        shutil.copy(runner.land.fields, runner.folder / "here" / "fields.parquet")
        monkeypatch.chdir(runner.folder / "here")
        job = runner.job(zones={"path": "fields.parquet", "id": "field_id"}, output={"path": "out"})
        assert zb.run(job, runner.client).rows == 180
        assert len(zb.open_results("out").gdf) == 180
