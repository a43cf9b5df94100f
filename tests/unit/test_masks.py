"""Masks: class values, bits, thresholds, cells without a value, and several at once."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import layer_of, measured, placed, raster
from zonalbatch.errors import InputError, SourceError
from zonalbatch.lattice import Lattice
from zonalbatch.layers import Layers
from zonalbatch.masks.arguments import masks_given
from zonalbatch.masks.held import check_held
from zonalbatch.masks.legend import BitField, Legend
from zonalbatch.masks.mask import Bits, Mask, mask_document, mask_from

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
CLOUD = {"cloud": BitField(3), "cloud_confidence": BitField(8, 2, {"low": 1, "medium": 2})}


def kept(masks: Any, **bands: Any) -> list[int]:
    """Which cells of a row are not masked; bands may be given with (values, about)."""
    files: dict[str, Any] = {n: v if isinstance(v, tuple) else (v, {}) for n, v in bands.items()}
    length = len(next(iter(files.values()))[0])
    rasters = {n: raster(v[None], CELLS, 0, 0, **about) for n, (v, about) in files.items()}
    rasters["a"] = raster(2 ** np.arange(length, dtype=np.uint32)[None], CELLS, 0, 0)
    layer = layer_of("one", value="a", **{n: n for n in files})(rasters)
    zone = placed(shapely.box(0, 0, length, 1), CELLS, 0, 0)
    (told,) = measured([zone], rasters, [layer], mask=masks, statistics=["sum", "count"])
    total = np.nan_to_num(told.columns["value", "sum"][0])
    return [i for i in range(length) if int(total) >> i & 1]


# --- classes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_class_is_the_nearest_of_the_bands_type(dtype: str) -> None:
    """What is written as 0.1 is found in a band whose type has no more than something near it."""
    values = np.array([0.1, 0.25, 7, 0.3], dtype)
    assert kept(Mask("c", (0.1, 7, 1e300)), c=values) == [1, 3]
    assert kept(Mask("c", (0.1, 7), keep=True), c=values) == [0, 2]


def test_large_integers_are_classes() -> None:
    """Beyond 2^53 too, where neighbours are one and the same as float64."""
    for dtype in ("uint64", "int64"):
        values = np.array([2**60, 2**60 + 1, 5], dtype)
        assert kept(Mask("c", (2**60 + 1, 5.0, 0.5)), c=values) == [0]


@pytest.mark.parametrize(
    ("mask", "dtypes", "said"),
    [
        (Mask("q", (3, 300)), {"uint8"}, "mask band 'q' is uint8, which no cell with 300 can be"),
        (Mask("q", (2.5,)), {"uint8", "int16"}, "is int16 or uint8, which no cell with 2.5"),
        (Mask("q", bits=(Bits("c", (1,), 12),)), {"uint8"}, "bit 12, but uint8 has bits 0 to 7"),
        (Mask("q", bits=(Bits("c", (1,), 7, 2),)), {"uint8"}, "ends at bit 8"),
        (Mask("q", (300,), bits=(Bits("c", (1,), 15),)), {"uint8", "int16"}, ""),
        (Mask("q", (300, 0.1), bits=(Bits("c", (1,), 12),)), {"float32"}, ""),
        (Mask("q", (300,), bits=(Bits("c", (1,), 12),)), {"complex64"}, ""),
        (Mask("q", (300,)), {"uint8", None}, ""),
        (Mask("q", (300,)), set(), ""),
    ],
)
def test_what_no_cell_can_be(mask: Mask, dtypes: set[str | None], said: str) -> None:
    """It is refused where the types of a band are known, and none of them holds it."""
    with pytest.raises(SourceError, match=said) if said else nullcontext():
        check_held(mask, dtypes)


def test_layers_know_their_types() -> None:
    """A source refuses masks by what its bands cannot hold."""
    rasters = {"q": raster(np.zeros((1, 1), np.uint8), CELLS, 0, 0)}
    layer = layer_of("one", value="q")(rasters)
    asset = replace(layer.scenes[0].assets["value"], dtype="uint8")
    layers = Layers((layer.each_asset(lambda _: asset),))
    assert layers.looked_up([Mask("value", (255,)), Mask("other", (300,))])
    with pytest.raises(SourceError, match="no cell with 300"):
        layers.looked_up([Mask("value", (300,))])


# --- bits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint64", "float32"])
def test_a_bit_masks_where_it_is_set(dtype: str) -> None:
    """Whatever the other bits are, and however the band is stored."""
    values = np.array([0, 8, 7, 15, 16, 24], dtype)
    assert kept(Mask("qa", bits=(Bits("cloud", (1,), 3),)), qa=values) == [0, 2, 4]


@given(st.integers(0, 15), st.integers(1, 4), st.data())
@settings(max_examples=25)
def test_bits_are_a_number(offset: int, length: int, data: st.DataObject) -> None:
    """Some neighbouring bits are read as a whole number, which masks if it is listed."""
    exclude = tuple(sorted(data.draw(st.sets(st.integers(0, 2**length - 1), min_size=1))))
    values = np.random.default_rng(offset).integers(0, 2**16, 24, dtype=np.uint16)
    number = values.astype(int) >> offset & (2**length - 1)
    found = kept(Mask("qa", bits=(Bits("some", exclude, offset, length),)), qa=values)
    assert found == np.flatnonzero(~np.isin(number, exclude)).tolist()


def test_the_sign_is_a_bit_too() -> None:
    """Bit 15 of a signed 16-bit band is its sign."""
    values = np.array([-1, 0, -32768, 5], np.int16)
    assert kept(Mask("qa", bits=(Bits("top", (1,), 15),)), qa=values) == [1, 3]


# --- thresholds and nodata --------------------------------------------------------------------


def test_thresholds_are_physical_and_strict() -> None:
    """Above and below are compared with value × scale + offset; equal cells stay."""
    file = (np.array([10, 40, 41, 90], np.uint8), {"scale": 0.5, "offset": 1.0})
    assert kept(Mask("prob", above=21.0), prob=file) == [0, 1]
    assert kept(Mask("prob", below=21.0), prob=file) == [1, 2, 3]
    assert kept(Mask("prob", above=21.0, below=10.0), prob=file) == [1]


def test_cells_without_a_value() -> None:
    """They are masked; ``nodata: false`` lets them be, ``true`` alone masks nothing else."""
    file = (np.array([0, 5, 9], np.uint8), {"nodata": 0})
    assert kept(masks_given({"band": "m", "exclude": [9]}), m=file) == [1]
    assert kept(masks_given({"band": "m", "exclude": [9], "nodata": False}), m=file) == [0, 1]
    assert kept(masks_given({"band": "m", "include": [9], "nodata": False}), m=file) == [0, 2]
    assert kept(masks_given({"band": "m", "nodata": True}), m=file) == [1, 2]
    assert kept(masks_given({"band": "m", "below": 4, "nodata": False}), m=file) == [0, 1, 2]


def test_any_of_several_masks() -> None:
    """A cell is masked if any mask, and any rule of a mask, says so."""
    scl = np.array([4, 9, 4, 4, 4], np.uint8)
    qa = np.array([0, 0, 8, 0, 64], np.uint16)
    prob = np.array([0, 0, 0, 80, 0], np.uint8)
    masks = [Mask("scl", (9,)), Mask("qa", (64,), bits=(Bits("c", (1,), 3),)), Mask("p", above=40)]
    assert kept(masks, scl=scl, qa=qa, p=prob) == [0]


# --- names ------------------------------------------------------------------------------------


def test_names_are_looked_up() -> None:
    """Classes, bits and the values of bits go by the names that the items give them."""
    legend = Legend({"cloud": (8, 9), "snow": (11,)}, CLOUD)
    mask = masks_given({"band": "q", "exclude": ["cloud", 3, "snow"]})[0].looked_up(legend)
    assert mask.values == (8, 9, 3, 11)
    given = {"band": "q", "bits": {"cloud": None, "cloud_confidence": ["medium", 3]}}
    bits = masks_given(given)[0].looked_up(legend).bits
    assert bits == (Bits("cloud", (1,), 3, 1), Bits("cloud_confidence", (2, 3), 8, 2))
    assert masks_given({"band": "q", "bits": ["cloud"]})[0].looked_up(legend).bits == bits[:1]


def test_bits_may_be_given() -> None:
    """Their number, or offset, length and values; then no item need say anything."""
    given = {"cloud": 3, "conf": {"offset": 8, "length": 2, "exclude": [2, 3]}}
    (mask,) = masks_given({"band": "q", "bits": given})
    assert mask.looked_up(Legend()).bits == (
        Bits("cloud", (1,), 3), Bits("conf", (2, 3), 8, 2)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "legend", "said"),
    [
        ({"exclude": ["cloud"]}, Legend(), "no item says what 'cloud' of mask band 'q' means"),
        ({"bits": ["clowd"]}, Legend(fields=CLOUD), "did you mean 'cloud'?"),
        ({"bits": ["fill"]}, Legend(fields=CLOUD), "known are cloud, cloud_confidence"),
        ({"bits": ["cloud_confidence"]}, Legend(fields=CLOUD), "has 2 bits; say which of its"),
        ({"bits": {"cloud_confidence": ["hi"]}}, Legend(fields=CLOUD), "known are low, medium"),
        (
            {"bits": {"cloud_confidence": [4]}},
            Legend(fields=CLOUD),
            "excludes 4, but 2 bits",
        ),
        ({"bits": {"cloud": 3, "c": [2]}}, Legend(fields={"c": BitField(1)}), "1 bit holds 0 to 1"),
        ({"exclude": ["x"]}, Legend(disputed=frozenset("x")), "means other values in some items"),
    ],
)
def test_unknown_names(given: dict[str, Any], legend: Legend, said: str) -> None:
    """A name that no item explains is refused, with those that it might have been."""
    (mask,) = masks_given({"band": "q"} | given)
    with pytest.raises(SourceError) as refused:
        mask.looked_up(legend)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "does not say what it masks: give exclude, include, bits"),
        ({"nodata": False}, "does not say what it masks"),
        ({"exclude": [1], "include": [2]}, "give either exclude or include"),
        ({"exclude": []}, "mask exclude is empty"),
        ({"exclude": "cloud"}, "mask exclude='cloud': give a list"),
        ({"exclude": [True]}, "mask exclude holds True"),
        ({"bits": "cloud"}, "mask bits='cloud': give names"),
        ({"bits": [3]}, r"mask bits=[3]: give names"),
        ({"bits": {"cloud": 64}}, "offset is 64; give a whole number from 0 to 63"),
        ({"bits": {"cloud": {"ofset": 3}}}, "mask bits.cloud has no key 'ofset'"),
        ({"bits": {"c": {"length": 2, "exclude": [1]}}}, "has a length, but no offset"),
        ({"bits": {"c": {"offset": 2, "length": 2}}}, "has 2 bits; say which of their values"),
        ({"bits": {"c": {"offset": 2, "exclude": [0.5]}}}, "holds 0.5: give whole numbers"),
        ({"bits": {"c": {"offset": 3, "exclude": [2]}}}, "excludes 2, but 1 bit holds 0 to 1"),
        ({"bits": {"c": [np.nan]}}, "mask bits.c holds nan"),
        ({"exclude": [np.nan]}, "mask exclude holds nan: give numbers"),
        ({"include": [np.inf]}, "mask include holds inf: give numbers"),
        ({"above": "40"}, "mask above='40': give a number"),
        ({"above": 2, "below": 7}, "takes every value"),
        ({"above": 4, "dilate": -1}, "mask dilate=-1: give metres"),
        ({"nodata": "yes"}, "mask nodata='yes': give true or false"),
        ({"exlude": [1]}, "mask has no key 'exlude'"),
    ],
)
def test_refused(given: dict[str, Any], said: str) -> None:
    """What cannot be a mask is refused, with what to give."""
    with pytest.raises(InputError) as refused:
        masks_given({"band": "q"} | given)
    assert said in str(refused.value)


def test_documents() -> None:
    """Masks come back from plain types; one of class values looks as it always did."""
    one = Mask("scl", (3, 8), keep=True)
    assert mask_document([one]) == {"band": "scl", "values": [3, 8], "keep": True}
    many = (one, Mask("q", bits=(Bits("c", (1,), 3),), above=4.0, nodata=False, dilate=20.0))
    for masks in ((), (one,), many):
        assert mask_from(mask_document(masks)) == masks
