"""Histograms whose bins hold for all zones: NumPy's, exact, and bounded in memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import areas, covered, measured, placed, raster
from zonalbatch.breakdown import Bins, Breakdown
from zonalbatch.cover.cells import Cells, Covered
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.statistics import classes as classes_module
from zonalbatch.statistics.binned import Binned

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""
SIDE = 20
ZONE = shapely.Polygon([(0.5, 1.25), (17.75, 0.5), (19.5, 18.25), (3.0, 17.0)])
EDGES = (-1.5, 0.0, 0.3, 2.0, 7.0)
"""One of them is a value in float64 that float32 and a scale only come near."""


def told(values: NDArray[Any], at: tuple[int, int], breakdown: Breakdown, **about: Any) -> Any:
    """The histogram of the zone over a raster that begins in a cell, and over nothing."""
    shapes = [placed(ZONE, CELLS, *at), placed(ZONE, CELLS, 9000, 9000)]
    (summary,) = measured(
        shapes, {"a": raster(values, CELLS, *at, **about)}, statistics=["histogram"],
        breakdown=breakdown,
    )  # fmt: skip
    assert not summary.approximate
    return summary


@pytest.mark.parametrize("at", [(0, 0), (TILE - 9, TILE - 11)])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float32", "float64"])
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), scaled=st.booleans())
def test_it_is_numpys(dtype: str, at: tuple[int, int], seed: int, scaled: bool) -> None:
    """Of physical values, edges among them, as columns and as a list; null or empty on nothing."""
    rng = np.random.default_rng(seed)
    values = rng.choice([0, 1, 2, 3, 7, 8, 60], (SIDE, SIDE)).astype(dtype)
    if dtype[0] == "f":
        values += rng.choice([0, 0, 0.3, 1e-9], values.shape).astype(dtype)
        values[rng.random(values.shape) < 0.1] = np.nan
    about = {"scale": 0.1, "offset": -0.5} if scaled else {}
    shares = areas(placed(ZONE, CELLS, *at), CELLS, Window(*at, at[0] + SIDE, at[1] + SIDE))
    good = (shares > 1e-9) & ~np.isnan(values.astype(float))
    physical = values.astype(np.float64) * about.get("scale", 1.0) + about.get("offset", 0.0)
    expected = np.histogram(physical[good], EDGES, weights=shares[good])[0]
    wide = told(values, at, Breakdown(edges=EDGES), **about)
    found = np.array(list(wide.columns.values()))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-12, atol=1e-12)
    assert np.isnan(found[:, 1]).all()
    listed = told(values, at, Breakdown(bins=Bins(6, (0.0, 6.0))), **about)
    bins = np.histogram(physical[good], 6, (0.0, 6.0), weights=shares[good])[0]
    (column,) = listed.columns.values()
    pairs = column.to_pylist()
    np.testing.assert_allclose([pair["value"] for pair in pairs[0]], bins, rtol=1e-12, atol=1e-12)
    assert [pair["class"] for pair in pairs[0]] == np.linspace(0, 6, 7)[:-1].tolist()
    assert pairs[1] == []


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_tiles_in_any_order(order: tuple[int, ...]) -> None:
    """Shares are summed as integers: the same bits in whatever order tiles come."""
    found = Covered.of(covered([placed(ZONE, CELLS, TILE - 9, TILE - 11)], CELLS))
    rng = np.random.default_rng(3)
    tiles = [Cells(one, rng.normal(1, 2, one.size), np.zeros(0, np.uint8)) for one in found.layouts]

    def sums(order: tuple[int, ...]) -> bytes:
        state = Binned(found, EDGES, 0.5, 1.0)
        for i in order:
            state.add(tiles[i])
        state.finish(0.5, 1.0)
        return state.sums.tobytes()

    assert sums(order) == sums((0, 1, 2, 3))


def test_many_values_are_no_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zone with more different values than classes are told apart has its histogram, exact."""
    monkeypatch.setattr(classes_module, "CAP", 50)
    monkeypatch.setattr(classes_module, "WAITING", 10)
    values = np.random.default_rng(3).random((SIDE, SIDE))
    at, fixed = (TILE - 9, TILE - 9), Breakdown(bins=Bins(1, (0.0, 1.0)))
    (column,) = told(values, at, fixed).columns.values()
    assert column[0].as_py()[0]["value"] == pytest.approx(ZONE.area)


def test_memory_does_not_follow_the_values() -> None:
    """A million different values, tile by tile, leave nothing behind but the sums of their bins."""
    side = 2 * TILE
    found = Covered.of(covered([shapely.box(0.5, -side + 0.5, side - 0.5, -0.5)], CELLS))
    rng = np.random.default_rng(1)
    state = Binned(found, EDGES, 1.0, 0.0)

    def take() -> None:
        for one in found.layouts:
            state.add(Cells(one, rng.random(one.size), np.zeros(0, np.uint8)))

    take()
    tracemalloc.start()
    take()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    state.finish(1.0, 0.0)
    assert state.sums.sum() == pytest.approx(2 * (side - 1) ** 2)
    assert left < 100_000
