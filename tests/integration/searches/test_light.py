"""Searches of a real API that knows places and times: rustac's server."""

from __future__ import annotations

import geopandas
import pytest
import shapely

import zonalbatch as zb
from tests.made.apis import many_scenes
from zonalbatch.errors import SourceError

ITEMS = many_scenes()


def test_all_pages_come(light: str) -> None:
    """360 items, whatever the size of a page, each once."""
    ids = {item["id"] for item in ITEMS}
    for limit in (None, 7, 1000):
        found = zb.search(light, limit=limit)
        assert len(found) == 360
        assert {item["id"] for item in found} == ids


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32631", "EPSG:3035"])
def test_items_that_meet_a_zone(light: str, crs: str) -> None:
    """Those whose footprint meets a zone, as shapely says, and no others."""
    shapes = [shapely.box(3.05, 50.05, 3.15, 50.15), shapely.box(9.45, 51.45, 9.65, 51.55)]
    zones = geopandas.GeoDataFrame(geometry=shapes, crs="EPSG:4326").to_crs(crs)
    found = {item["id"] for item in zb.search(light, zones)}
    assert found == {
        item["id"]
        for item in ITEMS
        if any(shapely.geometry.shape(item["geometry"]).intersects(one) for one in shapes)
    }


def test_times_and_collections(light: str) -> None:
    """Those of a span of months and of a collection."""
    found = zb.search(light, collections=["s2"], datetime="2024-02/2024-03")
    wanted = [
        item["id"]
        for item in ITEMS
        if item["collection"] == "s2" and item["properties"]["datetime"][5:7] in ("02", "03")
    ]
    assert sorted(item["id"] for item in found) == sorted(wanted)


def test_an_unknown_collection_is_told(light: str) -> None:
    """An API answers with nothing; here the near name is offered."""
    with pytest.raises(SourceError, match=r"no collection 'landsat-c2'; did you mean 'landsat'\?"):
        zb.search(light, collections="landsat-c2", datetime="2024")
    assert zb.search(light, collections="landsat", datetime="1999") == []


def test_filters_are_refused(light: str) -> None:
    """This server would answer with nothing."""
    for key, value in (("query", "eo:cloud_cover<20"), ("filter", "eo:cloud_cover < 20")):
        with pytest.raises(SourceError, match=f"does not say that it knows {key}"):
            zb.search(light, **{key: value})  # type: ignore[arg-type]
