"""Acquisitions: of several processings of one, the last counts, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.made.items import item
from zonalbatch.sources import stac_layers
from zonalbatch.sources.acquisitions import last_processed

TILE = {"platform": "sentinel-2a", "s2:mgrs_tile": "31UES", "datetime": "2022-01-20T10:50:31Z"}


def processed(id: str, baseline: str, created: str = "2022-02-01T00:00:00Z", **more: Any) -> Any:
    """An item of one acquisition in some processing."""
    stated = TILE | {"s2:processing_baseline": baseline, "created": created}
    return item(id, **stated | more) | {"collection": "sentinel-2-l2a"}


def taken(*docs: Any) -> list[str]:
    """Ids of the items that are taken, the same whatever order they come in."""
    found = {doc["id"] for doc in last_processed(docs, {})}
    assert found == {doc["id"] for doc in last_processed(docs[::-1], {})}
    return sorted(found)


def test_the_highest_baseline_is_taken() -> None:
    """As numbers: 05.00 comes after 04.00, and 10.00 after 9.00."""
    assert taken(processed("a", "03.01"), processed("b", "05.00"), processed("c", "04.00")) == ["b"]
    assert taken(processed("b", "10.00"), processed("a", "9.00")) == ["b"]


def test_then_the_last_created_then_the_highest_id() -> None:
    """Ties are decided by what the items say, never by their order."""
    early = processed("z", "05.00")
    late = processed("a", "05.00", created="2023-01-01T00:00:00Z")
    assert taken(early, late) == ["a"]
    assert taken(processed("a", "05.00"), processed("b", "05.00")) == ["b"]


@pytest.mark.parametrize(
    "other",
    [
        {"platform": "sentinel-2b"},
        {"s2:mgrs_tile": "31UFS"},
        {"datetime": "2022-01-20T10:50:32Z"},
        {"s2:product_type": "S2MSI1C"},
        {"s2:datastrip_id": "S2A_OPER_MSI_L2A_DS_VGS2_20220120T120000_S20220120T105540_N03.01"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_tells_acquisitions_apart(other: dict[str, Any]) -> None:
    """Platform, tile, time, product; and the strip: a pass received in two makes two halves."""
    strip = "S2A_OPER_MSI_L2A_DS_VGS2_20220120T110000_S20220120T105030_N03.01"
    one = processed("a", "03.01", **{"s2:datastrip_id": strip, "s2:product_type": "S2MSI2A"})
    two = {**one, "id": "b", "properties": one["properties"] | other}
    assert taken(one, two) == ["a", "b"]


def test_times_are_compared_not_their_texts() -> None:
    """Catalogues write one instant in many ways."""
    other = processed("b", "04.00", datetime="2022-01-20T11:50:31.000+01:00")
    assert taken(processed("a", "03.01"), other) == ["b"]


def test_items_that_do_not_say_are_left_alone() -> None:
    """Without platform, tile or time nothing is known to be the same."""
    for gone in ("platform", "s2:mgrs_tile", "datetime"):
        docs = [processed("a", "03.01"), processed("b", "04.00")]
        for doc in docs:
            doc["properties"][gone] = None
        assert taken(*docs) == ["a", "b"]


def test_collections_are_products_of_their_own() -> None:
    """Surface reflectance and temperature of one Landsat scene stand in two collections."""
    one, two = processed("a", "03.01"), processed("b", "03.01")
    assert taken(one, two | {"collection": "sentinel-2-l1c"}) == ["a", "b"]


def test_layers_say_which_won() -> None:
    """The item that is read names those that it was taken instead of, and so does a note."""
    found = stac_layers([processed("old", "03.01"), processed("new", "04.00")])
    (one,) = found.layers
    assert (one.items, one.scenes[0].superseded) == (("new",), ("old",))
    assert [note for note in found.notes if "later processing" in note]


def test_no_real_item_is_lost(data_dir: Path) -> None:
    """Of the real items of every provider none is taken for another acquisition's."""
    docs: dict[tuple[str, str], Any] = {}
    for file in sorted((data_dir / "stac_items").rglob("*.json")):
        try:
            document = json.loads(file.read_text())
        except ValueError:
            continue
        for doc in document.get("features") or [document]:
            if isinstance(doc.get("properties"), dict):
                docs[str(doc.get("collection")), str(doc.get("id"))] = doc
    notes: dict[str, None] = {}
    found = last_processed(list(docs.values()), notes)
    replaced = {id: doc["id"] for doc in found for id in doc.get("superseded", [])}
    assert (len(found), replaced) == (len(docs), {})
    assert len(docs) > 100
