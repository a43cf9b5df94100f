"""Laws of mosaics: several scenes of one lattice are one raster of first valid values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import Raster, lattice_at, measured, raster
from zonalbatch.layers import Asset, Layer, Scene
from zonalbatch.measure import Mask

CELLS = lattice_at()
SIDE = 40
"""Cells along a side of what all scenes lie in."""
ROW, COL = -560_500, 50_500
"""Where that begins: a border of fold tiles runs through it."""
COUNTS = ("count", "n_nodata", "n_nan", "n_masked", "n_outside", "n_total")
NAMES = (*COUNTS, "mean", "min", "max", "std", "median", "p10", "mode", "variety", "sum")


@st.composite
def scenes(draw: st.DrawFn, dtype: Any = np.int16) -> list[tuple[Raster, int, int]]:
    """Two to four rasters with gaps, each in its own window: (raster, top, left) from the corner.

    As Landsat's, which shift from date to date.
    """
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draw(st.integers(2, 4))):
        height, width = draw(st.integers(5, SIDE)), draw(st.integers(5, SIDE))
        top = draw(st.integers(0, SIDE - height))
        left = draw(st.integers(0, SIDE - width))
        values = rng.integers(1, 8, (2, height, width)).astype(dtype)
        values[0][rng.random((height, width)) < draw(st.sampled_from([0.0, 0.3, 0.9]))] = 0
        made = raster(values, CELLS, ROW + top, COL + left, nodata=0)
        found.append((made, top, left))
    return found


def zones() -> list[shapely.Geometry]:
    """Zones within, across and beyond the scenes."""
    at = [(0, 0, 40, 40), (3.25, 4.5, 17.1, 22.9), (18.5, 0.25, 39.9, 11.7), (-5, -5, 12, 9)]
    boxes = [shapely.box(*box) for box in at]
    boxes += [shapely.Point(20, 20).buffer(13.3), shapely.Point(31, 9).buffer(4.2)]
    return [
        shapely.transform(
            box, lambda xy: np.column_stack([CELLS.x0 + CELLS.dx * (COL + xy[:, 0]),
                                             CELLS.y0 - CELLS.dy * (ROW + xy[:, 1])])
        )
        for box in boxes
    ]  # fmt: skip


def layer_over(names: Sequence[str], rasters: dict[str, Raster]) -> Layer:
    """The rasters as scenes of one layer, in order; band 1 is the value, 2 the class."""
    made = tuple(
        Scene(
            items=(name,),
            assets={
                "value": Asset(href=name, band=1, grid=rasters[name].grid),
                "class": Asset(href=name, band=2, grid=rasters[name].grid),
            },
        )
        for name in names
    )
    return Layer(id="day", datetime=None, scenes=made)


def first_valid(given: Sequence[tuple[Raster, int, int]], masked: Sequence[int]) -> NDArray[Any]:
    """(2, row, col) by brute force: of the first scene with a value that is not masked.

    Where there is none: of the scene that came furthest, masked before nodata. -1 is outside.
    """
    found = np.full((2, SIDE, SIDE), -1, np.int64)
    rank = np.zeros((SIDE, SIDE), int)  # outside, nodata, masked, valid
    for made, top, left in given:
        value, kind = made.values.astype(np.int64)
        height, width = value.shape
        here = (slice(top, top + height), slice(left, left + width))
        own = np.where(value == 0, 1, np.where(np.isin(kind, masked), 2, 3))
        better = own > rank[here]
        found[0][here] = np.where(better, value, found[0][here])
        found[1][here] = np.where(better, kind, found[1][here])
        rank[here] = np.maximum(own, rank[here])
    return found


@given(scenes(), st.sampled_from([(), (1, 2, 3)]))
def test_a_mosaic_is_the_raster_of_first_valid_values(
    given_scenes: list[tuple[Raster, int, int]], masked: tuple[int, ...]
) -> None:
    """Every statistic equals that of one raster put together cell by cell."""
    rasters = {f"s{i}": made for i, (made, _, _) in enumerate(given_scenes)}
    whole = first_valid(given_scenes, masked)
    outside = whole[0] < 0
    one = raster(np.where(outside, 0, whole).astype(np.int16), CELLS, ROW, COL, nodata=0)
    mask = Mask("class", masked, keep=False) if masked else None
    day = layer_over(list(rasters), rasters)
    (got,) = measured(zones(), rasters, [day], mask=mask, statistics=NAMES)
    alone = layer_over(["one"], {"one": one})
    (wanted,) = measured(zones(), {"one": one}, [alone], mask=mask, statistics=NAMES)
    for name in NAMES[6:]:
        np.testing.assert_array_equal(got.columns["value", name], wanted.columns["value", name])
    told = {n: got.columns["value", n] for n in COUNTS}
    expected = {n: wanted.columns["value", n] for n in COUNTS}
    for name in ("count", "n_nan", "n_masked", "n_total"):
        np.testing.assert_allclose(told[name], expected[name], atol=1e-9)
    np.testing.assert_allclose(  # where no scene lies is outside, in the one raster nodata
        told["n_nodata"] + told["n_outside"], expected["n_nodata"] + expected["n_outside"],
        atol=1e-9,
    )  # fmt: skip


@given(scenes(), st.randoms())
def test_the_order_of_scenes_is_that_of_the_layer(
    given_scenes: list[tuple[Raster, int, int]], random: Any
) -> None:
    """Only the order in the layer counts: the first raster alone answers wherever it is valid."""
    rasters = {f"s{i}": made for i, (made, _, _) in enumerate(given_scenes)}
    names = list(rasters)
    random.shuffle(names)
    (got,) = measured(zones(), rasters, [layer_over(names, rasters)], statistics=["sum"])
    order = [given_scenes[int(name[1:])] for name in names]
    whole = first_valid(order, ())
    one = raster(np.maximum(whole, 0).astype(np.int16), CELLS, ROW, COL, nodata=0)
    alone = layer_over(["one"], {"one": one})
    (wanted,) = measured(zones(), {"one": one}, [alone], statistics=["sum"])
    np.testing.assert_array_equal(got.columns["value", "sum"], wanted.columns["value", "sum"])


def one_box() -> list[shapely.Geometry]:
    """A zone of 10 × 10 whole cells."""
    return [
        shapely.box(
            CELLS.x0 + CELLS.dx * COL, CELLS.y0 - CELLS.dy * (ROW + 10),
            CELLS.x0 + CELLS.dx * (COL + 10), CELLS.y0 - CELLS.dy * ROW,
        )
    ]  # fmt: skip


def halves(**about: Any) -> tuple[Raster, Raster]:
    """Two rasters of 10 × 10: 100 in the left half, and 300 everywhere."""
    first = np.full((10, 10), 100, np.uint16)
    first[:, 5:] = 0
    second = np.full((10, 10), 300, np.uint16)
    return (
        raster(first, CELLS, ROW, COL, nodata=0, **about),
        raster(second, CELLS, ROW, COL, nodata=0),
    )


@pytest.mark.parametrize("swapped", [False, True])
def test_scenes_that_are_scaled_unlike_are_put_together_as_physical_values(swapped: bool) -> None:
    """As over the turn of Sentinel-2's baseline 04.00, of which one tile of a day has an offset."""
    first, second = halves(scale=0.5, offset=-10.0)
    rasters = {"a": first, "b": second}
    assets = {n: Asset(href=n, band=1, grid=r.grid) for n, r in rasters.items()}
    names = ["b", "a"] if swapped else ["a", "b"]
    made = tuple(Scene(items=(name,), assets={"value": assets[name]}) for name in names)
    (got,) = measured(
        one_box(), rasters, [Layer(id="day", datetime=None, scenes=made)],
        statistics=["mean", "min", "max"],
    )  # fmt: skip
    left = 300.0 if swapped else 40.0
    assert got.columns["value", "mean"][0] == (left + 300) / 2
    assert (got.columns["value", "min"][0], got.columns["value", "max"][0]) == (left, 300.0)


def test_a_scene_that_cannot_be_read_leaves_no_number() -> None:
    """It might have been the first: later ones do not stand in for it. An earlier one does."""
    first, second = halves()
    rasters = {"a": first, "b": second}
    assets = {n: Asset(href=n, band=1, grid=r.grid) for n, r in rasters.items()}
    lost = Asset(href="a", band=9, grid=first.grid)
    for order, unread in (([lost, assets["b"]], True), ([assets["b"], lost], False)):
        made = tuple(Scene(items=(one.href,), assets={"value": one}) for one in order)
        layer = Layer(id="day", datetime=None, scenes=made)
        (got,) = measured(one_box(), rasters, [layer], statistics=["mean"])
        assert bool(got.unread["value"][0]) is unread
        assert got.failures
        assert np.isnan(got.columns["value", "mean"][0]) == unread
