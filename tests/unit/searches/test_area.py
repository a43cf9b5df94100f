"""Where zones lie: few boxes to ask for, small boxes that what is found must meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from zonalbatch.errors import InputError, ZonesError
from zonalbatch.searches.area import CELLS, SEARCHES, Area, few_boxes, held_boxes
from zonalbatch.zones import open_zones


def area_of(*shapes: shapely.Geometry, crs: Any = "EPSG:4326", to: Any = None) -> Area:
    """The area of zones of one CRS, given in another."""
    frame = geopandas.GeoDataFrame(geometry=list(shapes), crs=crs)
    return Area.of_zones(open_zones(frame if to is None else frame.to_crs(to)))


def asked(area: Area) -> list[list[float]]:
    """The boxes that are asked for, from west to east."""
    return sorted(place["bbox"] for place in area.asked)


@given(
    st.lists(
        st.tuples(
            st.integers(-179, 178), st.integers(-89, 88), st.integers(0, 98), st.integers(1, 99)
        ),
        min_size=1, max_size=60,
    )
)  # fmt: skip
def test_every_zone_lies_in_the_boxes(corners: list[tuple[int, int, int, int]]) -> None:
    """Whatever zones there are, the cells hold each of them, and the few boxes hold the cells."""
    shapes = [shapely.box(x + s / 99, y, x + 1, y + h / 99) for x, y, s, h in corners]
    cells = held_boxes([np.array(shapes, dtype=object)], 0.1)
    boxes = few_boxes(cells)
    held, asked_for = ([shapely.box(*box) for box in some.tolist()] for some in (cells, boxes))
    assert all(any(one.covers(shape) for one in held) for shape in shapes)
    assert all(any(one.covers(shape) for one in asked_for) for shape in held)
    assert len(boxes) <= SEARCHES


@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_groups_far_apart_are_asked_for_by_themselves(count: int, random: Any) -> None:
    """Groups of zones 20 degrees apart make a box each, no larger than they are."""
    places = [(20 * (i % 6) - 60, 20 * (i // 6)) for i in range(count)]
    shapes = [
        shapely.box(x + dx, y + dy, x + dx + 0.1, y + dy + 0.1)
        for x, y in places
        for dx, dy in [(0, 0), (0.9, 0.9), *((random.random(), random.random()) for _ in range(5))]
    ]
    boxes = few_boxes(held_boxes([np.array(shapes, dtype=object)], 0.1))
    assert len(boxes) == count
    np.testing.assert_array_less(boxes[:, 2:] - boxes[:, :2], 1.2)


def test_near_zones_are_asked_for_at_once() -> None:
    """Zones spread over less than a scene are one search, however many they are."""
    random = np.random.default_rng(0)
    left, bottom = random.uniform(5, 6, 5000), random.uniform(50, 51, 5000)
    shapes = shapely.box(left, bottom, left + 0.001, bottom + 0.001)
    assert asked(area_of(*shapes)) == [
        pytest.approx([left.min(), bottom.min(), left.max() + 0.001, bottom.max() + 0.001])
    ]


def test_cells_stay_few() -> None:
    """Zones all over the world are held by a bounded number of cells, batch by batch."""
    random = np.random.default_rng(1)
    batches = [
        np.asarray(shapely.points(random.uniform((-180, -90), (180, 90), (20_000, 2))))
        for _ in range(3)
    ]
    cells = held_boxes(batches, 0.1)
    assert CELLS / 8 < len(cells) <= CELLS
    assert len(few_boxes(cells)) <= SEARCHES


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3832", "EPSG:32760", "EPSG:3857"])
def test_zones_on_both_sides_of_the_antimeridian_make_two_boxes(crs: str) -> None:
    """179.9 and -179.9 are two boxes, also where a CRS has them side by side."""
    area = area_of(
        shapely.box(179.8, -17, 179.9, -16), shapely.box(-179.9, -17, -179.8, -16), to=crs
    )
    west, east = asked(area)
    assert -180 <= west[0] < west[2] < -179.7
    assert 179.7 < east[0] < east[2] <= 180


def test_a_zone_across_the_antimeridian_makes_two_boxes() -> None:
    """A zone from 179.5 to -179.5 is not asked for around the world."""
    across = shapely.Polygon([(179.5, 10), (-179.5, 10), (-179.5, 11), (179.5, 11)])
    west, east = asked(area_of(across))
    assert west == pytest.approx([-180, 10, -179.5, 11])
    assert east == pytest.approx([179.5, 10, 180, 11])


@pytest.mark.parametrize("crs", ["EPSG:32631", "EPSG:3035", "EPSG:2154", "EPSG:4258"])
def test_zones_of_any_crs(crs: str) -> None:
    """Boxes are in longitudes and latitudes, and hold the zones where they really lie."""
    zone = shapely.box(3, 50, 3.5, 50.2)
    (box,) = asked(area_of(zone, to=crs))
    west, south, east, north = box
    assert shapely.box(west, south, east, north).buffer(1e-6).covers(zone)
    assert box == pytest.approx([3, 50, 3.5, 50.2], abs=0.05)


def test_a_zone_around_a_pole() -> None:
    """All longitudes, up to the pole."""
    ring = shapely.Point(0, 0).buffer(1e6)
    (box,) = asked(area_of(ring, crs="EPSG:3031"))
    assert box[:3] == [-180, -90, 180]


def test_parts_are_looked_at_one_by_one() -> None:
    """Two islands of one zone are two boxes, and the sea between them is none."""
    islands = shapely.union(shapely.box(-60, 10, -59, 11), shapely.box(55, -20, 56, -19))
    assert len(asked(area_of(islands))) == 2


def test_what_meets_no_cell_is_left_out() -> None:
    """A scene between two fields meets the box of both, but neither of them."""
    area = area_of(shapely.box(5, 50, 5.01, 50.01), shapely.box(5.9, 50.9, 5.91, 50.91))
    assert len(area.asked) == 1
    between, beside = shapely.box(5.3, 50.3, 5.6, 50.6), shapely.box(4.9, 49.9, 5.005, 50.005)
    shapes = [shapely.geometry.mapping(shape) for shape in (between, beside)]
    assert area.meets(shapes).tolist() == [False, True]


def test_footprints_that_make_no_sense_are_let_through() -> None:
    """One broken item does not end a search: what it is, its file tells."""
    broken: list[Any] = [
        {"type": "Polygon"}, {"type": "Foo", "coordinates": []}, {}, 5, None,
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": []}, {"type": "Point", "coordinates": ["a", "b"]},
    ]  # fmt: skip
    far = shapely.geometry.mapping(shapely.box(50, 9, 51, 10))
    met = area_of(shapely.box(5, 50, 6, 51)).meets([*broken, far])
    assert met.tolist() == [True] * len(broken) + [False]


@pytest.mark.parametrize("given", ["1,2,3,4", 5, [1, 2, 3], [1, 2, 3, "x"], [1, 2, None, 4]])
def test_what_is_no_box(given: Any) -> None:
    """It is refused with what was given."""
    with pytest.raises(InputError, match=r"bbox .* is no box; give west, south, east and north"):
        Area.of_box(given)


def test_scenes_across_the_antimeridian_are_met() -> None:
    """Footprints drawn from 179 to -179, beyond 180, or split, all meet a zone at 179.9."""
    area = area_of(shapely.box(179.85, 10, 179.9, 10.1))
    drawn = [
        shapely.Polygon([(179, 9), (-179, 9), (-179, 11), (179, 11)]),
        shapely.box(179, 9, 181, 11),
        shapely.union(shapely.box(179, 9, 180, 11), shapely.box(-180, 9, -179, 11)),
        shapely.Polygon([(-179.9, 9), (-179, 9), (-179, 11), (-179.9, 11)]),
    ]
    shapes = [shapely.geometry.mapping(shape) for shape in drawn]
    assert area.meets(shapes).tolist() == [True, True, True, False]


def test_a_box_of_the_users() -> None:
    """One with west beyond east crosses the antimeridian."""
    assert asked(Area.of_box([5, 50, 6, 51])) == [[5, 50, 6, 51]]
    assert asked(Area.of_box([179, -1, -178, 1])) == [[-180, -1, -178, 1], [179, -1, 180, 1]]
    for wrong in ([5, 50, 6], [5, 51, 6, 50], [5, 50, 600, 51], [np.nan, 0, 1, 1]):
        with pytest.raises(InputError, match="is no box"):
            Area.of_box(wrong)


def test_a_shape_of_the_users() -> None:
    """GeoJSON or shapely; what is neither is refused."""
    circle = shapely.Point(5, 50).buffer(1)
    for given_shape in (circle, shapely.geometry.mapping(circle)):
        area = Area.of_shape(given_shape)
        assert area.asked[0]["intersects"]["type"] == "Polygon"
        corner = shapely.geometry.mapping(shapely.box(4, 49, 4.1, 49.1))
        assert area.meets([corner]).tolist() == [False]
    with pytest.raises(InputError, match="no GeoJSON geometry"):
        Area.of_shape({"type": "Polygon"})


def test_zones_without_a_place_are_refused() -> None:
    """No zone, only empty ones, and zones where their CRS has no longitudes."""
    with pytest.raises(ZonesError, match="no zone to search for"):
        area_of(shapely.Polygon())
    with pytest.raises(ZonesError, match="have no longitudes"):
        area_of(shapely.box(5e8, 0, 9e8, 1), crs="EPSG:32631")


@pytest.mark.parametrize(
    ("name", "searches", "share"),
    [
        ("fiboa/convert/india_10k/india_10k.zip", 10, 0.05),
        ("fiboa/convert/nl_block/referentiepercelen.gpkg", 2, 0.01),
        ("naturalearth/naturalearth_cities/naturalearth_cities.shp", 9, 0.5),
    ],
)
def test_real_zones(data_dir: Path, name: str, searches: int, share: float) -> None:
    """Fields spread over India are ten searches of a twentieth of the box around all."""
    area = Area.of_zones(open_zones(str(data_dir / "zones" / name)))
    boxes = np.array(asked(area))
    sides = boxes[:, 2:] - boxes[:, :2]
    around = boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)
    assert len(boxes) == searches
    assert sides.prod(axis=1).sum() < share * around.prod()
