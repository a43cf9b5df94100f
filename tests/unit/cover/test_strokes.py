"""Lines: metres in each cell against shapely, edges of cells, tiles, extents, projections."""

from __future__ import annotations

import math
from typing import Any

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import dense, in_cells, placed, shares, window_of
from zonalbatch.cover import strokes
from zonalbatch.cover.coverage import Coverage
from zonalbatch.cover.paths import paths
from zonalbatch.cover.strokes import cover_lines
from zonalbatch.lattice import TILE, Lattice, Window

METRIC = Lattice.through("EPSG:32631", 500000.0, 5600000.0, 10.0, 10.0)
OBLONG = Lattice.through("EPSG:32617", 207585.0, 3942915.0, 464.1210938, 435.9960938)
DEGREES = Lattice.through("EPSG:4326", 6.0, 3.0, 0.25, 0.25)
CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, so that vertices can lie exactly on their edges."""
GEOD = pyproj.Geod(ellps="WGS84")


def drawn(
    lines: list[Any],
    lattice: Lattice,
    crs: str | None = None,
    west: float | None = None,
    **options: Any,
) -> Coverage:
    """The coverage of some lines, by default in the lattice's CRS."""
    cell = (lattice.dx, lattice.dy)
    shapes = np.array(lines, dtype=object)
    found = paths(shapes, crs or lattice.crs, lattice.crs, cell=cell, west=west)
    return cover_lines(found, lattice, len(lines), **options)


def lengths(line: shapely.Geometry, lattice: Lattice, window: Window) -> NDArray[np.float64]:
    """(row, col) length of a line in each cell of a window by shapely, units of the CRS.

    It goes segment by segment: shapely would count only once what a line runs along twice.
    """
    size = np.array([lattice.dx, lattice.dy])
    local = shapely.transform(in_cells(line, lattice, window), lambda xy: xy * size)
    vertices = [shapely.get_coordinates(part) for part in shapely.get_parts(local)]
    ends = np.concatenate([np.stack([xy[:-1], xy[1:]], axis=1) for xy in vertices])
    rows, cols = np.indices(window.shape)
    boxes = shapely.box(cols * size[0], rows * size[1], (cols + 1) * size[0], (rows + 1) * size[1])
    inside = shapely.intersection(boxes[..., None], np.asarray(shapely.linestrings(ends)))
    return np.asarray(shapely.length(inside).sum(axis=-1))


def places(digits: int = 6) -> st.SearchStrategy[tuple[float, float]]:
    """Columns and rows that are hardly ever on the edge of a cell."""
    number = st.integers(1, 14 * 10**digits).map(lambda i: (i + 0.377) / 10**digits)
    return st.tuples(number, number)


@st.composite
def ways(draw: st.DrawFn) -> shapely.Geometry:
    """A line of a few vertices, or two, which may cross themselves."""
    parts = draw(st.lists(st.lists(places(), min_size=2, max_size=6), min_size=1, max_size=2))
    return shapely.MultiLineString(parts) if len(parts) > 1 else shapely.LineString(parts[0])


@given(ways(), st.sampled_from((METRIC, OBLONG)), st.sampled_from(((0, 0), (505, -9), (-520, 507))))
def test_metres_in_each_cell(way: Any, lattice: Lattice, place: tuple[int, int]) -> None:
    """A cell weighs the length of the line inside it; the sum is the line's length."""
    line = placed(way, lattice, *place)
    window = window_of(line, lattice)
    found = drawn([line], lattice)
    expected = lengths(line, lattice, window)
    np.testing.assert_allclose(dense(found, 0, window), expected, rtol=1e-9, atol=1e-5)
    length = float(shapely.length(line))
    assert found.zone_total[0] == pytest.approx(length, rel=1e-9, abs=1e-5)
    assert found.total.sum() == pytest.approx(found.zone_total[0], rel=1e-12)


@given(ways())
def test_a_line_has_no_sense(way: Any) -> None:
    """Run through the other way, a line weighs the same in the same cells."""
    there, back = (shares(drawn([line], CELLS), 0) for line in (way, shapely.reverse(way)))
    assert there.keys() == back.keys()
    assert list(there.values()) == pytest.approx(list(back.values()), rel=1e-13)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("LINESTRING (0 -2, 3 -2)", {(2, 0): 1, (2, 1): 1, (2, 2): 1}),
        ("LINESTRING (2 0, 2 -2)", {(0, 2): 1, (1, 2): 1}),
        ("LINESTRING (0 0, 3 -3)", {(i, i): math.sqrt(2) for i in range(3)}),
        ("LINESTRING (0 -3, 3 0)", {(2 - i, i): math.sqrt(2) for i in range(3)}),
        ("LINESTRING (0.5 -0.5, 0.5 -0.5)", {}),
        ("LINESTRING (0.25 -0.5, 0.75 -0.5, 0.25 -0.5)", {(0, 0): 1}),
        ("LINEARRING (0.5 -0.5, 1.5 -0.5, 0.5 -1.5, 0.5 -0.5)",
         {(0, 0): 1, (0, 1): 0.5 + 0.5**0.5, (1, 0): 0.5 + 0.5**0.5}),
        ("LINESTRING EMPTY", {}),
    ],
)  # fmt: skip
def test_edges_of_cells(text: str, cells: dict[tuple[int, int], float]) -> None:
    """A line on an edge belongs to the cells on its right and below; through a corner, to two."""
    assert shares(drawn([shapely.from_wkt(text)], CELLS), 0) == pytest.approx(cells)


def test_decimal_degrees_lie_on_edges() -> None:
    """0.3 is the edge of the fourth cell of 0.1, although 0.3 / 0.1 is less than 3."""
    lattice = Lattice.through("EPSG:4326", 0.0, 0.0, 0.1, 0.1)
    line = shapely.LineString([(0.3, -0.05), (0.3, -0.25)])
    assert set(shares(drawn([line], lattice), 0)) == {(0, 3), (1, 3), (2, 3)}


def test_all_touched_counts_cells() -> None:
    """Each cell that a line runs through has the weight 1, however often it does."""
    line = shapely.LineString([(0.5, -0.5), (2.5, -0.5), (1.2, -0.7)])
    found = drawn([line], CELLS, once=True)
    assert shares(found, 0) == {(0, 0): 1, (0, 1): 1, (0, 2): 1}
    assert found.inner.tolist() == [3]
    assert found.zone_total.tolist() == [3]


def test_many_lines_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are walked in batches, which change no bit; pieces are in the order of tiles."""
    rng = np.random.default_rng(5)
    lines: list[Any] = [
        shapely.LineString(rng.normal(0, 40, (9, 2)) + rng.uniform(-900, 900, 2)) for _ in range(60)
    ]
    lines[7] = lines[59] = None
    whole = drawn(lines, CELLS)
    monkeypatch.setattr(strokes, "AT_ONCE", 500)
    cut = drawn(lines, CELLS)
    assert whole.zone_total.tobytes() == cut.zone_total.tobytes()
    for i in range(60):
        assert shares(whole, i) == shares(cut, i)
    order = np.lexsort((cut.zone, cut.tile_col, cut.tile_row))
    assert (order == np.arange(cut.n_pieces)).all()
    assert not (whole.zone_total[[7, 59]]).any()


def test_no_line() -> None:
    """Where nothing has a length there is no piece."""
    found = drawn([None, shapely.LineString()], CELLS)
    assert found.n_pieces == 0
    assert found.zone_total.tolist() == [0, 0]


def test_extents_change_no_bit() -> None:
    """What lies in a tile, and the total, is the same whatever tiles are left out."""
    line = shapely.LineString([(3.3, -700.1), (1300.7, -20.4), (900.2, -1400.6)])
    whole = drawn([line], CELLS)
    part = drawn([line], CELLS, extent=Window(0, TILE, TILE, 2 * TILE))
    assert part.beyond[0]
    assert not whole.beyond[0]
    assert part.zone_total.tobytes() == whole.zone_total.tobytes()
    assert part.n_pieces == 1
    inside = {
        cell: metres
        for cell, metres in shares(whole, 0).items()
        if cell[0] < TILE and TILE <= cell[1] < 2 * TILE
    }
    assert shares(part, 0) == inside
    piece = np.flatnonzero((whole.tile_row == 0) & (whole.tile_col == 1))[0]
    assert whole.total[piece] == part.total[0]
    assert part.window[0].tolist() == [
        min(row for row, _ in inside), min(col for _, col in inside) - TILE,
        max(row for row, _ in inside) + 1, max(col for _, col in inside) + 1 - TILE,
    ]  # fmt: skip


def test_feet_are_metres() -> None:
    """On a grid of feet, lengths are metres."""
    lattice = Lattice.through("EPSG:2263", 0.0, 0.0, 100.0, 100.0)
    found = drawn([shapely.LineString([(10, 10), (10, 1010)])], lattice)
    assert found.zone_total[0] == pytest.approx(304.8006096, rel=1e-9)


# --- longitudes and projections ---------------------------------------------------------------


def on_earth(line: shapely.Geometry) -> float:
    """Metres on the ellipsoid of a line that is straight from degree to degree."""
    xy = shapely.get_coordinates(shapely.segmentize(line, 1e-3))
    return float(GEOD.line_length(*xy.T))


def projected(line: shapely.Geometry, crs: str) -> Any:
    """A line with its vertices in another CRS than degrees."""
    return geopandas.GeoSeries([line], crs="OGC:CRS84").to_crs(crs)[0]


@pytest.mark.parametrize("line", ["0.1 0.1, 3.3 1.7", "0.1 59.9, 4.2 60.2", "1 70, 1 71.3"])
def test_degrees_are_metres_on_the_ellipsoid(line: str) -> None:
    """On a grid of degrees, each cell weighs metres on the Earth."""
    shape = shapely.from_wkt(f"LINESTRING ({line})")
    found = shares(drawn([shape], DEGREES), 0)
    assert sum(found.values()) == pytest.approx(on_earth(shape), rel=1e-9)
    for (row, col), metres in found.items():
        left, bottom, right, top = DEGREES.bounds(Window(row, col, row + 1, col + 1))
        inside = shape & shapely.box(left, bottom, right, top)
        assert metres == pytest.approx(on_earth(inside), rel=1e-8)


def test_lines_are_densified_before_they_are_projected() -> None:
    """A straight line in the zones' CRS is a curve on the lattice, found to 1/20 of a cell."""
    line = shapely.LineString([(0.0, 50.0), (6.0, 50.0)])
    found = shares(drawn([line], METRIC, "OGC:CRS84"), 0)
    curve = projected(shapely.segmentize(line, 1e-4), METRIC.crs)
    assert sum(found.values()) == pytest.approx(curve.length, rel=1e-7)
    places = shapely.line_interpolate_point(curve, [0.3, 0.5, 0.8], normalized=True)
    x, y = shapely.get_coordinates(places).T
    for col, row in zip((x - METRIC.x0) / 10, (METRIC.y0 - y) / 10, strict=True):
        assert any(
            (math.floor(row + dr), math.floor(col + dc)) in found
            for dr in (-0.06, 0.06)
            for dc in (-0.06, 0.06)
        )


def test_the_short_way_over_the_antimeridian() -> None:
    """A segment of more than 180 degrees goes the other way round, in either CRS."""
    long_way = shapely.LineString([(179.3, 10.1), (-179.2, 10.2)])
    halves = [
        shapely.LineString([(179.3, 10.1), (180, 10.1 + 0.1 * 0.7 / 1.5)]),
        shapely.LineString([(-180, 10.1 + 0.1 * 0.7 / 1.5), (-179.2, 10.2)]),
    ]
    expected = shares(drawn([shapely.MultiLineString(halves)], DEGREES), 0)
    assert shares(drawn([long_way], DEGREES), 0) == pytest.approx(expected, rel=1e-9)
    assert len(expected) == 3 + 4
    pacific = projected(long_way, "EPSG:3832")  # Mercator about 150 degrees east
    found = shares(drawn([pacific], DEGREES, "EPSG:3832"), 0)
    assert sum(found.values()) == pytest.approx(sum(expected.values()), rel=1e-3)
    assert found.keys() == expected.keys()


def test_grids_from_0_to_360() -> None:
    """Lines west of Greenwich lie at the right end of such a grid; those across are cut."""
    lattice = Lattice.through("EPSG:4326", 0.0, 90.0, 0.25, 0.25)
    line = shapely.LineString([(-0.4, 10.1), (0.6, 10.1)])
    found = shares(drawn([line], lattice, west=0.0), 0)
    assert sorted({col for _, col in found}) == [0, 1, 2, 1438, 1439]
    assert sum(found.values()) == pytest.approx(on_earth(line), rel=1e-9)


def test_what_is_not_shown_is_left_out() -> None:
    """Beyond the horizon of a projection a line covers nothing."""
    globe = "+proj=ortho +lat_0=0 +lon_0=0 +ellps=WGS84 +type=crs"
    lattice = Lattice(globe, 10_000.0, 10_000.0, 0.0, 0.0)
    line = shapely.LineString([(30, 10), (150, 10)])
    hidden = shapely.LineString([(170, 10), (150, 20)])
    found = drawn([line, hidden, None], lattice, "OGC:CRS84")
    assert found.zone_total[1] == 0
    assert found.zone_total[2] == 0
    rim = 6378137.0 * math.cos(math.radians(10))
    assert found.zone_total[0] == pytest.approx(rim * (1 - math.sin(math.radians(30))), rel=2e-2)
    cols = [col for _, col in shares(found, 0)]
    assert max(cols) * 10_000 == pytest.approx(rim, rel=1e-2)


def test_from_one_projection_to_another() -> None:
    """What lies beyond the horizon is left out too where neither CRS is of degrees."""
    globe = "+proj=ortho +lat_0=0 +lon_0=0 +ellps=WGS84 +type=crs"
    lattice = Lattice(globe, 10_000.0, 10_000.0, 0.0, 0.0)
    line = shapely.LineString([(30, 10), (150, 10)])
    straight = shares(drawn([line], lattice, "OGC:CRS84"), 0)
    mercator = shares(drawn([projected(line, "EPSG:3857")], lattice, "EPSG:3857"), 0)
    assert mercator.keys() == straight.keys()
    assert sum(mercator.values()) == pytest.approx(sum(straight.values()), rel=1e-6)


def test_far_lines_are_kept_in_the_extent_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a line over very many cells all but the wanted tiles are a length, and no bit changes."""
    lines = [
        shapely.LineString([(3.3, -700.1), (5300.7, -20.4), (900.2, -3400.6)]),
        shapely.LineString([(3.3, -700.1), (400, -800)]),
    ]
    extent = Window(100, TILE, TILE, TILE + 9)
    expected = drawn(lines, CELLS, extent=extent)
    monkeypatch.setattr(strokes, "FAR", 5000)
    found = drawn(lines, CELLS, extent=extent)
    assert shares(found, 0) == shares(expected, 0)
    assert found.total.tobytes() == expected.total.tobytes()
    assert found.zone_total.tolist() == pytest.approx(expected.zone_total.tolist(), rel=1e-12)
    assert found.beyond.tolist() == expected.beyond.tolist() == [True, True]
    assert drawn(lines, CELLS, extent=extent, once=True).zone_total[0] > 5000
