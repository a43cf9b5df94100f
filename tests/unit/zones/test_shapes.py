"""Shapes: what is surely a valid ring is valid, and to be sure of it changes no zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
import shapely.affinity
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from zonalbatch.errors import ZonesError
from zonalbatch.zones import open_zones, reader
from zonalbatch.zones.longitudes import at_the_seam, split_at_antimeridian
from zonalbatch.zones.simple import MOST_EDGES, ring_senses

Vertices = NDArray[np.float64]

SQUARE = [(0, 0), (2, 0), (2, 2), (0, 2)]
BOW_TIE = [(0, 0), (2, 2), (2, 0), (0, 2)]


def sense(shape: Any) -> int:
    """The sense of one shape."""
    return int(ring_senses(np.array([shape], dtype=object))[0])


def assert_sound(vertices: Vertices) -> NDArray[np.int8]:
    """See that GEOS agrees on each of (ring, vertex, 2) that has a sense; the senses."""
    with np.errstate(invalid="ignore"):  # numbers that are none
        shapes = np.asarray(
            shapely.polygons(np.concatenate([vertices, vertices[:, :1]], axis=1)), dtype=object
        )
    senses = ring_senses(shapes)
    sure = senses != 0
    broken = np.flatnonzero(sure & ~shapely.is_valid(shapes))
    assert not broken.size, vertices[broken[0]].tolist()
    is_ccw = shapely.is_ccw(shapely.get_exterior_ring(shapes[sure]))
    np.testing.assert_array_equal(is_ccw, senses[sure] > 0)
    return senses


# --- what is sure -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ring",
    [
        SQUARE,
        [(0, 0), (1, 0), (2, 0), (2, 2), (0, 2), (0, 1)],  # vertices within straight sides
        [(0, 0), (9, 0), (9, 9), (8, 9), (8, 1), (1, 1), (1, 9), (0, 9)],  # a deep bay
        [(5e5, 5e6), (5e5 + 1e-3, 5e6), (5e5, 5e6 + 1e-3)],
    ],
)
def test_plain_rings_have_a_sense(ring: list[tuple[float, float]]) -> None:
    """One ring, apart from itself, has the sense in which it runs; turned round, the other."""
    assert (sense(shapely.Polygon(ring)), sense(shapely.Polygon(ring[::-1]))) == (1, -1)
    assert sense(shapely.MultiPolygon([shapely.Polygon(ring)])) == 1
    assert sense(shapely.Polygon([(x, y, 7.0) for x, y in ring])) == 1


@pytest.mark.parametrize(
    "ring",
    [
        BOW_TIE,
        [(0, 0), (1, 0), (1, 0), (1, 1)],  # a vertex twice, which GEOS allows
        [(0, 0), (2, 0), (2, 2), (1, 0)],  # a vertex on another edge
        [(0, 0), (2, 0), (4, 0), (3, 0), (0, 2)],  # back along an edge
        [(0, 0), (2, 0), (1, 0)],  # flat
        [(0, 0), (np.inf, 1), (1, 1)],
        [(0, 0), (1e-200, 0), (0, 1e-200)],  # products underflow
        [(0, 0), (1e200, 0), (0, 1e200)],  # products overflow
        [(0.1, 0.1), (0.3, 0.3), (0.7, 0.7), (0.2, 0.2)],  # a line but for rounding
    ],
)
def test_doubtful_rings_have_none(ring: list[tuple[float, float]]) -> None:
    """What touches itself, or may, is left to GEOS."""
    assert sense(shapely.Polygon(ring)) == 0


@pytest.mark.parametrize(
    "shape",
    [
        None,
        shapely.Polygon(),
        shapely.MultiPolygon(),
        shapely.LinearRing(SQUARE),
        shapely.GeometryCollection([shapely.Polygon(SQUARE)]),
        shapely.Polygon(SQUARE, [[(0.5, 0.5), (1, 0.5), (1, 1)]]),
        shapely.Polygon(SQUARE, [[(0, 0), (1, 0.5), (1, 1)]]),  # both begin at one place
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]),
        shapely.MultiPolygon([(SQUARE, []), (SQUARE, [])]),
        shapely.MultiPolygon([(SQUARE, []), ([(0, 0), (-1, 0), (0, -1)], [])]),
        shapely.Point(0, 0).buffer(1, quad_segs=MOST_EDGES),
    ],
)
def test_other_shapes_have_none(shape: Any) -> None:
    """Several rings are never taken for one; what is missing, empty or no polygon has no sense."""
    assert sense(shape) == 0


def test_most_fields_are_sure() -> None:
    """Rings as fields have them, also with coordinates of millions of metres, are all sure."""
    rng = np.random.default_rng(0)
    angle = np.sort(rng.uniform(0, 2 * np.pi, (2_000, 30)), axis=1)
    radius = rng.uniform(50, 150, (2_000, 30))
    xy = np.stack([5e5 + radius * np.cos(angle), 5e6 + radius * np.sin(angle)], axis=-1)
    assert (assert_sound(xy) == shapely.is_valid(shapely.polygons(xy))).mean() > 0.999


# --- never sure of what is not valid ----------------------------------------------------------

lines = st.integers(0, 4)
factors = st.sampled_from([1.0, 0.1, 1 / 3, 1e-9, 1e9, 1e-160, 1e140, 1e-310])
origins = st.sampled_from([0.0, 1.0, -0.7, 5e6, 1e15])


@given(
    rings=st.lists(st.lists(st.tuples(lines, lines), min_size=3, max_size=9), min_size=1),
    factor=factors,
    origin=origins,
)
@example(rings=[BOW_TIE, SQUARE], factor=1.0, origin=0.0)
def test_rings_on_a_grid(rings: list[list[tuple[int, int]]], factor: float, origin: float) -> None:
    """Vertices that repeat, edges that overlap, touch or cross: none of it is called valid."""
    for ring in rings:
        assert_sound(np.array([ring], float) * factor + origin)


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=2, max_size=8))
def test_rings_of_any_numbers(ring: list[tuple[float, float]]) -> None:
    """Neither the largest nor the smallest numbers, nor what is none, deceive the kernel."""
    assert_sound(np.array([[(0.0, 0.0), *ring]]))  # GEOS makes no ring that begins with NaN


def random(rng: np.random.Generator, count: int, n: int) -> Vertices:
    """Vertices anywhere."""
    return rng.uniform(-1, 1, (count, n, 2))


def spiky(rng: np.random.Generator, count: int, n: int) -> Vertices:
    """Stars whose tips are up to a thousand million times as far out as their bays."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, (count, n)), axis=1)
    radius = 10.0 ** rng.uniform(-9, 0, (count, n))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def pinched(rng: np.random.Generator, count: int, n: int) -> Vertices:
    """Stars of which one vertex is put on another edge, or a rounding beside it."""
    xy, row = spiky(rng, count, n), np.arange(count)
    one = rng.integers(0, n, count)
    edge = (one + rng.integers(2, n - 1, count)) % n
    share = rng.choice([0.0, 0.5, 0.3], (count, 1))
    on = xy[row, edge] * (1 - share) + xy[row, (edge + 1) % n] * share
    xy[row, one] = on + np.spacing(on) * rng.integers(-2, 3, (count, 2))
    return xy


def thin(rng: np.random.Generator, count: int, n: int) -> Vertices:
    """Strips as thin as rounding, with vertices along both sides."""
    along, side = np.linspace(0, 1, n), rng.uniform(-1, 1, (count, 1, 2))
    there = side * along[None, :, None]
    across = side[..., ::-1] * [1, -1] * 10.0 ** rng.uniform(-17, -1, (count, 1, 1))
    return np.concatenate([there, there[:, ::-1] + across], axis=1)


@pytest.mark.parametrize("make", [random, spiky, pinched, thin])
@given(seed=st.integers(0, 2**32), n=st.integers(5, 12), factor=factors, origin=origins)
def test_made_rings(
    make: Callable[..., Vertices], seed: int, n: int, factor: float, origin: float
) -> None:
    """Whatever is called valid is valid, however close the edges come to each other."""
    assert_sound(make(np.random.default_rng(seed), 200, n) * factor + origin)


# --- zones are the same -----------------------------------------------------------------------


def mixed(degrees: bool) -> geopandas.GeoDataFrame:
    """Zones of every kind, valid and broken, in metres or in degrees about the antimeridian."""
    rng = np.random.default_rng(1)
    rings = [*random(rng, 40, 6), *spiky(rng, 40, 8), *rng.integers(0, 4, (60, 5, 2)).astype(float)]
    shapes: list[Any] = [shapely.Polygon(ring) for ring in rings]
    disc, tip = shapely.Point(0, 0).buffer(1), shapes[45]
    shapes += [shapely.reverse(shape) for shape in shapes[::3]]
    shapes += [shapely.union(disc, shapely.buffer(shape, 0)) for shape in shapes[::4]]
    shapes += [disc.difference(shapely.Point(0, 0).buffer(0.3)), shapely.force_3d(tip, 5.0)]
    shapes += [shapely.GeometryCollection([tip, shapely.Point(0, 0)]), shapely.MultiPolygon([tip])]
    if degrees:
        east = rng.choice([0.0, 179.0, 180.0, 185.0, -180.0], len(shapes))
        shapes = [shapely.affinity.translate(*each) for each in zip(shapes, east, strict=True)]
        shapes += [shapely.Polygon([(179, 0), (-179, 0), (-179, 5), (179, 5)])]
    shapes += [None, shapely.Polygon(), shapely.Polygon([(0, 0), (np.inf, 0), (1, 1)])]
    return geopandas.GeoDataFrame(geometry=shapes, crs="EPSG:4326" if degrees else "EPSG:32631")


@pytest.mark.parametrize("buffer", [0.0, 0.5])
@pytest.mark.parametrize("degrees", [False, True])
def test_to_be_sure_changes_nothing(
    degrees: bool, buffer: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zones, hashes and notes are those that GEOS gives if it looks at every shape."""
    zones, found, notes = mixed(degrees), [], []
    for senses in (ring_senses, lambda shapes: np.zeros(len(shapes), np.int8)):
        monkeypatch.setattr(reader, "ring_senses", senses)
        each = open_zones(zones, buffer=buffer)
        found.append(pa.concat_tables(each.batches(50)).to_pandas())
        notes.append(each.notes)
    pd.testing.assert_frame_equal(found[0], found[1], check_exact=True)
    assert notes[0] == notes[1]


def test_shapes_off_the_seam_are_not_split() -> None:
    """Splitting changes no shape but those at the seam, however little they miss it."""
    x = [0.0, 179.5, 180 - 1e-10, 180.0, 180.5, 200.0, -180.0, -180 - 1e-10, -200.0]
    wide = shapely.Polygon([(-170, 0), (170, 0), (170, 5), (-170, 5)])
    shapes = np.array([*(shapely.box(w - 1, 0, w, 1) for w in x), shapely.Polygon(), wide])
    changed = ~shapely.equals_identical(shapes, split_at_antimeridian(shapes))
    assert set(np.flatnonzero(changed)) <= set(at_the_seam(shapely.bounds(shapes)))
    assert not {0, 1, 9} & set(at_the_seam(shapely.bounds(shapes)))


@pytest.mark.parametrize("ids", [[3, 1, 2, 1], ["b", "a", "c", "a"], [1, 2, 3, 3]])
def test_ids_that_repeat_are_found_in_any_order(ids: list[Any]) -> None:
    """Ids that ascend are unique; others are counted."""
    zones = geopandas.GeoDataFrame({"own": ids}, geometry=[shapely.Polygon(SQUARE)] * 4, crs=32631)
    with pytest.raises(ZonesError, match="ids must be unique, but 1 of 4"):
        list(open_zones(zones, id="own").batches(3))
    unique = zones.assign(own=pd.unique(zones["own"])[[0, 1, 2, 0]]).iloc[:3]
    assert sum(map(len, open_zones(unique, id="own").batches(2))) == 3


def test_a_frame_without_active_geometry_is_refused() -> None:
    """A GeoDataFrame may hold several geometries or none; the error says how to choose."""
    with pytest.raises(ZonesError, match=r"no active geometry.*set_geometry"):
        open_zones(geopandas.GeoDataFrame({"own": [1]}))
