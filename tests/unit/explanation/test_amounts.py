"""zb.explain tells how much of a zone each class and bin has that is given."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pytest

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.rasters import write_tif
from tests.made.zones import cells, frame
from zonalbatch.explanation.account import account
from zonalbatch.explanation.inquiry import explain_job

VALUES = np.random.default_rng(4).choice([1, 2, 7], (40, 50)).astype(np.float32)


@pytest.fixture
def zones() -> geopandas.GeoDataFrame:
    """A zone that cuts cells, and one beside the raster."""
    return frame(cells(3, 5, 9, 8, 0.3), cells(900, 3, 2, 2), id=[4, 5])


@pytest.fixture
def tif(tmp_path: Any) -> str:
    """Three classes; one cell of the zone is NaN."""
    values = VALUES.copy()
    values[5, 9] = np.nan
    return write_tif(tmp_path / "classes.tif", values)


def test_classes(zones: Any, tif: str) -> None:
    """The sums of shares of class_count, to the bit; null without a valid cell."""
    classes: dict[float, str] = {2: "maize", 1: "wheat", 9: "none such"}
    found = zb.zonal_stats(zones, tif, "class_count", id="id", classes=classes).loc[4]
    made = zb.explain(zones, tif, 4, id="id", classes=classes)
    assert made.amounts.classes == (
        ("maize", 2.0, found["class_count_maize"]), ("wheat", 1.0, found["class_count_wheat"]),
        ("none such", 9.0, 0.0),
    )  # fmt: skip
    assert made.amounts.bins == ()
    assert f"  maize                  2{found['class_count_maize']:>20.10g}\n" in account(made)
    far = zb.explain(zones, tif, 5, id="id", classes=classes)
    assert {amount for _, _, amount in far.amounts.classes} == {None}


@pytest.mark.parametrize(
    "bins", [{"edges": [0, 1.5, 4]}, {"bins": {"start": 0, "stop": 8, "count": 3}}, {"bins": 4}]
)
def test_bins(zones: Any, tif: str, bins: dict[str, Any]) -> None:
    """The histogram's, as columns or as a list; nothing is said of a zone's own without cells."""
    found = zb.zonal_stats(zones, tif, "histogram", id="id", **bins).loc[4]
    made = zb.explain(zones, tif, 4, id="id", **bins)
    if "edges" in bins:
        told = [(0.0, found["histogram_0"]), (1.5, found["histogram_1_5"])]
    else:
        told = [(pair["class"], pair["value"]) for pair in found["histogram"]]
    assert list(made.amounts.bins) == told
    assert f"bins                  from{'share':>20}" in account(made)
    assert "null" in account(zb.explain(zones, tif, 5, id="id", **bins))


def test_many_bins_are_told_in_part(zones: Any, tif: str) -> None:
    """The first hundred, and how many more there are."""
    told = account(zb.explain(zones, tif, 4, id="id", bins=250))
    assert "… and 150 more bins" in told


def test_of_a_job(zones: Any, tif: str, tmp_path: Any) -> None:
    """Classes, edges, least share and default of a job are heeded."""
    keys: dict[str, Any] = {
        "classes": {1: "wheat"}, "edges": [0, 5, 10], "min_fraction": 0.5, "default_value": 6,
    }  # fmt: skip
    job = job_over(
        zones, tif, tmp_path / "out", statistics=["frac", "histogram", "mean", "p90"], **keys
    )
    made, same = explain_job(job, 4), zb.explain(zones, tif, 4, id="id", **keys)
    assert made.amounts == same.amounts
    assert [name for name, _, _ in made.amounts.classes] == ["wheat"]
    assert len(made.amounts.bins) == 2
    expected = zb.zonal_stats(zones, tif, "p90", id="id", min_fraction=0.5, default_value=6)
    assert made.totals["p90"] == expected.loc[4, "p90"]


def test_least_share_and_default(zones: Any, tif: str) -> None:
    """What they leave out and fill in is told, and the totals are those of zonal_stats."""
    keys: dict[str, Any] = {"min_fraction": 0.5, "default_value": 6}
    made = zb.explain(zones, tif, 4, id="id", **keys)
    found = zb.zonal_stats(zones, tif, "count,sum,n_nan", id="id", **keys).loc[4]
    assert {name: made.totals[name] for name in found.index[:3]} == dict(found[:3])
    assert made.fraction.min() >= 0.5
    assert np.nansum(made.value == 6) == 1
    assert "  least share  0.5 of a cell\n" in account(made)
    assert "  default      cells without data count as 6\n" in account(made)
