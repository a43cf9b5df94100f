"""Every hash is its zone's own, and carried columns keep their values."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest

from tests.made.read_zones import SQUARE, fields, frame_of, table
from zonalbatch.errors import ZonesError


def test_hashes_belong_to_the_zone_alone() -> None:
    """Batches, order of rows and width of integers leave a zone's hash as it is."""
    zones = fields()
    one = table(zones, id="field", columns=["crop"])
    narrow = zones.astype({"field": np.int32})
    for other in (
        table(zones, 3, id="field", columns=["crop"]),
        table(zones[::-1], 7, id="field", columns=["crop"]).sort_by("zone_id"),
        table(narrow, id="field", columns=["crop"]),
    ):
        assert other["hash"].to_pylist() == one["hash"].to_pylist()
    assert len(set(one["hash"].to_pylist())) == 20


def test_hashes_see_every_difference() -> None:
    """Another id, shape, carried value, CRS or buffer is another zone."""
    options: dict[str, Any] = {"id": "field", "columns": ["crop"]}
    zones = fields(1)
    moved = zones.set_geometry(zones.translate(1e-9))
    seen = [
        table(zones, **options),
        table(zones.assign(field=7), **options),
        table(zones.assign(crop="x"), **options),
        table(zones.assign(crop=None), **options),
        table(moved, **options),
        table(zones, id="field"),
        table(zones, buffer=1, **options),
        table(zones.set_crs("EPSG:32634", allow_override=True), **options),
    ]
    assert len({each["hash"][0].as_py() for each in seen}) == len(seen)


def test_a_hash_is_a_known_constant() -> None:
    """Hashes outlive versions: an increment next year compares with this year's."""
    got = table(fields(1), id="field", columns=["crop"])["hash"][0].as_py().hex()
    assert got == "b41ad8ac05df47f88b7662dde74a5222"


def test_all_kinds_of_columns_can_be_carried() -> None:
    """Numbers, times, truth values, text and lists take part in the hash."""
    base = {"f": 0.5, "t": pd.Timestamp("2024-01-01", tz="UTC"), "b": True, "s": "x", "l": [1, 2]}
    other = {"f": 0.6, "t": pd.Timestamp("2024-01-02", tz="UTC"), "b": False, "s": None, "l": [1]}
    rows = [base, *({**base, name: value} for name, value in other.items())]
    zones = geopandas.GeoDataFrame(pd.DataFrame(rows), geometry=[SQUARE] * 6, crs=32633)
    zones["id"] = 1
    hashes = [table(zones.iloc[[i]], id="id", columns=["*"])["hash"][0].as_py() for i in range(6)]
    assert len(set(hashes)) == 6


def test_a_column_that_cannot_be_stored_is_in_the_way_only_if_carried() -> None:
    """A column of mixed objects does no harm until it is asked for."""
    zones = frame_of([SQUARE] * 2, odd=[1, "a"])
    assert len(table(zones)) == 2
    with pytest.raises(ZonesError, match="the GeoDataFrame cannot be read"):
        table(zones, columns=["odd"])
