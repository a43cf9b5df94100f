"""Rasters of labels as zones: exact wherever the cells of labels and values lie."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.places import CRS, LEFT, TOP
from tests.made.rasters import in_xarray
from tests.oracles import areas
from zonalbatch.lattice import Lattice, Window
from zonalbatch.zones import labels as labels_module
from zonalbatch.zones import open_zones, tracing
from zonalbatch.zones.labels import array_labels

SHAPES = st.tuples(st.integers(1, 24), st.integers(1, 24))
SEEDS = st.integers(0, 2**32 - 1)
KINDS = st.integers(1, 5)


def random_labels(seed: int, shape: tuple[int, int], kinds: int) -> NDArray[np.int32]:
    """Labels in clumps, or of each cell by itself, with gaps between them."""
    rng = np.random.default_rng(seed)
    made = rng.choice(rng.integers(-3, 1000, kinds), shape).astype(np.int32)
    return np.repeat(np.repeat(made, 2, 0), 2, 1) if seed % 2 else made


def shapes_by_hand(labels: xr.DataArray) -> dict[int, shapely.Geometry]:
    """Label -> the union of its cells."""
    half = abs(float(labels.rio.resolution()[0])) / 2
    xs, ys = np.meshgrid(labels.x, labels.y)
    cells = shapely.box(xs - half, ys - half, xs + half, ys + half)
    found: dict[int, shapely.Geometry] = {}
    for label in np.unique(labels):
        found[int(label)] = shapely.union_all(cells[labels.values == label])
    return found


@given(seed=SEEDS, shape=SHAPES, kinds=KINDS)
def test_on_their_own_lattice_cells_are_counted(
    seed: int, shape: tuple[int, int], kinds: int
) -> None:
    """Numbers are those of numpy's bincount by label, and n_total is the number of cells."""
    labels = random_labels(seed, shape, kinds)
    values = np.random.default_rng(seed).integers(0, 99, labels.shape).astype(np.uint16)
    found = zb.zonal_stats(in_xarray(labels), in_xarray(values), ["n_total", "sum", "max"])
    ids, where = np.unique(labels, return_inverse=True)
    assert found.index.name == "label"
    assert found.index.tolist() == ids.tolist()
    where = where.ravel()
    assert found["n_total"].tolist() == np.bincount(where).tolist()
    assert found["sum"].tolist() == np.bincount(where, values.ravel()).tolist()
    assert found["max"].tolist() == [values.ravel()[where == i].max() for i in range(len(ids))]


@given(seed=SEEDS, shape=SHAPES, kinds=KINDS)
def test_outlines_are_the_unions_of_cells(seed: int, shape: tuple[int, int], kinds: int) -> None:
    """Shapes are valid as they are traced, also where cells touch in points and around holes."""
    labels = in_xarray(random_labels(seed, shape, kinds))
    expected = shapes_by_hand(labels)
    for table, shapes in array_labels(labels, None).read(["label"], 65_536, Counter()):
        assert shapely.is_valid(shapes).all()
        for label, shape_ in zip(table["label"].to_pylist(), shapes, strict=True):
            assert shapely.equals(shape_, expected.pop(label))
    assert not expected


@given(
    seed=SEEDS,
    shape=SHAPES,
    kinds=KINDS,
    cell=st.sampled_from([10.0, 5.0, 20.0, 7.3, 33.0]),
    shift=st.sampled_from([0.0, 10.0, 3.7]),
)
def test_on_another_lattice_cells_weigh_by_their_share(
    seed: int, shape: tuple[int, int], kinds: int, cell: float, shift: float
) -> None:
    """Nested, shifted and of other sizes: shares are those that shapely finds."""
    labels = in_xarray(random_labels(seed, shape, kinds))
    values = np.random.default_rng(seed).integers(1, 99, (30, 40)).astype(np.float64)
    there = in_xarray(values, cell=cell, left=LEFT + shift - cell, top=TOP + shift)
    found = zb.zonal_stats(labels, there, ["count", "sum"])
    lattice = Lattice.through(CRS, LEFT + shift - cell, TOP + shift, cell, cell)
    window = lattice.window(LEFT + shift - cell, TOP + shift, 30, 40)
    assert isinstance(window, Window)
    for label, one in shapes_by_hand(labels).items():
        shares = areas(one, lattice, window)
        expected = [shares.sum(), (shares * values).sum()]
        numbers = np.nan_to_num(found.loc[label, ["count", "sum"]].to_numpy(float))
        np.testing.assert_allclose(numbers, expected, rtol=1e-9, atol=1e-7)


@given(seed=SEEDS, shape=SHAPES, kinds=st.integers(2, 200), strip=st.integers(1, 90))
def test_strips_do_not_show(seed: int, shape: tuple[int, int], kinds: int, strip: int) -> None:
    """Zones are the same, each once, however the raster is cut into strips."""
    labels = in_xarray(random_labels(seed, shape, kinds))
    whole = dict(zip(*_zones(labels), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labels_module, "STRIP", strip)
        patch.setattr(tracing, "WAITING", 4)
        names, shapes = _zones(labels)
    assert len(names) == len(set(names)) == len(whole)
    for name, shape_ in zip(names, shapes, strict=True):
        assert shape_.normalize() == whole[name].normalize()


def _zones(labels: xr.DataArray) -> tuple[list[int], list[Any]]:
    read = list(array_labels(labels, None).read(["label"], 7, Counter()))
    assert all(len(shapes) <= 7 for _, shapes in read)
    names = [label for table, _ in read for label in table["label"].to_pylist()]
    return names, [shape for _, shapes in read for shape in shapes]


def test_cells_that_touch_in_points_are_one_zone() -> None:
    """A chequerboard is two zones; a ring has its hole, which is a zone of its own."""
    board = np.indices((8, 8)).sum(axis=0) % 2
    found = zb.zonal_stats(in_xarray(board), in_xarray(board.astype("uint8")), "n_total,sum")
    assert found["n_total"].tolist() == [32, 32]
    assert found["sum"].tolist() == [0, 32]
    ring = np.ones((5, 5), np.uint8)
    ring[1:4, 1:4] = [[7, 7, 1], [7, 1, 7], [7, 7, 7]]
    table, (one, seven) = open_zones(in_xarray(ring)).whole()
    assert table["zone_id"].to_pylist() == [1, 7]
    assert (one.area, seven.area) == (1800, 700)
    assert one.is_valid
    assert seven.is_valid


def test_in_another_crs_neighbours_share_their_edges() -> None:
    """Labels in degrees under a raster in metres: no cell is lost or counted twice."""
    labels = np.arange(24).reshape(4, 6) // 5
    degrees = in_xarray(labels, cell=0.002, left=3.0, top=45.14, crs="EPSG:4326")
    values = np.ones((300, 300), np.uint8)
    there = in_xarray(values, left=499_000, top=5_000_200, crs="EPSG:32631")
    each = zb.zonal_stats(degrees, there, ["n_total", "count"])
    outer = zb.zonal_stats(degrees * 0, there, ["n_total"])
    assert each["n_total"].sum() == pytest.approx(outer["n_total"].iloc[0], rel=1e-6)
    assert (each["n_total"] > 100).all()


def test_around_the_whole_earth() -> None:
    """A zone of 360 degrees is no zone across the antimeridian, whichever way longitudes run."""
    labels = np.zeros((18, 36), np.int16)
    labels[3:6, 10:12] = 4
    values = np.arange(labels.size, dtype=np.float32).reshape(labels.shape)
    for left in (-180.0, 0.0):
        where: dict[str, Any] = {"cell": 10.0, "left": left, "top": 90.0, "crs": "EPSG:4326"}
        found = zb.zonal_stats(
            in_xarray(labels, **where), in_xarray(values, **where), "n_total,sum"
        )
        assert found["n_total"].tolist() == pytest.approx([18 * 36 - 6, 6], rel=1e-9)
        assert found.loc[4, "sum"] == pytest.approx(values[3:6, 10:12].sum())
