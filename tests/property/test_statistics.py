"""Statistics: facts about variance, brute force for all types of pixels, merging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import (
    COUNTS,
    QUANTILES,
    STATISTICS,
    Told,
    bits,
    covered,
    dense,
    layer_of,
    measured,
    placed,
    raster,
    zonal,
)
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.masks.mask import Mask
from zonalbatch.statistics import values as values_module
from zonalbatch.statistics.moments import empty_moments, group_moments

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""

COMMON = ("uint8", "int16", "uint16", "float32", "float64")
RARE = ("int8", "int32", "uint32", "int64", "uint64")
DTYPES = [*COMMON, *(pytest.param(name, marks=pytest.mark.long) for name in RARE)]
"""Each type of pixels takes seconds to compile; a quick run tries what rasters mostly have."""

seeds = st.integers(0, 2**32 - 1)


def box(row: float, col: float, height: float, width: float) -> shapely.Geometry:
    """A rectangle given in rows and columns of ``CELLS``."""
    return placed(shapely.box(col, row, col + width, row + height), CELLS, 0, 0)


def one(values: NDArray[Any], zone: shapely.Geometry | None = None, **about: Any) -> dict[str, Any]:
    """All statistics of a zone, by default of all cells of a raster whose first cell is (0, 0)."""
    zone = box(0, 0, *values.shape) if zone is None else zone
    (summary,) = measured([zone], {"a": raster(values, CELLS, 0, 0, **about)})
    return {name: float(column[0]) for (_, name), column in summary.columns.items()}


def close(found: Mapping[str, float], expected: Mapping[str, float]) -> None:
    """Assert that statistics agree to 1e-9 of the values' size, and of what float64 can hold."""
    assert list(found) == list(STATISTICS)
    n = max(1.0, expected["n_total"])
    size, spread = 0.0, 0.0
    if expected["count"] > 0:
        size = max(abs(expected["min"]), abs(expected["max"]))
        spread = expected["range"]
    limits = dict.fromkeys(STATISTICS, 1e-9 * size)
    limits |= dict.fromkeys((*COUNTS, "n_total", "valid_fraction"), 1e-9)
    limits["sum"] *= n
    limits["variance"] = 1e-9 * spread * spread + 1e-14 * size * spread + (1e-15 * size) ** 2
    for name in STATISTICS:
        if name != "std":
            assert found[name] == pytest.approx(
                expected[name], rel=1e-9, abs=limits[name], nan_ok=True
            ), name
    assert found["std"] == pytest.approx(found["variance"] ** 0.5, rel=1e-12, nan_ok=True)


# --- variance ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "pair", "variance"),
    [
        ("uint8", (200, 200), 0.0),
        ("uint16", (30000, 30001), 0.25),
        ("float64", (1e9, 1e9 + 1), 0.25),
        ("float32", (2**24 - 1, 2**24), 0.25),
        ("int16", (-32768, 32767), 65535**2 / 4),
        pytest.param("int8", (-128, 127), 255**2 / 4, marks=pytest.mark.long),
        pytest.param("int32", (2**31 - 2, 2**31 - 1), 0.25, marks=pytest.mark.long),
        pytest.param("uint32", (2**32 - 2, 2**32 - 1), 0.25, marks=pytest.mark.long),
        pytest.param("int64", (2**52, 2**52 + 1), 0.25, marks=pytest.mark.long),
        pytest.param("uint64", (2**52, 2**52 + 1), 0.25, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("shape", [(1, 2), (96, 100), (40, 2 * TILE)])
def test_variance_keeps_its_digits(
    dtype: str, pair: tuple[float, float], variance: float, shape: tuple[int, int]
) -> None:
    """Half the cells of one value and half of another: a quarter of their distance squared."""
    cells = np.empty(shape, dtype)
    cells[:, ::2], cells[:, 1::2] = pair
    found = one(cells)
    assert found["variance"] == pytest.approx(variance, rel=1e-12, abs=1e-12)
    assert found["std"] == pytest.approx(variance**0.5, rel=1e-12, abs=1e-12)
    assert found["variance"] >= 0
    if pair[0] == pair[1]:
        assert found["variance"] == 0


@given(st.sampled_from(("uint8", "uint16", "float32", "float64")), st.integers(0, 200), seeds)
def test_variance_of_equal_values_is_nothing(dtype: str, value: int, seed: int) -> None:
    """A zone of one value has variance 0, whatever part of each cell it covers."""
    rng = np.random.default_rng(seed)
    cells = np.full((20, 20), value, dtype)
    zone = box(*rng.uniform(0, 8, 2), *rng.uniform(0.1, 10, 2))
    found = one(cells, zone)
    assert found["variance"] == pytest.approx(0, abs=1e-12 * max(1, value) ** 2)
    assert found["min"] == found["max"] == found["median"] == value


@given(st.integers(2, 8), seeds)
@example(7, 0)
def test_variance_where_the_first_cell_is_an_outlier(digits: int, seed: int) -> None:
    """A value far off in a cell that is hardly covered does not take the digits of the others."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(60000, 60003, (1, 60)).astype(np.uint16)
    cells[0, 0] = 0
    sliver = box(0.25, 1 - 10.0**-digits, 0.5, 50)
    share = dense(covered([sliver], CELLS), 0, Window(0, 0, 1, 60))
    expected = zonal(cells, share, Told())
    assert one(cells, sliver)["variance"] == pytest.approx(expected["variance"], rel=1e-9)


# --- brute force ------------------------------------------------------------------------------


def random_values(rng: np.random.Generator, dtype: np.dtype[Any], shape: Any) -> NDArray[Any]:
    """Values of a type: small and with ties, over its whole range, or close together far from 0."""
    kind = rng.integers(3)
    if dtype.kind == "f":
        if kind == 0:
            return rng.integers(-5, 6, shape).astype(dtype)
        if kind == 1:
            return (rng.normal(size=shape) * 10.0 ** rng.integers(-6, 7)).astype(dtype)
        return (1e6 + rng.random(shape)).astype(dtype)
    info = np.iinfo(dtype)
    low, high = max(info.min, -(2**50)), min(info.max, 2**50)
    if kind == 0:
        return rng.integers(max(low, -3), 4, shape).astype(dtype)
    if kind == 1:
        return rng.integers(low, high, shape, endpoint=True).astype(dtype)
    return rng.integers(high - 3, high, shape, endpoint=True).astype(dtype)


def random_zone(rng: np.random.Generator) -> shapely.Geometry:
    """A star about a place in a raster of 40 × 40 cells, perhaps beyond its border, or a dot."""
    n = int(rng.integers(3, 12))
    angle = np.sort(rng.uniform(0, 2 * np.pi, n)) + rng.uniform(0, 1)
    reach = rng.choice([0.2, 3.0, 12.0, 30.0])
    radius = reach * rng.uniform(0.3, 1, n)
    middle = rng.uniform(-3, 43, 2)
    ring = middle + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    zone = shapely.convex_hull(shapely.MultiPoint(ring))
    return placed(zone if zone.area > 0 else shapely.box(*middle, *(middle + 1)), CELLS, 500, 500)


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=seeds)
@settings(max_examples=25)
def test_statistics_equal_brute_force(dtype: str, seed: int) -> None:
    """Every statistic is what NumPy makes of all cells, their shares and their reasons."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    shape = (40, 40)
    raw = random_values(rng, kind, shape)
    scale, offset = rng.choice([1.0, 0.0001, -0.5, 3.0]), rng.choice([0.0, -0.1, 1000.0])
    nodata = rng.choice(raw.ravel()).item() if rng.random() < 0.5 else None
    if kind.kind == "f" and rng.random() < 0.5:
        raw[rng.random(shape) < 0.1] = rng.choice([np.nan, np.inf, -np.inf])
        nodata = rng.choice([np.nan, nodata]) if nodata is not None else None
        nodata = None if nodata is None else float(nodata)
    valid = rng.random(shape) < 0.8 if rng.random() < 0.5 else None
    classes = rng.integers(0, 6, shape).astype(np.uint8)
    mask = Mask("scl", (0, 3), keep=False) if rng.random() < 0.5 else None
    rasters = {
        "a": raster(raw, CELLS, 500, 500, nodata=nodata, scale=scale, offset=offset, valid=valid),
        "scl": raster(classes, CELLS, 500, 500),
    }
    layer = layer_of("one", value="a", scl="scl")(rasters)
    zones = [random_zone(rng) for _ in range(4)]
    (summary,) = measured(zones, rasters, [layer], mask=mask)
    around = Window(460, 460, 580, 580)
    inside = np.zeros(around.shape, bool)
    inside[40:80, 40:80] = True

    def spread(cells: NDArray[Any] | None) -> NDArray[Any] | None:
        if cells is None:
            return None
        wide = np.zeros(around.shape, cells.dtype)
        wide[40:80, 40:80] = cells
        return wide

    told = Told(
        nodata=nodata, scale=scale, offset=offset, inside=inside, valid=spread(valid),
        unwanted=spread(np.isin(classes, (0, 3))) if mask else None,
    )  # fmt: skip
    coverage = covered(zones, CELLS)
    wide = spread(raw)
    assert wide is not None
    for i in range(len(zones)):
        found = {name: float(column[i]) for (_, name), column in summary.columns.items()}
        expected = zonal(wide, dense(coverage, i, around), told)
        close(found, expected)
        assert sum(found[k] for k in COUNTS) == pytest.approx(found["n_total"], rel=1e-12, abs=1e-9)


@given(st.sampled_from((0.5, -0.5, -2.0, 1e-4)), st.sampled_from((0.0, 7.0, -0.1)), seeds)
def test_scale_and_offset_turn_extremes_around(scale: float, offset: float, seed: int) -> None:
    """Min, max and quantiles are those of physical values, also where the scale is negative."""
    raw = np.random.default_rng(seed).integers(0, 1000, (9, 9)).astype(np.uint16)
    found = one(raw, scale=scale, offset=offset)
    physical = raw * scale + offset
    assert found["min"] == physical.min() == found["p0"]
    assert found["max"] == physical.max()
    assert found["min"] <= found["p10"] <= found["median"] <= found["p90"] <= found["max"]
    assert found["median"] == pytest.approx(np.median(physical), rel=1e-12)
    assert found["p90"] == pytest.approx(np.quantile(physical, 0.9), rel=1e-12)


def test_no_value_is_nan_and_counts_stay() -> None:
    """A zone of nodata has counts and no numbers; one that meets no cell has zeros."""
    found = one(np.full((4, 4), 9, np.uint8), nodata=9)
    assert (found["count"], found["n_nodata"], found["valid_fraction"]) == (0, 16, 0)
    assert all(np.isnan(found[k]) for k in ("sum", "mean", "min", "max", "std", *QUANTILES))
    away = one(np.full((4, 4), 9, np.uint8), box(50, 50, 3, 3))
    assert (away["n_total"], away["n_outside"], away["count"]) == (9, 9, 0)
    nothing = one(np.full((4, 4), 9, np.uint8), shapely.Polygon())
    assert nothing["n_total"] == 0
    assert np.isnan(nothing["valid_fraction"])


# --- merging ----------------------------------------------------------------------------------


def state(values: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1, 5) count, sum, m2, min, max by their definitions."""
    if not len(values):
        return empty_moments(1)
    mean = np.average(values, weights=shares)
    m2 = (shares * (values - mean) ** 2).sum()
    return np.array([[shares.sum(), (values * shares).sum(), m2, values.min(), values.max()]])


@st.composite
def samples(draw: st.DrawFn) -> list[NDArray[np.float64]]:
    """Three states of up to 30 cells each, perhaps empty."""
    rng = np.random.default_rng(draw(seeds))
    far = draw(st.sampled_from((0.0, 1e3, -1e6)))
    sizes = [draw(st.integers(0, 30)) for _ in range(3)]
    return [state(far + rng.normal(size=n), rng.uniform(1e-6, 1, n)) for n in sizes]


def alike(a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    """Assert that two states agree within 1e-12 of their size; min and max exactly."""
    np.testing.assert_array_equal(a[:, 3:], b[:, 3:])
    least, most = b[0, 3:] if b[0, 0] else (0.0, 0.0)
    size = max(abs(least), abs(most))
    limits = 1e-12 * b[0, 0] * np.array([1, size, size * (most - least)])
    assert (np.abs(a[0, :3] - b[0, :3]) <= limits).all()


def merged_moments(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The state of all cells of two states, each of one zone."""
    return group_moments(np.concatenate([a, b]), np.zeros(2, np.int64), 1)


@given(samples())
def test_merging_is_a_commutative_monoid(states: list[NDArray[np.float64]]) -> None:
    """Merging is associative and commutative within 1e-12, and the identity changes no bit."""
    a, b, c = states
    nothing = empty_moments(1)
    np.testing.assert_array_equal(merged_moments(a, nothing), a)
    np.testing.assert_array_equal(merged_moments(nothing, a), a)
    alike(merged_moments(a, b), merged_moments(b, a))
    alike(merged_moments(merged_moments(a, b), c), merged_moments(a, merged_moments(b, c)))


@given(seeds, st.lists(st.integers(0, 80), max_size=5), st.sampled_from((0.0, 1e3, -1e6)))
def test_merging_any_split_is_the_whole(seed: int, cuts: list[int], far: float) -> None:
    """The states of parts, however cells are split, merge to the state of all of them."""
    rng = np.random.default_rng(seed)
    values, shares = far + rng.normal(size=80), rng.uniform(1e-6, 1, 80)
    merged = empty_moments(1)
    for part in np.split(np.arange(80), sorted(cuts)):
        merged = merged_moments(merged, state(values[part], shares[part]))
    alike(merged, state(values, shares))


# --- quantiles of zones that are kept in several ways ------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=seeds)
@settings(max_examples=10)
def test_quantiles_do_not_depend_on_how_a_zone_is_kept(dtype: str, seed: int) -> None:
    """Alone in a tile, in a buffer across tiles, counted as huge: the same bits."""
    rng = np.random.default_rng(seed)
    raw = random_values(rng, np.dtype(dtype), (24, 24))
    nodata = raw[0, 0].item() if rng.random() < 0.5 else None
    # Eighths of cells: shares are exact wherever the zone lies.
    top, left = rng.integers(8, 40, 2) / 8
    height, width = rng.integers(40, 120, 2) / 8
    shape = shapely.box(left, top, left + width, top + height)

    def kept(row: int, col: int, huge: int) -> dict[str, bytes]:
        zone = placed(shape, CELLS, row, col)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(values_module, "HUGE", huge)
            (summary,) = measured(
                [zone], {"a": raster(raw, CELLS, row, col, nodata=nodata)}, statistics=[*QUANTILES]
            )
        return bits(summary)

    alone = kept(0, 0, 16)
    for row, col in ((TILE - 10, 0), (0, -10), (TILE - 10, 2 * TILE - 10)):
        assert kept(row, col, 16) == alone
        assert kept(row, col, 1) == alone


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_zone_in_many_tiles_is_ranked_as_one(dtype: str) -> None:
    """A zone over more fold tiles than are buffered has NumPy's quantiles."""
    cells = np.random.default_rng(7).integers(0, 200, (5 * TILE, 4 * TILE)).astype(dtype)
    cells[:, -7:] = 255
    found = one(cells, block=(512, 512))
    assert found["n_total"] == cells.size
    for name, q in QUANTILES.items():
        assert found[name] == pytest.approx(np.quantile(cells, q), abs=1e-9)
