"""Sketches: they follow from values and weights alone, and are right to the bits they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import measured, placed, raster
from zonalbatch.lattice import TILE, Lattice
from zonalbatch.statistics import classes as classes_module
from zonalbatch.statistics import huge as huge_module
from zonalbatch.statistics import values as values_module
from zonalbatch.statistics.huge import HugeZone
from zonalbatch.statistics.sketch import KEYS, UNIT, Sketches, weights_of
from zonalbatch.work.layer_work import LayerSummary

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""
MOST = 4096
seeds = st.integers(0, 2**32 - 1)

Cells = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Values and shares."""


@st.composite
def cells(draw: st.DrawFn) -> Cells:
    """Few or many values, near each other or of many sizes, of either sign."""
    rng = np.random.default_rng(draw(seeds))
    n = draw(st.sampled_from((1, 7, 300, 9000)))
    values: NDArray[Any] = {
        "index": rng.normal(0.4, 0.3, n),
        "kelvin": 273.15 + rng.normal(0, 0.01, n),
        "rain": np.round(rng.gamma(0.3, 3, n), 1),
        "sizes": rng.choice([-1, 1], n) * np.exp(rng.normal(0, 100, n)),
        "float32": rng.normal(0, 1, n).astype(np.float32),
    }[draw(st.sampled_from(("index", "kelvin", "rain", "sizes", "float32")))]
    return values.astype(np.float64), np.maximum(rng.random(n), 1e-6)


def sketch(found: Cells) -> Sketches:
    """The sketch of some cells of one zone."""
    values, shares = found
    keys = KEYS.from_values(values)
    order = np.argsort(keys)
    ends = np.array([0, len(keys)])
    weights = weights_of(shares)[order]
    return Sketches.of(ends, keys[order], weights, np.zeros(1, np.int64), MOST)


def together(parts: Sequence[Sketches]) -> Sketches:
    """The sketch of one zone that parts were made of."""
    return Sketches.merged([(np.zeros(1, np.int64), part) for part in parts], 1, MOST)


def same(one: Sketches, other: Sketches) -> bool:
    """Whether two sketches are the same to the bit."""
    return all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("offsets", "keys", "weights", "shifts")
    )


@settings(max_examples=40)
@given(cells(), st.integers(1, 7), seeds)
def test_a_sketch_is_the_same_however_it_came_about(found: Cells, n: int, seed: int) -> None:
    """Cut anyhow, merged in any order or one by one, it has the bits of that of all at once."""
    values, shares = found
    part = np.random.default_rng(seed).integers(0, n, len(values))
    parts = [sketch((values[part == i], shares[part == i])) for i in range(n)]
    whole = sketch(found)
    assert same(together(parts), whole)
    assert same(together(parts[::-1]), whole)
    growing = Sketches.none(1)
    for one in parts:
        growing = together([growing, one])
    assert same(growing, whole)


@given(cells())
def test_a_sketch_is_right_to_the_bits_it_says(found: Cells) -> None:
    """Few values are kept as they are; many are off by at most 2^(shift - 53) of themselves."""
    values, shares = found
    whole = sketch(found)
    assert len(whole.keys) <= MOST
    assert whole.exact[0] == (len(np.unique(values)) <= MOST)
    assert whole.weights.sum() == weights_of(shares).sum()
    order = np.argsort(values)
    counts = weights_of(shares)[order]
    stands_for = np.repeat(whole.values, np.diff(np.searchsorted(
        np.cumsum(counts), np.concatenate([[0], np.cumsum(whole.weights)]), "right")))  # fmt: skip
    error = np.abs(stands_for / np.where(values == 0, 1, values)[order] - 1)
    error[values[order] == 0] = np.abs(stands_for[values[order] == 0])
    bound = 2.0 ** (whole.shifts[0] - 53) if whole.shifts[0] else 0.0
    assert error.max() <= bound * 1.001


@given(cells(), st.sampled_from((0.001, 0.25, 0.5, 0.9, 1.0)))
def test_quantiles_of_a_sketch(found: Cells, probability: float) -> None:
    """They are NumPy's weighted `inverted_cdf` of the values that stand for all."""
    whole = sketch(found)
    expected = np.quantile(whole.values, probability, weights=whole.weights, method="inverted_cdf")
    assert whole.quantile(probability)[0] == expected


# --- zones with more cells than are kept ---------------------------------------------------------

PROBABILITIES = np.array([0.0, 0.01, 0.5, 0.9, 1.0])


@given(seeds, st.sampled_from(("float32", "float64")), st.integers(1, 400))
@settings(max_examples=20)
def test_a_sketched_zone_has_the_same_bits_however_it_came_in(
    seed: int, dtype: str, cap: int
) -> None:
    """Whenever it was turned into a sketch, and in whatever pieces: the same bits."""
    rng = np.random.default_rng(seed)
    inner, boundary = rng.normal(0, 1, 500).astype(dtype), rng.normal(0, 1, 60).astype(dtype)
    shares = rng.random(60)

    def found(cuts: int, cap: int) -> bytes:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(huge_module, "CAP", cap)
            zone = HugeZone(np.dtype(dtype))
            for piece in range(cuts):
                zone.add(inner[piece::cuts], boundary[piece::cuts], shares[piece::cuts])
        assert zone.sketched
        return zone.quantiles(PROBABILITIES).tobytes()

    assert found(1, cap) == found(7, cap) == found(3, 10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_how_right_a_sketched_zone_is(dtype: str) -> None:
    """A thousandth of the ranks at most, of half a million cells; the extremes to the bit."""
    rng = np.random.default_rng(5)
    values = rng.normal(0.4, 0.2, 500_000).astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huge_module, "CAP", 1000)
        zone = HugeZone(values.dtype)
    for piece in np.split(values, 10):
        zone.add(piece, piece[:0], np.zeros(0))
    least, *middle, most = zone.quantiles(PROBABILITIES)
    assert (least, most) == (values.min(), values.max())
    ranks = np.sort(values).searchsorted(middle) / len(values)
    np.testing.assert_allclose(ranks, PROBABILITIES[1:-1], atol=1e-3)


def test_integers_are_never_sketched() -> None:
    """Quantiles of integers are exact, however many cells there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huge_module, "CAP", 10)
        zone = HugeZone(np.dtype("int32"))
    values = np.arange(1000, dtype=np.int32)
    zone.add(values, values[:0], np.zeros(0))
    assert not zone.sketched
    assert zone.quantiles(np.array([0.5]))[0] == 499.5


def told(values: NDArray[Any], *statistics: str) -> LayerSummary:
    """Statistics of a zone over four fold tiles."""
    corner = TILE - 12
    zone = placed(shapely.box(0.5, 0.5, 23.5, 23.5), CELLS, corner, corner)
    given_ = {"a": raster(values, CELLS, corner, corner)}
    (summary,) = measured([zone], given_, statistics=statistics)
    return summary


def plain(summary: LayerSummary) -> dict[str, Any]:
    """Numbers and lists of the only zone."""
    return {name: pa.array(column).to_pylist() for (_, name), column in summary.columns.items()}


def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 200 cells, or values, of a zone in several tiles be more than are kept."""
    monkeypatch.setattr(values_module, "HUGE", 1)
    monkeypatch.setattr(huge_module, "CAP", 200)
    monkeypatch.setattr(classes_module, "CAP", 200)


def test_rows_say_what_is_approximate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap of a float zone quantiles are approximate and classes null; of integers not.

    The value of a quantile is near; what needs no value of each cell is exact.
    """
    values = np.random.default_rng(1).normal(0.4, 0.2, (24, 24)).astype("float32")
    names = ("mean", "median", "mode", "variety", "unique", "frac")
    few_are_many(monkeypatch)
    found = told(values, *names)
    rough = {name: some[0] for (_, name), some in found.approximate.items()}
    assert rough == dict.fromkeys(names[1:], True)
    shares = np.ones((24, 24))
    shares[[0, -1]] *= 0.5
    shares[:, [0, -1]] *= 0.5
    right = np.quantile(values.ravel(), 0.5, weights=shares.ravel(), method="inverted_cdf")
    assert found.columns["value", "median"][0] == pytest.approx(right, rel=2**-12)
    assert np.isnan(found.columns["value", "mode"][0])
    assert np.isnan(found.columns["value", "variety"][0])
    assert plain(found)["unique"] == plain(found)["frac"] == [None]
    whole = told((values * 1000).astype("int32"), *names)
    assert not any(some[0] for some in whole.approximate.values())
    assert whole.columns["value", "variety"][0] > 200


def test_few_values_of_many_cells_are_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A float zone of many cells and few values keeps its classes, to the bit."""
    values = (np.arange(576).reshape(24, 24) % 50).astype("float32")
    names = ("mode", "minority", "variety", "unique", "frac")
    usual = plain(told(values, *names))
    few_are_many(monkeypatch)
    found = told(values, *names)
    assert not any(some[0] for some in found.approximate.values())
    assert plain(found) == usual


def test_classes_merged_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """When open zones' classes are merged, by each tile or in the end, changes no bit."""
    values = np.random.default_rng(2).integers(0, 90, (24, 24)).astype("uint8")
    names = ("mode", "minority", "variety", "unique", "frac")
    late = plain(told(values, *names))
    monkeypatch.setattr(classes_module, "WAITING", 1)
    assert plain(told(values, *names)) == late


def test_weights_are_counted_finely() -> None:
    """The unit of a weight is below the faintest share that a quantile looks at."""
    assert UNIT < 1e-6 / 16
