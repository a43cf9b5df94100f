"""Rasters of one time as one layer, in one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest

import zonalbatch as zb
from tests.made.items import item
from tests.made.places import CELL, LEFT
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares
from zonalbatch.errors import SourceError, StatisticError, ZonalbatchWarning


@pytest.fixture
def pair(tmp_path: Path) -> list[str]:
    """Two rasters of one day side by side, and one of the next."""
    right = LEFT + 100 * CELL
    return [
        write_tif(tmp_path / "east_20240501.tif", noise(50, 100, seed=1), left=right),
        write_tif(tmp_path / "west_20240501.tif", noise(50, 100, seed=2)),
        write_tif(tmp_path / "west_20240502.tif", noise(50, 100, seed=3)),
    ]


@pytest.fixture
def zones() -> geopandas.GeoDataFrame:
    """Squares over both rasters, some across the seam."""
    return squares(5, side=380.0)


def test_a_row_for_each_zone_and_day(pair: list[str], zones: geopandas.GeoDataFrame) -> None:
    """A zone across two rasters has the cells of both."""
    keys: dict[str, Any] = {
        "stats": ["count", "sum", "n_total"],
        "datetime_pattern": "%Y%m%d",
        "id": "id",
    }
    found = zb.zonal_stats(zones, pair, group_by="solar_day", **keys)
    alone = zb.zonal_stats(zones, pair, **keys)
    assert set(found["layer"]) == {"2024-05-01", "2024-05-02"}
    day = found[found["layer"] == "2024-05-01"]
    both = (
        alone[alone["layer"].str.endswith("0501")].groupby("id")[["count", "sum"]].sum(min_count=1)
    )
    np.testing.assert_allclose(day[["count", "sum"]], both.loc[day.index], rtol=1e-12)


def test_cells_of_several_rasters_have_no_number(
    pair: list[str], zones: geopandas.GeoDataFrame
) -> None:
    """The refusal says what numbers them instead."""
    with pytest.raises(StatisticError, match=r"center_x and center_y, or group_by: item"):
        zb.zonal_stats(
            zones, pair, "cell_id", group_by="solar_day", datetime_pattern="%Y%m%d", id="id"
        )


@pytest.mark.filterwarnings("ignore:no zone takes a cell")
def test_items_that_are_left_out_are_told_of(tmp_path: Path, pair: list[str]) -> None:
    """A day of which one item has no such band is not the whole day."""
    assets = [{"red": {"href": pair[0]}}, {"green": {"href": pair[1]}}]
    items = [item(name, assets=one) for name, one in zip("ab", assets, strict=True)]
    with pytest.warns(ZonalbatchWarning, match="have none of the bands and were left out, first b"):
        zb.zonal_stats(squares(2), items, "count", bands=["red"], group_by="solar_day")


def test_an_empty_search_is_told_as_one() -> None:
    """Not as files that are missing."""
    with pytest.raises(SourceError, match="a search that fills it found nothing"):
        zb.zonal_stats(squares(2), [])
