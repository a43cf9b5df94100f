"""Extents: sizes of features on the ground, and which share of each lies in an area."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import CRS, Geod, Transformer

from zonalbatch.cover.areas import zone_areas
from zonalbatch.service.refusals import Refusal
from zonalbatch.service.vectors.extents import Plane, plane_of

GEOD = Geod(ellps="WGS84")
CRSS = ["EPSG:4326", "EPSG:32631", "EPSG:3857", "EPSG:3035"]


def _box_in(crs: str, size: float = 0.1) -> shapely.Polygon:
    """A square of degrees about (3.5, 51), its corners in a CRS."""
    onto = Transformer.from_crs(4326, crs, always_xy=True)
    corners = shapely.get_coordinates(shapely.box(3.5, 51, 3.5 + size, 51 + size))
    return shapely.Polygon(np.column_stack(onto.transform(*corners.T)))


@pytest.mark.parametrize("crs", CRSS)
def test_areas_are_those_of_edges_cut_into_many_geodesics(crs: str) -> None:
    """An edge that is straight in its plane is a thousand short geodesics."""
    shape = _box_in(crs)
    (found,) = Plane(CRS(crs)).extents(np.array([shape]))
    edges = np.diff(shapely.get_coordinates(shape), axis=0)
    (truth,) = zone_areas(
        np.array([shapely.segmentize(shape, np.hypot(*edges.T).max() / 1000)]), crs
    )
    assert found == pytest.approx(truth, rel=1e-9)


@pytest.mark.parametrize("crs", CRSS)
def test_parts_add_up_however_a_feature_is_cut(crs: str) -> None:
    """The shares of a feature in the pieces of a cut plane sum to one."""
    shape = _box_in(crs)
    left, bottom, right, top = shape.bounds
    fan = [
        shapely.Polygon([(left, bottom), (left - 9 * (i == 0), top), (right + 9 * i, top)])
        for i in range(2)
    ]
    shares = [Plane(CRS(crs)).inside(np.array([shape]), part).share for part in fan[:1]]
    rest = shapely.difference(shape.buffer(right - left), fan[0])
    shares.append(Plane(CRS(crs)).inside(np.array([shape]), rest).share)
    assert np.concatenate(shares).sum() == pytest.approx(1, abs=1e-9)
    assert len(np.concatenate(shares)) == 2


def test_holes_and_parts_count() -> None:
    """A hole has no area, a second part has its own."""
    plane = Plane(CRS(4326))
    outer, inner = shapely.box(0, 0, 4, 4), shapely.box(1, 1, 2, 2)
    pierced = shapely.difference(outer, inner)
    several = shapely.MultiPolygon([inner, shapely.box(6, 0, 7, 1)])
    found = plane.extents(np.array([outer, inner, pierced, several, shapely.box(6, 0, 7, 1)]))
    assert found[2] == pytest.approx(found[0] - found[1], rel=1e-12)
    assert found[3] == pytest.approx(found[1] + found[4], rel=1e-12)


def test_a_feature_around_a_pole_has_the_area_of_its_cap() -> None:
    """Seen from above the pole, a ring runs around all longitudes."""
    polar = CRS("EPSG:3031")
    onto = Transformer.from_crs(4326, polar, always_xy=True)
    ring = np.column_stack(onto.transform(np.arange(0, 360, 0.25), np.full(1440, -80.0)))
    (found,) = Plane(polar).extents(np.array([shapely.Polygon(ring)]))
    (truth,) = Plane(CRS(4326)).extents(np.array([shapely.box(-180, -90, 180, -80)]))
    assert found == pytest.approx(truth, rel=1e-5)


def test_lines_have_metres_and_points_a_number() -> None:
    """A meridian's degree is that of the geodesic; a multipoint has as many as it has."""
    line, points = shapely.LineString([(3, 50), (3, 51)]), shapely.MultiPoint([(1, 1), (2, 2)])
    both = shapely.MultiLineString([line, shapely.LineString([(9, 50), (9, 51)])])
    found = Plane(CRS(4326)).extents(np.array([line, both, points, shapely.Point(0, 0)]))
    metres = GEOD.inv(3, 50, 3, 51)[2]
    assert found == pytest.approx([metres, 2 * metres, 2, 1])


def test_what_touches_the_border_only_is_not_inside() -> None:
    """Neighbours that share an edge or a corner, lines along the border, points on it."""
    area = shapely.box(0, 0, 1, 1)
    shapes = [
        shapely.box(1, 0, 2, 1), shapely.box(1, 1, 2, 2), shapely.LineString([(0, 0), (1, 0)]),
        shapely.LineString([(1, 1), (2, 2)]), shapely.Point(0.5, 0),
    ]  # fmt: skip
    assert Plane(CRS(4326)).inside(np.array(shapes), area).which.size == 0


def test_lines_and_points_are_inside_by_length_and_number() -> None:
    """Half of a line, a third of a multipoint; what runs along the border counts to neither."""
    area = shapely.box(0, 0, 1, 1)
    shapes = [
        shapely.LineString([(0.5, 0), (2.5, 0.0), (2.5, 1)]),
        shapely.LineString([(0.5, 0.5), (1.5, 0.5)]),
        shapely.MultiPoint([(0.5, 0.5), (0, 0), (3, 3)]),
        shapely.Point(0.1, 0.1),
    ]
    found = Plane(CRS(4326)).inside(np.array(shapes), area)
    assert found.which.tolist() == [1, 2, 3]
    assert found.share == pytest.approx([0.5, 1 / 3, 1])
    assert found.dimension.tolist() == [1, 0, 0]


def test_a_shape_that_meets_in_an_area_and_along_an_edge_keeps_the_area() -> None:
    """An intersection may be a collection of a polygon and a line."""
    horns = shapely.Polygon([(0, 0), (3, 0), (3, 1), (2, 1), (2, 0.5), (1, 0.5), (1, 1), (0, 1)])
    area = shapely.Polygon([(0, 0.75), (1.5, 0.5), (3, 0.75), (3, 2), (0, 2)])
    box = shapely.Polygon([(0, 0.5), (3, 0.5), (3, 2), (0, 2)])
    found = Plane(CRS(3035)).inside(np.array([horns, horns]), box)
    plain = shapely.intersection(horns, box)
    assert plain.geom_type in ("GeometryCollection", "MultiPolygon")
    assert ((found.share > 0) & (found.share < 1)).all()
    assert Plane(CRS(3035)).inside(np.array([horns]), area).share < found.share[0]


def test_an_area_in_another_plane_has_its_edges_bent() -> None:
    """A parallel is a curve in UTM: the middle of an edge along it lies on it within 5 cm."""
    plane = plane_of(CRS("EPSG:32631").to_wkt())
    shown = plane.shown(shapely.box(1, 50, 5, 52))
    back = Transformer.from_crs(32631, 4326, always_xy=True)
    xy = shapely.get_coordinates(shapely.segmentize(shown, 1000.0))
    lon, lat = back.transform(*xy.T)
    off = np.minimum.reduce([abs(lon - 1), abs(lon - 5), abs(lat - 50), abs(lat - 52)])
    assert off.max() * 111_320 < 0.05


def test_what_a_projection_does_not_show_is_empty() -> None:
    """The other side of the Earth is not on a map of one hemisphere."""
    plane = Plane(CRS("+proj=ortho +lat_0=50 +lon_0=5"))
    assert shapely.is_empty(plane.shown(shapely.box(-176, -51, -174, -49)))
    assert shapely.is_empty(plane.shown(shapely.Point(-175, -50)))


def test_an_area_about_an_antipode_is_refused() -> None:
    """What lies opposite of the centre of a map of Europe is its outer border."""
    plane = Plane(CRS("EPSG:3035"))
    with pytest.raises(Refusal):
        plane.shown(shapely.box(-172, -54, -168, -50))
    assert plane.shown(shapely.box(160, -50, 170, -40)).area > 0


def test_an_area_of_many_vertices_cuts_as_one_of_few() -> None:
    """Of a star of a thousand rays each feature meets a few; all of them have their share."""
    turn = np.linspace(0, 2 * np.pi, 4001)
    radius = 1 + 0.1 * np.sin(1000 * turn)
    star = shapely.Polygon(np.column_stack([radius * np.cos(turn), radius * np.sin(turn)]))
    side = np.arange(-1.2, 1.2, 0.06)
    left, bottom = (one.ravel() for one in np.meshgrid(side, side))
    shapes = shapely.box(left, bottom, left + 0.06, bottom + 0.06)
    plane = Plane(CRS("EPSG:3035"))
    found = plane.inside(shapes, star)
    truth = shapely.area(shapely.intersection(shapes, star)) / shapely.area(shapes)
    share = np.zeros(len(shapes))
    share[found.which] = found.share
    assert share == pytest.approx(truth, abs=1e-6)
