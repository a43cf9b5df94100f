"""Tilings: no cell is taken twice, none is lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
import shapely.affinity
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.made.shapes import (
    CELLS,
    LATTICES,
    floats,
    lattices,
    places,
)
from tests.oracles import covered, dense, placed
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.lattice import Lattice, Window


@st.composite
def perturbed_grids(draw: st.DrawFn) -> list[shapely.Polygon]:
    """Quadrilaterals that tile 30 × 30 cells; corners anywhere, or so that edges hit centres."""
    n = draw(st.integers(2, 6))
    step = 30 / n
    exact = draw(st.sampled_from((None, 0.5, 1.0)))
    shift = draw(st.lists(floats(-0.3, 0.3), min_size=2 * (n + 1) ** 2, max_size=2 * (n + 1) ** 2))
    corner = np.array(shift).reshape(n + 1, n + 1, 2) * step
    corner[[0, -1], :, 1] = 0
    corner[:, [0, -1], 0] = 0
    corner += np.stack(np.meshgrid(np.arange(n + 1), np.arange(n + 1)), axis=-1) * step
    if exact is not None:
        corner = np.round(corner / exact) * exact
    return [
        shapely.Polygon([corner[i, j], corner[i, j + 1], corner[i + 1, j + 1], corner[i + 1, j]])
        for i in range(n)
        for j in range(n)
    ]


@st.composite
def triangulations(draw: st.DrawFn) -> list[shapely.Polygon]:
    """Delaunay triangles of points on and between centres, with the corners of 30 × 30 cells."""
    point = st.tuples(st.integers(0, 60), st.integers(0, 60))
    points = {(x / 2, y / 2) for x, y in draw(st.lists(point, min_size=1, max_size=25))}
    points |= {(0, 0), (30, 0), (0, 30), (30, 30)}
    triangles = shapely.delaunay_triangles(shapely.MultiPoint(sorted(points)))
    return list(shapely.get_parts(triangles))


@st.composite
def voronoi(draw: st.DrawFn) -> list[shapely.Polygon]:
    """Voronoi cells of points on a fine raster, cut to 30 × 30 cells."""
    point = st.tuples(st.integers(0, 240), st.integers(0, 240))
    points = draw(st.lists(point, min_size=2, max_size=20, unique=True))
    box = shapely.box(0, 0, 30, 30)
    made = shapely.voronoi_polygons(
        shapely.MultiPoint([(x / 8, y / 8) for x, y in points]), extend_to=box
    )
    cut = [shapely.intersection(part, box) for part in shapely.get_parts(made)]
    return [part for part in cut if part.area > 0]


tilings = st.one_of(perturbed_grids(), triangulations(), voronoi())


def times_taken(
    tiles: Sequence[shapely.Polygon], lattice: Lattice, place: tuple[int, int], rule: CoverageRule
) -> NDArray[np.float64]:
    """(30, 30) sum of shares over the zones of a tiling of 30 × 30 cells."""
    zones = [placed(tile, lattice, *place) for tile in tiles]
    wide = Window(place[0] - 1, place[1] - 1, place[0] + 31, place[1] + 31)
    found = covered(zones, lattice, rule)
    total: NDArray[np.float64] = sum((dense(found, i, wide) for i in range(len(zones))),
                                     np.zeros(wide.shape))  # fmt: skip
    return total[1:-1, 1:-1]


@given(tilings, st.sampled_from((CELLS, LATTICES[0], LATTICES[2])), places)
def test_center_partitions(
    tiles: list[shapely.Polygon], lattice: Lattice, place: tuple[int, int]
) -> None:
    """Zones that tile an area never share a cell, and together take every one, ties included."""
    np.testing.assert_array_equal(times_taken(tiles, lattice, place, "center"), 1)


@given(tilings, lattices, places)
def test_fractions_of_a_tiling_add_up(
    tiles: list[shapely.Polygon], lattice: Lattice, place: tuple[int, int]
) -> None:
    """The shares of zones that tile an area add up to one in every cell."""
    limit = 1e-9 * len(tiles) + 4e-9
    np.testing.assert_allclose(times_taken(tiles, lattice, place, "fraction"), 1, atol=limit)
