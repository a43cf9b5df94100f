"""Layers from STAC items: where they lie, when they were, what holds them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pystac
import pytest
import rasterio

from tests.made.items import GRID, asset, item, raster
from zonalbatch.errors import PermanentReadError, SourceError
from zonalbatch.sources import Band, headers, stac_layers


def test_items_need_no_file() -> None:
    """An item that says its grid is planned without touching its files."""
    (layer,) = stac_layers([item()]).layers
    assert layer.id == "a"
    assert layer.items == ("a",)
    assert layer.datetime == datetime(2020, 1, 1, 10, tzinfo=UTC)
    red = layer.scenes[0].assets["red"]
    assert (red.href, red.band) == ("https://example.com/a.tif", 1)
    assert red.grid.lattice.crs == "EPSG:32631"
    assert red.grid.shape == (4, 5)
    assert (red.nodata, red.scale, red.offset) == (None, None, None)


def test_only_wanted_files_without_a_grid_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header is read once, of a file that holds a wanted band and whose grid nobody says."""
    opened: list[str] = []
    read = headers.read_header

    def counting(href: str, *rest: Any) -> Any:
        opened.append(Path(href).name)
        return read(href, *rest)

    monkeypatch.setattr(headers, "read_header", counting)
    assets = {name: asset(raster(tmp_path / f"{name}.tif")) for name in ("red", "nir", "scl")}
    assets["scl"] |= GRID
    doc = item(assets=assets)
    doc["properties"] = {"datetime": "2020-01-01T10:00:00Z"}
    wanted = {"a": Band(asset="red"), "b": Band(asset="red", index=1), "scl": Band(asset="scl")}
    (layer,) = stac_layers([doc], bands=wanted).layers
    assert set(layer.scenes[0].assets) == {"a", "b", "scl"}
    assert opened == ["red.tif"]


@pytest.mark.parametrize(
    "crs",
    [
        {"proj:code": "EPSG:32631"},
        {"proj:epsg": 32631},
        {"proj:wkt2": rasterio.CRS.from_epsg(32631).to_wkt()},
        {"proj:projjson": rasterio.CRS.from_epsg(32631).to_dict(projjson=True)},
        {"proj:code": None, "proj:epsg": 32631},
    ],
)
@pytest.mark.parametrize("level", ["item", "asset", "band"])
def test_a_grid_may_be_said_in_many_ways(crs: dict[str, Any], level: str) -> None:
    """By code, EPSG number, WKT2 or PROJJSON, at the item, the asset or the band: one grid."""
    said = {k: v for k, v in GRID.items() if k != "proj:code"} | crs
    doc = item(assets={"red": asset(**({"bands": [said]} if level == "band" else {}))})
    doc["properties"] = {"datetime": "2020-01-01T10:00:00Z"}
    if level == "item":
        doc["properties"] |= said
    if level == "asset":
        doc["assets"]["red"] |= said
    assert stac_layers([doc]).layers[0].assets == stac_layers([item()]).layers[0].assets


def test_the_asset_speaks_before_its_item() -> None:
    """A finer band overrides the item's shape and transform."""
    fine = {"proj:shape": [8, 10], "proj:transform": [5, 0, 500000, 0, -5, 5600000, 0, 0, 1]}
    (layer,) = stac_layers([item(assets={"pan": asset(**fine), "red": asset()})]).layers
    assert layer.scenes[0].assets["pan"].grid.shape == (8, 10)
    assert layer.scenes[0].assets["red"].grid.shape == (4, 5)


def test_an_incomplete_item_asks_the_file(tmp_path: Path) -> None:
    """Without a whole grid the header is read; nodata, dtype and scale come with it."""
    doc = item(assets={"red": asset(raster(tmp_path / "a.tif", nodata=-9))})
    del doc["properties"]["proj:transform"]
    red = stac_layers([doc]).layers[0].scenes[0].assets["red"]
    assert red.grid == stac_layers([item()]).layers[0].scenes[0].assets["red"].grid
    assert (red.dtype, red.nodata, red.scale) == ("int16", -9, 0.5)


def test_a_transform_in_gdal_order_asks_the_file(tmp_path: Path) -> None:
    """An ill-ordered transform is not guessed at: the file knows."""
    doc = item(assets={"red": asset(raster(tmp_path / "a.tif"))})
    doc["properties"]["proj:transform"] = [500000, 10, 0, 5600000, 0, -10]
    assert stac_layers([doc]).layers[0].scenes[0].assets["red"].grid.shape == (4, 5)


def test_unreadable_files_are_failures(tmp_path: Path) -> None:
    """An item whose files cannot be read is recorded; if none can be, that is the error."""
    doc = item("gone", {"red": asset(str(tmp_path / "none.tif"))})
    del doc["properties"]["proj:shape"]
    found = stac_layers([doc, item("here")])
    assert [layer.id for layer in found.layers] == ["here"]
    assert [(f.layer, f.permanent) for f in found.failures] == [("gone", True)]
    with pytest.raises(PermanentReadError, match=r"none\.tif"):
        stac_layers([doc])


def test_times_are_utc() -> None:
    """Naive means UTC, offsets are converted, a range has an end, and order is by time."""
    ranged = item("c", datetime=None, start_datetime="2019-01-01", end_datetime="2019-12-31")
    docs = [
        item("b", datetime="2020-01-01T12:00:00+03:00"),
        item("a", datetime="2020-01-01T10:00:00"),
        ranged,
    ]
    layers = stac_layers(docs).layers
    assert [layer.id for layer in layers] == ["c", "b", "a"]
    assert layers[0].datetime_end == datetime(2019, 12, 31, tzinfo=UTC)
    assert layers[1].datetime == datetime(2020, 1, 1, 9, tzinfo=UTC)
    with pytest.raises(SourceError, match="'yesterday'"):
        stac_layers([item(datetime="yesterday")])


def test_ids_are_unique() -> None:
    """The last updated of equal items is kept; equal ids of two collections are told apart."""
    old, new = item(updated="2020-01-02"), item(updated="2021-01-02")
    new["assets"] = {"red": asset("https://example.com/new.tif")}
    found = stac_layers([new, old])
    assert [layer.scenes[0].assets["red"].href for layer in found.layers] == [
        "https://example.com/new.tif"
    ]
    assert "more than once" in found.notes[0]
    two = [item() | {"collection": "x"}, item() | {"collection": "y"}]
    assert [layer.id for layer in stac_layers(two).layers] == ["a@x", "a@y"]


def test_hrefs_are_resolved_by_where_the_item_lies(tmp_path: Path) -> None:
    """Beside the file for a file, by the self link for a dict, and else an error."""
    doc = item(assets={"red": asset("./x/a.tif")})
    path = tmp_path / "item.json"
    path.write_text(json.dumps(doc))
    assert stac_layers(path).layers[0].scenes[0].assets["red"].href == str(tmp_path / "x" / "a.tif")
    doc["links"] = [{"rel": "self", "href": "https://example.com/c/item.json"}]
    assert (
        stac_layers([doc]).layers[0].scenes[0].assets["red"].href == "https://example.com/c/x/a.tif"
    )
    doc["links"] = []
    with pytest.raises(SourceError, match="relative link"):
        stac_layers([doc])


def test_every_container_gives_the_same_layers(tmp_path: Path) -> None:
    """A collection, item files, dicts, pystac items and a static catalog."""
    docs = [item("a"), item("b")]
    for doc in docs:
        (tmp_path / f"{doc['id']}.json").write_text(json.dumps(doc))
    collection = tmp_path / "items.json"
    collection.write_text(json.dumps({"type": "FeatureCollection", "features": docs}))
    child = {"type": "Catalog", "id": "c", "links": [{"rel": "item", "href": "../b.json"}]}
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "catalog.json").write_text(json.dumps(child))
    root = [{"rel": "item", "href": "./a.json"}, {"rel": "child", "href": "child/catalog.json"}]
    (tmp_path / "catalog.json").write_text(
        json.dumps({"type": "Catalog", "id": "r", "links": [*root, root[1]]})
    )
    geometry = {"geometry": {"type": "Point", "coordinates": [3, 50]}, "bbox": [3, 50, 3, 50]}
    expected = stac_layers(docs).layers
    for given in (
        collection,
        [str(tmp_path / "a.json"), tmp_path / "b.json"],
        [pystac.Item.from_dict(doc | geometry) for doc in docs],
        pystac.ItemCollection([pystac.Item.from_dict(doc | geometry) for doc in docs]),
        tmp_path / "catalog.json",
    ):
        assert stac_layers(given).layers == expected  # type: ignore[arg-type]


def test_nothing_is_an_error(tmp_path: Path) -> None:
    """No items, no file, no JSON, no STAC: each says so."""
    empty = tmp_path / "empty.json"
    empty.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(SourceError, match="holds no STAC item"):
        stac_layers(empty)
    with pytest.raises(SourceError, match="does not exist"):
        stac_layers(tmp_path / "none.json")
    empty.write_text("hello")
    with pytest.raises(SourceError, match="is no JSON"):
        stac_layers(empty)
    empty.write_text("{}")
    with pytest.raises(SourceError, match="no STAC item"):
        stac_layers(empty)
