"""Dilation: a mask grows by metres, as brute force over the whole raster says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Geod

from tests.oracles import Raster, bits, layer_of, measured, placed, raster
from zonalbatch.cover.cells import UNREAD, USER_MASK, VALID
from zonalbatch.errors import PermanentReadError, SourceError
from zonalbatch.lattice import TILE, Lattice
from zonalbatch.layers import Layer
from zonalbatch.masks.dilation import around, dilated, reach
from zonalbatch.masks.mask import Mask
from zonalbatch.masks.masking import grown

FINE = Lattice("EPSG:32631", 10.0, 10.0, 0.0, 0.0)
HEIGHT, WIDTH = 90, 120
ROW, COL = TILE - 40, -50
"""The rasters' first cell: they lie in four fold tiles."""
ZONES = [
    shapely.box(3, 4, 20, 30), shapely.box(-5, 30, 60, 50), shapely.Point(51, 41).buffer(12.3),
    shapely.Point(100, 80).buffer(25), shapely.LineString([(0, 0), (119, 89)]).buffer(0.6),
    shapely.box(40.5, 60.5, 41.5, 61.25),
]  # fmt: skip
STATISTICS = ("count", "sum", "n_masked", "n_outside", "n_total")


def by_force(where: NDArray[np.bool_], metres: float, dy: float, dx: float) -> NDArray[np.bool_]:
    """(row, col) True within some metres of a True cell, by looking at every pair of cells."""
    rows, cols = np.nonzero(where)
    here = np.indices(where.shape)
    out = np.zeros(where.shape, bool)
    for row, col in zip(rows, cols, strict=True):
        away = ((here[0] - row) * dy) ** 2 + ((here[1] - col) * dx) ** 2
        out |= away <= metres**2 * (1 + 1e-12)
    return out


def classes(seed: int, factor: int = 1) -> NDArray[np.uint8]:
    """A band with a few cells of class 9, about one in 60."""
    rng = np.random.default_rng(seed)
    drawn = rng.random((HEIGHT // factor, WIDTH // factor)) < factor**2 / 60
    return np.where(drawn, 9, 4).astype(np.uint8)


def shares() -> list[NDArray[np.float64]]:
    """(row, col) of each zone the share of each cell of the rasters."""
    rows, cols = np.indices((HEIGHT, WIDTH))
    cells = shapely.box(cols, rows, cols + 1, rows + 1)
    return [shapely.area(shapely.intersection(cells, zone)) for zone in ZONES]


def told(
    rasters: dict[str, Raster], mask: Mask, memory: int = 2**28, layers: list[Layer] | None = None
) -> Any:
    """What the pipeline says of the zones."""
    zones = [placed(zone, FINE, ROW, COL) for zone in ZONES]
    layers = layers or [layer_of("one", value="value", scl="scl")(rasters)]
    (found,) = measured(zones, rasters, layers, mask=mask, statistics=STATISTICS, memory=memory)
    return found


def scenes(seed: int, factor: int, block: tuple[int, int], *, south_up: bool) -> dict[str, Raster]:
    """A band of values, and a coarser one of classes."""
    values = np.random.default_rng(seed).integers(1, 1000, (HEIGHT, WIDTH)).astype(np.uint16)
    coarse = Lattice("EPSG:32631", 10.0 * factor, 10.0 * factor, 0.0, 0.0)
    scl = raster(
        classes(seed, factor), coarse, ROW // factor, COL // factor, block=block, south_up=south_up
    )
    return {"value": raster(values, FINE, ROW, COL), "scl": scl}


@pytest.mark.long
@given(
    st.integers(0, 2**32),
    st.sampled_from([5.0, 10.0, 14.0, 20.0, 33.0, 70.0]),
    st.sampled_from([1, 2]),
    st.sampled_from([(16, 16), (1, 60), (13, 40), (HEIGHT, WIDTH)]),
    st.booleans(),
)
@settings(max_examples=20)
def test_a_zone_loses_the_cells_near_a_masked_one(
    seed: int, metres: float, factor: int, block: tuple[int, int], south_up: bool
) -> None:
    """Of coarser masks and at the file's edges too, whatever its blocks and its order of rows.

    And how much is read at once changes no bit.
    """
    rasters = scenes(seed, factor, block, south_up=south_up)
    cloud = np.repeat(np.repeat(rasters["scl"].values[0] == 9, factor, 0), factor, 1)
    near = by_force(cloud, metres, 10.0, 10.0)
    mask = Mask("scl", (9,), dilate=metres)
    found = told(rasters, mask)
    for zone, share in enumerate(shares()):
        values = rasters["value"].values[0] * share
        for name, expected in (
            ("count", share[~near].sum()), ("n_masked", share[near].sum()),
            ("sum", values[~near].sum()),
        ):  # fmt: skip
            number = np.nan_to_num(found.columns["value", name][zone])
            assert number == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert set(Counter(rasters["scl"].blocks_read()).values()) == {1}
    assert bits(told(rasters, mask, memory=1)) == bits(found)
    assert set(Counter(rasters["scl"].blocks_read()).values()) == {2}  # once in each of two runs


@pytest.mark.parametrize("block", [(16, 16), (1, WIDTH), (HEIGHT, WIDTH)], ids=str)
@pytest.mark.parametrize("south_up", [False, True])
def test_blocks_that_no_near_cell_lies_in_are_not_read(
    block: tuple[int, int], south_up: bool
) -> None:
    """Blocks within reach of a covered cell's row and column are read once, and no other."""
    rasters = scenes(1, 1, block, south_up=south_up)
    told(rasters, Mask("scl", (9,), dilate=25.0))
    covered = np.any([share > 0 for share in shares()], axis=0)
    rows, cols = np.nonzero(covered)
    near = np.zeros_like(covered)
    for row, col in zip(rows, cols, strict=True):
        near[max(row - 2, 0) : row + 3, max(col - 2, 0) : col + 3] = True
    read = Counter(rasters["scl"].blocks_read())
    assert set(read) == rasters["scl"].blocks_with(near)
    assert set(read.values()) == {1}
    assert set(rasters["value"].blocks_read()) == rasters["value"].blocks_with(covered)


def test_masks_of_several_scenes() -> None:
    """Each scene's mask grows within its own file; where one is masked another may answer."""
    first, second = scenes(3, 1, (16, 16), south_up=False), scenes(4, 2, (8, 8), south_up=True)
    rasters = {"value": first["value"], "scl": first["scl"]}
    rasters |= {"value2": second["value"], "scl2": second["scl"]}
    a, b = (layer_of("one", value=f"value{n}", scl=f"scl{n}")(rasters) for n in ("", "2"))
    both = Layer(id="both", datetime=None, scenes=(*a.scenes, *b.scenes))
    found = told(rasters, Mask("scl", (9,), dilate=30.0), layers=[both])
    near = by_force(first["scl"].values[0] == 9, 30.0, 10.0, 10.0)
    coarse = np.repeat(np.repeat(second["scl"].values[0] == 9, 2, 0), 2, 1)
    near2 = by_force(coarse, 30.0, 10.0, 10.0)
    value = np.where(near, second["value"].values[0], first["value"].values[0])
    for zone, share in enumerate(shares()):
        expected = (value * share)[~near | ~near2].sum()
        number = np.nan_to_num(found.columns["value", "sum"][zone])
        assert number == pytest.approx(expected, rel=1e-9)


def test_a_cell_near_an_unread_one_is_unread() -> None:
    """Unless another near it is masked: then that is certain."""
    reasons = np.zeros(around(FINE, 20.0, 0, 0).shape, np.uint8)
    reasons[10, 10], reasons[10, 13] = UNREAD, USER_MASK
    found = grown(reasons, FINE, 20.0, 0)[8, 4:14]
    assert found.tolist() == [
        VALID, VALID, UNREAD, UNREAD, UNREAD, USER_MASK, USER_MASK, USER_MASK, USER_MASK, USER_MASK
    ][:10]  # fmt: skip


def test_a_failed_block_loses_the_zones_near_it() -> None:
    """A zone without a cell in the block, but near it, has no number either."""
    rasters = scenes(0, 1, (10, 10), south_up=False)
    rasters["scl"].values[:] = 4

    def spoil(window: tuple[int, int, int, int]) -> Exception | None:
        top, left, bottom, right = window
        hit = top < 40 and bottom > 30 and left < 30 and right > 20
        return PermanentReadError("corrupt") if hit else None

    rasters["scl"].spoil = spoil
    (zone,) = [placed(shapely.box(31, 31, 35, 35), FINE, ROW, COL)]
    layer = layer_of("one", value="value", scl="scl")(rasters)
    for metres, lost in ((10.0, False), (20.0, True)):
        mask = Mask("scl", (9,), dilate=metres)
        (found,) = measured([zone], rasters, [layer], mask=mask, statistics=["count"])
        assert bool(found.unread["value"][0]) == lost


# --- grids ------------------------------------------------------------------------------------


@pytest.mark.parametrize("latitude", [0.0, 47.0, -70.0])
def test_degrees(latitude: float) -> None:
    """In degrees the reach is that of geodesics, to 1 % over short distances."""
    cell = 0.0005
    lattice = Lattice.through("EPSG:4326", 10.0, latitude, cell, cell)
    tile = lattice.window(10.0, latitude, 1, 1)
    assert tile is not None
    row, col = tile.top // TILE, tile.left // TILE
    window = around(lattice, 400.0, row, col)
    where = np.zeros(window.shape, bool)
    where[window.shape[0] // 2, window.shape[1] // 2] = True
    found = dilated(where, lattice, 400.0, row)
    rows, cols = np.indices((TILE, TILE))
    y = lattice.y0 - (row * TILE + rows + 0.5) * cell
    x = lattice.x0 + (col * TILE + cols + 0.5) * cell
    at = (window.shape[0] // 2 - (row * TILE - window.top),
          window.shape[1] // 2 - (col * TILE - window.left))  # fmt: skip
    middle = np.full_like(x, x[at]), np.full_like(y, y[at])
    _, _, metres = Geod(ellps="WGS84").inv(x, y, *middle)
    assert found[metres < 396].all()
    assert not found[metres > 404].any()


def test_units_and_poles() -> None:
    """Feet are metres too; beyond 85° the reach no longer grows."""
    feet = Lattice("EPSG:2263", 100.0, 50.0, 0.0, 0.0)
    assert reach(feet, 61.0, 0) == (4, 2)
    degrees = Lattice("EPSG:4326", 0.01, 0.01, 0.0, 0.0)
    at_pole, at_85 = reach(degrees, 2000.0, -18), reach(degrees, 2000.0, -17)
    assert at_pole == at_85
    assert at_85[1] > 10 * at_85[0]


def test_a_mistake_of_units_is_refused() -> None:
    """A mask that would grow by thousands of cells is refused, with the numbers."""
    rasters = scenes(0, 1, (16, 16), south_up=False)
    with pytest.raises(SourceError, match=r"grows by 20000 m, 2,000 cells of layer 'one'"):
        told(rasters, Mask("scl", (9,), dilate=20_000.0))
