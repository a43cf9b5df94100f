"""States of rows, merged, are those of one row over all of their cells."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import Raster, measured, placed, raster
from zonalbatch.lattice import TILE, Lattice
from zonalbatch.statistics import Rolled, parse_statistics
from zonalbatch.work.layer_work import LayerSummary

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""

MOMENTS = ("count", "sum", "mean", "std", "variance", "cv", "n_total", "n_nodata", "n_nan",
           "n_masked", "n_outside", "valid_fraction", "clear_fraction", "area",
           "valid_area")  # fmt: skip
POWERS = ("skew", "kurtosis")
EXTREMES = ("min", "max", "range")
CLASSES = ("mode", "minority", "variety", "unique", "frac")
QUANTILES = ("p0", "p10", "median", "p100")

seeds = st.integers(0, 2**32 - 1)


def split(rng: np.random.Generator, n: int) -> list[shapely.Geometry]:
    """Disjoint strips of one box, its sides on no edge of a cell."""
    cuts = np.concatenate([[0.3], np.sort(rng.uniform(1, 22, n - 1)), [23.1]])
    return [shapely.box(a, 0.7, b, 18.2) for a, b in pairwise(cuts)]


def states(summary: LayerSummary) -> Rolled:
    """The states of a layer's rows, as they are read from a file."""
    table = pa.table([summary.columns["value", name] for name in ("state", "sketch")],
                     names=["state", "sketch"])  # fmt: skip
    state, sketch = (column.combine_chunks() for column in table.columns)
    return Rolled.of_rows(state, sketch, np.ones(table.num_rows, bool))


def plain(statistic: str, rolled: Rolled) -> Any:
    """One statistic of the first group."""
    (one,) = parse_statistics([statistic])
    found = one.finalize(rolled.summary([one]))
    return pa.array(found)[0].as_py()


def values_of(rng: np.random.Generator, dtype: str) -> NDArray[Any]:
    """Values with some nodata (1), on which a mean is far from 0."""
    values = rng.integers(1, 40, (20, 24)).astype(dtype)
    return values if dtype == "uint8" else values + np.asarray(1e4, dtype)


def laid(values: NDArray[Any], row: int, **about: Any) -> dict[str, Raster]:
    """The raster of a test."""
    return {"a": raster(values, CELLS, row, row, nodata=1, **about)}


@pytest.mark.long
@settings(max_examples=25)
@given(
    seed=seeds, n=st.integers(1, 5), dtype=st.sampled_from(["uint8", "float32", "float64"]),
    row=st.sampled_from((0, TILE - 9)),
)  # fmt: skip
def test_rolled_up_is_what_a_run_over_the_union_says(
    seed: int, n: int, dtype: str, row: int
) -> None:
    """Of disjoint zones: moments within 1e-12, extremes and few classes exactly."""
    rng = np.random.default_rng(seed)
    given_ = laid(values_of(rng, dtype), row)
    zones = [placed(zone, CELLS, row, row) for zone in split(rng, n)]
    names = (*MOMENTS, *POWERS, *EXTREMES, *CLASSES, *QUANTILES)
    (parts,) = measured(zones, given_, statistics=names, sketch=True)
    (whole,) = measured([shapely.union_all(zones)], given_, statistics=names, sketch=True)
    rolled = Rolled.merged([(np.zeros(n, np.int64), states(parts))], 1)
    for name in names:
        found, expected = plain(name, rolled), pa.array(whole.columns["value", name])[0].as_py()
        if name in MOMENTS:
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-12), name
        elif name in POWERS and expected is not None:
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), name
        elif name in EXTREMES or name in ("variety", "unique", "p0", "p100"):
            assert found == expected, name
        elif name == "frac":
            shares = {one["class"]: one["value"] for one in expected}
            assert {c["class"]: c["value"] for c in found} == pytest.approx(shares, abs=1e-6)


@given(seeds)
@settings(max_examples=20)
def test_rows_of_a_layer_and_of_its_copy(seed: int) -> None:
    """Merged with themselves rows count twice, and their mean, spread and values stay."""
    rng = np.random.default_rng(seed)
    zones = [placed(zone, CELLS, 0, 0) for zone in split(rng, 3)]
    names = ("count", "mean", "std", "median", "mode", "unique")
    (found,) = measured(zones, laid(values_of(rng, "float32"), 0), statistics=names, sketch=True)
    rows, here = states(found), np.arange(3)
    once, twice = Rolled.merged([(here, rows)], 3), Rolled.merged([(here, rows), (here, rows)], 3)
    assert plain("count", twice) == pytest.approx(2 * plain("count", once))
    for name in ("mean", "std", "median", "mode"):
        assert plain(name, twice) == pytest.approx(plain(name, once), rel=1e-12)
    assert plain("unique", twice) == plain("unique", once)


@given(seeds, st.integers(1, 6))
@settings(max_examples=20)
def test_merging_in_steps_changes_little(seed: int, n: int) -> None:
    """Groups of groups are groups: sketches to the bit, moments within 1e-12."""
    rng = np.random.default_rng(seed)
    zones = [placed(zone, CELLS, 0, 0) for zone in split(rng, n)]
    names = ("mean", "std", "median")
    (found,) = measured(zones, laid(values_of(rng, "float64"), 0), statistics=names, sketch=True)
    rows, zero = states(found), np.zeros(1, np.int64)
    at_once = Rolled.merged([(zero.repeat(n), rows)], 1)
    steps = Rolled.merged([(zero, at_once), (np.zeros(0, np.int64), Rolled.none(sketched=True))], 1)
    for name in names:
        assert plain(name, steps) == pytest.approx(plain(name, at_once), rel=1e-12)


def test_a_zone_without_a_value() -> None:
    """A group of nothing valid has no numbers, and changes no other."""
    values = np.ones((20, 24), "uint8")
    values[:, :10] = 7
    zones = [shapely.box(1, 1, 8, 8), shapely.box(12, 1, 20, 8)]
    there = [placed(zone, CELLS, 0, 0) for zone in zones]
    names = ("mean", "min", "median", "mode", "unique", "valid_fraction")
    (found,) = measured(there, laid(values, 0), statistics=names, sketch=True)
    apart = Rolled.merged([(np.array([1, 0]), states(found))], 2)
    assert [plain(name, apart) for name in names[:4]] == [None] * 4 or all(
        np.isnan(plain(name, apart)) for name in names[:4]
    )
    assert plain("unique", apart) == []
    both = Rolled.merged([(np.zeros(2, np.int64), states(found))], 1)
    assert [plain(name, both) for name in names[:4]] == [7, 7, 7, 7]
