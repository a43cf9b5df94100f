"""Coverage: shares of cells against shapely and exactextract, rules, tilings, extents."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import areas, centers_inside, covered, dense, in_cells, placed, shares, window_of
from zonalbatch.cover.coverage import CoverageRule, cover
from zonalbatch.cover.outlines import outline
from zonalbatch.lattice import TILE, Lattice, Window

LATTICES = (
    Lattice.through("EPSG:32631", 500000.0, 5600000.0, 10.0, 10.0),
    Lattice.through("EPSG:32617", 207585.0, 3942915.0, 464.1210938, 435.9960938),
    Lattice.through("EPSG:32618", 583425.0, 4532595.0, 30.0, 30.0),
    Lattice.through("EPSG:4326", 6.0, 3.0, 1 / 12000, 1 / 12000),
    Lattice.through("EPSG:4326", -180.125, 90.125, 0.25, 0.25),
)
CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, so that edges can lie exactly where a test wants them."""
PLACES = (0, 3, 500, 505, 511, 1019, -3, -515, -1030, 43_200)
"""First rows and columns of zones: about the borders of fold tiles, and far from zero."""

lattices = st.sampled_from(LATTICES)
places = st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES))


def tolerance(shape: shapely.Geometry, lattice: Lattice) -> float:
    """1e-9 of a cell, and what float64 coordinates can tell apart, cells."""
    largest = np.abs(shapely.bounds(shape)).max()
    return 1e-9 + 4 * float(np.spacing(largest)) / min(lattice.dx, lattice.dy)


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of six decimals."""
    return st.integers(math.ceil(low * 1e6), math.floor(high * 1e6)).map(lambda i: i / 1e6)


@st.composite
def stars(draw: st.DrawFn, reach: float = 12.0) -> shapely.Polygon:
    """A polygon that its middle sees all of, perhaps with a hole of the same form."""
    n = draw(st.integers(3, 14))
    radii = np.array(draw(st.lists(floats(0.05, 1.0), min_size=n, max_size=n)))
    turns = np.array(draw(st.lists(floats(0.1, 1.0), min_size=n, max_size=n)))
    assume(turns.max() < 0.45 * turns.sum())
    angle = 2 * math.pi * np.cumsum(turns) / turns.sum()
    x, y = draw(floats(0, 10)), draw(floats(0, 10))
    middle = np.array([x, y])
    ring = reach * radii[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    hole = draw(st.sampled_from((None, 0.2, 0.7, 0.98)))
    holes = [] if hole is None else [ring * hole + middle]
    return shapely.Polygon(ring + middle, holes)


@st.composite
def slivers(draw: st.DrawFn) -> shapely.Polygon:
    """A thin rectangle in any direction, as thin as a millionth of a cell."""
    x, y, angle = draw(floats(0, 10)), draw(floats(0, 10)), draw(floats(0, math.pi))
    length, width = draw(floats(0.5, 40)), 10.0 ** draw(floats(-6, -1))
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]]) * width
    a, b = np.array([x, y]), np.array([x, y]) + along * length
    return shapely.Polygon([a, b, b + across, a + across])


@st.composite
def blocks_of_cells(draw: st.DrawFn) -> shapely.Geometry:
    """Edges on the edges of cells: a union of boxes, with holes and parts that touch in corners."""
    corner = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 6), st.integers(1, 6))
    boxes = draw(st.lists(corner, min_size=1, max_size=6))
    cut = draw(st.lists(corner, max_size=2))
    shape = shapely.unary_union([shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes])
    shape = shape.difference(shapely.unary_union([shapely.box(x, y, x + 1, y + h)
                                                  for x, y, _, h in cut]))  # fmt: skip
    assume(not shape.is_empty and shape.geom_type in ("Polygon", "MultiPolygon"))
    return shape


@st.composite
def multiparts(draw: st.DrawFn) -> shapely.MultiPolygon:
    """Parts side by side, some of them wound the other way."""
    parts = draw(st.lists(stars(4.0), min_size=2, max_size=4))
    turned = draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    moved = [shapely.affinity.translate(part, 20.0 * i, 3.0 * i) for i, part in enumerate(parts)]
    wound = [shapely.reverse(p) if t else p for p, t in zip(moved, turned, strict=True)]
    return shapely.MultiPolygon(wound)


@st.composite
def tiny(draw: st.DrawFn) -> shapely.Polygon:
    """A zone smaller than a cell, wherever it lies in or across cells."""
    origin = draw(st.sampled_from(((0.0, 0.0), (5.0, 5.0), (4.5, 5.0))))
    size = 10.0 ** draw(floats(-4, -1.2))
    return shapely.affinity.scale(draw(stars()), size, size, origin=origin)


@st.composite
def steep(draw: st.DrawFn) -> shapely.Polygon:
    """Sides that lean over the border between two columns by next to nothing."""
    lean = st.integers(4, 15).flatmap(
        lambda digits: st.sampled_from((10.0**-digits, -(10.0**-digits), 3 * 10.0**-digits))
    )
    left, right = draw(st.integers(0, 4)), draw(st.integers(5, 9))
    top, bottom = draw(floats(0, 2)), draw(floats(2.5, 6))
    a, b, c, d = (draw(lean) for _ in range(4))
    return shapely.Polygon(
        [(left + a, top), (right + b, top), (right + c, bottom), (left + d, bottom)]
    )


shapes = st.one_of(stars(), slivers(), steep(), blocks_of_cells(), multiparts(), tiny())


# --- fraction ---------------------------------------------------------------------------------


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


# --- center -----------------------------------------------------------------------------------


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


def taken_by(shape: shapely.Geometry, rule: CoverageRule = "center") -> set[tuple[int, int]]:
    """(row, col) of the cells of a zone given in columns and rows."""
    return set(shares(covered([placed(shape, CELLS, 0, 0)], CELLS, rule), 0))


def test_center_is_half_open() -> None:
    """An edge through centres gives them to the zone on its right and below."""
    box = shapely.box(0.5, 0.5, 3.5, 2.5)
    assert taken_by(box) == {(row, col) for row in (0, 1) for col in (0, 1, 2)}
    upper = shapely.Polygon([(0.5, 0.5), (4.5, 0.5), (0.5, 4.5)])
    lower = shapely.Polygon([(4.5, 0.5), (4.5, 4.5), (0.5, 4.5)])
    on_the_edge = {(row, 4 - row) for row in range(5)}
    assert not taken_by(upper) & on_the_edge
    assert taken_by(lower) & on_the_edge == on_the_edge - {(0, 4), (4, 0)}


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


# --- all touched ------------------------------------------------------------------------------


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


# --- extent -----------------------------------------------------------------------------------


@st.composite
def spreads(draw: st.DrawFn) -> shapely.Geometry:
    """A zone over a few fold tiles."""
    return shapely.affinity.scale(draw(st.one_of(stars(), multiparts())), 70, 70, origin=(0, 0))


extents = st.tuples(
    st.integers(-1500, 1500), st.integers(-1500, 1500), st.integers(1, 1200), st.integers(1, 1200)
).map(lambda e: Window(e[0], e[1], e[0] + e[2], e[1] + e[3]))


@given(
    st.lists(spreads(), min_size=1, max_size=3),
    extents,
    st.sampled_from(("fraction", "center", "all_touched")),
)
@settings(max_examples=25)
def test_extent_leaves_out_tiles_and_nothing_else(
    zones: list[shapely.Geometry], extent: Window, rule: CoverageRule
) -> None:
    """Inside the extent cells are the same bits, totals stay, and what is left out is told."""
    whole, part = covered(zones, CELLS, rule), covered(zones, CELLS, rule, extent)
    np.testing.assert_array_equal(part.zone_total, whole.zone_total)
    kept = tiles_of(extent)
    for zone in range(len(zones)):
        wanted = [tuple(t) in kept for t in pieces(whole, zone)]
        assert bool(part.beyond[zone]) == (not all(wanted))
        inside = {k: v for k, v in shares(whole, zone).items()
                  if (k[0] // TILE, k[1] // TILE) in kept}  # fmt: skip
        assert shares(part, zone) == inside
    assert not whole.beyond.any()


def tiles_of(extent: Window) -> set[tuple[int, int]]:
    """(row, col) of the fold tiles that an extent meets."""
    return {
        (row, col)
        for row in range(extent.top // TILE, -(-extent.bottom // TILE))
        for col in range(extent.left // TILE, -(-extent.right // TILE))
    }


def pieces(coverage: Any, zone: int) -> list[tuple[int, int]]:
    """(row, col) of the fold tiles that a zone lies in."""
    own = coverage.zone == zone
    return list(zip(coverage.tile_row[own].tolist(), coverage.tile_col[own].tolist(), strict=True))


@pytest.mark.parametrize("rule", ["fraction", "center"])
def test_a_zone_in_very_many_tiles_has_the_total_of_a_walk(
    rule: CoverageRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The total worked out from edges is the sum over all tiles, and cells are the same."""
    rng = np.random.default_rng(8)
    angle, radius = np.linspace(0, 2 * np.pi, 300), rng.uniform(20_000, 30_000, 300)
    radius[-1] = radius[0]
    ring = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    hole = shapely.Point(1000, 2000).buffer(7000).exterior.coords
    zone = shapely.Polygon(ring, [hole])
    lattice = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
    outlines = outline(np.array([zone], object), "EPSG:32631", "EPSG:32631", cell=(1.0, 1.0))
    extent = Window(-12_000, -300, -9_000, 900)
    far = cover(outlines, lattice, rule=rule, extent=extent)
    assert np.diff(outlines.bounds[0, [0, 2]])[0] / TILE > 64, "in more than 4,096 tiles"
    walked = cover(outlines, lattice, rule=rule)
    assert far.beyond.all()
    assert far.zone_total == pytest.approx(walked.total.sum(), rel=1e-12)
    assert 0 < far.total.sum() < walked.total.sum()
    chosen = np.isin(walked.tile_row, far.tile_row) & np.isin(walked.tile_col, far.tile_col)
    np.testing.assert_array_equal(far.total, walked.total[chosen])
