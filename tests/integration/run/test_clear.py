"""Rows of zones of which too little is seen, and the clearest of each window of time."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import zonalbatch as zb
from tests.made.jobs import NOWHERE
from tests.made.runs import CLOUDY, Runner, cut_small
from zonalbatch.errors import InputError
from zonalbatch.sinks.output import Output

STATISTICS = ["clear_fraction", "valid_fraction", "count", "mean", "n_masked"]
DAY = pd.Timedelta(days=1)


def rows_of(runner: Runner, out: str) -> pd.DataFrame:
    """The rows that have a layer, by zone and layer."""
    rows = runner.results(out).gdf.dropna(subset="layer")
    return pd.DataFrame(rows).set_index(["zone_id", "layer"]).sort_index()


def test_unclear_rows_are_filtered(runner: Runner) -> None:
    """Below ``min_clear`` a row has no statistic but clear_fraction, and says why."""
    runner.run("all", statistics=STATISTICS)
    runner.run("clear", statistics=STATISTICS, min_clear=0.6)
    everything, clear = rows_of(runner, "all"), rows_of(runner, "clear")
    seen = everything["red_count"] + everything["red_n_masked"]
    share = (everything["red_count"] / seen).where(seen > 0)
    np.testing.assert_allclose(everything["red_clear_fraction"], share, rtol=1e-12)
    names = [f"{m}_clear_fraction" for m in ("red", "ndvi")]
    least = everything[names].min(axis=1)
    unclear = least < 0.6
    assert unclear.any()
    assert not unclear.all()
    assert (clear["status"] == "filtered").equals(unclear)
    pd.testing.assert_frame_equal(clear[names], everything[names])
    told = [f"{m}_{s}" for m in ("red", "ndvi") for s in STATISTICS[1:]]
    assert clear.loc[unclear, told].isna().all(axis=None)
    pd.testing.assert_frame_equal(clear.loc[~unclear, told], everything.loc[~unclear, told])


def test_filtered_rows_are_rolled_up_into_nothing(runner: Runner) -> None:
    """What was filtered is no part of longer times."""
    runner.run("sketch", statistics=["clear_fraction", "count"], min_clear=0.6, sketch=True)
    rows = rows_of(runner, "sketch")
    month = rows["datetime"].dt.tz_localize(None).dt.to_period("M")
    expected = rows["red_count"].groupby([rows.index.get_level_values(0), month]).sum()
    rolled = runner.results("sketch").rollup(every="month", stats="count")
    rolled = rolled[rolled["datetime"].notna()]
    month = rolled["datetime"].dt.tz_localize(None).dt.to_period("M")
    found = pd.Series(rolled["red_count"].to_numpy(), [rolled["zone_id"], month])
    kept = expected[expected > 0]
    np.testing.assert_allclose(found.reindex(kept.index), kept, rtol=1e-9)


def test_filtered_rows_are_in_no_period(runner: Runner) -> None:
    """A period tells of the rows that were not filtered, whatever was."""
    job = {"statistics": ["clear_fraction", "count"], "min_clear": 0.6}
    runner.run("periods", **job, temporal={"every": "year", "statistics": ["count"]})  # type: ignore[arg-type]
    rows = runner.results("periods").gdf.dropna(subset="layer")
    assert (rows["status"] == "filtered").any()
    year = rows["datetime"].dt.year
    expected = rows["red_count"].groupby([rows["zone_id"], year]).sum()
    told = runner.results("periods").temporal
    found = told.set_index([told["zone_id"], told["datetime"].dt.year])["red_count"]
    kept = expected[expected > 0]
    np.testing.assert_allclose(found.reindex(kept.index), kept, rtol=1e-9)


class TestPick:
    """One row for each zone and window."""

    @pytest.fixture(autouse=True)
    def _several_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cut_small(monkeypatch)

    def test_the_clearest_of_each_window(self, runner: Runner) -> None:
        """The one with the largest valid_fraction, the earliest of several, whatever the parts."""
        job = {"statistics": STATISTICS, "pick": {"every": "300d"}}
        report = runner.run(**job)  # type: ignore[arg-type]
        assert report.parts > 1
        rows = runner.results().gdf.dropna(subset="layer")
        rows = rows.assign(
            window=rows["datetime"].dt.year * 1000 + (rows["datetime"].dt.dayofyear - 1) // 300,
            clear=rows[["red_valid_fraction", "ndvi_valid_fraction"]].min(axis=1).fillna(-1.0),
        )
        order = ["zone_id", "window", "clear", "datetime", "layer"]
        rows = rows.sort_values(order, ascending=[True, True, False, True, True])
        expected = rows.drop_duplicates(["zone_id", "window"]).sort_values(["zone_id", "datetime"])
        assert len(expected) < len(rows)
        picked = runner.results().picked
        found = picked.dropna(subset="layer").sort_values(["zone_id", "datetime"])
        pd.testing.assert_frame_equal(
            pd.DataFrame(found).reset_index(drop=True),
            pd.DataFrame(expected[list(found)]).reset_index(drop=True),
        )
        assert Output.at(runner.folder / "out").manifest()["sealed"]["picked"] == {
            "every": "300d", "by": "clearest", "rows": len(picked)
        }  # fmt: skip

    def test_what_could_not_be_read_comes_last(self, runner: Runner) -> None:
        """A row of which one measurement could not be read is not picked before a whole one."""
        items = json.loads(runner.land.items.read_text())
        for i, item in enumerate(items["features"]):
            for key, asset in item["assets"].items():
                gone = key == "B08" and i % 2
                asset["href"] = str(
                    runner.land.items.parent / ("gone.tif" if gone else asset["href"])
                )
        path = runner.folder / "items.json"
        path.write_text(json.dumps(items))
        source = {"kind": "stac", "items": str(path)}
        runner.run(source=source, statistics=STATISTICS, pick={"every": "year"})
        seen = runner.results().gdf.dropna(subset=["red_valid_fraction", "layer"])
        whole = seen.dropna(subset="ndvi_valid_fraction")
        best = seen.sort_values("red_valid_fraction").drop_duplicates("zone_id", keep="last")
        assert not set(best["layer"]) <= set(whole["layer"])
        picked = runner.results().picked.set_index("zone_id")
        assert picked.loc[whole["zone_id"].unique(), "ndvi_valid_fraction"].notna().all()

    def test_another_pick_computes_nothing(self, runner: Runner) -> None:
        """What is picked is no part of what rows are: it is made, or taken away, at the seal."""
        runner.run(statistics=STATISTICS, pick={"every": "90d"})
        digest, some = runner.results().digest, len(runner.results().picked)
        again = zb.run(runner.job(statistics=STATISTICS, pick={"every": "year"}, cluster=NOWHERE))
        assert again.computed == 0
        assert len(runner.results().picked) < some
        assert runner.results().digest == digest
        zb.run(runner.job(statistics=STATISTICS, cluster=NOWHERE))
        assert not (runner.folder / "out" / "picked").exists()
        with pytest.raises(InputError, match="picks no rows"):
            _ = runner.results().picked

    def test_zones_without_a_layer_stay(self, runner: Runner) -> None:
        """They have their one row among the picked ones too."""
        zones = runner.half_outside()
        zones.to_parquet(runner.folder / "squares.parquet")
        keys = {"path": str(runner.folder / "squares.parquet"), "id": "id"}
        runner.run(zones=keys, statistics=STATISTICS, pick={"every": "year"})
        alone = runner.results().gdf["layer"].isna().sum()
        assert alone
        assert runner.results().picked["layer"].isna().sum() == alone
        file = next((runner.folder / "out" / "picked").iterdir())
        assert b"geo" in pq.read_metadata(file).metadata


def test_masks_of_a_job(runner: Runner) -> None:
    """Names of SCL's classes, a mask that grows and one by a threshold mask more than one alone."""
    one = {"band": "scl", "exclude": CLOUDY}
    runner.run("one", statistics=STATISTICS, mask=one)
    masks = [one | {"dilate": 20}, {"band": "red", "above": 0.5}]
    runner.run("more", statistics=STATISTICS, mask=masks)
    before, after = rows_of(runner, "one"), rows_of(runner, "more")
    assert (after["red_n_masked"] >= before["red_n_masked"] - 1e-9).all()
    assert (after["red_n_masked"] > before["red_n_masked"]).any()
