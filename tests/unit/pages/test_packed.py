"""Packed: arrays of whole numbers and values as text, and back again."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from zonalbatch.pages.levels import FINENESS, Levels, levels_of
from zonalbatch.pages.packed import packed, packed_text, zigzag


def unpacked(given: dict[str, Any]) -> NDArray[np.uint32]:
    """What a page makes of it."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(given["data"])), np.uint8)
    planes = raw.reshape(given["width"], given["count"]).astype(np.uint32)
    shifts = 8 * np.arange(given["width"], dtype=np.uint32)
    found: NDArray[np.uint32] = (planes << shifts[:, None]).sum(axis=0).astype(np.uint32)
    return found


@given(st.lists(st.integers(0, 2**32 - 1), max_size=50))
def test_whole_numbers_come_back(values: list[int]) -> None:
    """Whatever fits 32 bits, in as few bytes as the largest needs."""
    made = packed(np.array(values, np.uint32))
    assert unpacked(made).tolist() == values
    assert made["width"] == max(1, -(-max(values, default=0).bit_length() // 8))


@given(st.lists(st.integers(-(2**30), 2**30), min_size=1))
def test_zigzag_keeps_small_numbers_small(values: list[int]) -> None:
    """0, −1, 1, −2 become 0, 1, 2, 3."""
    made = zigzag(np.array(values, np.int64))
    back = np.where(made % 2, -(made + 1) // 2, made // 2)
    assert back.tolist() == values
    assert zigzag(np.array([0, -1, 1, -2])).tolist() == [0, 1, 2, 3]


def test_text_keeps_all_letters() -> None:
    """JSON in UTF-8."""
    made = packed_text(["maïs", None, "</script>"])
    assert json.loads(zlib.decompress(base64.b64decode(made["data"]))) == [
        "maïs", None, "</script>",
    ]  # fmt: skip


def decoded(levels: Levels, codes: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Values of levels, as a page reads them."""
    values = np.interp(codes, levels.places or (0,), levels.knots or (np.nan,))
    return np.where(codes == 0, np.nan, values)


@pytest.mark.parametrize("count", FINENESS)
@given(
    values=arrays.arrays(
        np.float64, st.integers(0, 60), elements=st.floats(-1e6, 1e6) | st.just(float("nan"))
    )
)
def test_values_are_rounded_by_half_a_step(count: int, values: NDArray[np.float64]) -> None:
    """No value is further from its level than half of what levels are apart there."""
    levels = levels_of(values, count)
    back = decoded(levels, unpacked(levels.packed(values)))
    assert (np.isnan(back) == np.isnan(values)).all()
    wide = np.diff(levels.knots) / np.diff(levels.places) if len(levels.knots) > 1 else [0.0]
    there = np.isfinite(values)
    scale = max(np.abs(values[there]).max(initial=0.0), 1e-300)
    assert np.abs(back - values)[there].max(initial=0.0) <= max(wide) * 0.501 + 1e-9 * scale


def test_values_far_out_do_not_take_the_levels_of_the_others() -> None:
    """One of a million leaves 8-bit levels of NDVI a hundredth apart at most."""
    values = np.append(np.random.default_rng(1).uniform(-0.1, 0.9, 10_000), [1e6, -1e6])
    assert levels_of(values, 250).step < 0.01
