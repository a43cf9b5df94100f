"""Ids are keys, and columns travel with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.read_zones import SQUARE, fields, frame_of, table
from zonalbatch.errors import ZonesError
from zonalbatch.zones import open_zones


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (np.array([3, 1, 2], np.int16), pa.int64()),
        (np.array([3.0, 1.0, 2.0]), pa.int64()),
        (["a", "b", "ü"], pa.string()),
        (pd.Categorical(["a", "b", "c"]), pa.string()),
    ],
)
def test_ids_are_int64_or_string(ids: Any, kind: pa.DataType) -> None:
    """Whole numbers of any type become int64; text and categories become strings."""
    reader = open_zones(frame_of([SQUARE] * 3, own=ids), id="own")
    assert reader.id_type == kind
    assert reader.id_name == "own"
    assert next(reader.batches())["zone_id"].to_pylist() == list(ids)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 1, 2], r"unique, but 1 of 3 in 'own'.*such as 1, 2 times"),
        (["a", None, "b"], "'own' is null in row 1"),
        ([1.5, 2.0, 3.0], "does not fit int64.*convert them to text"),
        (np.array([1, 2, 2**63 + 1], np.uint64), "does not fit int64.*convert them to text"),
        (["x", 2, 3], "'own' mixes kinds of values.*convert it to text"),
        ([True, False, True], "integers or strings"),
        (pd.to_datetime(["2024-01-01"] * 3), "integers or strings"),
    ],
)
def test_ids_that_cannot_be_keys_are_refused(ids: Any, message: str) -> None:
    """Duplicates, nulls, fractions, truth values and times are no ids."""
    with pytest.raises(ZonesError, match=message):
        table(frame_of([SQUARE] * 3, own=ids), 2, id="own")


def test_without_an_id_the_index_serves() -> None:
    """A frame's unique index of integers or strings names the zones."""
    zones = frame_of([SQUARE] * 2).set_index(pd.Index(["x", "y"], name="plot"))
    assert open_zones(zones).id_name == "plot"
    assert table(zones)["zone_id"].to_pylist() == ["x", "y"]
    with pytest.raises(ZonesError, match="reset_index"):
        open_zones(zones.set_index(pd.Index([1, 1])))


def test_unknown_columns_are_named_with_the_nearest_one() -> None:
    """A typing error gets the list of columns and a suggestion."""
    with pytest.raises(ZonesError, match=r"no id column 'feild'; did you mean 'field'\?.*crop"):
        open_zones(fields(), id="feild")
    with pytest.raises(ZonesError, match="no carried column 'corp'; did you mean 'crop'"):
        open_zones(fields(), columns=["corp"])
    with pytest.raises(ZonesError, match="the name is ours"):
        open_zones(fields().assign(hash=1), columns=["*"])


def test_star_carries_all_columns_but_the_id() -> None:
    """``*`` means the user's columns, without the id and the geometry."""
    assert open_zones(fields(), id="field", columns=["*"]).carried.names == ["crop"]
    assert open_zones(fields(), columns=["*"]).carried.names == ["field", "crop"]
    assert open_zones(fields()).carried.names == []


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    """A missing file, a broken file and plain Parquet each give one sentence."""
    with pytest.raises(ZonesError, match="there is no file"):
        open_zones(tmp_path / "none.gpkg")
    (tmp_path / "bad.gpkg").write_bytes(b"nonsense")
    (tmp_path / "bad.parquet").write_bytes(b"nonsense")
    (tmp_path / "bad.zip").write_bytes(b"nonsense")
    for name in ("bad.gpkg", "bad.parquet", "bad.zip"):
        with pytest.raises(ZonesError, match="cannot be read"):
            open_zones(tmp_path / name)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "plain.parquet")
    with pytest.raises(ZonesError, match="GeoParquet"):
        open_zones(tmp_path / "plain.parquet")
    with pytest.raises(ZonesError, match="not a list"):
        open_zones([SQUARE])
