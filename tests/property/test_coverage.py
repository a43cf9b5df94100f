"""Shares of cells, against shapely and exactextract."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.made.shapes import (
    CELLS,
    LATTICES,
    lattices,
    multiparts,
    places,
    shapes,
    slivers,
    stars,
    tiny,
    tolerance,
)
from tests.oracles import areas, covered, dense, in_cells, placed, shares, window_of
from zonalbatch.lattice import Lattice, Window


@given(shapes, lattices, places)
@example(shapely.Polygon([(-1e-10, 0), (5, 0), (5, 3), (1e-10, 3)]), LATTICES[0], (0, 500))
def test_fraction_is_the_intersection_area(
    shape: shapely.Geometry, lattice: Lattice, place: tuple[int, int]
) -> None:
    """The share of every cell is the area it has in common with the zone, within 1e-9 of a cell."""
    zone = placed(shape, lattice, *place)
    window = window_of(zone, lattice)
    found = covered([zone], lattice)
    expected = areas(zone, lattice, window)
    limit = tolerance(zone, lattice)
    np.testing.assert_allclose(dense(found, 0, window), expected, rtol=0, atol=limit)
    assert found.zone_total[0] == pytest.approx(expected.sum(), rel=1e-8, abs=limit)


@given(st.one_of(stars(), slivers(), multiparts(), tiny()), st.sampled_from(LATTICES[:3]), places)
def test_fraction_equals_exactextract(
    shape: shapely.Geometry, lattice: Lattice, place: tuple[int, int]
) -> None:
    """The share of every cell is what exactextract says, within 1e-6 of a cell.

    Vertices are kept off the edges of cells, where exactextract 0.3 fails or fills wrong cells
    unless the coordinates of the edges are exact.
    """
    shape = shapely.affinity.translate(shape, 0.1234567, 0.0765432)
    zone = placed(shape, lattice, *place)
    window = window_of(zone, lattice)
    ours = dense(covered([zone], lattice), 0, window)
    np.testing.assert_allclose(ours, by_exactextract(zone, lattice, window), rtol=0, atol=1e-6)


def by_exactextract(
    zone: shapely.Geometry, lattice: Lattice, window: Window
) -> NDArray[np.float64]:
    """(row, col) shares by exactextract."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    left, bottom, right, top = lattice.bounds(window)
    source = NumPyRasterSource(np.zeros(window.shape), xmin=left, ymin=bottom, xmax=right, ymax=top)
    geometry = json.loads(shapely.to_geojson(zone))
    feature = {"type": "Feature", "geometry": geometry, "properties": {}}
    found = exact_extract(source, [feature], ["cell_id", "coverage"])[0]["properties"]
    out = np.zeros(window.shape[0] * window.shape[1])
    out[np.asarray(found["cell_id"], int)] = found["coverage"]
    return out.reshape(window.shape)


@given(st.integers(1, 12), lattices, places)
def test_small_zones_are_never_lost(digits: int, lattice: Lattice, place: tuple[int, int]) -> None:
    """A zone of any small part of a cell covers that part, to 1e-6 of itself."""
    side = 10.0 ** (-digits / 2)
    zone = placed(shapely.box(0.31, 0.47, 0.31 + side, 0.47 + side), lattice, *place)
    window = window_of(zone, lattice)
    exact = shapely.area(in_cells(zone, lattice, window))  # as far as its rounded corners make it
    placing = tolerance(zone, lattice) - 1e-9
    assert covered([zone], lattice).zone_total[0] == pytest.approx(
        exact, rel=1e-6, abs=4 * side * placing
    )


@given(shapes, places)
def test_winding_does_not_matter(shape: shapely.Geometry, place: tuple[int, int]) -> None:
    """Parts wound clockwise, counter-clockwise or mixed cover the same: none cancels another."""
    zone = placed(shape, LATTICES[0], *place)
    window = window_of(zone, LATTICES[0])
    same = [zone, shapely.reverse(zone), shapely.orient_polygons(zone)]
    found = covered(same, LATTICES[0])
    first = dense(found, 0, window)
    for other in (1, 2):
        np.testing.assert_allclose(dense(found, other, window), first, rtol=0, atol=1e-12)


@given(st.lists(shapes, min_size=1, max_size=5), places)
def test_zones_are_covered_each_by_itself(
    given_shapes: list[shapely.Geometry], place: tuple[int, int]
) -> None:
    """A zone's cells are the same to the last bit, whichever zones are beside or overlap it."""
    zones = [placed(shape, LATTICES[0], *place) for shape in given_shapes]
    together = covered(zones, LATTICES[0])
    for i, zone in enumerate(zones):
        alone = covered([zone], LATTICES[0])
        assert shares(together, i) == shares(alone, 0)
        assert together.zone_total[i] == alone.zone_total[0]


def test_no_zones_and_empty_zones_cover_nothing() -> None:
    """Without zones, or with missing and empty ones only, there are no cells and totals are 0."""
    assert covered([], CELLS).n_pieces == 0
    found = covered([None, shapely.Polygon()], CELLS)
    assert found.n_pieces == 0
    assert found.zone_total.tolist() == [0, 0]
    assert not found.beyond.any()


@given(st.lists(shapes, min_size=1, max_size=4), places)
def test_pieces_come_in_order(given_shapes: list[shapely.Geometry], place: tuple[int, int]) -> None:
    """Pieces are ordered by tile, row by row, then by zone, and each occurs once."""
    found = covered([placed(s, LATTICES[0], *place) for s in given_shapes], LATTICES[0])
    keys = list(zip(found.tile_row, found.tile_col, found.zone, strict=True))
    assert keys == sorted(set(keys))


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_stripes_cover_a_whole_tile_row(teeth: int, seed: int) -> None:
    """A comb whose teeth cross a fold tile loses nothing: its total is its area."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-20, 600, 2 * teeth))
    comb = shapely.MultiPolygon([shapely.box(a, 100.25, b, 104.75) for a, b in x.reshape(-1, 2)])
    assert covered([comb], CELLS).zone_total[0] == pytest.approx(comb.area, rel=1e-9)
