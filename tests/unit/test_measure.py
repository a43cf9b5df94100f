"""Measure: why a cell has no value, masks, expressions over resolutions, scale and offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import (
    COUNTS,
    STATISTICS,
    Raster,
    Told,
    layer_of,
    measured,
    placed,
    raster,
    zonal,
)
from zonalbatch.cover.cells import (
    FILE_MASK,
    NODATA,
    NOT_A_NUMBER,
    OUTSIDE,
    UNREAD,
    USER_MASK,
    VALID,
    first_reason,
)
from zonalbatch.errors import SourceError
from zonalbatch.lattice import Lattice
from zonalbatch.layers import Layer
from zonalbatch.masks.mask import Mask

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)


def row_of_cells(count: int, first: int = 0) -> shapely.Geometry:
    """A zone of whole cells in row 0."""
    return placed(shapely.box(first, 0, first + count, 1), CELLS, 0, 0)


def found_of(
    rasters: Mapping[str, Raster],
    layer: Layer,
    zone: shapely.Geometry,
    text: str = "value",
    **asked: Any,
) -> dict[str, float]:
    """All statistics of one measurement of one zone."""
    (summary,) = measured([zone], rasters, [layer], measurements={"m": text}, **asked)
    return {name: float(column[0]) for (_, name), column in summary.columns.items()}


def one_row(
    values: Any, *, zone: shapely.Geometry | None = None, about: Mapping[str, Any] | None = None,
    **asset: Any,
) -> dict[str, float]:  # fmt: skip
    """All statistics of a raster of one row; ``asset`` overrides what the file says."""
    cells = np.asarray(values)[None]
    rasters = {"a": raster(cells, CELLS, 0, 0, **(about or {}))}
    layer = layer_of("one", value="a")(rasters)
    layer = layer.each_asset(lambda one: replace(one, **asset))
    return found_of(rasters, layer, zone or row_of_cells(cells.shape[1]))


def counts(found: Mapping[str, float]) -> dict[str, float]:
    """The counts that are not 0."""
    return {name: found[name] for name in COUNTS if found[name]}


# --- reasons ----------------------------------------------------------------------------------


def test_the_smallest_reason_wins() -> None:
    """Not read, outside, nodata, not a number, the file's mask, the user's mask: in this order."""
    order = [UNREAD, OUTSIDE, NODATA, NOT_A_NUMBER, FILE_MASK, USER_MASK]
    assert order == sorted(order)
    for stronger, weaker in combinations(order, 2):
        a, b = np.array([stronger], np.uint8), np.array([weaker], np.uint8)
        assert first_reason(a, b).tolist() == first_reason(b, a).tolist() == [stronger]
    valid, reason = np.array([VALID], np.uint8), np.array([NODATA], np.uint8)
    assert first_reason(valid, reason, valid).tolist() == [NODATA]
    assert first_reason(valid, valid).tolist() == [VALID]
    assert len(first_reason(np.zeros(0, np.uint8))) == 0
    assert len(first_reason()) == 0


@pytest.mark.parametrize("wanted", ["n_outside", "n_nodata", "n_nan", "n_masked", "count"])
def test_each_cell_counts_under_its_first_reason(wanted: str) -> None:
    """A cell for which all later reasons hold too counts once, under the first."""
    order = ["n_outside", "n_nodata", "n_nan", "n_masked", "count"]
    holds = order[order.index(wanted) :]
    value = np.nan if "n_nan" in holds else 1.0
    about: dict[str, Any] = {
        "nodata": value if "n_nodata" in holds else None,
        "valid": np.array([["n_masked" not in holds]]),
    }
    rasters = {
        "a": raster(np.array([[value]], np.float32), CELLS, 0, 0, **about),
        "scl": raster(np.array([[4, 4]], np.uint8), CELLS, 0, 0),
    }
    layer = layer_of("one", value="a", scl="scl")(rasters)
    mask = Mask("scl", (4,), keep=False) if "n_masked" in holds else None
    cell = row_of_cells(1, 1 if wanted == "n_outside" else 0)
    found = found_of(rasters, layer, cell, mask=mask)
    assert counts(found) == {wanted: 1}
    assert found["n_total"] == 1


def test_values_that_are_not_finite_are_not_numbers() -> None:
    """NaN and both infinities count as n_nan; 0/0, log(−1), 1/0 of an expression too."""
    found = one_row(np.array([np.nan, np.inf, -np.inf, 5], np.float32))
    assert counts(found) == {"count": 1, "n_nan": 3}
    assert found["mean"] == 5
    rasters = {"a": raster(np.array([[0, 1, 2, 3]], np.uint8), CELLS, 0, 0)}
    layer = layer_of("one", value="a")(rasters)
    for text, lost in (
        ("value / value", 1), ("log(value - 2)", 3), ("1 / value", 1), ("sqrt(value - 1)", 1),
    ):  # fmt: skip
        found = found_of(rasters, layer, row_of_cells(4), text)
        assert counts(found) == {"count": 4 - lost, "n_nan": lost}


def test_an_expression_takes_the_first_reason_over_its_bands() -> None:
    """Cell by cell: outside one file, nodata of either band, not a number, masked by a file."""
    nan = np.nan
    rasters = {
        "a": raster(np.array([[1, 9, 1, 1, 1, 1, nan]], np.float32), CELLS, 0, 0, nodata=9),
        "b": raster(
            np.array([[2, 2, 7, 2, 7, 2]], np.uint8), CELLS, 0, 0, nodata=7,
            valid=np.array([[True, True, True, False, False, True]]),
        ),
    }  # fmt: skip
    layer = layer_of("one", red="a", nir="b")(rasters)
    found = found_of(rasters, layer, row_of_cells(7), "red + nir")
    assert counts(found) == {"count": 2, "n_nodata": 3, "n_masked": 1, "n_outside": 1}
    assert (found["sum"], found["min"], found["max"]) == (6, 3, 3)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_counts_add_up_for_expressions(seed: int) -> None:
    """Whatever is wrong with two bands and a mask, the counts add up to n_total."""
    rng = np.random.default_rng(seed)
    shape = (6, 6)

    def band(dtype: str) -> Raster:
        values = rng.integers(0, 4, shape).astype(dtype)
        if dtype == "float32":
            values[rng.random(shape) < 0.2] = np.nan
        valid = rng.random(shape) < 0.8 if rng.random() < 0.5 else None
        row, col = rng.integers(-2, 3, 2)
        return raster(values, CELLS, int(row), int(col), nodata=2, valid=valid)

    rasters = {"a": band("float32"), "b": band("uint8"), "scl": band("uint8")}
    layer = layer_of("one", red="a", nir="b", scl="scl")(rasters)
    zone = placed(shapely.Point(3, 3).buffer(rng.uniform(1, 7)), CELLS, 0, 0)
    found = found_of(
        rasters, layer, zone, "red / nir", mask=Mask("scl", (1, 3), keep=bool(rng.integers(2)))
    )
    assert sum(found[name] for name in COUNTS) == pytest.approx(found["n_total"], rel=1e-12)
    assert found["n_total"] == pytest.approx(shapely.area(zone), rel=1e-9)
    assert min(found[name] for name in COUNTS) >= 0


# --- nodata -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [
        ("uint8", -9999), ("uint8", 256), ("uint16", 0.5), ("int16", 40000), ("uint16", np.nan),
        ("int16", np.inf), ("float32", 1e40), ("float32", -1e40),
    ],
)  # fmt: skip
def test_nodata_that_the_type_cannot_hold_is_none(dtype: str, nodata: float) -> None:
    """A nodata value that no pixel can have leaves all cells valid."""
    values = np.array([0, 1, 2, 100], dtype)
    assert counts(one_row(values, nodata=nodata)) == {"count": 4}


def test_nodata_is_compared_in_the_type_of_the_pixels() -> None:
    """The float32 next to a nodata of 0.1 is meant by it; an integral float means the integer."""
    values = np.array([0.1, 0.2, 0.3], np.float32)
    assert counts(one_row(values, nodata=0.1)) == {"count": 2, "n_nodata": 1}
    assert counts(one_row(np.array([0, 1, 255], np.uint8), nodata=255.0)) == {
        "count": 2, "n_nodata": 1,
    }  # fmt: skip
    lowest = float(np.finfo(np.float32).min)
    values = np.array([lowest, 1], np.float32)
    assert counts(one_row(values, nodata=lowest)) == {"count": 1, "n_nodata": 1}


def test_nan_as_nodata() -> None:
    """Where NaN is the nodata value NaN counts as nodata; infinities stay no numbers."""
    values = np.array([np.nan, np.nan, np.inf, 1], np.float32)
    found = one_row(values, about={"nodata": np.nan})
    assert counts(found) == {"count": 1, "n_nodata": 2, "n_nan": 1}


def test_nodata_of_the_plan_wins_over_the_file() -> None:
    """An asset's nodata overrides the file's tag, and "none" takes it away."""
    values, about = np.array([0, 1, 2], np.uint8), {"nodata": 0}
    assert counts(one_row(values, about=about)) == {"count": 2, "n_nodata": 1}
    assert one_row(values, about=about, nodata=1)["min"] == 0
    assert counts(one_row(values, about=about, nodata="none")) == {"count": 3}


# --- masks ------------------------------------------------------------------------------------

SCL = np.array([[0, 3, 4, 5, 8, 9, 4, 4]], np.uint8)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
@pytest.mark.parametrize(
    ("values", "keep", "kept"),
    [
        ((3, 8, 9), False, [0, 2, 3, 6, 7]),
        ((4, 5), True, [2, 3, 6, 7]),
        ((), False, list(range(8))),
        ((), True, []),
        ((77, -5, 70000), False, list(range(8))),
    ],
)
def test_masks_exclude_or_include_classes(
    dtype: str, values: tuple[int, ...], keep: bool, kept: list[int]
) -> None:
    """Listed classes are left out, or only they are kept; classes that do not occur do nothing."""
    rasters = {
        "a": raster(np.arange(8, dtype=np.uint16)[None] * 10, CELLS, 0, 0),
        "scl": raster(SCL.astype(dtype), CELLS, 0, 0),
    }
    layer = layer_of("one", value="a", scl="scl")(rasters)
    found = found_of(rasters, layer, row_of_cells(8), mask=Mask("scl", values, keep))
    assert (found["count"], found["n_masked"]) == (len(kept), 8 - len(kept))
    assert found["sum"] == pytest.approx(sum(kept) * 10, nan_ok=True) or not kept


def test_a_mask_that_says_nothing_masks() -> None:
    """Where the mask's band has no value its cells are masked; outside of its file, outside."""
    rasters = {
        "a": raster(np.array([[1, 2, 3, 4]], np.uint8), CELLS, 0, 0),
        "scl": raster(np.array([[4, 0, 4]], np.uint8), CELLS, 0, 0, nodata=0),
    }
    layer = layer_of("one", value="a", scl="scl")(rasters)
    for mask in (Mask("scl", (9,), keep=False), Mask("scl", (4,), keep=True)):
        found = found_of(rasters, layer, row_of_cells(4), mask=mask)
        assert counts(found) == {"count": 2, "n_masked": 1, "n_outside": 1}
        assert found["sum"] == 4


def test_a_coarse_mask_masks_all_cells_under_it() -> None:
    """A mask of 2 × 2 cells lies over a finer band without resampling."""
    coarse = Lattice("EPSG:32631", 2.0, 2.0, 0.0, 0.0)
    values = np.arange(16, dtype=np.uint8).reshape(4, 4)
    classes = np.array([[4, 9], [9, 4]], np.uint8)
    rasters = {"a": raster(values, CELLS, 0, 0), "scl": raster(classes, coarse, 0, 0)}
    layer = layer_of("one", value="a", scl="scl")(rasters)
    square = placed(shapely.box(0, 0, 4, 4), CELLS, 0, 0)
    found = found_of(rasters, layer, square, mask=Mask("scl", (9,), keep=False))
    assert (found["count"], found["n_masked"]) == (8, 8)
    assert found["sum"] == values[:2, :2].sum() + values[2:, 2:].sum()


# --- resolutions ------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2, 3, 6])
@pytest.mark.parametrize("place", [(0, 0), (500, -700)])
@pytest.mark.parametrize("south_up", [False, True])
def test_coarse_cells_repeat(factor: int, place: tuple[int, int], south_up: bool) -> None:
    """An expression of bands of two resolutions is that of the coarse one repeated."""
    rng = np.random.default_rng(factor)
    coarse = Lattice("EPSG:32631", 10.0 * factor, 10.0 * factor, 0.0, 0.0)
    fine = Lattice("EPSG:32631", 10.0, 10.0, 0.0, 0.0)
    few = rng.integers(1, 200, (12, 15)).astype(np.uint8)
    many = rng.integers(0, 200, (12 * factor, 15 * factor)).astype(np.uint16)
    row, col = place
    rasters = {
        "fine": raster(many, fine, row * factor, col * factor, block=(7, 9)),
        "coarse": raster(few, coarse, row, col, block=(5, 4), south_up=south_up, nodata=17),
    }
    layer = layer_of("one", red="fine", swir="coarse")(rasters)
    shape = shapely.Point(8 * factor, 6 * factor).buffer(9 * factor)
    zone = placed(shape, fine, row * factor, col * factor)
    found = found_of(rasters, layer, zone, "red / swir")
    share = shares_in(shape, many.shape)
    repeated: NDArray[Any] = np.repeat(np.repeat(few, factor, 0), factor, 1)
    expected = zonal(many / repeated, share, Told(valid=repeated != 17))
    assert found["n_nodata"] == pytest.approx(expected["n_masked"], rel=1e-9)
    for name in ("count", "sum", "mean", "min", "max", "variance", "median", "p90"):
        assert found[name] == pytest.approx(expected[name], rel=1e-9), name


def shares_in(shape: shapely.Geometry, size: tuple[int, int]) -> NDArray[np.float64]:
    """(row, col) area that a shape in columns and rows has in common with each cell."""
    rows, cols = np.indices(size)
    boxes = shapely.box(cols, rows, cols + 1, rows + 1)
    return np.asarray(shapely.area(shapely.intersection(boxes, shape)))


def test_grids_that_do_not_nest_are_refused() -> None:
    """30 m and 20 m in one expression, or 20 m half a cell off: an error that says what to do."""
    fine = Lattice("EPSG:32631", 20.0, 20.0, 0.0, 0.0)
    cells = np.ones((6, 6), np.uint8)
    for other in (
        Lattice("EPSG:32631", 30.0, 30.0, 0.0, 0.0), Lattice("EPSG:32631", 20.0, 20.0, 10.0, 0.0),
    ):  # fmt: skip
        rasters = {"a": raster(cells, fine, 0, 0), "b": raster(cells, other, 0, 0)}
        layer = layer_of("one", red="a", nir="b")(rasters)
        zone = placed(shapely.box(0, 0, 2, 2), fine, 0, 0)
        with pytest.raises(SourceError, match="gdalwarp"):
            found_of(rasters, layer, zone, "red + nir")
        each = measured([zone], rasters, [layer], measurements={"red": "red", "nir": "nir"})
        assert each[0].columns["red", "count"] == 4


# --- scale and offset -------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["value", "value + 0", "0 + value * 1"])
@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (0.0001, -0.1), (-2.0, 5.0), (0.0, 3.0)])
def test_scale_and_offset_reach_bands_and_expressions(
    text: str, scale: float, offset: float
) -> None:
    """Physical values are raw × scale + offset, in a bare band and in an expression alike."""
    raw = np.array([[10, 20, 30, 77, 50]], np.uint16)
    rasters = {"a": raster(raw, CELLS, 0, 0, nodata=77, scale=scale, offset=offset)}
    layer = layer_of("one", value="a")(rasters)
    found = found_of(rasters, layer, row_of_cells(5), text)
    expected = zonal(raw, np.ones(raw.shape), Told(nodata=77, scale=scale, offset=offset))
    for name in STATISTICS:
        assert found[name] == pytest.approx(expected[name], rel=1e-12, abs=1e-12), name


def test_nodata_is_raw_whatever_the_scale() -> None:
    """Nodata is compared before scale and offset: a physical value equal to it is valid."""
    found = one_row(np.array([2, 1], np.uint8), about={"nodata": 1, "scale": 0.5})
    assert counts(found) == {"count": 1, "n_nodata": 1}
    assert found["mean"] == 1


def test_scale_and_offset_of_the_plan_win_over_the_file() -> None:
    """An asset's scale and offset override the file's; each is asked of the file by itself."""
    values = np.array([10], np.uint8)
    about = {"scale": 2.0, "offset": 1.0}
    assert one_row(values, about=about)["mean"] == 21
    assert one_row(values, about=about, scale=1.0, offset=0.0)["mean"] == 10
    assert one_row(values, about=about, scale=3.0)["mean"] == 31
