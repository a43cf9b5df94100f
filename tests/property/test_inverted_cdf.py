"""Quantiles by `inverted_cdf`: NumPy's, weighted by shares, and the same bits on every way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.made.quantiles import quantiles_of
from tests.oracles import areas, measured, placed, raster
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.recipe import Recipe
from zonalbatch.statistics import huge as huge_module
from zonalbatch.statistics import parse_statistics, ranked
from zonalbatch.statistics.huge import RUN, HugeZone
from zonalbatch.statistics.quantiles import QuantileMethod

seeds = st.integers(0, 2**32 - 1)
METHOD: QuantileMethod = "inverted_cdf"
PROBABILITIES = np.array([0.0, 0.001, 0.07, 0.1, 0.25, 1 / 3, 0.5, 0.9, 0.999, 1.0])
CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""


def numpys(values: NDArray[Any], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """What NumPy says."""
    found = np.quantile(values.astype(float), PROBABILITIES, method=METHOD, weights=shares)
    return np.asarray(found)


@st.composite
def cells(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Values with and without ties, and shares in eighths, whose sums are exact.

    The first cell is whole: shares are taken in parts of the largest, which is exact then.
    """
    rng = np.random.default_rng(draw(seeds))
    n = draw(st.sampled_from((1, 2, 3, 7, 40, 300, 2000)))
    values = draw(
        st.sampled_from((rng.integers(0, 5, n), rng.normal(size=n), np.exp(rng.normal(0, 12, n))))
    )
    shares = rng.integers(1, 9, n) / 8
    shares[0] = 1.0
    return values, shares


@given(cells())
def test_they_are_numpys(found: tuple[NDArray[Any], NDArray[np.float64]]) -> None:
    """To the bit, for every probability."""
    values, shares = found
    told = quantiles_of(values, shares, PROBABILITIES, METHOD)
    np.testing.assert_array_equal(told, numpys(values, shares))


@given(seeds, st.sampled_from((5, 60, 900)))
def test_shares_of_any_size(seed: int, n: int) -> None:
    """So they are for shares whose sums are rounded, unless a sum of them is the probability."""
    rng = np.random.default_rng(seed)
    values, shares = rng.normal(size=n), np.maximum(rng.random(n), 1e-3)
    order = np.argsort(values)
    sums = np.cumsum(shares[order]) / shares.sum()
    apart = np.abs(sums[:, None] - PROBABILITIES).min(axis=0) > 1e-12
    told = quantiles_of(values, shares, PROBABILITIES, METHOD)
    np.testing.assert_array_equal(told[apart], numpys(values, shares)[apart])


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_percentiles_of_round_numbers_of_cells(n: int) -> None:
    """k cells of n are the quantile k/n, whatever k/n is rounded to: no product is taken."""
    told = quantiles_of(np.arange(1, n + 1), np.ones(n), np.arange(1, n + 1) / n, METHOD)
    assert told.tolist() == list(range(1, n + 1))


def test_faint_shares_are_dropped() -> None:
    """The pairs are those of the other method: shares below 1e-6 of the largest do not count."""
    told = quantiles_of(np.array([5.0, 100.0, 0.0]), np.array([1.0, 9e-7, 2e-6]),
                        np.array([0.0, 0.5, 1.0]), METHOD)  # fmt: skip
    assert told.tolist() == [0, 5, 5]
    assert np.isnan(quantiles_of(np.zeros(0), np.zeros(0), PROBABILITIES, METHOD)).all()


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@given(seed=seeds, run=st.sampled_from((3, 100, RUN)))
@settings(max_examples=25)
def test_a_huge_zone_has_the_bits_of_any_other(dtype: str, seed: int, run: int) -> None:
    """Counted or packed piece by piece, cut anyhow, the quantiles are those of the zone at once."""
    rng = np.random.default_rng(seed)
    inner, boundary = (rng.integers(0, 90, n).astype(dtype) for n in rng.integers(0, 400, 2))
    shares = np.maximum(rng.random(len(boundary)), 1e-7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huge_module, "RUN", run)
        zone = HugeZone(np.dtype(dtype))
        cut, edge = len(inner) // 3, len(boundary) // 2
        zone.add(inner[:cut], boundary[:edge], shares[:edge])
        zone.add(inner[cut:], boundary[edge:], shares[edge:])
        found = zone.quantiles(PROBABILITIES, METHOD)
    values, weights = np.append(inner, boundary), np.append(np.ones(len(inner)), shares)
    at_once = quantiles_of(values, weights, PROBABILITIES, METHOD)
    assert found.tobytes() == at_once.tobytes()


@pytest.mark.parametrize("corner", [0, TILE - 9])
def test_of_zones(corner: int) -> None:
    """Zones in one fold tile and over four, by their exact shares; with a class that occurs."""
    values = np.random.default_rng(5).choice([10, 20, 95], (18, 18)).astype(np.uint8)
    zone = placed(shapely.box(1.25, 2.5, 15.75, 16.5), CELLS, corner, corner)
    (summary,) = measured(
        [zone], {"a": raster(values, CELLS, corner, corner)},
        statistics=("median", "p10", "p99"), quantile_method=METHOD,
    )  # fmt: skip
    shares = areas(zone, CELLS, Window(corner, corner, corner + 18, corner + 18))
    kept = shares > 0
    expected = np.quantile(values[kept], [0.5, 0.1, 0.99], method=METHOD, weights=shares[kept])
    told = [summary.columns["value", name][0] for name in ("median", "p10", "p99")]
    assert told == expected.tolist()


def test_only_quantiles_are_changed() -> None:
    """The method makes no other state for other statistics, and keeps names and order."""
    named = parse_statistics("mean,p90,mode,median")
    by_method = ranked(named, METHOD)
    assert [s.name for s in by_method] == [s.name for s in named]
    assert [a is b for a, b in zip(by_method, named, strict=True)] == [True, False, True, False]
    assert Recipe(measurements=(), statistics=("median",)).quantile_method == "linear"
