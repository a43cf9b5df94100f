"""Columns of lists in a job's result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.dataset as ds

import zonalbatch as zb
from tests.made.runs import Runner


def test_lists_in_a_result_are_those_of_a_table(runner: Runner) -> None:
    """Classes and areas of a job, part by part, equal those of `zonal_stats` on each scene."""
    statistics = ["count", "mode", "variety", "unique", "frac", "area"]
    runner.run(bands={"scl": "SCL"}, measurements={"scl": "scl"}, mask=None, statistics=statistics)
    rows = ds.dataset(runner.results().files).to_table().sort_by(
        [("zone_id", "ascending"), ("layer", "ascending")]
    )  # fmt: skip
    assert str(rows.schema.field("scl_variety").type) == "int64"
    table = zb.zonal_stats(
        runner.land.fields, runner.land.items, statistics, bands={"scl": "SCL"}, id="field_id"
    )
    table = table.reset_index().sort_values(["field_id", "layer"])
    expected = dict(zip(zip(table["field_id"], table["layer"], strict=True),
                        table.to_dict("records"), strict=True))  # fmt: skip
    assert rows.num_rows > 0
    for row in rows.to_pylist():
        same = expected[row["zone_id"], row["layer"]]
        for name in statistics:
            found, other = row[f"scl_{name}"], same[name]
            if found is None:
                assert np.isnan(other)
            else:
                assert found == (list(other) if isinstance(found, list) else other)


def test_classes_as_columns_of_a_job(runner: Runner) -> None:
    """Columns by class of a job are those of a table, in the wide and in the long layout."""
    statistics, classes = ["frac", "class_area"], {4.0: "green", 5.0: "bare"}
    wide: dict[str, Any] = {
        "bands": {"scl": "SCL"}, "measurements": {"scl": "scl"}, "mask": None,
        "statistics": statistics, "classes": classes,
    }  # fmt: skip
    runner.run("wide", **wide)
    runner.run("long", **wide, output={"layout": "long"})
    table = zb.zonal_stats(
        runner.land.fields, runner.land.items, statistics, bands={"scl": "SCL"},
        id="field_id", classes=classes,
    )  # fmt: skip
    expected = table.reset_index().set_index(["field_id", "layer"])
    rows = runner.results("wide").gdf.dropna(subset="layer").set_index(["zone_id", "layer"])
    for name in ("frac_green", "frac_bare", "class_area_green", "class_area_bare"):
        same = expected[name].loc[rows.index]
        np.testing.assert_array_equal(rows[f"scl_{name}"].to_numpy(), same.to_numpy())
    long = runner.results("long").gdf.dropna(subset="layer")
    assert set(long["statistic"]) == {n.removeprefix("scl_") for n in rows if n.startswith("scl_")}
    assert len(long) == 4 * len(rows)
