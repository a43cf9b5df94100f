"""Rows of a run rolled up, without a pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest
import shapely

import zonalbatch as zb
from tests.made.commands import Command, assert_one_sentence
from tests.made.jobs import job_over
from tests.made.rasters import noise, spoil, write_tif
from tests.made.runs import Runner, cut_small
from tests.made.zones import frame, squares
from zonalbatch import rollup as rollup_module
from zonalbatch.errors import InputError, OutputError, SchemaError, StatisticError
from zonalbatch.rollup import source as source_module

STATISTICS = ["count", "mean", "std", "min", "max", "median", "variety", "area", "valid_area"]
MONTHS = ("20240601", "20240620", "20240702")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three dates of reflectances, in cells that are no data here and there."""
    folder = tmp_path_factory.mktemp("scenes")
    files = []
    for seed, date in enumerate(MONTHS):
        values = (noise(200, 200, seed=seed) // 50).astype("uint16")
        values[seed::9] = 0
        files.append(write_tif(folder / f"a_{date}.tif", values, nodata=0, scale=0.01, tiled=True))
    return files


@pytest.fixture(scope="module")
def zones() -> geopandas.GeoDataFrame:
    """36 squares of four farms, and one that no scene shows."""
    found = squares(6, side=301.7)
    found["farm"] = [f"farm {i % 4}" for i in range(len(found))]
    far = frame(shapely.box(9e5, 9e5, 9e5 + 50, 9e5 + 50), id=[99], crop=["none"], farm=["far"])
    return pd.concat([found, far], ignore_index=True)


class Kept:
    """Runs of one job with its states kept."""

    def __init__(self, runner: Runner, zones: Any, scenes: list[str]) -> None:
        self.runner, self.zones, self.scenes = runner, zones, scenes

    def run(self, out: str = "out", **changes: Any) -> zb.Results:
        """The result of the job, with changes."""
        source = {"kind": "cog", "files": self.scenes, "datetime_pattern": "a_%Y%m%d"}
        keys = {"source": source, "statistics": STATISTICS, "sketch": True} | changes
        job = job_over(self.zones, self.scenes, self.runner.folder / out, **keys)
        zb.run(job, self.runner.client)
        return zb.open_results(self.runner.folder / out)


@pytest.fixture
def kept(runner: Runner, zones: geopandas.GeoDataFrame, scenes: list[str]) -> Kept:
    """The job, not yet run."""
    return Kept(runner, zones, scenes)


def same(found: pd.DataFrame, expected: pd.DataFrame, rtol: float = 1e-12) -> None:
    """Assert that two tables hold the same numbers."""
    pd.testing.assert_frame_equal(found, expected, rtol=rtol, atol=0, check_dtype=False)


class TestRollup:
    """Roll-up of rows by zones and times."""

    def test_by_a_column(self, kept: Kept) -> None:
        """By farm, each scene by itself: what a run over the farms says; of a median nearly."""
        found = kept.run().rollup(by="farm")
        farms = kept.zones.dissolve("farm").reset_index()[["farm", "geometry"]]
        expected = zb.zonal_stats(farms, kept.scenes, STATISTICS, id="farm").reset_index()
        assert found["farm"].tolist() == ["far", *np.repeat([f"farm {i}" for i in range(4)], 3)]
        assert found.loc[0, "status"] == "empty"
        assert found["layer"].isna().tolist() == [True] + [False] * 12
        met = expected[expected["farm"] != "far"].sort_values(["farm", "layer"], ignore_index=True)
        rows = found[1:].reset_index(drop=True)
        assert rows["approximate"].all()
        for name in STATISTICS:
            rtol = 0.02 if name == "median" else 1e-12
            np.testing.assert_allclose(rows[f"red_{name}"], met[name], rtol=rtol, err_msg=name)

    def test_by_times(self, kept: Kept) -> None:
        """By month, each zone by itself: counts add up, areas do not, extremes are those of all."""
        results = kept.run()
        found = results.rollup(every="month", stats="count,min,max,mean,area,n_total")
        assert "approximate" not in found
        rows = results.table.to_pandas().dropna(subset="layer")
        rows["month"] = rows["datetime"].dt.strftime("%Y-%m")
        rows["sum"] = rows["red_count"] * rows["red_mean"]
        by = rows.groupby(["zone_id", "month"])
        one = found.dropna(subset="datetime")
        assert one["datetime"].dt.strftime("%Y-%m-%d").unique().tolist() == [
            "2024-06-01", "2024-07-01",
        ]  # fmt: skip
        for name, expected in (
            ("count", by["red_count"].sum()), ("min", by["red_min"].min()),
            ("max", by["red_max"].max()), ("area", by["red_area"].first()),
            ("mean", by["sum"].sum() / by["red_count"].sum()),
        ):  # fmt: skip
            np.testing.assert_allclose(one[f"red_{name}"], expected, rtol=1e-12, err_msg=name)

    @pytest.mark.parametrize(
        ("every", "starts"),
        [
            ("day", ["2024-06-01", "2024-06-20", "2024-07-02"]),
            ("week", ["2024-05-27", "2024-06-17", "2024-07-01"]),
            ("quarter", ["2024-04-01", "2024-07-01"]),
            ("year", ["2024-01-01"]),
        ],
    )
    def test_times_begin(self, kept: Kept, every: Any, starts: list[str]) -> None:
        """Weeks begin on Mondays, quarters in January, April, July and October."""
        found = kept.run().rollup(by="farm", every=every, stats="count").dropna()
        assert found["datetime"].dt.strftime("%Y-%m-%d").unique().tolist() == starts
        total = kept.run().rollup(by="farm", stats="count")["red_count"].sum()
        assert found["red_count"].sum() == pytest.approx(total, rel=1e-12)

    def test_however_it_is_cut(self, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        """Small parts, few rows at once, zones by turns: the same bits in rows, the same table."""
        plain = kept.run()
        whole = plain.rollup(by="farm", every="quarter")
        cut_small(monkeypatch, 20)
        results = kept.run("cut")
        assert len(results.files) > 2
        assert results.digest == plain.digest
        same(results.rollup(by="farm", every="quarter"), whole)
        monkeypatch.setattr(source_module, "SKETCHES", 5)
        monkeypatch.setattr(rollup_module, "WAITING", 1)
        monkeypatch.setattr(rollup_module, "MEMORY", 10_000)
        same(results.rollup(by="farm", every="quarter"), whole)

    def test_what_could_not_be_read(self, kept: Kept, tmp_path: Path) -> None:
        """A group with a cell that could not be read has no number, as a zone has none."""
        values = noise(64, 64).astype("uint16")
        file = write_tif(
            tmp_path / "bad.tif", values, tiled=True, blockxsize=32, blockysize=32,
            compress="deflate",
        )  # fmt: skip
        spoil(file, (1, 1))
        kept.zones = squares(2, side=320.0).assign(half=["up", "up", "down", "down"])
        results = kept.run(source={"kind": "cog", "files": [file]}, statistics=["mean", "count"])
        found = results.rollup(by="half").set_index("half")
        assert found["status"].to_dict() == {"up": "ok", "down": "failed"}
        assert found["red_mean"].isna().to_dict() == {"up": False, "down": True}

    def test_skew_and_kurtosis(self, kept: Kept) -> None:
        """By farm what a run over the farms says, if the run was asked for one of them."""
        found = kept.run(statistics=["skew", "mean"]).rollup(by="farm", stats="skew,kurtosis")
        farms = kept.zones.dissolve("farm").reset_index()[["farm", "geometry"]]
        expected = zb.zonal_stats(farms, kept.scenes, "skew,kurtosis", id="farm").reset_index()
        met = expected[expected["farm"] != "far"].sort_values(["farm", "layer"], ignore_index=True)
        rows = found[1:].reset_index(drop=True)
        assert found["red_skew"].isna().tolist() == [True] + [False] * 12
        for name in ("skew", "kurtosis"):
            np.testing.assert_allclose(rows[f"red_{name}"], met[name], rtol=1e-8, atol=1e-9)

    def test_states_change_no_number(self, kept: Kept) -> None:
        """Rows are the same with their states and without; tools read both."""
        results = kept.run()
        with_states = results.table.to_pandas()
        without = kept.run("without", sketch=False).table.to_pandas()
        stored = set(ds.dataset(results.files).schema.names)
        assert {"red_state", "red_sketch"} == stored - set(with_states)
        assert list(with_states) == list(without)
        order = ["zone_id", "layer"]
        pd.testing.assert_frame_equal(
            with_states[list(without)].sort_values(order, ignore_index=True),
            without.sort_values(order, ignore_index=True),
        )
        assert len(geopandas.read_parquet(kept.runner.folder / "out" / "results")) == len(without)


class TestRefusal:
    """What cannot be rolled up is refused in one sentence."""

    def test_reasons(self, kept: Kept) -> None:
        """No states, no such column, time or statistic, a statistic without its state."""
        results = kept.run(statistics=["mean", "min_x"])
        with pytest.raises(StatisticError, match=r"'min_x' cannot be rolled up.*count, sum, mean"):
            results.rollup(by="farm")
        with pytest.raises(StatisticError, match="'skew' among its statistics"):
            results.rollup(by="farm", stats="skew")
        with pytest.raises(StatisticError, match="'median' among its statistics"):
            results.rollup(by="farm", stats="median")
        with pytest.raises(StatisticError, match="'area' among its statistics"):
            results.rollup(by="farm", stats="area")
        with pytest.raises(InputError, match=r"no column 'frm'.*crop, farm"):
            results.rollup(by="frm", stats="mean")
        with pytest.raises(InputError, match="'decade' is no time; use day, week"):
            results.rollup(every="decade", stats="mean")
        assert results.rollup(by="farm", stats="std")["red_std"].notna().sum() == 12
        bare = kept.run("bare", sketch=False)
        with pytest.raises(InputError, match="sketch: true"):
            bare.rollup(by="farm", stats="mean")

    def test_undated(self, kept: Kept) -> None:
        """Layers without a time belong to no month."""
        source = {"kind": "cog", "files": kept.scenes[0]}
        with pytest.raises(InputError, match="has no time"):
            kept.run(source=source, statistics=["mean"]).rollup(every="month")

    def test_before_the_end(self, kept: Kept) -> None:
        """A run that has not ended has nothing to roll up."""
        results = kept.run()
        (Path(results.path) / "failures.parquet").unlink()
        with pytest.raises(OutputError, match="has not ended"):
            results.rollup(by="farm")

    def test_long_rows(self, kept: Kept) -> None:
        """Long rows hold numbers, and keep no states."""
        out = {"path": str(kept.runner.folder / "long"), "layout": "long"}
        with pytest.raises(SchemaError, match="sketch: true keeps states"):
            kept.run(output=out)


class TestApproximate:
    """The column that says whether a number is exact."""

    def test_there_if_it_may_be(self, kept: Kept) -> None:
        """Rows with quantiles or classes say it, in both layouts; rows of moments do not."""
        wide = kept.run("wide", sketch=False, statistics=["mean", "p10"]).table
        assert wide["approximate"].to_pylist() == [False] * wide.num_rows
        out = {"path": str(kept.runner.folder / "long"), "layout": "long"}
        kept.run("long", sketch=False, statistics=["mean", "p10"], output=out)
        long = ds.dataset(zb.open_results(kept.runner.folder / "long").files).to_table()
        assert long["approximate"].to_pylist() == [False] * long.num_rows
        moments = kept.run("moments", sketch=False, statistics=["mean"]).table
        assert "approximate" not in moments.column_names


class TestCommand:
    """rollup, as it is typed."""

    def test_printed_and_written(self, kept: Kept, here: Command, tmp_path: Path) -> None:
        """A table in the terminal, or a file; what has no geometry is no GeoPackage."""
        out = kept.run().path
        code, text, err = here("rollup", out, "--by", "farm", "--every", "year", "-s", "mean")
        assert (code, err) == (0, "")
        assert text.split()[:3] == ["farm", "datetime", "red_mean"]
        file = tmp_path / "farms.parquet"
        code, text, _ = here("rollup", out, "--by", "farm", "--every", "month", "-o", file)
        assert (code, text) == (0, f"wrote 9 rows to {file}\n")
        assert pd.read_parquet(file)["red_count"].sum() > 0
        code, _, err = here("rollup", out, "--by", "farm", "-o", tmp_path / "farms.gpkg")
        assert code == 2
        assert_one_sentence(err, "no geometry")
        code, _, err = here("rollup", tmp_path, "--by", "farm")
        assert code == 2
        assert_one_sentence(err, "holds no results")
