"""FACTS.json: a made-up raster of which every figure is known, from an oracle and two peers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from tests.oracles import Raster, lattice_at, measured, raster
from zonalbatch.cover.coverage import CoverageRule

ZONES = ("square_aligned", "irregular", "multipart", "sliver", "outside", "whole_raster")
ORACLE = {
    "count": "count", "sum": "sum", "mean": "mean", "variance": "variance", "std": "stdev",
    "min": "min", "max": "max", "n_nodata": "nodata_coverage",
}  # fmt: skip
"""Our statistic -> the oracle's name for it."""
PEER = {
    "count": "count", "sum": "sum", "mean": "mean", "std": "std", "min": "min", "max": "max",
    "range": "range", "n_nodata": "nodata",
}  # fmt: skip
"""Our statistic -> what rasterstats calls it."""
MEDIANS = {"median": "median", "p10": "percentile_10", "p25": "percentile_25",
           "p75": "percentile_75", "p90": "percentile_90"}  # fmt: skip
PERCENTS = (5, 10, 25, 50, 75, 90, 95)
STATISTICS = ("n_total", "n_outside", *dict.fromkeys((*ORACLE, *PEER)), "median",
              *(f"p{p}" for p in PERCENTS))  # fmt: skip


@pytest.fixture(scope="module")
def facts(data_dir: Path) -> dict[str, Any]:
    """What the file says."""
    return dict(json.loads((data_dir / "FACTS.json").read_text()))


def made_up(facts: dict[str, Any]) -> Raster:
    """The raster by its formula."""
    grid = facts["meta"]["grid"]
    row, col = np.indices((grid["rows"], grid["cols"]))
    values = ((37 * row + 91 * col) % 257) / 8 + 5
    values[(row * col) % 17 == 3] = -9999
    lattice = lattice_at(grid["x_origin_left"], grid["y_origin_top"], grid["res"])
    window = lattice.window(grid["x_origin_left"], grid["y_origin_top"], *values.shape)
    assert window is not None
    return raster(values, lattice, window.top, window.left, nodata=-9999.0)


def ours(facts: dict[str, Any], zone: str, rule: CoverageRule = "fraction") -> dict[str, float]:
    """Our statistics of one zone."""
    shape = shapely.from_wkt(facts["zones"][zone]["wkt"])
    (found,) = measured([shape], {"a": made_up(facts)}, statistics=STATISTICS, rule=rule)
    return {name: float(column[0]) for (_, name), column in found.columns.items()}


@pytest.mark.parametrize("zone", ZONES)
def test_statistics_equal_the_oracle(facts: dict[str, Any], zone: str) -> None:
    """Counts, moments and nodata agree with the float64 oracle within 1e-9."""
    oracle, found = facts["zones"][zone]["oracle_float64"], ours(facts, zone)
    for name, theirs in ORACLE.items():
        expected = np.nan if oracle.get(theirs) is None else oracle[theirs]
        assert found[name] == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), name
    inside = found["n_total"] - found["n_outside"]
    assert inside == pytest.approx(oracle["coverage_total"], rel=1e-9, abs=1e-9)
    assert found["n_total"] == pytest.approx(oracle["area"] / 100, rel=1e-9)


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "outside"])
def test_quantiles_equal_the_definition(facts: dict[str, Any], zone: str) -> None:
    """Quantiles agree with ``quantile_linear_per_pixel`` of the oracle within 1e-9."""
    expected, found = facts["zones"][zone]["oracle_float64"], ours(facts, zone)
    for percent in PERCENTS:
        by_definition = expected["quantile_linear_per_pixel"][f"{percent / 100:g}"]
        assert found[f"p{percent}"] == pytest.approx(by_definition, rel=1e-9), percent


@pytest.mark.parametrize("rule", ["center", "all_touched"])
@pytest.mark.parametrize("zone", ZONES)
def test_whole_cells_equal_rasterstats(
    facts: dict[str, Any], zone: str, rule: CoverageRule
) -> None:
    """Where a rule takes whole cells all figures agree with those of rasterstats within 1e-9."""
    if (zone, rule) == ("multipart", "center"):
        pytest.skip("two edges run through centres, where rasterstats takes cells on both sides")
    stats, found = facts["zones"][zone]["rasterstats"][rule]["stats"], ours(facts, zone, rule)
    for name, theirs in (PEER | MEDIANS).items():
        expected = np.nan if stats.get(theirs) is None else stats[theirs]
        if name == "n_nodata" and (zone == "outside" or np.isnan(expected)):
            expected = 0.0  # rasterstats has cells outside as nodata, and NaN for no cell
        assert found[name] == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), name
