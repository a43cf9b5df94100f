"""Layers from STAC items of all versions and shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
from rasterio.transform import Affine

from zonalbatch.errors import PermanentReadError, SourceError
from zonalbatch.sources import Band, cog_layers, headers, stac_layers

GRID = {
    "proj:code": "EPSG:32631",
    "proj:shape": [4, 5],
    "proj:transform": [10, 0, 500000, 0, -10, 5600000],
}


def asset(href: Any = "https://example.com/a.tif", **fields: Any) -> dict[str, Any]:
    """A GeoTIFF asset that says its grid."""
    return {"href": href, "type": "image/tiff; application=geotiff", "roles": ["data"], **fields}


def item(id: str = "a", assets: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """An item of STAC 1.1 with one asset, ``red``."""
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": id,
        "geometry": None,
        "properties": {"datetime": "2020-01-01T10:00:00Z", **GRID, **properties},
        "links": [],
        "assets": {"red": asset()} if assets is None else assets,
    }


def raster(path: Path, **tags: Any) -> str:
    """A small GeoTIFF; its path."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=4,
        width=5,
        dtype="int16",
        crs="EPSG:32631",
        transform=Affine(10, 0, 500000, 0, -10, 5600000),
        **tags,
    ) as file:
        file.write(np.zeros((1, 4, 5), dtype="int16"))
        file.scales = (0.5,)
    return str(path)


def test_items_need_no_file() -> None:
    """An item that says its grid is planned without touching its files."""
    (layer,) = stac_layers([item()]).layers
    assert layer.id == "a"
    assert layer.items == ("a",)
    assert layer.datetime == datetime(2020, 1, 1, 10, tzinfo=UTC)
    red = layer.assets["red"]
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

    def counting(href: str) -> Any:
        opened.append(Path(href).name)
        return read(href)

    monkeypatch.setattr(headers, "read_header", counting)
    assets = {name: asset(raster(tmp_path / f"{name}.tif")) for name in ("red", "nir", "scl")}
    assets["scl"] |= GRID
    doc = item(assets=assets)
    doc["properties"] = {"datetime": "2020-01-01T10:00:00Z"}
    wanted = {"a": Band(asset="red"), "b": Band(asset="red", index=1), "scl": Band(asset="scl")}
    (layer,) = stac_layers([doc], bands=wanted).layers
    assert set(layer.assets) == {"a", "b", "scl"}
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
    assert layer.assets["pan"].grid.shape == (8, 10)
    assert layer.assets["red"].grid.shape == (4, 5)


def test_an_incomplete_item_asks_the_file(tmp_path: Path) -> None:
    """Without a whole grid the header is read; nodata, dtype and scale come with it."""
    doc = item(assets={"red": asset(raster(tmp_path / "a.tif", nodata=-9))})
    del doc["properties"]["proj:transform"]
    red = stac_layers([doc]).layers[0].assets["red"]
    assert red.grid == stac_layers([item()]).layers[0].assets["red"].grid
    assert (red.dtype, red.nodata, red.scale) == ("int16", -9, 0.5)


def test_a_transform_in_gdal_order_asks_the_file(tmp_path: Path) -> None:
    """An ill-ordered transform is not guessed at: the file knows."""
    doc = item(assets={"red": asset(raster(tmp_path / "a.tif"))})
    doc["properties"]["proj:transform"] = [500000, 10, 0, 5600000, 0, -10]
    assert stac_layers([doc]).layers[0].assets["red"].grid.shape == (4, 5)


def test_unreadable_files_are_failures(tmp_path: Path) -> None:
    """An item whose files cannot be read is recorded; if none can be, that is the error."""
    doc = item("gone", {"red": asset(str(tmp_path / "none.tif"))})
    del doc["properties"]["proj:shape"]
    found = stac_layers([doc, item("here")])
    assert [layer.id for layer in found.layers] == ["here"]
    assert [(f.layer, f.permanent) for f in found.failures] == [("gone", True)]
    with pytest.raises(PermanentReadError, match=r"none\.tif"):
        stac_layers([doc])


@pytest.mark.parametrize(
    "said",
    [
        {"raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.1, "offset": -1}]},
        {"bands": [{"nodata": 0, "data_type": "uint16", "raster:scale": 0.1, "raster:offset": -1}]},
        {"nodata": 0, "data_type": "uint16", "raster:scale": 0.1, "raster:offset": -1},
    ],
)
def test_values_may_be_said_in_many_ways(said: dict[str, Any]) -> None:
    """STAC 1.0's raster:bands, 1.1's bands and the asset itself mean the same."""
    red = stac_layers([item(assets={"red": asset(**said)})]).layers[0].assets["red"]
    assert (red.dtype, red.nodata, red.scale, red.offset) == ("uint16", 0, 0.1, -1.0)


@pytest.mark.parametrize(
    ("rule", "said", "applied"),
    [
        ("auto", {"raster:scale": 0.1}, (0.1, 0.0)),
        ("auto", {}, (None, None)),
        ("item", {}, (1.0, 0.0)),
        ("file", {"raster:scale": 0.1}, (None, None)),
        ("none", {"raster:scale": 0.1}, (1.0, 0.0)),
        ((2.0, 3.0), {"raster:scale": 0.1}, (2.0, 3.0)),
    ],
)
def test_whose_scale_counts(rule: Any, said: dict[str, Any], applied: Any) -> None:
    """ "auto" is the item's if it states any, else the file's (asked when it is opened)."""
    doc = item(assets={"red": asset(**said)})
    red = stac_layers([doc], scale_offset=rule).layers[0].assets["red"]
    assert (red.scale, red.offset) == applied


@pytest.mark.parametrize(
    ("stated", "dtype", "applied"),
    [("nan", "float32", "nan"), ("-9999", "int16", -9999), (-9999, "uint8", "none"), (0, None, 0)],
)
def test_nodata_may_be_text(stated: Any, dtype: str | None, applied: Any) -> None:
    """JSON has no NaN, so it is written as text; what the dtype cannot hold means none."""
    doc = item(assets={"red": asset(nodata=stated, data_type=dtype)})
    assert str(stac_layers([doc]).layers[0].assets["red"].nodata) == str(applied)


def test_bands_by_key_name_and_common_name() -> None:
    """An asset key, a band's name, its common name, and an index within an asset."""
    stack = asset(bands=[{"name": "B04", "eo:common_name": "red"}, {"name": "B08"}])
    old = asset(**{"eo:bands": [{"name": "B03", "common_name": "green"}]})
    bands = {
        "key": Band(asset="stack", index=2),
        "name": Band(asset="B08"),
        "common": Band(asset="red"),
        "old": Band(asset="green"),
        "described": Band(asset="stack", description="B08"),
    }
    (layer,) = stac_layers([item(assets={"stack": stack, "old": old})], bands=bands).layers
    assert {name: one.band for name, one in layer.assets.items()} == {
        "key": 2,
        "name": 2,
        "common": 1,
        "old": 1,
        "described": 2,
    }


def test_all_data_assets_by_default() -> None:
    """Rasters of role data, not pictures of them; many-band ones are numbered."""
    assets = {
        "red": asset(),
        "stack": asset(bands=[{}, {}]),
        "visual": asset(roles=["visual"]),
        "thumbnail": {"href": "t.png", "type": "image/png", "roles": ["thumbnail"]},
        "meta": {"href": "m.xml", "type": "application/xml"},
        "jp2": {"href": "https://example.com/b.jp2", "type": "image/jp2"},
        "bare": {"href": "https://example.com/c.tif?sig=1"},
    }
    doc = item(assets=assets) | {"links": [{"rel": "self", "href": "https://example.com/i.json"}]}
    (layer,) = stac_layers([doc]).layers
    assert list(layer.assets) == ["red", "stack_1", "stack_2", "jp2", "bare"]


def test_ambiguous_names_are_refused() -> None:
    """A common name of two assets is no answer."""
    bands = [{"name": "x", "eo:common_name": "rededge"}]
    doc = item(assets={"B05": asset(bands=bands), "B06": asset(bands=bands)})
    with pytest.raises(SourceError, match="B05, B06"):
        stac_layers([doc], bands={"x": Band(asset="rededge")})


def test_unknown_bands_offer_the_nearest() -> None:
    """A band in no item is a typo; one in some items is missing from the others."""
    with pytest.raises(SourceError, match="did you mean 'red'"):
        stac_layers([item()], bands={"x": Band(asset="rad")})
    other = item("b", {"red": asset(), "nir": asset()})
    first, second = stac_layers(
        [item(), other], bands={"red": Band(asset="red"), "nir": Band(asset="nir")}
    ).layers
    assert list(first.missing) == ["nir"]
    assert not second.missing


def test_an_item_without_any_band_is_noted() -> None:
    """Items that have nothing to read are left out, with a word about them."""
    found = stac_layers([item("bare", {"x": asset()}), item()], bands={"red": Band(asset="red")})
    assert [layer.id for layer in found.layers] == ["a"]
    assert "bare" in found.notes[0]


def test_a_document_is_no_raster() -> None:
    """Asking for the metadata gives an error that says what it is."""
    doc = item(assets={"meta": {"href": "/m.xml", "type": "application/xml"}, "red": asset()})
    with pytest.raises(SourceError, match="application/xml, not a raster"):
        stac_layers([doc], bands={"x": Band(asset="meta")})


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
    assert [layer.assets["red"].href for layer in found.layers] == ["https://example.com/new.tif"]
    assert "more than once" in found.notes[0]
    two = [item() | {"collection": "x"}, item() | {"collection": "y"}]
    assert [layer.id for layer in stac_layers(two).layers] == ["a@x", "a@y"]


def test_hrefs_are_resolved_by_where_the_item_lies(tmp_path: Path) -> None:
    """Beside the file for a file, by the self link for a dict, and else an error."""
    doc = item(assets={"red": asset("./x/a.tif")})
    path = tmp_path / "item.json"
    path.write_text(json.dumps(doc))
    assert stac_layers(path).layers[0].assets["red"].href == str(tmp_path / "x" / "a.tif")
    doc["links"] = [{"rel": "self", "href": "https://example.com/c/item.json"}]
    assert stac_layers([doc]).layers[0].assets["red"].href == "https://example.com/c/x/a.tif"
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


def test_items_agree_with_their_files(data_dir: Path) -> None:
    """The grids that items state are those that the files have, for 118 Sentinel-2 dates."""
    folder = data_dir / "timeseries/worldcereal_flanders/00002806639B424A"
    bands = {"red": Band(asset="B04"), "scl": Band(asset="SCL")}
    told = stac_layers(folder / "items.generated.json", bands=bands).layers
    read = cog_layers(
        pattern=str(folder / "*" / "S2_L2A_{date:%Y%m%d}_{band}.tif"), bands=bands
    ).layers
    assert len(told) == len(read) == 118
    for one, other in zip(told, read, strict=True):
        for name in bands:
            a, b = one.assets[name], other.assets[name]
            assert (a.href, a.band, a.grid, a.dtype, a.nodata) == (
                b.href,
                b.band,
                b.grid,
                b.dtype,
                b.nodata,
            )


def test_landsat_items(data_dir: Path) -> None:
    """19 scenes whose extents shift, with all 12 bands."""
    found = stac_layers(data_dir / "timeseries/gdalcubes_L8NY18/items.generated.json")
    assert len(found.layers) == 19
    assert {len(layer.assets) for layer in found.layers} == {12}


@pytest.mark.parametrize(
    ("name", "band", "crs", "scaled"),
    [
        ("earth-search/sentinel-2-l2a/S2A_13TDE_20231008_0_L2A", "red", "EPSG:32613", True),
        ("earth-search/landsat-c2-l2/LC08_L2SP_033032_20231008_02_T1", "red", "EPSG:32613", True),
        (
            "planetarycomputer/landsat-c2-l2/LC09_L2SR_084073_20250722_02_T1",
            "red",
            "EPSG:32658",
            True,
        ),
        ("odc-stac/S2A_28QCH_20200714_0_L2A", "B04", "EPSG:32628", False),
        ("odc-stac/lidar_dem", "dem", "EPSG:28355", False),
        (
            "stactools-esa-worldcover/ESA_WorldCover_10m_2021_v200_N00E006",
            "map",
            "EPSG:4326",
            False,
        ),
    ],
)
def test_items_of_real_catalogs(
    data_dir: Path, name: str, band: str, crs: str, scaled: bool
) -> None:
    """Each catalog's dialect gives a grid without a request."""
    path = data_dir / "stac_items" / f"{name}.json"
    (layer,) = stac_layers(path, bands={"x": Band(asset=band)}).layers
    found = layer.assets["x"]
    assert found.grid.lattice.crs == crs
    assert (found.scale is not None) == scaled


@pytest.mark.parametrize(
    "name", ["pc-sdk/sample-zarr-item", "pc-sdk/sample-tabular-item", "rio-tiler/stac_grib"]
)
def test_items_without_rasters_are_refused(data_dir: Path, name: str) -> None:
    """Zarr, tables and GRIB have no asset that is taken unasked."""
    with pytest.raises(SourceError, match="raster asset"):
        stac_layers(data_dir / "stac_items" / f"{name}.json")
