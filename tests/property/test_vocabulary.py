"""The contract of every statistic and every state; what is added later must pass it too.

A statistic without its line in ``BY_HAND`` fails, and so does a state that does not say whether
its tiles may come in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from tests.made.zones import wkb
from tests.oracles import covered, dense, measured, placed, raster, window_of
from tests.vocabulary_by_hand import (
    BY_HAND,
    FIXED,
    LISTED,
    Hand,
    broken_by_hand,
    histogram,
)
from zonalbatch.breakdown import Breakdown
from zonalbatch.cover.areas import zone_areas
from zonalbatch.cover.cells import NODATA, Cells, Covered, Layout
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.cover.outlines import shapes_of
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.recipe import LISTS
from zonalbatch.statistics import parse_statistics, summary_of
from zonalbatch.statistics.vocabulary import STATES, STATISTICS

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""

NAMES = (*STATISTICS, "p90")
BROKEN = Breakdown(
    classes=(("water", 1.0), ("2.5", 2.5), ("7", 7.0), ("nowhere", 999.0), ("-3", -3.0)),
    edges=(-3.0, 0.5, 7.0, 40.0, 77.5),
)
BY_CLASS = ("unique", "frac", "class_count", "class_area")

SHAPE = (26, 30)
ZONE = shapely.Polygon(
    [(2.3, 3.1), (27.6, 1.4), (24.2, 12.9), (28.8, 24.7), (14.1, 19.3), (3.7, 23.5)],
    [[(9.2, 8.4), (13.7, 7.9), (12.1, 14.2), (8.6, 12.5)]],
)
"""A zone with a hole, in columns and rows (downward) of its raster."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """A zone on a raster."""

    values: NDArray[Any]
    row: int = 20
    """First row of the raster in the lattice."""
    col: int = 30
    zone: shapely.Geometry = ZONE
    rule: CoverageRule = "fraction"
    about: Mapping[str, Any] = field(default_factory=dict)
    """Nodata, scale, offset and mask."""

    @property
    def shape(self) -> shapely.Geometry:
        """The zone in the lattice's coordinates."""
        return placed(self.zone, CELLS, self.row, self.col)


def made(dtype: str, shape: tuple[int, int] = SHAPE) -> Any:
    """Values of a type, some of them often."""
    rng = np.random.default_rng(5)
    few, many = rng.integers(0, 8, shape), rng.integers(0, 70, shape)
    values = np.where(rng.random(shape) < 0.4, few, many)
    kind = np.dtype(dtype)
    if kind.kind == "i":
        values = values - 3
    return (values + (0.5 if kind.kind == "f" else 0)).astype(kind)


def holed() -> Any:
    """float32 with nodata and with NaN."""
    values = made("float32")
    values[3:6, 5:17] = -9.0
    values[10:12, 20:26] = np.nan
    return values


def valid() -> NDArray[np.bool_]:
    """A file's own mask."""
    mask = np.ones(SHAPE, bool)
    mask[8:15, 3:9] = False
    return mask


def of_type(dtype: str) -> Case:
    """The zone on a raster of a type, in one fold tile."""
    return Case(values=made(dtype))


LONG = ("int8", "uint32", "int64", "uint64")
"""Types whose kernels take long to compile."""
DTYPES = ("uint8", "int16", "uint16", "int32", *LONG, "float32", "float64")
CASES: dict[str, Callable[[], Case]] = {
    **{dtype: partial(of_type, dtype) for dtype in DTYPES},
    "four tiles": lambda: Case(values=made("uint16"), row=TILE - 11, col=-TILE - 13),
    "four tiles of floats": lambda: Case(values=made("float32"), row=-14, col=5 * TILE - 16),
    "many tiles": lambda: Case(
        values=made("uint16", shape=(4, 20 * TILE)),
        zone=shapely.box(3.3, 0.2, 20 * TILE - 5.1, 3.7), row=TILE - 2,
    ),
    "nodata and NaN": lambda: Case(values=holed(), about={"nodata": -9.0}),
    "masked": lambda: Case(values=made("uint8"), about={"nodata": 4, "valid": valid()}),
    "over the edge": lambda: Case(values=made("int16")[:13, :19], about={"nodata": 0}),
    "scaled": lambda: Case(values=made("int16"), about={"scale": 0.25, "offset": -2.5}),
    "scaled nodata": lambda: Case(
        values=made("uint8"), about={"scale": 0.1, "offset": 0.7, "nodata": 3},
        row=TILE - 12, col=TILE - 12,
    ),
    "negative scale": lambda: Case(values=made("uint8"), about={"scale": -0.5, "offset": 3.0}),
    "center": lambda: Case(values=made("uint8"), rule="center"),
    "all touched": lambda: Case(values=made("float32"), rule="all_touched", row=TILE - 9),
    "one cell": lambda: Case(values=made("uint8"), zone=shapely.box(5.2, 5.3, 5.9, 5.8)),
    "nothing valid": lambda: Case(values=made("uint8") * 0, about={"nodata": 0}),
    "nowhere": lambda: Case(values=made("uint8"), zone=shapely.box(90, 90, 95, 95)),
}  # fmt: skip
TOLD_OF_NONE = ("count", "valid_fraction", "clear_fraction", "area", "valid_area")
"""Told also of a zone without a valid cell, beside the counts."""
SELECTED = [pytest.param(c, marks=pytest.mark.long) if c in LONG else c for c in CASES]


def weights(case: Case) -> NDArray[np.float32]:
    """What weighs the cells of a case."""
    rng = np.random.default_rng(7)
    return rng.integers(1, 5, case.values.shape).astype(np.float32)


@cache
def told(case: str) -> dict[str, Any]:
    """What the pipeline says: every statistic, then every column by class or bin."""
    return of_case(CASES[case]())


def of_case(case: Case) -> dict[str, Any]:
    """What the pipeline says of a case."""
    found = one(case, NAMES, LISTS) | one(case, (*BY_CLASS, "histogram"), BROKEN)
    fixed = one(case, ("histogram",), Breakdown(bins=FIXED))
    return found | {"histogram of bins": fixed["histogram"]}


def one(case: Case, names: tuple[str, ...], breakdown: Breakdown) -> dict[str, Any]:
    """One run of the pipeline over the zone."""
    given = {
        "a": raster(case.values, CELLS, case.row, case.col, **case.about),
        "w": raster(weights(case), CELLS, case.row, case.col),
    }
    (summary,) = measured(
        [case.shape], given, statistics=names, rule=case.rule, breakdown=breakdown, weights="w"
    )
    return {name: plain(column) for (_, name), column in summary.columns.items()}


def plain(column: Any) -> Any:
    """The first row as Python has it."""
    return float(column[0]) if isinstance(column, np.ndarray) else column[0].as_py()


@cache
def hand(name: str) -> Hand:
    """The cells of a case, from (row, col) arrays over the whole raster."""
    case = CASES[name]()
    window = window_of(case.shape, CELLS)
    share = dense(covered([case.shape], CELLS, case.rule), 0, window)
    rows, cols = np.mgrid[window.top : window.bottom, window.left : window.right]
    height, width = case.values.shape
    inside = (rows >= case.row) & (rows < case.row + height)
    inside &= (cols >= case.col) & (cols < case.col + width)
    raw = np.zeros(share.shape, case.values.dtype)
    raw[inside] = case.values[rows[inside] - case.row, cols[inside] - case.col]
    weighing = np.ones(share.shape)
    weighing[inside] = weights(case)[rows[inside] - case.row, cols[inside] - case.col]
    file = np.ones(share.shape, bool)
    if "valid" in case.about:
        file[inside] = case.about["valid"][rows[inside] - case.row, cols[inside] - case.col]
    nodata = raw == case.about["nodata"] if "nodata" in case.about else np.zeros(share.shape, bool)
    wrong = {
        "n_outside": ~inside,
        "n_nodata": nodata,
        "n_nan": ~np.isfinite(raw),
        "n_masked": ~file,
    }
    good = share > 0
    reasons = {}
    for reason, where in wrong.items():  # the first reason wins
        reasons[reason] = float(share[good & where].sum())
        good &= ~where
    physical = raw.astype(np.float64) * case.about.get("scale", 1.0) + case.about.get("offset", 0.0)
    at = np.unravel_index(np.argmax(share), share.shape)
    return Hand(
        values=physical[good], shares=share[good], weights=weighing[good],
        rows=rows[good], cols=cols[good],
        reasons=reasons, heaviest=float(physical[at]) if good[at] else np.nan,
        area=float(zone_areas(shapes_of(wkb([case.shape])), CELLS.crs)[0]), lattice=CELLS,
        extent=Window(case.row, case.col, case.row + height, case.col + width),
    )  # fmt: skip


def agree(found: Any, expected: Any, rel: float = 1e-12) -> None:
    """Assert that numbers agree, and lists, pair by pair."""
    if not isinstance(expected, list):
        assert found == pytest.approx(expected, rel=rel, abs=1e-12, nan_ok=True)
        return
    assert len(found) == len(expected)
    keys = ("class", "value") if expected and isinstance(expected[0], dict) else ()
    for key in keys:
        agree([one[key] for one in found], [one[key] for one in expected], rel)
    if not keys:
        np.testing.assert_allclose(found, expected, rtol=rel, atol=1e-12)


@pytest.mark.parametrize("case", SELECTED)
@pytest.mark.parametrize("name", NAMES)
def test_it_is_that_of_the_cells(name: str, case: str) -> None:
    """A statistic is what NumPy says of the covered cells, whatever the type, tiles and holes."""
    cells = hand(case)
    told_of_none = name in TOLD_OF_NONE or name[:2] == "n_"
    if len(cells.values) or told_of_none or name in LISTED:
        agree(told(case)[name], BY_HAND[name](cells), 1e-10 if name == "kurtosis" else 1e-12)
    else:
        assert np.isnan(told(case)[name])


@pytest.mark.parametrize("case", SELECTED)
def test_columns_by_class_and_bin(case: str) -> None:
    """A class or bin is a column: 0 where it is not there, null where nothing is valid."""
    expected = broken_by_hand(hand(case), BROKEN)
    assert expected.keys() <= told(case).keys()
    for name, number in expected.items():
        agree(told(case)[name], number)


@pytest.mark.parametrize("case", SELECTED)
def test_bins_that_are_the_same_for_all_zones(case: str) -> None:
    """Fixed bins are all in the list, also those without a cell."""
    edges = np.linspace(0.0, 60.0, FIXED.count + 1)
    agree(told(case)["histogram of bins"], histogram(hand(case), edges))


PLACES = {"min_x", "min_y", "max_x", "max_y", "center_x", "center_y", "class_area", "area",
          "valid_area", "class_area_2_5", "class_area_water", "class_area_7"}  # fmt: skip
"""What tells of where the zone lies."""


@pytest.mark.parametrize("at", [(TILE - 11, TILE - 13), (-14, 5), (7, 9 * TILE - 20)])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_it_does_not_matter_how_tiles_cut_a_zone(dtype: str, at: tuple[int, int]) -> None:
    """The same zone on the same cells has the same numbers in one fold tile and over several."""
    whole = told(dtype)
    cut = of_case(replace(CASES[dtype](), row=at[0], col=at[1]))
    for name in whole.keys() - PLACES:
        agree(cut[name], whole[name], 1e-10 if name == "kurtosis" else 1e-12)


@pytest.mark.parametrize("case", ["scaled", "scaled nodata", "negative scale"])
def test_raw_values_with_a_scale_are_physical_values(case: str) -> None:
    """Numbers of raw values brought to physical ones are those of a raster of physical values."""
    raw = CASES[case]()
    about = dict(raw.about)
    scale, offset, nodata = about.pop("scale"), about.pop("offset"), about.pop("nodata", None)
    values = raw.values.astype(np.float64) * scale + offset
    if nodata is not None:
        values[raw.values == nodata] = about["nodata"] = -1e6
    physical = of_case(replace(raw, values=values, about=about))
    for name, expected in physical.items():
        agree(told(case)[name], expected, 1e-10)


# --- states -----------------------------------------------------------------------------------

IN_ORDER = {"moments", "central", "values", "inverted", "weighted", "calls"}
"""States whose tiles must come in row-major order: floating-point sums, and buffers that go."""
ANY_ORDER = {"classes", "counted", "binned", "extremes", "area", "heaviest", "listing", "sketched"}
BARE = tuple(name for name in NAMES if not name.startswith("weighted"))
"""Statistics that need no weights."""
ACCOUNTS = ("n_", "valid_", "value", "coverage")


def over_four_tiles() -> tuple[Covered, dict[int, Cells]]:
    """Two zones over the corner of four tiles, and cells of each tile."""
    shapes = [placed(ZONE, CELLS, TILE - 12, TILE - 14), placed(ZONE, CELLS, TILE - 40, TILE - 9)]
    found = Covered.of(covered(shapes, CELLS), lambda: np.array([5.0, 7.0]))
    rng = np.random.default_rng(3)
    cells = {
        i: Cells(layout, rng.integers(0, 40, layout.size).astype(np.uint16), np.zeros(0, np.uint8))
        for i, layout in enumerate(found.layouts)
    }
    return found, cells


def finished(found: Covered, cells: list[Cells], names: tuple[str, ...]) -> dict[str, Any]:
    """What statistics say after these tiles, in this order."""
    statistics = parse_statistics(names)
    summary = summary_of(found, statistics, Window(0, 0, 3 * TILE, 3 * TILE))
    for one_tile in cells:
        summary.add(one_tile)
    summary.finish(0.5, 1.0)
    columns = {s.name: s.finalize(summary) for s in statistics}
    return {n: c.tobytes() if isinstance(c, np.ndarray) else c.to_pylist()
            for n, c in columns.items()}  # fmt: skip


def of_state(names: set[str]) -> tuple[str, ...]:
    """The statistics that are told from some states."""
    return tuple(name for name in NAMES if (state_of(name) in names))


def state_of(name: str) -> str:
    """The state behind a statistic."""
    return parse_statistics([name])[0].state or "moments"


def test_every_state_says_how_it_merges() -> None:
    """A new state must say whether its tiles may come in any order."""
    assert {"moments", *STATES} == IN_ORDER | ANY_ORDER


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_tiles_in_any_order(order: tuple[int, ...]) -> None:
    """States of integers and of extremes have the same bits in whatever order tiles come."""
    found, cells = over_four_tiles()
    names = of_state(ANY_ORDER)
    expected = finished(found, [cells[i] for i in range(4)], names)
    assert finished(found, [cells[i] for i in order], names) == expected


def nothing_valid(layout: Layout) -> Cells:
    """A tile without a value."""
    return Cells(layout, np.full(layout.size, 9, np.uint16), np.full(layout.size, NODATA, np.uint8))


@pytest.mark.parametrize("lost", range(4))
@pytest.mark.parametrize("name", [n for n in BARE if not n.startswith(ACCOUNTS)])
def test_a_tile_without_a_value_changes_nothing(name: str, lost: int) -> None:
    """The identity: what is told of values has the same bits with a tile of nodata and without."""
    found, cells = over_four_tiles()
    there = [cells[i] for i in range(4) if i != lost]
    empty = [nothing_valid(c.layout) if i == lost else c for i, c in cells.items()]
    assert finished(found, empty, (name,)) == finished(found, there, (name,))


def test_the_same_tiles_give_the_same_bits() -> None:
    """Every statistic is a function of its tiles."""
    found, cells = over_four_tiles()
    assert finished(found, [*cells.values()], BARE) == finished(found, [*cells.values()], BARE)
