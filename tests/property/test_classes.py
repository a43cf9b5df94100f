"""Statistics beyond moments and quantiles: classes, skewness, kurtosis, places of extremes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import areas, measured, placed, raster
from zonalbatch.lattice import TILE, Lattice, Window

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""

NUMBERS = ("mode", "minority", "variety", "skew", "kurtosis", "cv", "min_x", "min_y", "max_x",
           "max_y")  # fmt: skip
STATISTICS = (*NUMBERS, "unique", "frac")

CORNERS = (0, TILE - 9, -TILE - 3, 5 * TILE - 12)
"""First rows and columns of rasters: in one fold tile, and over the corner of four."""


def told(
    values: NDArray[Any], zone: shapely.Geometry, row: int, col: int, **about: Any
) -> dict[str, Any]:
    """All statistics of one zone, given in columns and rows (downward) of its raster."""
    there = placed(zone, CELLS, row, col)
    given_ = {"a": raster(values, CELLS, row, col, **about)}
    (summary,) = measured([there], given_, statistics=STATISTICS)
    found: dict[str, Any] = {
        name: column[0] if name in NUMBERS else column[0].as_py()
        for (_, name), column in summary.columns.items()
    }
    return found


def by_hand(
    values: NDArray[Any], shares: NDArray[np.float64], row: int, col: int
) -> dict[str, Any]:
    """The same from (row, col) shares, each valid cell looked at."""
    good = shares > 0
    v, w = values[good].astype(np.float64), shares[good]
    classes = {float(c): float(w[v == c].sum()) for c in np.unique(v)}
    mean = (v * w).sum() / w.sum()
    m2, m3, m4 = (((v - mean) ** k * w).sum() / w.sum() for k in (2, 3, 4))
    rows, cols = np.nonzero(good)
    first, last = (rows[v == e][0] for e in (v.min(), v.max()))
    west, east = (cols[v == e][0] for e in (v.min(), v.max()))
    return {
        "mode": max(classes, key=lambda c: (round(classes[c], 9), c)),
        "minority": min(classes, key=lambda c: (round(classes[c], 9), c)),
        "variety": len(classes),
        "skew": m3 / m2**1.5 if m2 > 0 else np.nan,
        "kurtosis": m4 / m2**2 - 3 if m2 > 0 else np.nan,
        "cv": m2**0.5 / mean if mean else np.nan,
        "min_x": col + west + 0.5, "min_y": -(row + first + 0.5),
        "max_x": col + east + 0.5, "max_y": -(row + last + 0.5),
        "unique": list(classes),
        "frac": [{"class": c, "value": s / w.sum()} for c, s in classes.items()],
    }  # fmt: skip


def agree(found: dict[str, Any], expected: dict[str, Any], rel: float = 1e-9) -> None:
    """Assert that numbers agree, and classes with their shares."""
    assert found["unique"] == expected["unique"]
    for name in NUMBERS:
        assert found[name] == pytest.approx(expected[name], rel=rel, abs=1e-9, nan_ok=True), name
    for one, other in zip(found["frac"], expected["frac"], strict=True):
        assert one["class"] == other["class"]
        assert one["value"] == pytest.approx(other["value"], rel=rel, abs=1e-12)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    row=st.sampled_from(CORNERS),
    col=st.sampled_from(CORNERS),
    dtype=st.sampled_from(["uint8", "int16", "float32"]),
    most=st.sampled_from([3, 90]),
)
def test_brute_force_wherever_the_tiles_lie(
    seed: int, row: int, col: int, dtype: str, most: int
) -> None:
    """Every statistic is that of the zone's cells, also where four fold tiles meet."""
    rng = np.random.default_rng(seed)
    values = (rng.integers(0, most, (20, 24)) + 1).astype(dtype)
    if dtype == "float32":
        values = (values / np.float32(7)).astype(dtype)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radius = rng.uniform(2, 9.9, 9)
    ring = shapely.Polygon(
        np.column_stack([12 + radius * np.cos(angle), 10 + radius * np.sin(angle)])
    )
    zone = shapely.make_valid(ring)
    if zone.geom_type not in ("Polygon", "MultiPolygon") or zone.area < 0.1:
        return
    window = Window(row, col, row + 20, col + 24)
    shares = areas(placed(zone, CELLS, row, col), CELLS, window)
    shares[shares < 1e-9] = 0.0
    agree(told(values, zone, row, col), by_hand(values, shares, row, col))


def test_facts_of_weighted_cells() -> None:
    """[[1, 2], [3, 4]] covered by .5, 0, 1 and .25: mode 3, minority 4, variety 3."""
    values = np.array([[1, 2], [3, 4]], np.uint8)
    parts = [shapely.box(0, 0, 0.5, 1), shapely.box(0, 1, 1, 2), shapely.box(1, 1, 1.25, 2)]
    found = told(values, shapely.unary_union(parts), 0, 0)
    assert (found["mode"], found["minority"], found["variety"]) == (3, 4, 3)
    shares = {one["class"]: one["value"] for one in found["frac"]}
    assert shares == pytest.approx({1: 0.2857143, 3: 0.5714286, 4: 0.1428571}, abs=1e-7)


def test_facts_of_nine_cells() -> None:
    """1 to 9 under a square from .5 to 2.5: ties go to the larger value, for the least too low."""
    found = told(
        np.arange(1, 10, dtype=np.uint8).reshape(3, 3), shapely.box(0.5, 0.5, 2.5, 2.5), 0, 0
    )
    assert (found["mode"], found["minority"]) == (5, 1)
    assert found["skew"] == pytest.approx(0, abs=1e-12)


def test_thousands_of_boundary_cells_of_one_class() -> None:
    """Shares of a class are summed without end: a comb of half cells over many tiles."""
    size = 3 * TILE
    teeth = [shapely.box(c + 0.25, 0.5, c + 0.75, size - 0.5) for c in range(0, size, 8)]
    found = told(np.full((size, size), 7, np.uint8), shapely.MultiPolygon(teeth), 0, 0)
    assert (found["mode"], found["variety"]) == (7, 1)
    assert found["frac"] == [{"class": 7.0, "value": 1.0}]
    values = np.full((size, size), 7, np.uint8)
    values[: size // 2] = 3
    shares = {one["class"]: one["value"] for one in told(
        values, shapely.MultiPolygon(teeth), 0, 0)["frac"]}  # fmt: skip
    assert shares == pytest.approx({3: 0.5, 7: 0.5}, rel=1e-12)


def test_nothing_valid() -> None:
    """Without a valid cell statistics are null, lists empty."""
    found = told(np.zeros((4, 4), np.uint8), shapely.box(0, 0, 4, 4), 0, 0, nodata=0)
    assert np.isnan([found[name] for name in NUMBERS]).all()
    assert found["unique"] == found["frac"] == []


def test_no_zone_meets_the_raster() -> None:
    """A zone without a cell has no statistic, and empty lists."""
    found = told(np.zeros((4, 4), np.uint8), shapely.box(90, 90, 95, 95), 0, 0)
    assert np.isnan([found[name] for name in NUMBERS]).all()
    assert found["unique"] == found["frac"] == []


def test_scale_and_offset() -> None:
    """Classes are told in physical values; skewness does not change."""
    values = np.array([[10, 20], [20, 40]], np.int16)
    raw = told(values, shapely.box(0, 0, 2, 2), 0, 0)
    found = told(values, shapely.box(0, 0, 2, 2), 0, 0, scale=0.1, offset=-1.0)
    assert found["unique"] == pytest.approx([0.0, 1.0, 3.0])
    assert (found["mode"], found["minority"]) == (pytest.approx(1.0), pytest.approx(0.0))
    assert found["skew"] == pytest.approx(raw["skew"])
