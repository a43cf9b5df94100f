"""`quantile_method`: in a call, in a job, in an explanation."""

from __future__ import annotations

import json
from typing import Any

import geopandas
import numpy as np
import pytest
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.zones import WINDOWS
from zonalbatch.asked import recipe_of
from zonalbatch.errors import InputError, JobError
from zonalbatch.explanation.account import account
from zonalbatch.planning.files import recipe_from
from zonalbatch.planning.identity import recipe_document


def job(**keys: Any) -> zb.Job:
    """A job of one band."""
    return zb.Job(
        zones="z.gpkg", source={"kind": "cog", "files": "a.tif"}, bands={"red": 1},
        statistics=["median"], output={"path": "out"}, **keys,
    )  # fmt: skip


def test_in_a_call(zones: geopandas.GeoDataFrame, tif: str, values: NDArray[np.uint16]) -> None:
    """Whole cells have NumPy's quantile of that method."""
    found = zb.zonal_stats(zones, tif, "p10,median,mean", quantile_method="inverted_cdf")
    for row, window in zip(found.itertuples(), WINDOWS, strict=True):
        cells = values[window].ravel()
        expected = np.quantile(cells, [0.1, 0.5], method="inverted_cdf")
        assert [row.p10, row.median] == expected.tolist()
        assert row.mean == pytest.approx(cells.mean())


def test_another_is_refused(zones: geopandas.GeoDataFrame, tif: str) -> None:
    """In a call and in a job, with the names that there are."""
    said = "quantile_method='hazen' is unknown; use linear, inverted_cdf"
    with pytest.raises(InputError, match=said):
        zb.zonal_stats(zones, tif, quantile_method="hazen")  # type: ignore[arg-type]
    with pytest.raises(JobError, match="quantile_method is 'hazen'; use linear or inverted_cdf"):
        job(quantile_method="hazen")


def test_in_a_job() -> None:
    """It reaches a worker; a job without it is what it was before there was a choice."""
    made = recipe_of(job(quantile_method="inverted_cdf"))
    assert made.quantile_method == "inverted_cdf"
    assert recipe_from(json.loads(json.dumps(recipe_document(made))), {}) == made
    plain = [recipe_document(recipe_of(one)) for one in (job(), job(quantile_method="linear"))]
    assert plain[0] == plain[1]
    assert "quantile_method" not in plain[0]


@pytest.mark.parametrize("method", ["linear", "inverted_cdf"])
def test_in_an_explanation(zones: geopandas.GeoDataFrame, tif: str, method: Any) -> None:
    """It tells the median and by which method that is."""
    found = zb.zonal_stats(zones, tif, "median", quantile_method=method)
    made = zb.explain(zones, tif, 10, quantile_method=method)
    assert made.totals["median"] == found.loc[10, "median"]
    assert f"  quantiles    {method}\n" in account(made)
