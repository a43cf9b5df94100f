"""Runs with weights: as `zonal_stats` says, known to the plan, and what becomes of bad weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray

import zonalbatch as zb
from tests.made.jobs import NOWHERE
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.runs import Runner, cut_small
from zonalbatch.errors import SchemaError, StatisticError

STATISTICS = ["count", "mean", "weighted_sum", "weighted_mean", "weighted_std", "weighted_frac"]


@pytest.fixture
def pop(runner: Runner) -> str:
    """Weights over the landscape on cells of 70 m, which nest with none of its own."""
    with rasterio.open(runner.land.scenes[0] / "B04.tif") as file:
        left, bottom, right, top = file.bounds
        crs = file.crs
    shape = (int((top - bottom) // 70) + 2, int((right - left) // 70) + 2)
    values = (noise(*shape, seed=6) % 200).astype("uint16")
    return write_tif(
        runner.folder / "pop.tif", values, left=left - 33, top=top + 41, cell=70, crs=crs,
        nodata=7, scale=0.25, **BLOCKS | {"blockxsize": 16, "blockysize": 16},
    )  # fmt: skip


def asked(pop: Any, **changes: Any) -> dict[str, Any]:
    """What is asked of a run."""
    return {"weights": pop, "statistics": STATISTICS} | changes


def test_as_zonal_stats(runner: Runner, pop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of many small parts has the numbers that `zonal_stats` gives for each scene."""
    cut_small(monkeypatch)
    report = runner.run(**asked(pop, mask=None, measurements={"red": "red"}))
    assert report.parts > 4
    rows = runner.results().gdf
    assert set(rows["status"]) <= {"ok", "empty"}
    layer = rows["layer"].iloc[0]
    some = rows[rows["layer"] == layer].set_index("zone_id")
    expected = zb.zonal_stats(
        runner.land.fields, str(runner.land.items), STATISTICS, bands={"red": "B04"},
        weights=pop, id="field_id",
    )  # fmt: skip
    expected = expected[expected["layer"] == layer].loc[some.index]
    for name in STATISTICS[:-1]:
        column = some[f"red_{name}"].astype(float)
        np.testing.assert_array_equal(column, expected[name].astype(float))


def test_cutting_changes_no_bit(runner: Runner, pop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the work is cut, and wherever weights come from, the rows are equal."""
    digest = runner.digest("whole", **asked(pop))
    array: Any = rioxarray.open_rasterio(pop)
    assert runner.digest("array", **asked(array.squeeze())) == digest
    assert not (runner.folder / "array/job.yaml").exists()
    cut_small(monkeypatch)
    assert runner.digest("cut", **asked(pop)) == digest


def test_the_plan_tells_what_was_applied(runner: Runner, pop: str) -> None:
    """The recipe in the plan has the weights' file, grid, nodata and scale; the job its key."""
    plan = zb.plan(runner.job(**asked(pop, weight_by="area")))
    document = json.loads((plan.folder / "recipe.json").read_text())["recipe"]
    told = document["weights"]
    assert (told["href"], told["file_band"], told["dx"]) == (pop, 1, 70.0)
    assert (told["nodata"], told["scale"]) == ("7", 0.25)
    assert told["version"]
    assert document["weight_by"] == "area"


def test_other_weights_are_another_job(runner: Runner, pop: str) -> None:
    """A second run computes nothing; with other content of the weights it is refused."""
    job = asked(pop)
    runner.run(**job)
    assert runner.run(**job, cluster=NOWHERE).computed == 0
    with rasterio.open(pop, "r+") as file:
        file.write(file.read(1) + 1, 1)
    with pytest.raises(SchemaError, match="weights differ"):
        runner.run(**job)


def test_weights_without_use(runner: Runner, pop: str) -> None:
    """Neither weights without weighted statistics, nor the other way round."""
    with pytest.raises(StatisticError, match="no statistic uses them"):
        runner.run(weights=pop)
    with pytest.raises(StatisticError, match="needs weights"):
        runner.run(statistics=["weighted_mean"])


def test_broken_blocks(runner: Runner, pop: str) -> None:
    """Zones over broken weights are partial, the others as they were; failures tell the file."""
    runner.run("whole", **asked(pop))
    whole = runner.results("whole").gdf.set_index(["zone_id", "layer"])
    spoil(pop, (0, 0))
    report = runner.run("out", **asked(pop))
    assert report.failures > 0
    found = runner.results("out")
    assert {Path(href).name for href in found.failures["href"]} == {"pop.tif"}
    rows = found.gdf.set_index(["zone_id", "layer"]).loc[whole.index]
    partial = rows["status"] == "partial"
    assert partial.any()
    assert not partial.all()
    assert rows.loc[partial, "red_weighted_mean"].isna().all()
    assert rows.loc[partial, "red_weighted_frac"].isna().all()
    pd.testing.assert_series_equal(rows["red_mean"], whole["red_mean"])
    pd.testing.assert_series_equal(
        rows.loc[~partial, "red_weighted_mean"], whole.loc[~partial, "red_weighted_mean"]
    )
