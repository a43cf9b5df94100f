"""Bands of STAC items, by key, index and common name."""

from __future__ import annotations

import pytest

from tests.made.items import asset, item
from zonalbatch.errors import SourceError
from zonalbatch.sources import Band, stac_layers


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
    assert {name: one.band for name, one in layer.scenes[0].assets.items()} == {
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
    assert list(layer.scenes[0].assets) == ["red", "stack_1", "stack_2", "jp2", "bare"]


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
