"""Cells of one grid made of those of another, and cells that a zone touches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from zonalbatch.extract.cells import Cells
from zonalbatch.extract.frame import Frame, outward
from zonalbatch.extract.resampled import resampled
from zonalbatch.extract.touched import touched
from zonalbatch.lattice import Lattice, Window

PLANE = "EPSG:32632"


def lattice(x0: float = 0.0, y0: float = 0.0, size: float = 1.0) -> Lattice:
    """Of square cells."""
    return Lattice(PLANE, size, size, x0, y0)


@given(
    x0=st.floats(0, 0.999), y0=st.floats(0, 0.999), size=st.sampled_from([0.5, 1.0, 1.7, 3.0]),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_nearest_is_the_cell_that_holds_the_middle(
    x0: float, y0: float, size: float, seed: int
) -> None:
    """By brute force over cells; those without one are not there."""
    rng = np.random.default_rng(seed)
    at, to = (
        Frame(lattice(), Window(-7, 2, 4, 12)),
        Frame(lattice(x0, y0, size), Window(-6, 0, 2, 9)),
    )
    values = rng.integers(0, 100, at.window.shape).astype("int16")
    valid = rng.random(at.window.shape) < 0.8
    found, there = resampled(values, valid, at, to, "nearest")
    left, _bottom, _right, top = at.lattice.bounds(at.window)
    for row, col in np.ndindex(found.shape):
        west, _, _, north = to.lattice.bounds(to.window)
        x, y = west + (col + 0.5) * size, north - (row + 0.5) * size
        r, c = int(np.floor(top - y + 1e-6)), int(np.floor(x - left + 1e-6))
        inside = 0 <= r < values.shape[0] and 0 <= c < values.shape[1]
        assert there[row, col] == (inside and valid[r, c])
        if there[row, col]:
            assert found[row, col] == values[r, c]


def test_means_leave_out_what_is_not_valid() -> None:
    """Of nested cells: NumPy's means; none where no cell has a value."""
    rng = np.random.default_rng(1)
    at, to = Frame(lattice(), Window(-8, 0, 0, 8)), Frame(lattice(size=4.0), Window(-2, 0, 0, 2))
    values, valid = rng.random((8, 8)).astype("float32"), rng.random((8, 8)) < 0.7
    valid[:4, :4] = False
    found, there = resampled(values, valid, at, to, "average")
    blocks = np.ma.MaskedArray(values.astype(float), ~valid).reshape(2, 4, 2, 4).mean(axis=(1, 3))
    assert there.tolist() == (~np.ma.getmaskarray(blocks)).tolist()
    assert found[there] == pytest.approx(blocks.compressed(), rel=1e-6)


@given(sides=st.tuples(*[st.floats(-50, 50)] * 4))
def test_boxes_grow_by_less_than_a_cell(sides: tuple[float, ...]) -> None:
    """Outward, to whole cells."""
    west, east = sorted((sides[0], sides[1] + 101))
    south, north = sorted((sides[2], sides[3] + 101))
    grid = lattice(0.3, 0.7, 0.9)
    left, bottom, right, top = grid.bounds(outward(grid, (west, south, east, north)))
    for grown in (west - left, right - east, south - bottom, top - north):
        assert -1e-5 < grown < 0.9


@pytest.mark.parametrize("size", [1.0, 3.0, 100.0, 5000.0])
def test_windows(size: float) -> None:
    """They are all of the frame, each once, and none is made of many more cells than others."""
    frame = Frame(lattice(size=size), Window(-37, 5, 4100 // int(size) + 3, 3000 // int(size) + 11))
    mosaic: Any = SimpleNamespace(lattice=lattice())
    seen = np.zeros(frame.window.shape, dtype=int)
    for window in Cells(mosaic, frame, "average").windows():
        part = window.shift(-frame.window.top, -frame.window.left)
        seen[part.top : part.bottom, part.left : part.right] += 1
        assert max(window.shape) * size <= max(2048, size)
    assert (seen == 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_touched(seed: int) -> None:
    """As shapely says, cell by cell, also beyond a fold tile's border."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.random(9)) * 2 * np.pi
    radii = 4 + 6 * rng.random(9)
    x, y = 512 + radii * np.cos(angles), -512 + radii * np.sin(angles)
    zone = shapely.Polygon(np.column_stack([x, y])).buffer(0)
    window = Window(498, 500, 526, 524)
    found = touched(zone, PLANE, lattice(), window)
    left, _, _, top = lattice().bounds(window)
    for row, col in np.ndindex(found.shape):
        cell: Any = shapely.box(left + col, top - row - 1, left + col + 1, top - row)
        assert found[row, col] == (zone.intersection(cell).area > 0)
