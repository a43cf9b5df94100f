"""Scale and offset of real items, and whose word they are.

The sources of the rules are named in `sources/products.py` (ESA, USGS) and `sources/offsets.py`
(Earth Search).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.made.items import asset, item
from zonalbatch.sources import stac_layers
from zonalbatch.sources.documents import Doc
from zonalbatch.sources.item_bands import band_docs
from zonalbatch.sources.offsets import scaling_of
from zonalbatch.sources.products import baseline_of, rule_of

OLD, NEW = (1e-4, 0.0), (1e-4, -0.1)
"""Reflectance before and since processing baseline 04.00 (ESA, Products Specification Document)."""
TAKEN_OUT = (1e-4, 0.0)
"""Earth Search's COGs whose flag says that the offset is out of them (earth-search issue 9)."""
LANDSAT, HEAT = (2.75e-5, -0.2), (0.00341802, 149.0)
"""Landsat Collection 2 Level-2 (USGS, LSDS-1619)."""
ASKED = (None, None)
"""Nothing is certain: the file is asked."""

REFLECTANCES = ("red", "B04", "B04_10m", "B4", "SR_B4", "SR_B4.TIF", "SR_B3.TIF", "SR_B3")

SENTINEL: dict[str, tuple[Any, str, str]] = {
    # Stated by the item, with the processing baseline's offset (ESA) or without it.
    "earth-search/sentinel-2-c1-l2a/S2B_T20EPT_20250731T131905_L2A": (NEW, "item", ""),
    "earth-search/sentinel-2-c1-l2a/S2B_T24MUA_20250731T130245_L2A": (NEW, "item", ""),
    "earth-search/sentinel-2-c1-l2a/S2B_T24MUV_20250731T130245_L2A": (NEW, "item", ""),
    "earth-search/sentinel-2-c1-l2a/S2B_T24MVV_20250731T130245_L2A": (NEW, "item", ""),
    "earth-search/sentinel-2-c1-l2a/S2B_T24MWV_20250731T130245_L2A": (NEW, "item", ""),
    "earth-search/sentinel-2-c1-l2a/S2B_T24MXV_20250731T130245_L2A": (NEW, "item", ""),
    "earth-search/sentinel-2-l1c/S2B_20EPT_20250731_0_L1C": (NEW, "item", ""),
    "earth-search/sentinel-2-l1c/S2B_24MUV_20250731_0_L1C": (NEW, "item", ""),
    # States an offset, and by its flag that it is applied: the flag is true (earth-search issue 9).
    "earth-search/sentinel-2-l2a/S2A_13TDE_20231008_0_L2A": (TAKEN_OUT, "item (", "applied again"),
    "earth-search/sentinel-2-l2a/S2B_20EPT_20250731_0_L2A": (TAKEN_OUT, "item (", "applied again"),
    "earth-search/sentinel-2-l2a/S2B_24MUA_20250731_0_L2A": (TAKEN_OUT, "item (", "applied again"),
    "earth-search/sentinel-2-l2a/S2B_24MUV_20250731_0_L2A": (TAKEN_OUT, "item (", "applied again"),
    "earth-search/sentinel-2-l2a/S2B_24MVV_20250731_0_L2A": (TAKEN_OUT, "item (", "applied again"),
    "earth-search/sentinel-2-l2a/S2B_24MWV_20250731_0_L2A": (TAKEN_OUT, "item (", "applied again"),
    "earth-search/sentinel-2-l2a/S2B_24MXV_20250731_0_L2A": (TAKEN_OUT, "item (", "applied again"),
    "openeo-processes-dask/s2_l2a_test_item": (TAKEN_OUT, "item (", "applied again"),
    # Version 0 of Earth Search states nothing; its flag, or the baseline in the product's name.
    "earth-search/sentinel-s2-l2a-cogs/S2B_20EPT_20250731_0_L2A":
        (TAKEN_OUT, "rule: Sentinel-2 baseline 05.11, sentinel:boa_offset_applied", ""),
    "odc-stac/S2A_28QCH_20200714_0_L2A": (OLD, "rule: Sentinel-2 baseline 02.14", ""),
    "titiler/mosaic_item": (OLD, "rule: Sentinel-2 baseline 02.14", ""),
    "pystac/extensions_raster_raster-sentinel2-example":
        (OLD, "rule: Sentinel-2 baseline 02.14", ""),
    # The Planetary Computer states nothing, and its files are ESA's own (issue 134 there).
    "planetarycomputer/sentinel-2-l2a/S2A_MSIL2A_20190101T000001_R116_T59VND_20201007T214702":
        (OLD, "rule: Sentinel-2 baseline 02.12", ""),
    "derived/pc_sentinel-2-l2a_FAKE-signed": (OLD, "rule: Sentinel-2 baseline 02.12", ""),
    "odc-stac/S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531":
        (OLD, "rule: Sentinel-2 baseline 02.12", ""),
    "odc-stac/S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531_raster_ext":
        (OLD, "rule: Sentinel-2 baseline 02.12", ""),
    # By the name of the product or of the granule alone.
    "pystac/extensions_eo_eo-sentinel2-item": (OLD, "rule: Sentinel-2 baseline 02.09", ""),
    "pystac/extensions_eo_examples_0.8.1_item-spec_examples_sentinel2-sample":
        (OLD, "rule: Sentinel-2 baseline 02.08", ""),
    "pystac/extensions_grid_example-sentinel2": (OLD, "item", ""),
    # Made by stactools of ESA's metadata. An old scene that was processed anew has the offset; one
    # says another offset than ESA's -1,000, which is told.
    "stactools-sentinel2/S2B_MSIL2A_20200914T231559_N0500_R087_T01VCG_20230315T224658":
        (NEW, "item", ""),
    "stactools-sentinel2/S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126.SAFE":
        (NEW, "item", ""),
    "stactools-sentinel2/S2A_OPER_MSI_L2A_TL_VGS1_20220401T110010_A035382_T34LBP":
        (NEW, "item", ""),
    "stactools-sentinel2/S2A_OPER_MSI_L2A_TL_VGS1_20220401T110010_A035382_T34LBQ":
        ((1e-4, -0.7), "item", "where Sentinel-2 baseline 04.00 has × 0.0001 -0.1"),
    "stactools-sentinel2/S2A_MSIL2A_20230821T221941_N0509_R029_T01KAB_20230822T021825.SAFE":
        (NEW, "item", ""),
    "stactools-sentinel2/S2A_OPER_MSI_L2A_TL_2APS_20240108T121951_A044635_T34VEL":
        (NEW, "item", ""),
    "stactools-sentinel2/S2A_T60CWS_20240109T203651_L2A": (NEW, "item", ""),
    "stactools-sentinel2/S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857.SAFE":
        (OLD, "item", ""),
    "stactools-sentinel2/S2A_OPER_MSI_L1C_TL_SGS__20181231T203637_A018414_T10SDG":
        (OLD, "item", ""),
    "stactools-sentinel2/S2A_OPER_MSI_L2A_TL_SGS__20181231T210250_A018414_T10SDG":
        (OLD, "item", ""),
    "stactools-sentinel2/S2B_MSIL2A_20191228T210519_N0212_R071_T01CCV_20201003T104658.SAFE":
        (OLD, "item", ""),
    "stactools-sentinel2/esa_S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE":
        (OLD, "item", ""),
    "stactools-sentinel2/S2A_MSIL1C_20200717T221941_R029_T01LAC_20200717T234135.SAFE":
        (OLD, "item", ""),
    "stactools-sentinel2/example_S2A_T07HFE_20190212T192646_L2A": (OLD, "item", ""),
    # No baseline, or a product that somebody made of one: nothing is certain.
    "pystac/extensions_render_item": (ASKED, "file", ""),
    "titiler/core_item": (ASKED, "file", ""),
    "rio-tiler/stac_wrong_stats": (ASKED, "file", ""),
}  # fmt: skip
"""Item -> (scale, offset) of its red band, or of its first, whose word they are, and the doubt."""

LANDSATS: dict[str, tuple[str, Any, str]] = {
    "earth-search/landsat-c2-l2/LC08_L2SP_033032_20231008_02_T1": ("red", LANDSAT, "item"),
    "planetarycomputer/landsat-c2-l2/LC09_L2SR_084073_20250722_02_T1": ("red", LANDSAT, "item"),
    "planetarycomputer/landsat-8-c2-l2/LC08_L2SP_198023_20220315_02_T1": ("SR_B4", LANDSAT, "rule"),
    "odc-stac/LC08_L2SP_028030_20200114_20200824_02_T1_SR": ("red", LANDSAT, "rule"),
    "stactools-landsat/LC08_L2SP_017036_20130419_20200913_02_T2_SR_stac":
        ("SR_B4.TIF", LANDSAT, "rule"),
    "stactools-landsat/LC08_L2SP_017036_20130419_20200913_02_T2_ST_stac":
        ("ST_B10.TIF", HEAT, "rule"),
    "stactools-landsat/LT05_L2SP_010067_19860424_20200918_02_T2_ST_stac": ("lwir", HEAT, "rule"),
    "stactools-landsat/example_LC09_L2SP_010065_20220129_02_T1": ("lwir11", HEAT, "item"),
    "stactools-landsat/example_LC08_L2SP_047027_20201204_02_T1": ("cdist", (0.01, 0.0), "item"),
    "odc-stac/LC08_L2SR_081119_20200101_20200823_02_T2": ("QA_PIXEL.TIF", ASKED, "file"),
    "stactools-landsat/LM01_L1GS_001010_19720908_20200909_02_T2_stac": ("red", ASKED, "file"),
    "titiler/extensions_render_item": ("B4", ASKED, "file"),
}  # fmt: skip
"""Item -> (asset, its scale and offset, whose word they are)."""


DECIDED = {
    (False, False, 0.0): 48,
    (True, False, -0.1): 17,
    (True, False, -0.7): 1,
    (True, True, 0.0): 9,
}
"""(Baseline has an offset, flag that it is taken out, offset applied) -> real items."""


def doc_of(data_dir: Path, name: str) -> Doc:
    """A real item."""
    doc: Doc = json.loads((data_dir / "stac_items" / f"{name}.json").read_text())
    return doc


def applied(doc: Doc, key: str) -> Any:
    """What is applied to the first band of an asset."""
    one = doc["assets"][key]
    own = (band_docs(one) or [{}])[0]
    return scaling_of(doc, key, (own, one), "auto")


def reflectance(doc: Doc) -> str:
    """Its red band, or else its first asset."""
    return next((key for key in REFLECTANCES if key in doc["assets"]), next(iter(doc["assets"])))


@pytest.mark.parametrize("name", SENTINEL)
def test_sentinel_2(data_dir: Path, name: str) -> None:
    """The offset of processing baseline 04.00 is applied where it is in the file, and once."""
    doc = doc_of(data_dir, name)
    expected, by, doubt = SENTINEL[name]
    found = applied(doc, reflectance(doc))
    assert (found.scale, found.offset) == pytest.approx(expected) if expected[0] else expected
    assert found.by.startswith(by)
    assert doubt in found.doubt
    assert bool(doubt) == bool(found.doubt)


@pytest.mark.parametrize("name", LANDSATS)
def test_landsat(data_dir: Path, name: str) -> None:
    """Collection 2 Level-2 has a scale and an offset, stated or not; of others files are asked."""
    key, expected, by = LANDSATS[name]
    found = applied(doc_of(data_dir, name), key)
    assert (found.scale, found.offset) == expected
    assert found.by.startswith(by)
    assert not found.doubt


def real_items(data_dir: Path) -> Iterator[tuple[str, Doc]]:
    """All items of the folder, in whatever document."""
    for path in sorted((data_dir / "stac_items").rglob("*.*json")):
        doc = json.loads(path.read_text())
        for one in doc["features"] if doc.get("type") == "FeatureCollection" else [doc]:
            yield str(path.relative_to(data_dir / "stac_items")), one


def test_every_sentinel_2_item_is_decided(data_dir: Path) -> None:
    """All real items whose baseline is known, by (baseline has an offset, flag) -> what is applied.

    ESA's rule and Earth Search's flag decide; the one odd offset is stated by its item.
    """
    found = Counter[tuple[bool, bool, float]]()
    for _, doc in real_items(data_dir):
        baseline = baseline_of(doc)
        if baseline is not None:
            flag = any(v is True for k, v in doc["properties"].items() if "boa_offset" in k)
            applies = applied(doc, reflectance(doc))
            assert applies.scale == 1e-4
            found[baseline >= (4, 0), flag, applies.offset] += 1
    assert found == DECIDED


def test_what_items_state_is_what_the_rules_say(data_dir: Path) -> None:
    """Of all bands of all real items with both, but those that say themselves why they differ.

    So that the rules, which speak where items are silent, are those that the makers go by.
    """
    seen, differ = Counter[str](), set()
    for name, doc in real_items(data_dir):
        for key, one in (doc.get("assets") or {}).items():
            rule, docs = rule_of(doc, key), band_docs(one)
            stated = docs and {"scale", "offset"} & set(docs[0])
            if rule is None or not stated:
                continue
            seen[rule.name.partition(" baseline")[0]] += 1
            told = docs[0].get("scale") or 1.0, docs[0].get("offset") or 0.0
            if told != pytest.approx((rule.scale, rule.offset)):
                differ.add(name)
    assert seen["Sentinel-2"] > 700
    assert seen["Landsat Collection 2 Level-2"] > 80
    assert differ == {
        "stactools-sentinel2/S2A_OPER_MSI_L2A_TL_VGS1_20220401T110010_A035382_T34LBQ.json"
    }


def test_a_hundred_items_of_a_new_baseline(data_dir: Path) -> None:
    """Of the Planetary Computer in 2024: nothing is stated, and each product has the offset."""
    table = pq.read_table(data_dir / "stac_items/rustac/100-sentinel-2-items.parquet")
    for row in table.to_pylist():
        told = {"s2:processing_baseline": row["s2:processing_baseline"]}
        rule = rule_of({"id": row["id"], "properties": told}, "B08")
        assert rule is not None
        assert (rule.scale, rule.offset) == NEW
    assert table.num_rows == 100


def sentinel_item(baseline: str, offset: float | None, **properties: Any) -> Doc:
    """An item of one band that is said to have an offset or not."""
    said = {} if offset is None else {"raster:bands": [{"scale": 1e-4, "offset": offset}]}
    told = item(assets={"red": asset(**said), "red-jp2": asset(**said)})
    told["properties"] |= {"s2:processing_baseline": baseline, **properties}
    return told


@pytest.mark.parametrize(
    ("stated", "flag", "key", "applies", "doubted"),
    [
        (-0.1, True, "red", 0.0, True),
        (0.0, True, "red", 0.0, False),
        (None, True, "red", 0.0, False),
        (-0.1, True, "red-jp2", -0.1, False),
        (-0.1, False, "red", -0.1, True),
        (None, False, "red", -0.1, True),
        (-0.1, None, "red", -0.1, False),
        (0.0, None, "red", 0.0, True),
        (None, None, "red", -0.1, False),
    ],
)
def test_an_offset_is_applied_once(
    stated: float | None, flag: bool | None, key: str, applies: float, doubted: bool
) -> None:
    """Baseline 05.11, under all that an item may say of it; what does not agree is a doubt."""
    told = {} if flag is None else {"earthsearch:boa_offset_applied": flag}
    found = applied(sentinel_item("05.11", stated, **told), key)
    assert (found.scale, found.offset) == (1e-4, applies)
    assert bool(found.doubt) == doubted


def test_doubts_are_notes() -> None:
    """One for each kind, with the first item, how many there are, and the bands."""
    flag = {"earthsearch:boa_offset_applied": True}
    docs = [sentinel_item("05.11", -0.1, **flag) | {"id": name} for name in "abc"]
    found = stac_layers(docs)
    (note,) = found.doubts
    assert re.search(r"a and 2 more items: .* not applied again \(bands red\)", note)
    assert {one.scaled_by for layer in found.layers for one in layer.assets} == {
        "item (earthsearch:boa_offset_applied)", "item"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "applies", "by"),
    [
        ("none", (1.0, 0.0), "job"), ((2.0, 3.0), (2.0, 3.0), "job"), ("file", ASKED, "file"),
        ("item", (1.0, 0.0), "item"), ("auto", NEW, "rule"),
    ],
)  # fmt: skip
def test_the_job_has_the_last_word(policy: Any, applies: Any, by: str) -> None:
    """A rule speaks under ``auto`` alone."""
    found = scaling_of(sentinel_item("05.11", None), "red", ({},), policy)
    assert (found.scale, found.offset) == applies
    assert found.by.startswith(by)


def test_no_rule_for_what_is_scaled_already() -> None:
    """Whoever made floating-point numbers of a product has applied its scale."""
    told = sentinel_item("05.11", None)
    found = scaling_of(told, "red", ({"data_type": "float32"},), "auto")
    assert (found.scale, found.by) == (None, "file")
