"""Searches of a real API that knows all: stac-fastapi on pgstac and PostGIS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely

import zonalbatch as zb
from tests.made.apis import full_api, many_scenes
from zonalbatch.errors import SourceError
from zonalbatch.searches.files import writer
from zonalbatch.sources.documents import read_items

pytestmark = pytest.mark.long

ITEMS = many_scenes()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the full server, over a database of its own."""
    with full_api(tmp_path_factory.mktemp("full"), ITEMS) as url:
        yield url


def clouds(item: dict[str, Any]) -> float:
    """Cloud cover of an item."""
    return float(item["properties"]["eo:cloud_cover"])


def ids(items: list[dict[str, Any]]) -> list[str]:
    """Ids in order."""
    return sorted(item["id"] for item in items)


def test_all_pages_come(full: str) -> None:
    """360 items in pages of 25, each once."""
    assert ids(zb.search(full, limit=25)) == ids(ITEMS)


@pytest.mark.parametrize(
    "asked",
    [
        {"query": "eo:cloud_cover<20"},
        {"query": {"eo:cloud_cover": {"lt": 20}}},
        {"filter": "eo:cloud_cover < 20"},
        {"filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, 20]}},
    ],
    ids=["comparison", "query", "CQL2 text", "CQL2 JSON"],
)
def test_clear_scenes(full: str, asked: dict[str, Any]) -> None:
    """Every way to ask for less than 20 percent gives the same, and it is less as a number."""
    wanted = [item for item in ITEMS if clouds(item) < 20]
    assert any(clouds(item) < 10 for item in wanted)
    assert ids(zb.search(full, **asked)) == ids(wanted)


def test_zones_times_and_filter_together(full: str) -> None:
    """All of it at once, over zones in two places."""
    shapes = [shapely.box(3.05, 50.05, 4.15, 50.95), shapely.box(9.45, 51.05, 9.65, 51.55)]
    zones = geopandas.GeoDataFrame(geometry=shapes, crs="EPSG:4326")
    found = zb.search(
        full, zones, collections="s2", datetime="2024-01/2024-06",
        filter="eo:cloud_cover between 10 and 80",
    )  # fmt: skip
    assert ids(found) == ids(
        [
            item
            for item in ITEMS
            if item["collection"] == "s2"
            and item["properties"]["datetime"] < "2024-07"
            and 10 <= clouds(item) <= 80
            and any(shapely.geometry.shape(item["geometry"]).intersects(one) for one in shapes)
        ]
    )
    assert found


def test_order_and_number(full: str) -> None:
    """The seven with fewest clouds, also where several places are asked for."""
    zones = geopandas.GeoDataFrame(
        geometry=[shapely.box(3, 50, 3.1, 52), shapely.box(10, 50, 10.1, 52)], crs="EPSG:4326"
    )
    for where in ({}, {"zones": zones}):
        found = zb.search(full, sortby="eo:cloud_cover", max_items=7, **where)
        there = zb.search(full, **where)
        assert [clouds(item) for item in found] == sorted(map(clouds, there))[:7]


def test_fields_leave_out_but_what_a_run_needs(full: str) -> None:
    """The property that is asked for comes, and so do assets, place and time."""
    (item,) = zb.search(full, ids="scene-1-02", fields="properties.eo:cloud_cover")
    assert item["properties"].keys() == {"datetime", "eo:cloud_cover"}
    assert item["assets"]["red"]["href"].endswith("scene-1-02.tif")


def test_an_unknown_collection_is_told(full: str) -> None:
    """The server answers with nothing."""
    with pytest.raises(SourceError, match=r"no collection 'landsat2'; did you mean 'landsat'\?"):
        zb.search(full, collections="landsat2")


def test_what_was_found_is_kept_in_a_table(full: str, tmp_path: Path) -> None:
    """Items of a real server, written as stac-geoparquet and read again."""
    found = zb.search(full, datetime="2024-03")
    writer(tmp_path / "items.parquet")(found)
    assert ids(read_items(tmp_path / "items.parquet")) == ids(found)
