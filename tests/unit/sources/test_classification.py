"""Classification: names of values and bits, as STAC items give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.made.items import asset, item
from zonalbatch.masks.legend import BitField, Legend
from zonalbatch.sources import Band, stac_layers

FIELDS = [
    {"name": "cloud", "offset": 3, "length": 1, "classes": [{"name": "yes", "value": 1}]},
    {"name": "confidence", "offset": 8, "length": 2, "classes": [{"name": "high", "value": 3}]},
]
CLASSES = [{"name": "cloud", "value": 8}, {"name": "snow", "value": 11}, {"value": 5}]


def legend_of(*said: dict[str, Any]) -> Legend | None:
    """What some items say of their band ``red``."""
    docs = [item(f"i{n}", {"red": asset(f"https://e.com/{n}", **s)}) for n, s in enumerate(said)]
    return stac_layers(docs).legends.get("red")


@pytest.mark.parametrize("place", ["asset", "raster:bands", "bands"])
def test_where_it_may_stand(place: str) -> None:
    """On the asset, in raster:bands, or in bands."""
    said = {"classification:bitfields": FIELDS, "classification:classes": CLASSES}
    assert legend_of(said if place == "asset" else {place: [said]}) == Legend(
        {"cloud": (8,), "snow": (11,)},
        {"cloud": BitField(3, 1, {"yes": 1}), "confidence": BitField(8, 2, {"high": 3})},
    )


def test_items_that_say_nothing() -> None:
    """Have no legend, and take nothing away from those that others give."""
    assert legend_of({}) is None
    found = legend_of({}, {"classification:classes": CLASSES})
    assert found is not None
    assert found.classes["snow"] == (11,)


def test_items_that_disagree() -> None:
    """A name that means different values is none; the others stay."""
    other = [{"name": "cloud", "value": 9}, {"name": "snow", "value": 11}]
    found = legend_of({"classification:classes": CLASSES}, {"classification:classes": other})
    assert found == Legend({"snow": (11,)}, disputed=frozenset({"cloud"}))


@pytest.mark.parametrize(
    ("file", "band"),
    [
        ("earth-search/landsat-c2-l2/LC08_L2SP_033032_20231008_02_T1", "qa_pixel"),
        ("stactools-landsat/example_LT05_L2SP_010067_19860424_02_T2", "qa_pixel"),
    ],
)
def test_real_landsat_items(data_dir: Path, file: str, band: str) -> None:
    """QA_PIXEL's bits are where the USGS says they are (Landsat Collection 2 data format)."""
    path = data_dir / "stac_items" / f"{file}.json"
    bands = {"qa": Band(asset=band)}
    fields = stac_layers(path, bands=bands).legends["qa"].fields
    assert {name: fields[name].offset for name in ("fill", "cloud", "cloud_shadow", "snow")} == {
        "fill": 0, "cloud": 3, "cloud_shadow": 4, "snow": 5,
    }  # fmt: skip
    assert (fields["cloud_confidence"].offset, fields["cloud_confidence"].length) == (8, 2)


def test_a_real_sentinel_item(data_dir: Path) -> None:
    """SCL's classes by name."""
    path = data_dir / "stac_items/stactools-sentinel2/S2A_T60CWS_20240109T203651_L2A.json"
    classes = stac_layers(path, bands={"scl": Band(asset="scl")}).legends["scl"].classes
    assert classes["no_data"] == (0,)
    assert (8,) in classes.values()
    assert classes["snow_or_ice" if "snow_or_ice" in classes else "snow"] == (11,)
