"""Quantiles: their definition, and the same bits whatever the way to them."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.made.quantiles import quantiles_of
from tests.oracles import quantile
from zonalbatch.statistics import huge as huge_module
from zonalbatch.statistics.huge import RUN, HugeZone
from zonalbatch.statistics.quantiles import zone_quantiles

seeds = st.integers(0, 2**32 - 1)

# --- the definition -----------------------------------------------------------------------------

COMMON = ("uint8", "int16", "uint16", "float32", "float64")
RARE = ("int8", "int32", "uint32", "int64", "uint64")
DTYPES = [*COMMON, *(pytest.param(name, marks=pytest.mark.long) for name in RARE)]
"""Each type of pixels takes seconds to compile; a quick run tries what rasters mostly have."""

PROBABILITIES = np.array([0.0, 0.001, 0.1, 0.25, 1 / 3, 0.5, 0.9, 0.999, 1.0])


def ranked(
    values: Sequence[float] | NDArray[Any], shares: Any = None, probabilities: Any = PROBABILITIES
) -> NDArray[np.float64]:
    """Quantiles by the package, of equal shares by default."""
    cells = np.asarray(values)
    weights = np.ones(len(cells)) if shares is None else np.asarray(shares, float)
    return quantiles_of(cells, weights, np.asarray(probabilities, float))


@st.composite
def weighted(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Values, with and without ties, skewed or not, and shares of many sizes."""
    rng = np.random.default_rng(draw(seeds))
    n = draw(st.sampled_from((1, 2, 3, 7, 40, 300, 2000)))
    form = draw(st.sampled_from(("ties", "normal", "skewed", "outlier", "classes")))
    values: NDArray[Any] = {
        "ties": rng.integers(0, 5, n).astype(float),
        "normal": rng.normal(size=n),
        "skewed": np.exp(rng.normal(0, 12, n)),
        "outlier": np.append(rng.random(n - 1), 1e18),
        "classes": rng.choice([10, 20, 95], n, p=[0.9, 0.09, 0.01]).astype(np.uint8),
    }[form]
    shares = rng.random(n) ** draw(st.sampled_from((0, 1, 6)))
    return values, np.maximum(shares, 1e-9)


@given(weighted())
def test_quantiles_follow_the_definition(
    cells: tuple[NDArray[Any], NDArray[np.float64]],
) -> None:
    """Quantiles are S_k = k·w_k + (n−1)·C_(k−1), linear at q·S_(n−1), ties not merged."""
    values, shares = cells
    expected = [quantile(values, shares, q) for q in PROBABILITIES]
    kept = np.sort(values[shares >= 1e-6 * shares.max()].astype(float))
    found = ranked(values, shares)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.ptp(kept))
    assert (np.diff(found) >= 0).all()


@given(weighted())
def test_extreme_quantiles_are_the_extremes(
    cells: tuple[NDArray[Any], NDArray[np.float64]],
) -> None:
    """The quantiles 0 and 1 are the least and the largest value, to the last bit."""
    values, shares = cells
    kept = values[shares >= 1e-6 * shares.max()]
    least, most = ranked(values, shares, [0, 1])
    assert least == kept.min()
    assert most == kept.max()


@given(seeds, st.integers(1, 3000))
@settings(max_examples=25)
def test_quantiles_of_equal_shares_are_numpys(seed: int, n: int) -> None:
    """With equal shares a quantile is NumPy's ``linear``, whatever the shares are."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n)
    expected = np.quantile(values, PROBABILITIES)
    for share in (1.0, 0.37):
        found = ranked(values, np.full(n, share))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_corner_cases_of_quantiles() -> None:
    """One value gives itself; ties are not merged; two values are interpolated; all equal."""
    assert ranked([7.5], [1e-4]).tolist() == [7.5] * len(PROBABILITIES)
    assert ranked([0, 0, 0, 10], probabilities=[0.5]).tolist() == [0]
    assert ranked([2.0, 4.0], probabilities=[0, 0.25, 0.5, 1]).tolist() == [2, 2.5, 3, 4]
    assert ranked(np.full(1000, -3, np.int16)).tolist() == [-3] * len(PROBABILITIES)
    assert np.isnan(ranked(np.zeros(0))).all()
    assert ranked([-0.0, 0.0, 0.0, -0.0]).tolist() == [0] * len(PROBABILITIES)
    assert ranked([-1.0, -0.0, 0.0, 1.0], probabilities=[0.5]).tolist() == [0]


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16"])
def test_interpolation_is_in_float64(dtype: str) -> None:
    """Between two values of any type a quantile has the digits of float64."""
    low, high = np.array([0.1, 60000.7]).astype(dtype)
    (found,) = ranked(np.array([low, high]), probabilities=[1 / 3])
    assert found == pytest.approx(float(low) + (float(high) - float(low)) / 3, rel=1e-14)


def test_faint_shares_are_dropped_from_quantiles() -> None:
    """Cells of less than 1e-6 of the zone's largest share do not count, those of more do."""
    assert ranked([5.0, 100.0], [1.0, 0.9e-6]).tolist() == [5] * len(PROBABILITIES)
    assert ranked([5.0, 100.0], [1.0, 1.1e-6])[-1] == 100
    assert ranked([5.0, 100.0], [1e-3, 0.9e-9]).tolist() == [5] * len(PROBABILITIES)
    assert ranked([5.0, 100.0], [1e-3, 1.1e-9])[-1] == 100


@given(weighted(), st.integers(1, 12))
def test_quantiles_depend_on_ratios_of_shares_only(
    cells: tuple[NDArray[Any], NDArray[np.float64]], digits: int
) -> None:
    """A zone far smaller than a cell has the quantiles of its ratios of shares, to 1e-9."""
    values, shares = cells
    kept = shares >= 2e-6 * shares.max()
    values, shares = values[kept], shares[kept]
    found = ranked(values, shares * 10.0**-digits)
    expected = [quantile(values, shares, q) for q in PROBABILITIES]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.ptp(values.astype(float)))


def test_quantiles_of_more_cells_than_2_to_the_23() -> None:
    """A zone of more than eight million cells has the right quantiles: weights do not overflow."""
    n = 2**23 + 1
    cells = (np.arange(n) % 251).astype(np.uint8)
    expected = np.quantile(cells, [0, 0.1, 0.5, 0.9, 1])
    np.testing.assert_allclose(ranked(cells, probabilities=[0, 0.1, 0.5, 0.9, 1]), expected)


@pytest.mark.parametrize(
    "pair", [(2**53, 2**53 + 1), (-(2**60) - 1, -(2**60)), (2**62, 2**62 + 100)]
)
def test_quantiles_of_integers_beyond_float64(pair: tuple[int, int]) -> None:
    """Integers that float64 cannot tell apart are ranked all the same."""
    found = ranked(np.array([*pair, pair[0]], np.int64))
    assert found[0] == float(pair[0])
    assert found[-1] == float(pair[1])


@pytest.mark.parametrize(("dtype", "most"), [("float64", 1.7e308), ("float32", 3.4e38)])
def test_quantiles_over_the_whole_range_of_floats(dtype: str, most: float) -> None:
    """Values further apart than the largest number of their type are ranked without harm.

    In a process of its own, which must not be killed.
    """
    code = (
        "import numpy as np\n"
        "from tests.made.quantiles import quantiles_of\n"
        f"values = np.array([-{most}, {most}, 0.0, 3.0], '{dtype}')\n"
        "print(*quantiles_of(values, np.ones(4), np.array([0.0, 1/3, 2/3, 1.0])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    found = [float(text) for text in done.stdout.split()]
    np.testing.assert_allclose(found, [-most, 0, 3, most], rtol=1e-6, atol=1e-6)


# --- the same bits whatever the way -------------------------------------------------------------


@given(weighted(), st.randoms(use_true_random=False))
def test_quantiles_do_not_depend_on_the_order_of_cells(
    cells: tuple[NDArray[Any], NDArray[np.float64]], random: Any
) -> None:
    """Cells in any order give the same bits."""
    values, shares = cells
    order = list(range(len(values)))
    random.shuffle(order)
    shuffled = ranked(values[order], shares[order])
    assert shuffled.tobytes() == ranked(values, shares).tobytes()


@given(weighted(), st.permutations(range(len(PROBABILITIES))))
def test_quantiles_do_not_depend_on_what_else_is_asked(
    cells: tuple[NDArray[Any], NDArray[np.float64]], order: list[int]
) -> None:
    """Probabilities in any order, repeated or alone, give the same bits."""
    found = ranked(*cells)
    asked = [*order, order[0]]
    assert ranked(*cells, PROBABILITIES[asked]).tobytes() == found[asked].tobytes()
    alone = ranked(*cells, PROBABILITIES[order[:1]])
    assert alone.tobytes() == found[order[:1]].tobytes()


@st.composite
def zones(draw: st.DrawFn, dtype: np.dtype[Any]) -> tuple[NDArray[Any], ...]:
    """Values of inner and of boundary cells, and shares of any size, faint ones among them."""
    rng = np.random.default_rng(draw(seeds))
    n_inner, n_boundary = (draw(st.sampled_from((0, 1, 3, 40, 300))) for _ in range(2))
    n = n_inner + n_boundary
    spread = draw(st.sampled_from((1.0, 100.0, 1e6)))
    values: NDArray[Any] = rng.normal(0, spread, n)
    if dtype.kind in "iu":
        least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        # Around the middle of what the type holds, with ties at its ends where that is little.
        values = np.clip(np.round(values) + (least + most) // 2, least, most // 2)
    shares = np.maximum(rng.random(n_boundary) ** draw(st.sampled_from((1, 6))), 1e-9)
    if draw(st.booleans()):
        shares = np.round(shares, 1) + 0.1
    return values[:n_inner].astype(dtype), values[n_inner:].astype(dtype), np.minimum(shares, 1.0)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data(), run=st.sampled_from((3, 100, RUN)))
@settings(max_examples=40)
def test_a_huge_zone_has_the_bits_of_any_other(dtype: str, data: st.DataObject, run: int) -> None:
    """Counted or packed piece by piece, cut anyhow, the quantiles are those of the zone at once."""
    inner, boundary, shares = data.draw(zones(np.dtype(dtype)))
    cut, edge = data.draw(st.integers(0, len(inner))), data.draw(st.integers(0, len(boundary)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huge_module, "RUN", run)
        zone = HugeZone(np.dtype(dtype))
        zone.add(inner[:cut], boundary[:edge], shares[:edge])
        zone.add(inner[cut:], boundary[edge:], shares[edge:])
        found = zone.quantiles(PROBABILITIES)
    zero, at_once = np.zeros(1, np.int64), np.empty((1, len(PROBABILITIES)))
    zone_quantiles(
        inner, zero, np.array([len(inner)]), boundary, zero, np.array([len(boundary)]),
        shares, zero, zero, np.zeros(1, np.int32), PROBABILITIES, False, at_once,
    )  # fmt: skip
    assert found.tobytes() == at_once[0].tobytes()


def test_a_huge_zone_takes_little_memory() -> None:
    """Inner cells of float32 are kept in little more than two bytes each, besides one run."""
    values = np.random.default_rng(3).random(2 * RUN, dtype=np.float32)
    nothing = np.zeros(0)
    tracemalloc.start()
    zone = HugeZone(values.dtype)
    for piece in np.split(values, 32):
        zone.add(piece, piece[:0], nothing)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2.5 * len(values) + 4 * RUN
    expected = np.quantile(values.astype(float), [0.1, 0.5])
    np.testing.assert_allclose(zone.quantiles(np.array([0.1, 0.5])), expected, rtol=1e-12)
