"""The digest of rows: of values alone, by Arrow's buffers, lists included."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from zonalbatch import digest as digest_module
from zonalbatch.digest import digest_of

PAIR = pa.struct([("class", pa.float64()), ("value", pa.float64())])
KINDS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "text": (pa.string(), ["a", None, "", "ß", "a"]),
    "shape": (pa.binary(), [b"\x01\x02", b"", None, b"\x00", b"abc"]),
    "number": (pa.float64(), [1.5, None, -0.0, 0.0, float("nan")]),
    "small": (pa.int8(), [1, None, -3, 0, 5]),
    "truth": (pa.bool_(), [True, None, False, True, False]),
    "day": (pa.date32(), [dt.date(2024, 6, 1), None, dt.date(1960, 1, 1), None, None]),
    "time": (pa.timestamp("us", "UTC"), [dt.datetime(2024, 6, 1, tzinfo=dt.UTC), *[None] * 4]),
    "box": (pa.struct([("x", pa.float64()), ("y", pa.string())]),
            [{"x": 1.0, "y": "a"}, None, {"x": None, "y": None}, {"x": 2.0, "y": ""}, None]),
    "values": (pa.list_(pa.float64()), [[1.0, 2.0], None, [], [None, 3.0], [2.0]]),
    "ids": (pa.list_(pa.int64()), [[1, 2], [], None, [3], [4, 5, 6]]),
    "frac": (pa.list_(PAIR), [[{"class": 1.0, "value": 0.5}], None, [], [None],
                              [{"class": 2.0, "value": None}]]),
    "sketch": (pa.struct([("exact", pa.bool_()), ("values", pa.list_(pa.float64()))]),
               [{"exact": True, "values": [1.0]}, None, {"exact": False, "values": []},
                {"exact": None, "values": None}, {"exact": True, "values": [2.0, 3.0]}]),
}  # fmt: skip
FLAT = [name for name in KINDS if name not in ("values", "ids", "frac", "sketch")]


def table(*names: str) -> pa.Table:
    """Five rows of some columns, in an order of their own."""
    columns = {name: pa.array(KINDS[name][1], KINDS[name][0]) for name in names}
    return pa.table({"zone_id": pa.array([3, 1, 5, 2, 4])} | columns)


def of(rows: pa.Table) -> str:
    """Its digest."""
    return digest_of(rows, ["zone_id"])


def test_flat_columns_keep_their_digest() -> None:
    """That of results which were written before is as it was told then."""
    assert of(table(*FLAT)) == "16ffd63bfeb5116de8765471ce0070a9168c04c7572d2c691c9c1e636fa87207"


@pytest.mark.parametrize("rows", [8, 2**16])
def test_how_many_rows_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Flat columns do not tell."""
    many = pa.concat_tables([table(*FLAT)] * 9)
    expected = of(many)
    monkeypatch.setattr(digest_module, "ROWS", rows)
    assert of(many) == expected


@pytest.mark.parametrize("name", KINDS)
def test_layout_does_not_matter(name: str) -> None:
    """Chunks, slices, the order of rows and what lies under nulls: values alone count."""
    rows = table(name)
    expected = of(rows)
    pieces = [rows.slice(i, 1) for i in (4, 2, 0, 1, 3)]
    assert of(pa.concat_tables(pieces)) == expected
    assert of(pa.concat_tables([rows, rows]).slice(2, 5)) == expected
    assert of(pa.concat_tables(pieces).combine_chunks()) == expected
    hidden = pa.array(KINDS[name][1][0:1] * 5, KINDS[name][0])
    valid = rows[name].combine_chunks().is_valid()
    under = pa.compute.if_else(valid, rows[name].combine_chunks(), hidden)
    buffers = [rows[name].combine_chunks().buffers()[0], *under.buffers()[1:]]
    if not pa.types.is_nested(under.type):
        column = pa.Array.from_buffers(under.type, 5, buffers)
        assert of(rows.set_column(1, name, column)) == expected


@pytest.mark.parametrize("name", ["values", "ids", "frac", "sketch"])
def test_every_value_of_a_list_matters(name: str) -> None:
    """Lists that end elsewhere, an empty one for none, an item changed or lost."""
    kind, lists = KINDS[name]
    held = [one["values"] if isinstance(one, dict) else one for one in lists]
    longest = max((one for one in held if one), key=len)
    put = (lambda one: {"exact": True, "values": one}) if name == "sketch" else (lambda one: one)
    seen = {of(table(name))}
    for i, one in enumerate(held):
        for other in ([], None, [*longest, longest[0]], longest[::-1], [longest[0]]):
            if other != one:
                changed = [*lists[:i], put(other), *lists[i + 1 :]]
                seen.add(of(table().append_column(name, pa.array(changed, kind))))
    moved = [put([*longest, longest[0]]), *map(put, ([], [])), *lists[3:]]
    other = [put([*longest]), put([longest[0]]), put([]), *lists[3:]]
    of_two = {of(table().append_column(name, pa.array(one, kind))) for one in (moved, other)}
    assert len(of_two) == 2
    assert len(seen) > 12


def test_no_row_becomes_an_object() -> None:
    """Of a million items in lists, Python holds less than a byte for each, but for a batch."""
    n, each = 100_000, 10
    values = pa.array(np.random.default_rng(2).random(n * each))
    ends = pa.array(np.arange(0, n * each + 1, each, dtype=np.int32))
    pairs = pa.StructArray.from_arrays([values, values], fields=list(PAIR))
    lists = pa.ListArray.from_arrays(ends, pairs)
    rows = pa.table({"zone_id": np.arange(n)[::-1], "frac": lists})
    tracemalloc.start()
    found = of(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 2**20
    assert len(found) == 64
