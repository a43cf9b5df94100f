"""Scale, offset and nodata as STAC items say them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.made.items import asset, item
from zonalbatch.sources import stac_layers


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
    red = stac_layers([item(assets={"red": asset(**said)})]).layers[0].scenes[0].assets["red"]
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
    red = stac_layers([doc], scale_offset=rule).layers[0].scenes[0].assets["red"]
    assert (red.scale, red.offset) == applied


@pytest.mark.parametrize(
    ("stated", "dtype", "applied"),
    [("nan", "float32", "nan"), ("-9999", "int16", -9999), (-9999, "uint8", "none"), (0, None, 0)],
)
def test_nodata_may_be_text(stated: Any, dtype: str | None, applied: Any) -> None:
    """JSON has no NaN, so it is written as text; what the dtype cannot hold means none."""
    doc = item(assets={"red": asset(nodata=stated, data_type=dtype)})
    assert str(stac_layers([doc]).layers[0].scenes[0].assets["red"].nodata) == str(applied)
