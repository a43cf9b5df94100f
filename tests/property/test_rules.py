"""The rules center and all_touched, against shapely."""

from __future__ import annotations

import numpy as np
import shapely
import shapely.affinity
from hypothesis import given

from tests.made.shapes import (
    CELLS,
    blocks_of_cells,
    lattices,
    places,
    shapes,
    taken_by,
    tolerance,
)
from tests.oracles import areas, centers_inside, covered, dense, in_cells, placed, shares, window_of
from zonalbatch.lattice import Lattice


@given(shapes, lattices, places)
def test_center_is_point_in_polygon(
    shape: shapely.Geometry, lattice: Lattice, place: tuple[int, int]
) -> None:
    """Away from ties, a cell is taken if and only if its centre lies in the zone."""
    zone = placed(shape, lattice, *place)
    window = window_of(zone, lattice)
    inside, clear = centers_inside(zone, lattice, window)
    taken = dense(covered([zone], lattice, "center"), 0, window)
    assert set(np.unique(taken)) <= {0.0, 1.0}
    np.testing.assert_array_equal(taken[clear] > 0, inside[clear])


def test_center_is_half_open() -> None:
    """An edge through centres gives them to the zone on its right and below."""
    box = shapely.box(0.5, 0.5, 3.5, 2.5)
    assert taken_by(box) == {(row, col) for row in (0, 1) for col in (0, 1, 2)}
    upper = shapely.Polygon([(0.5, 0.5), (4.5, 0.5), (0.5, 4.5)])
    lower = shapely.Polygon([(4.5, 0.5), (4.5, 4.5), (0.5, 4.5)])
    on_the_edge = {(row, 4 - row) for row in range(5)}
    assert not taken_by(upper) & on_the_edge
    assert taken_by(lower) & on_the_edge == on_the_edge - {(0, 4), (4, 0)}


@given(shapes, lattices, places)
def test_all_touched_is_a_positive_area(
    shape: shapely.Geometry, lattice: Lattice, place: tuple[int, int]
) -> None:
    """A cell is taken if and only if it has an area in common with the zone."""
    zone = placed(shape, lattice, *place)
    window = window_of(zone, lattice)
    expected = areas(zone, lattice, window)
    taken = dense(covered([zone], lattice, "all_touched"), 0, window)
    assert set(np.unique(taken)) <= {0.0, 1.0}
    blur = tolerance(zone, lattice) - 1e-9
    least = 1e-9 * min(1.0, expected.sum()) + blur * min(1.0, shapely.length(shape))
    assert (taken[expected > 2 * least] == 1).all()
    rows, cols = np.indices(window.shape)
    boxes = shapely.box(cols, rows, cols + 1, rows + 1)
    apart = shapely.distance(in_cells(zone, lattice, window), boxes) > 1e-9 + blur
    assert (taken[apart] == 0).all()


@given(blocks_of_cells(), places)
def test_all_touched_needs_the_open_interior(
    shape: shapely.Geometry, place: tuple[int, int]
) -> None:
    """Cells that a zone only touches along an edge or in a corner are not taken."""
    zone = placed(shape, CELLS, *place)
    touched = shares(covered([zone], CELLS, "all_touched"), 0)
    assert touched == shares(covered([zone], CELLS), 0)
    assert len(touched) == shapely.area(zone)
