"""Weights of cells: by a second raster on any grid of the same CRS.

The oracle makes weights of a raster's cells by matrices of overlaps, and sums as the definitions
stand: a cell of value v, weight w and share c counts c·w times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import Raster, areas, bits, layer_of, measured, placed, raster
from zonalbatch.errors import PassingReadError, PermanentReadError
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.layers import Layer
from zonalbatch.sinks.table import PARTIAL, _status
from zonalbatch.sources import retries
from zonalbatch.work import overlap, summarise

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""

NUMBERS = ("weighted_sum", "weighted_mean", "weighted_variance", "weighted_std")
STATISTICS = ("count", "sum", *NUMBERS, "weighted_frac")
HEIGHT, WIDTH = 40, 48

Floats = NDArray[np.float64]


def overlaps(edges: Floats, others: Floats) -> Floats:
    """(cell, other cell) length that cells share along one axis."""
    low = np.maximum(edges[:-1, None], others[None, :-1])
    high = np.minimum(edges[1:, None], others[None, 1:])
    return np.maximum(high - low, 0.0)


def brought(given_: Floats, grid: Any, window: Window) -> Floats:
    """(row, col) weights of cells of a window of ``CELLS``, NaN where there are none."""
    left, bottom, right, top = grid.lattice.bounds(grid.window)
    rows = overlaps(
        np.arange(window.top, window.bottom + 1.0), np.linspace(-top, -bottom, given_.shape[0] + 1)
    )
    cols = overlaps(
        np.arange(window.left, window.right + 1.0), np.linspace(left, right, given_.shape[1] + 1)
    )
    rows[rows < 1e-6], cols[cols < 1e-6] = 0.0, 0.0
    there = np.isfinite(given_)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (rows @ np.where(there, given_, 0.0) @ cols.T) / (rows @ there.astype(float) @ cols.T)
        )


def by_hand(values: Floats, shares: Floats, weights: Floats) -> dict[str, Any]:
    """The weighted statistics of one zone; NaN in values and weights for none."""
    good = (shares > 0) & np.isfinite(values) & np.isfinite(weights)
    v, cw = values[good], (shares * weights)[good]
    if not good.any():
        return dict.fromkeys(NUMBERS, np.nan) | {"weighted_frac": {}}
    total = cw.sum()
    mean = (v * cw).sum() / total if total > 0 else np.nan
    variance = ((v - mean) ** 2 * cw).sum() / total if total > 0 else np.nan
    classes, place = np.unique(v, return_inverse=True)
    some = zip(classes.tolist(), np.bincount(place, cw).tolist(), strict=True)
    return {
        "weighted_sum": (v * cw).sum(), "weighted_mean": mean, "weighted_variance": variance,
        "weighted_std": np.sqrt(variance),
        "weighted_frac": {c: w / total for c, w in some if w > 0},
    }  # fmt: skip


def told(summary: Any, zone: int = 0) -> dict[str, Any]:
    """What the package says of one zone."""
    columns = {name: column for (_, name), column in summary.columns.items()}
    listed = columns["weighted_frac"][zone].as_py()
    found: dict[str, Any] = {name: float(columns[name][zone]) for name in NUMBERS}
    found["weighted_frac"] = None if listed is None else {e["class"]: e["value"] for e in listed}
    return found


def agree(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Assert that numbers agree, and classes with their shares."""
    for name in NUMBERS:
        assert found[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-7, nan_ok=True), name
    assert found["weighted_frac"] == pytest.approx(expected["weighted_frac"], rel=1e-9, abs=1e-12)


def weights_on(
    rng: np.random.Generator, row: int, col: int, cell: float, shift: float, **about: Any
) -> tuple[Raster, Floats]:
    """A raster of weights around a place of ``CELLS``, some of them missing, and its values."""
    lattice = Lattice.through(CELLS.crs, shift, -shift, cell, cell)
    top, left = round(row / cell), round(col / cell)
    shape = (max(1, int(HEIGHT * 0.9 / cell)), max(1, int(WIDTH * 1.1 / cell)))
    values = rng.integers(0, 50, shape).astype(np.float32)
    values[rng.random(shape) < 0.05] = -1.0
    made = raster(values, lattice, top, left, nodata=-1.0, **about)
    return made, np.where(values == -1.0, np.nan, values).astype(np.float64)


ZONES = st.sampled_from(
    [
        shapely.Point(20, 18).buffer(13.3),
        shapely.box(3.25, 2.5, 40.125, 38.75).difference(shapely.Point(20, 20).buffer(6)),
        shapely.Polygon([(1, 1), (45, 20.5), (2, 39)]),
        shapely.box(10.2, 10.3, 10.6, 10.9),
    ]
)


def test_the_facts_by_hand() -> None:
    """Values 1 2 3 4 of weights 5 6 7 8, covered by ½, 0, 1 and ¼."""
    values, weights = np.array([[1.0, 2], [3, 4]]), np.array([[5.0, 6], [7, 8]])
    zone = shapely.union_all(
        [shapely.box(0, -1, 0.5, 0), shapely.box(0, -2, 1, -1), shapely.box(1, -2, 1.25, -1)]
    )
    rasters = {"a": raster(values, CELLS, 0, 0), "w": raster(weights, CELLS, 0, 0)}
    (summary,) = measured([zone], rasters, statistics=STATISTICS, weights="w")
    found = told(summary)
    assert found["weighted_mean"] == pytest.approx(2.7391304348, abs=1e-10)
    assert found["weighted_sum"] == 31.5
    assert found["weighted_variance"] == pytest.approx(0.9754253308, abs=1e-10)
    assert found["weighted_frac"] == pytest.approx({1: 2.5 / 11.5, 3: 7 / 11.5, 4: 2 / 11.5})


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    zone=ZONES,
    dtype=st.sampled_from(["uint8", "int16", "float32", "float64"]),
    grid=st.sampled_from([(1, 0), (4, 0), (3, 1), (0.25, 0), (1, 0.375), (0.7, 0.11), (7.3, 2.9)]),
    corner=st.sampled_from([(5, 3), (TILE - 20, -TILE - 20), (-17, 2 * TILE - 30)]),
    south_up=st.booleans(),
    block=st.sampled_from([(7, 5), (16, 16), (1, 1000)]),
    center=st.booleans(),
)
def test_any_grid(
    seed: int, zone: shapely.Geometry, dtype: str, grid: tuple[float, float],
    corner: tuple[int, int], south_up: bool, block: tuple[int, int], center: bool,
) -> None:  # fmt: skip
    """On any grid, nested or not: a cell's weight is the mean of the valid ones in it by area."""
    rng = np.random.default_rng(seed)
    row, col = corner
    values = rng.integers(0, 9, (HEIGHT, WIDTH)).astype(dtype)
    weights, known = weights_on(rng, row, col, *grid, south_up=south_up, block=block)
    window = Window(row, col, row + HEIGHT, col + WIDTH)
    there = placed(zone, CELLS, row, col)
    shares = areas(there, CELLS, window)
    rasters = {"a": raster(values, CELLS, row, col, nodata=3), "w": weights}
    if center:
        shares = np.where(shares > 1 - 1e-9, 1.0, 0.0)
        there = shapely.union_all(_boxes(shares > 0, row, col))
    (summary,) = measured([there], rasters, statistics=STATISTICS, weights="w")
    expected = np.where(values == 3, np.nan, values.astype(np.float64))
    agree(told(summary), by_hand(expected, shares, brought(known, weights.grid, window)))


def _boxes(cells: NDArray[np.bool_], row: int, col: int) -> list[shapely.Geometry]:
    rows, cols = np.nonzero(cells)
    return [
        shapely.box(col + c, -row - r - 1, col + c + 1, -row - r)
        for r, c in zip(rows.tolist(), cols.tolist(), strict=True)
    ]


@pytest.mark.parametrize("cell", [1.0, 3.0, 0.5])
def test_a_zone_over_many_tiles(cell: float) -> None:
    """Sums of nine fold tiles merge, also of values with an offset that cancels digits."""
    rng, side = np.random.default_rng(7), 2 * TILE + 300
    values = (1e6 + rng.normal(0, 1, (side, side))).astype(np.float64)
    size = int(side / cell)
    known = rng.random((size, size)).astype(np.float32).astype(np.float64)
    lattice = Lattice.through(CELLS.crs, 0.0, 0.0, cell, cell)
    rasters = {
        "a": raster(values, CELLS, 0, 0, block=(256, 256)),
        "w": raster(known.astype(np.float32), lattice, 0, 0, block=(300, 200)),
    }
    zone = shapely.Point(side / 2, -side / 2).buffer(side / 2 - 3.5)
    (summary,) = measured([zone], rasters, statistics=NUMBERS, weights="w")
    window = Window(0, 0, side, side)
    (plain,) = measured([zone], {"a": rasters["a"]}, statistics=("count",))
    assert plain.columns["value", "count"][0] == pytest.approx(zone.area)
    shares = _shares(zone, window)
    expected = by_hand(values, shares, brought(known, rasters["w"].grid, window))
    for name in NUMBERS:
        assert summary.columns["value", name][0] == pytest.approx(expected[name], rel=1e-9)


def _shares(zone: shapely.Geometry, window: Window) -> Floats:
    from tests.oracles import covered, dense

    return dense(covered([zone], CELLS), 0, window)


class TestReading:
    """How often weights are read, and that it changes no number."""

    def case(self, layers: int, cell: float = 0.5) -> tuple[list[Any], dict[str, Raster]]:
        """Zones over four fold tiles, rasters of as many layers, and weights."""
        rng, row = np.random.default_rng(3), TILE - 20
        weights, _ = weights_on(rng, row, row, cell, 0.0, block=(9, 13))
        rasters = {
            f"a{i}": raster(rng.normal(size=(HEIGHT, WIDTH)), CELLS, row, row)
            for i in range(layers)
        }
        zones = [shapely.Point(20, 18).buffer(13), shapely.box(1.5, 30, 9, 33.3)]
        return [placed(zone, CELLS, row, row) for zone in zones], rasters | {"w": weights}

    def test_once_for_all_layers(self) -> None:
        """Each block is read once, however many layers and measurements there are."""
        zones, rasters = self.case(3)
        found = measured(
            zones, rasters, statistics=NUMBERS, weights="w",
            measurements={"value": "value", "double": "2 * value"},
        )  # fmt: skip
        blocks = rasters["w"].blocks_read()
        assert len(blocks) == len(set(blocks)) > 20
        assert len(found) == 3

    @pytest.mark.parametrize("memory", [1, 2**14, 2**30])
    def test_memory_changes_no_bit(self, memory: int) -> None:
        """Kept or read again, one tile at a time or all: every layer has the same numbers."""
        zones, rasters = self.case(3)
        expected = [bits(one) for one in measured(zones, rasters, statistics=NUMBERS, weights="w")]
        again = measured(zones, rasters, statistics=NUMBERS, weights="w", memory=memory)
        assert [bits(one) for one in again] == expected

    def test_fine_weights_in_patches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where a tile's weights are too many to be held at once, it is worked on in patches."""
        zones, rasters = self.case(1, cell=0.125)
        (whole,) = measured(zones, rasters, statistics=NUMBERS, weights="w")
        rasters["w"].windows.clear()
        monkeypatch.setattr(overlap, "UNDER", 2**13)
        (cut,) = measured(zones, rasters, statistics=NUMBERS, weights="w")
        assert bits(cut) == bits(whole)
        blocks = rasters["w"].blocks_read()
        assert len(blocks) == len(set(blocks))

    def test_layers_on_several_lattices(self) -> None:
        """Each lattice gets weights of its own."""
        zones, rasters = self.case(1)
        coarse = Lattice(CELLS.crs, 4.0, 4.0, 0.0, 0.0)
        rasters["b"] = raster(np.ones((14, 14)), coarse, 120, 120)
        found = measured(zones, rasters, statistics=NUMBERS, weights="w")
        for summary, name in zip(found, ("a0", "b"), strict=True):
            alone = {name: rasters[name], "w": rasters["w"]}
            (expected,) = measured(zones, alone, statistics=NUMBERS, weights="w")
            assert bits(summary) == bits(expected)

    def test_nothing_is_read_without_need(self) -> None:
        """Weights far from every zone are not read; their zones have none."""
        zones, rasters = self.case(1)
        far = raster(np.ones((8, 8)), CELLS, 9000, 9000)
        (summary,) = measured(zones, {**rasters, "w": far}, statistics=NUMBERS, weights="w")
        assert not far.windows
        assert all(np.isnan(summary.columns["value", name]).all() for name in NUMBERS)


class TestMissing:
    """Cells without a weight, and weights of 0."""

    def of(self, weights: Any, **about: Any) -> dict[str, Any]:
        """A zone of four cells of the values 1 2 3 4."""
        rasters = {
            "a": raster(np.array([[1.0, 2], [3, 4]]), CELLS, 0, 0),
            "w": raster(np.asarray(weights, np.float64), CELLS, 0, 0, **about),
        }
        box = shapely.box(0, -2, 2, 0)
        statistics = ("count", "sum", "n_nodata", *STATISTICS[2:])
        (summary,) = measured([box], rasters, statistics=statistics, weights="w")
        plain = {name: summary.columns["value", name][0] for name in ("count", "sum", "n_nodata")}
        assert plain == {"count": 4, "sum": 10, "n_nodata": 0}
        return told(summary)

    @pytest.mark.parametrize("none", [np.nan, np.inf, -5.0, 9.0])
    def test_left_out(self, none: float) -> None:
        """NaN, infinity, a negative number and nodata are no weights: the cell is left out."""
        found = self.of([[1, none], [2, 1]], nodata=9)
        assert found["weighted_sum"] == 11
        assert found["weighted_mean"] == 2.75
        assert found["weighted_frac"] == pytest.approx({1: 0.25, 3: 0.5, 4: 0.25})

    def test_outside_of_the_weights(self) -> None:
        """A cell beyond the file of weights is left out."""
        assert self.of([[1], [1]])["weighted_sum"] == 4

    def test_masked(self) -> None:
        """The weights' own mask is heard."""
        assert self.of(np.ones((2, 2)), valid=np.eye(2, dtype=bool))["weighted_mean"] == 2.5

    def test_scale_and_offset(self) -> None:
        """Weights are physical values."""
        assert self.of([[0, 1], [1, 1]], scale=2.0, offset=1.0)["weighted_sum"] == 28

    def test_all_zero(self) -> None:
        """A sum of nothing is 0; a mean of nothing is none."""
        found = self.of(np.zeros((2, 2)))
        assert found["weighted_sum"] == 0
        assert np.isnan(found["weighted_mean"])
        assert np.isnan(found["weighted_std"])
        assert found["weighted_frac"] == {}

    def test_none_at_all(self) -> None:
        """Where no cell has a weight there is no number, not 0."""
        found = self.of(np.full((2, 2), np.nan))
        assert np.isnan([found[name] for name in NUMBERS]).all()
        assert found["weighted_frac"] == {}


class TestUnread:
    """Weights that cannot be read."""

    def spoiled(
        self, error: Exception, monkeypatch: pytest.MonkeyPatch, layers: int = 1
    ) -> tuple[list[Any], list[Any]]:
        """A zone over a broken block of weights and one beside it, over some layers."""
        monkeypatch.setattr(retries.RETRYING, "sleep", lambda _: None)
        weights = raster(
            np.ones((8, 8)), CELLS, 0, 0, block=(4, 4),
            spoil=lambda window: error if window[0] < 4 and window[1] < 4 else None,
        )  # fmt: skip
        zones = [shapely.box(0.5, -3, 3, -0.5), shapely.box(4.5, -7, 7, -4.5)]
        rasters = {f"a{i}": raster(np.ones((8, 8)), CELLS, 0, 0) for i in range(layers)}
        found = measured(
            zones, {**rasters, "w": weights}, statistics=("mean", *STATISTICS[2:]), weights="w"
        )
        return zones, found

    @pytest.mark.parametrize("kind", [PermanentReadError, PassingReadError])
    def test_partial(self, kind: type[PermanentReadError], monkeypatch: pytest.MonkeyPatch) -> None:
        """The zone has no weighted number, its status is partial, and the failure is told."""
        _, found = self.spoiled(kind("broken"), monkeypatch, layers=2)
        for summary in found:
            for name in NUMBERS:
                column = summary.columns["value", name]
                assert np.isnan(column[0])
                assert not np.isnan(column[1])
            listed = summary.columns["value", "weighted_frac"].to_pylist()
            assert listed[0] is None
            assert listed[1]
            assert summary.columns["value", "mean"].tolist() == [1.0, 1.0]
            assert (_status(summary) == PARTIAL).tolist() == [True, False]
            (failure,) = summary.failures
            assert (failure.layer, failure.href) == (summary.layer.id, "w")
            assert failure.cause == "broken"
            assert failure.permanent == (kind is PermanentReadError)

    def test_another_grid_than_planned(self) -> None:
        """Weights that have changed since the plan are not read: a failure says so."""
        rasters = {
            "a": raster(np.ones((4, 4)), CELLS, 0, 0),
            "w": raster(np.ones((4, 4)), CELLS, 0, 0),
        }
        moved = {"a": rasters["a"], "w": raster(np.ones((4, 4)), CELLS, 1, 1)}

        def opened(layer: Layer) -> Any:
            from zonalbatch.layers import Asset

            asset = Asset(href="w", band=1, grid=rasters["w"].grid)
            return summarise.summarise(
                *_asked(asset), open_pixels=lambda href: moved[href], memory=2**28
            )

        (summary,) = opened(layer_of("a", value="a")(rasters))
        assert "another grid" in summary.failures[0].cause
        assert np.isnan(summary.columns["value", "weighted_mean"][0])


def _asked(asset: Any) -> tuple[Any, ...]:
    from tests.made.zones import wkb
    from zonalbatch.expression import bare
    from zonalbatch.measure import Measurement
    from zonalbatch.recipe import Recipe
    from zonalbatch.work.ground import Shapes

    layer = layer_of("a", value="a")({"a": raster(np.ones((4, 4)), CELLS, 0, 0)})
    recipe = Recipe(
        measurements=(Measurement("value", bare("value")),),
        statistics=("weighted_mean",),
        weights=asset,
    )
    return Shapes(wkb([shapely.box(0, -2, 2, 0)]), CELLS.crs), [layer], recipe
