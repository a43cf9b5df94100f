"""Which rows a run writes, and what stands in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely

from tests.made.names import COUNTS
from tests.made.runs import Runner
from tests.made.zones import frame
from zonalbatch.demo import Landscape


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
        crops = ["away", "empty", "missing", "crossed", "over"]
        more = frame(*shapes, crs=fields.crs, field_id=range(101, 106), crop=crops)
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
        assert json.loads((runner.folder / "out/manifest.json").read_text())["sealed"]["rows"] == 18
        assert len(pq.read_table(runner.folder / "out/zones.parquet")) == 8

    def test_zones_far_from_all_rasters_are_told(self, runner: Runner, odd: Path) -> None:
        """A note gives both extents in the zones' CRS: from the plan, and if only a run sees it."""
        left, bottom, right, top = self.extent(runner.land)
        crs = geopandas.read_parquet(odd).crs
        beside = [shapely.box(x, bottom, x + 50, bottom + 50) for x in (left - 100, right + 100)]
        for shapes in (beside[:1], beside):
            zones = frame(*shapes, crs=crs, field_id=range(len(shapes)))
            path = runner.folder / f"far_{len(shapes)}.parquet"
            zones.to_parquet(path)
            report = runner.run(f"out_{len(shapes)}", zones={"path": str(path), "id": "field_id"})
            (note,) = [note for note in report.notes if "no zone takes a cell" in note]
            assert f"in EPSG:32631 zones span x {left - 100:.8g} to" in note
            assert f"rasters x {left:.8g} to {right:.8g}, y {bottom:.8g} to {top:.8g}" in note
        empty = frame(shapely.Polygon(), crs=crs, field_id=[1])
        empty.to_parquet(runner.folder / "empty.parquet")
        nothing = str(runner.folder / "empty.parquet")
        report = runner.run("empty", zones={"path": nothing, "id": "field_id"})
        assert "every zone is empty, and so is every row" in report.notes

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
            parts = rows[[f"{name}_{reason}" for reason in COUNTS]].sum(axis=1)
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
        """An empty list of columns carries none, as null would carry all."""
        zones = {"path": str(runner.land.fields), "id": "field_id", "columns": []}
        runner.run(zones=zones)
        assert "crop" not in runner.results().table.column_names
