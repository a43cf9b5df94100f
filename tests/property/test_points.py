"""The statistic `value`: what a raster has at a point, and at what heavier zones weigh most."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import areas, bits, measured, placed, raster
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.statistics import parse_statistics

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""

HEIGHT, WIDTH = 7, 9
CORNERS = (0, TILE - 4, -TILE - 3, 5 * TILE - 1)
"""First rows and columns of rasters: in one fold tile, and over the corner of four."""

Rule = Literal["fraction", "bilinear"]
PLACES = st.lists(
    st.tuples(st.integers(-6, 4 * WIDTH + 6), st.integers(-6, 4 * HEIGHT + 6)), min_size=1
)
"""Quarters of cells from the raster's corner: many on edges and centres, some outside."""


def told(
    zones: list[Any], values: NDArray[Any], row: int, col: int, rule: Rule, **about: Any
) -> NDArray[np.float64]:
    """The value of each zone, given in columns and rows (downward) of the raster."""
    there = [placed(zone, CELLS, row, col) for zone in zones]
    (summary,) = measured(
        there, {"value": raster(values, CELLS, row, col, **about)}, statistics=["value"], rule=rule
    )
    return np.asarray(summary.columns["value", "value"])


def cell_at(values: NDArray[np.float64], row: int, col: int) -> float:
    """The value of a cell, NaN outside."""
    inside = 0 <= row < values.shape[0] and 0 <= col < values.shape[1]
    return float(values[row, col]) if inside else np.nan


def by_hand(values: NDArray[np.float64], x: float, y: float, rule: Rule) -> float:
    """The value at a point, of values that are NaN where there is none."""
    if rule == "fraction":
        return cell_at(values, int(np.floor(y)), int(np.floor(x)))
    left, top = int(np.floor(x - 0.5)), int(np.floor(y - 0.5))
    right, below = x - 0.5 - left, y - 0.5 - top
    weights = {
        (top, left): (1 - right) * (1 - below), (top, left + 1): right * (1 - below),
        (top + 1, left): (1 - right) * below, (top + 1, left + 1): right * below,
    }  # fmt: skip
    found = {cell: cell_at(values, *cell) for cell, weight in weights.items() if weight > 0}
    if not np.isnan(list(found.values())).any():
        return sum(weights[cell] * value for cell, value in found.items())
    return found[max(found, key=lambda cell: (weights[cell], [-n for n in cell]))]


@given(
    seed=st.integers(0, 2**32 - 1),
    places=PLACES,
    row=st.sampled_from(CORNERS),
    col=st.sampled_from(CORNERS),
    dtype=st.sampled_from(["uint8", "int32", "float32"]),
    rule=st.sampled_from(["fraction", "bilinear"]),
)
def test_brute_force_wherever_the_tiles_lie(
    seed: int, places: list[tuple[int, int]], row: int, col: int, dtype: str, rule: Rule
) -> None:
    """Nearest and bilinear, also beside nodata, outside, and where four fold tiles meet."""
    values = np.random.default_rng(seed).integers(0, 6, (HEIGHT, WIDTH)).astype(dtype)
    points = [shapely.Point(x / 4, y / 4) for x, y in places]
    found = told(points, values, row, col, rule, nodata=0)
    known = np.where(values == 0, np.nan, values.astype(np.float64))
    expected = [by_hand(known, x / 4, y / 4, rule) for x, y in places]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(seed=st.integers(0, 2**32 - 1), row=st.sampled_from(CORNERS), col=st.sampled_from(CORNERS))
def test_of_an_area_it_is_the_mean_or_that_of_the_heaviest_cell(
    seed: int, row: int, col: int
) -> None:
    """The same statistic of zones with an inside: no second rule for what a point is not."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, (HEIGHT, WIDTH)).astype(np.uint8)
    (x, y), (w, h) = rng.uniform(0, 4, 2), rng.uniform(0.3, 3, 2)
    zone = shapely.box(x, y, x + w, y + h)
    (found,) = told([zone], values, row, col, "fraction", nodata=0)
    window = Window(row, col, row + HEIGHT, col + WIDTH)
    shares = areas(placed(zone, CELLS, row, col), CELLS, window)
    met = shares > 1e-9
    if (values[met] > 0).all():
        assert found == pytest.approx((shares * values).sum() / shares.sum(), rel=1e-9)
        return
    heaviest = values[np.isclose(shares, shares.max(), rtol=1e-9)].astype(np.float64)
    heaviest[heaviest == 0] = np.nan
    assert any(found == one or (np.isnan(found) and np.isnan(one)) for one in heaviest)


@given(places=PLACES, seed=st.integers(0, 2**32 - 1))
def test_how_zones_are_put_together_does_not_matter(
    places: list[tuple[int, int]], seed: int
) -> None:
    """A zone has the same bits alone, among others, and with little memory."""
    values = np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH)).astype(np.float32)
    given_ = {"value": raster(values, CELLS, TILE - 4, TILE - 4)}
    there = [
        placed(shapely.Point(x / 4 + 0.1, y / 4), CELLS, TILE - 4, TILE - 4) for x, y in places
    ]
    about: Any = {"statistics": ["value"], "rule": "bilinear"}
    (whole,) = measured(there, given_, **about)
    (tight,) = measured(there, given_, memory=1, **about)
    assert bits(whole) == bits(tight)
    alone = [measured([one], given_, **about)[0].columns["value", "value"][0] for one in there[:5]]
    np.testing.assert_array_equal(alone, whole.columns["value", "value"][:5])


def test_scale_and_offset() -> None:
    """The value is physical, also where it falls back to the heaviest cell."""
    values = np.array([[10, 20], [30, 0]], np.int16)
    points = [shapely.Point(1, 0.5), shapely.Point(0.6, 0.7), shapely.Point(1.5, 1.5)]
    found = told(points, values, 0, 0, "bilinear", nodata=0, scale=0.1, offset=-1.0)
    np.testing.assert_allclose(found, [0.5, 0.0, np.nan])


def test_no_cell() -> None:
    """An empty zone, and one far away, have no value."""
    zones = [shapely.Point(), shapely.Point(5000, 5000), shapely.Polygon()]
    for rule in ("fraction", "bilinear"):
        assert np.isnan(told(zones, np.ones((2, 2), np.uint8), 0, 0, rule)).all()  # type: ignore[arg-type]


def test_its_column() -> None:
    """One number for each zone, named as the statistic."""
    (statistic,) = parse_statistics("value")
    assert (statistic.name, statistic.column, statistic.listed) == ("value", "value", False)
