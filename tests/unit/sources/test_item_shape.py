"""Broken items: what is said of one whose keys are not what STAC has there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.made.items import GRID, asset, item
from zonalbatch.errors import SourceError
from zonalbatch.sources import stac_layers
from zonalbatch.sources.item_bands import Place
from zonalbatch.sources.item_fields import sketch_of
from zonalbatch.sources.protocol import Band


def collection(*features: Any) -> dict[str, Any]:
    """An item collection."""
    return {"type": "FeatureCollection", "features": list(features)}


def catalog(*links: Any) -> dict[str, Any]:
    """A static catalog."""
    return {"type": "Catalog", "id": "c", "links": list(links)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (collection(None), "item None has no keys"),
        (collection(7), "item 7 has no keys"),
        ({**collection(), "features": {"a": 1}}, "features that are no list"),
        ({**collection(), "features": {}}, "holds no STAC item"),
        (item(assets={"r": "x.tif"}), "asset 'r' of item 'a' is no keys"),  # type: ignore[dict-item]
        ({**item(), "assets": ["x.tif"]}, "item 'a' has no assets"),
        ({**item(), "properties": []}, "item 'a' has no properties"),
        ({**item(), "links": ["x"]}, "the links of 'a' are no list of keys"),
        ({**item(), "links": {"rel": "self"}}, "the links of 'a' are no list of keys"),
        (item(assets={"r": asset(href=["x.tif"])}), "has a href that is a list"),
        (item(assets={"r": asset(roles="data")}), "has a roles that is a str"),
        (item(assets={"r": {**asset(), "type": 5}}), "has a type that is a int"),
        (catalog("x"), "the links of 'c' are no list"),
        (catalog({"rel": "item"}), "holds no STAC item"),
        (item(assets={"red": asset(**{"raster:scale": "x"})}), "states the scale 'x'"),
        (item(assets={"red": asset(**{"raster:offset": [1]})}), "and the offset \\[1\\]"),
    ],
)
def test_a_sentence_with_the_items_name(given: dict[str, Any], said: str) -> None:
    """No traceback: which item, what is wrong with it, what to do."""
    with pytest.raises(SourceError, match=said):
        stac_layers([given])


@pytest.mark.parametrize(
    "wrong",
    [
        {"proj:shape": ["a", "b"]}, {"proj:shape": 5}, {"proj:transform": [10, "x", 0, 0, -10, 0]},
        {"proj:transform": [None] * 6}, {"proj:transform": 7}, {"proj:code": ["EPSG:32631"]},
    ],
)  # fmt: skip
def test_a_grid_of_no_numbers_is_asked_of_the_file(wrong: dict[str, Any]) -> None:
    """The file knows better."""
    found = sketch_of(item(**{**GRID, **wrong}), Place("red", 1), Band(), "auto", {})
    assert found.grid is None


@pytest.mark.parametrize("nodata", [[0], {}, "x"])
def test_a_nodata_of_no_number_is_asked_of_the_file(nodata: Any) -> None:
    """As if the item said nothing."""
    doc = item(assets={"red": asset(nodata=nodata, data_type="uint8")})
    assert sketch_of(doc, Place("red", 1), Band(), "auto", {}).nodata is None
