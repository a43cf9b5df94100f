"""Outlines: the same bits for neighbours, the true place within 1/20 of a cell, nothing lost."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas
import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely

from zonalbatch.cover.outlines import Outlines, outline

CELL = (10.0, 10.0)


def wkb(*shapes: shapely.Geometry | None) -> pa.Array:
    """A column of WKB."""
    return pa.array(shapely.to_wkb(np.array(shapes, dtype=object)).tolist(), pa.binary())


def rings(outlines: Outlines) -> list[np.ndarray]:
    """The rings one by one."""
    return np.split(outlines.xy, outlines.rings[1:-1])


def signed(outlines: Outlines) -> np.ndarray:
    """Signed area of each zone: the sum over its rings."""
    area = [shapely.Polygon(r).area * (1 if shapely.LinearRing(r).is_ccw else -1)
            for r in rings(outlines)]  # fmt: skip
    return np.add.reduceat(area, outlines.zones[:-1])


def test_same_crs_passes_every_bit() -> None:
    """Coordinates in the lattice's own CRS are not touched."""
    ring = np.random.default_rng(1).normal(5e5, 1e3, (7, 2))
    hull = shapely.orient_polygons(shapely.convex_hull(shapely.MultiPoint(ring)))
    out = outline(wkb(hull), "EPSG:32633", "EPSG:32633", cell=CELL)
    assert out.xy.tobytes() == shapely.get_coordinates(hull).tobytes()
    assert out.xy.flags.c_contiguous


def test_axis_order_is_no_difference() -> None:
    """OGC:CRS84 and EPSG:4326 are the same CRS here: x is the longitude."""
    box = shapely.orient_polygons(shapely.box(0.1, 0.2, 0.7, 0.3))
    out = outline(wkb(box), "OGC:CRS84", "EPSG:4326", cell=(0.1, 0.1))
    assert out.xy.tobytes() == shapely.get_coordinates(box).tobytes()


def test_offsets_of_mixed_zones() -> None:
    """Polygons, multipolygons, holes, empty and null zones keep their places."""
    hole = shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    many = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), hole])
    column = wkb(hole, None, shapely.Polygon(), many, shapely.MultiPolygon())
    out = outline(column, "EPSG:3857", "EPSG:3857", cell=CELL)
    assert out.zones.tolist() == [0, 2, 2, 2, 5, 5]
    assert out.rings.tolist() == [0, 5, 10, 15, 20, 25]
    assert signed(outline(wkb(hole, many), "EPSG:3857", "EPSG:3857", cell=CELL)).tolist() == [
        80.0,
        81.0,
    ]
    np.testing.assert_array_equal(out.bounds[0], [0, 0, 9, 9])
    assert np.isnan(out.bounds[[1, 2, 4]]).all()


@pytest.mark.parametrize("column", [[], [None], [shapely.Polygon()], [shapely.Polygon(), None]])
def test_nothing_makes_no_rings(column: list) -> None:
    """No zones, or zones without a place, are fine in any CRS."""
    for crs in ("EPSG:3857", "EPSG:32633"):
        out = outline(wkb(*column), "EPSG:3857", crs, cell=CELL)
        assert len(out.xy) == 0
        assert out.zones.tolist() == [0] * (len(column) + 1)
        assert np.isnan(out.bounds).all()


def test_chunked_and_numpy_columns_are_the_same() -> None:
    """A column may be an array, a chunked one, or bytes in numpy."""
    column = wkb(shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3))
    chunked = pa.chunked_array([column[:1], column[1:]])
    outs = [
        outline(c, "EPSG:3857", "EPSG:3857", cell=CELL)
        for c in (column, chunked, column.to_numpy(zero_copy_only=False))
    ]
    assert len({out.xy.tobytes() for out in outs}) == 1


def test_clockwise_exteriors_are_turned() -> None:
    """Exteriors come out counter-clockwise and holes clockwise, however they were wound."""
    hole = shapely.Polygon([(0, 0), (0, 9), (9, 9), (9, 0)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    assert signed(outline(wkb(hole), "EPSG:3857", "EPSG:3857", cell=CELL))[0] == 80


def test_projection_that_mirrors_keeps_exteriors_counter_clockwise() -> None:
    """A CRS whose x grows to the west still gives positive areas."""
    mirrored = pyproj.CRS("+proj=utm +zone=33 +axis=wnu").to_wkt()
    box = shapely.box(5e5, 5e6, 5.01e5, 5.001e6)
    for crs in ("EPSG:32633", mirrored):
        there = outline(wkb(box), "EPSG:32633", crs, cell=CELL)
        assert signed(there)[0] == pytest.approx(1e6, rel=1e-6)


@pytest.mark.parametrize(
    ("crs", "lattice", "cell", "box"),
    [
        ("EPSG:4326", "EPSG:32633", 10.0, (12.0, 45.0, 18.0, 50.0)),
        ("EPSG:4326", "EPSG:3035", 100.0, (-10.0, 35.0, 30.0, 70.0)),
        ("EPSG:32633", "EPSG:4326", 1e-4, (3e5, 5e6, 7e5, 6e6)),
        ("EPSG:4326", "EPSG:3413", 1000.0, (-170.0, 60.0, 170.0, 80.0)),
        ("EPSG:4326", "EPSG:32633", 10.0, (14.0, -1.0, 16.0, 1.0)),
    ],
)
def test_edges_stay_within_a_twentieth_of_a_cell(
    crs: str, lattice: str, cell: float, box: tuple
) -> None:
    """Points along the true edge lie within 1/20 of a cell of the outline."""
    shape = shapely.box(*box)
    out = outline(wkb(shape), crs, lattice, cell=(cell, cell))
    ends = shapely.get_coordinates(shape)
    share = np.random.default_rng(0).random((2000, 1))
    line = shapely.LineString(out.xy)
    change = pyproj.Transformer.from_crs(crs, lattice, always_xy=True)
    for a, b in pairwise(ends):
        true = np.column_stack(change.transform(*(a + share * (b - a)).T))
        assert shapely.distance(line, shapely.points(true)).max() <= 0.0505 * cell


def test_densify_none_projects_vertices_only() -> None:
    """Without subdivision there are as many vertices as there were, at pyproj's places."""
    box = shapely.box(12, 45, 18, 50)
    out = outline(wkb(box), "EPSG:4326", "EPSG:32633", cell=CELL, densify="none")
    change = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32633", always_xy=True)
    assert (
        out.xy.tolist()
        == np.column_stack(change.transform(*shapely.get_coordinates(box).T)).tolist()
    )


def test_small_fields_get_no_vertices() -> None:
    """An edge of 100 m between UTM zones is straight enough for cells of 10 m."""
    fields = [shapely.box(x, 5e6, x + 100, 5e6 + 100) for x in np.linspace(3e5, 8e5, 50)]
    out = outline(wkb(*fields), "EPSG:32633", "EPSG:32634", cell=CELL)
    assert len(out.xy) == 250


@pytest.mark.parametrize("lattice", ["EPSG:32633", "EPSG:3035"])
def test_neighbours_share_every_bit_of_their_border(lattice: str) -> None:
    """A shared edge gets the same points from both sides, though a neighbour may be tiny."""
    rng = np.random.default_rng(3)
    border = rng.uniform([14.0, 40.0], [15.0, 50.0], (9, 2))
    border = border[np.argsort(border[:, 1])]
    west = shapely.Polygon([*border, (13.0, 50.5), (8.0, 39.0)])
    east = shapely.Polygon([*border, (16.0, 50.1), (15.5, 39.9)])
    out = outline(wkb(west, east), "EPSG:4326", lattice, cell=CELL)
    seen = [{tuple(v) for v in ring} for ring in rings(out)]
    ends = outline(wkb(west), "EPSG:4326", lattice, cell=CELL, densify="none").xy
    a, b = sorted(ends[:9, 1])[0], sorted(ends[:9, 1])[-1]
    change = pyproj.Transformer.from_crs(lattice, "EPSG:4326", always_xy=True)
    inner = {v for v in seen[0] | seen[1] if a <= v[1] <= b and _on(change, v, border)}
    assert len(inner) > 100
    assert inner <= seen[0]
    assert inner <= seen[1]


def _on(change: pyproj.Transformer, vertex: tuple, border: np.ndarray) -> bool:
    point = shapely.Point(*change.transform(*vertex))
    return shapely.LineString(border).distance(point) < 1e-8


def test_each_zone_is_outlined_as_if_alone() -> None:
    """What surrounds a zone changes none of its bits."""
    boxes = [(14, 45, 15, 46), (2, 40, 14, 60), (15, 45, 15.001, 45.001)]
    zones = [shapely.box(*box) for box in boxes]
    together = rings(outline(wkb(*zones), "EPSG:4326", "EPSG:32633", cell=CELL))
    for zone, ring in zip(zones, together, strict=True):
        alone = outline(wkb(zone), "EPSG:4326", "EPSG:32633", cell=CELL)
        assert alone.xy.tobytes() == ring.tobytes()


def test_zones_on_a_0_360_grid_are_moved_or_split() -> None:
    """West of Greenwich is moved by 360; what straddles Greenwich is split there."""
    zones = [shapely.box(-20, 0, -10, 5), shapely.box(10, 0, 20, 5), shapely.box(-5, 0, 5, 5)]
    out = outline(wkb(*zones), "EPSG:4326", "EPSG:4326", cell=(1, 1), west=0.0)
    np.testing.assert_array_equal(out.bounds[0], [340, 0, 350, 5])
    np.testing.assert_array_equal(out.bounds[1], [10, 0, 20, 5])
    np.testing.assert_array_equal(out.bounds[2], [0, 0, 360, 5])
    np.testing.assert_allclose(signed(out), [50, 50, 50])


def test_a_world_wide_zone_fills_a_0_360_grid() -> None:
    """The whole world is the whole world from any meridian on."""
    for west in (-180.0, 0.0, -30.5, 180.0):
        world = wkb(shapely.box(-180, -90, 180, 90))
        out = outline(world, "EPSG:4326", "EPSG:4326", cell=(1, 1), west=west)
        assert signed(out)[0] == pytest.approx(360 * 180)
        np.testing.assert_allclose(out.bounds[0], [west, -90, west + 360, 90])


def test_projected_zones_across_the_antimeridian_are_split() -> None:
    """A box in UTM zone 60 that crosses 180 degrees has a part on either side of a lon/lat grid."""
    box = shapely.box(6e5, 5e6, 8e5, 5.01e6)
    plain = outline(wkb(box), "EPSG:32660", "EPSG:4326", cell=(1e-3, 1e-3))
    moved = outline(wkb(box), "EPSG:32660", "EPSG:4326", cell=(1e-3, 1e-3), west=0.0)
    assert plain.bounds[0, 0] == -180
    assert plain.bounds[0, 2] == 180
    assert moved.bounds[0, 2] - moved.bounds[0, 0] < 3
    assert signed(plain)[0] == pytest.approx(signed(moved)[0], rel=1e-9)


def test_zones_beyond_the_projection_are_cut_to_what_it_shows() -> None:
    """The whole world covers a UTM raster whole, and a field beside it keeps its bits."""
    world = shapely.box(-180, -89, 180, 89)
    field = shapely.box(14, 45, 14.1, 45.1)
    out = outline(wkb(world, field), "EPSG:4326", "EPSG:32633", cell=CELL)
    parts = [shapely.Polygon(ring) for ring in rings(out)[:-1]]
    assert any(part.covers(shapely.box(4e5, 5e6, 5e5, 5.1e6)) for part in parts)
    alone = outline(wkb(field), "EPSG:4326", "EPSG:32633", cell=CELL)
    assert rings(out)[-1].tobytes() == alone.xy.tobytes()


def test_zones_without_finite_coordinates_keep_what_has_some() -> None:
    """Where a projection has no value, a zone is cut, and no other zone with it."""
    column = wkb(shapely.box(-2e7, -4e6, 1.2e7, 4e6), shapely.box(0, 0, 1e5, 1e5))
    gnomonic = pyproj.CRS("+proj=gnom +lat_0=0 +lon_0=0").to_wkt()
    out = outline(column, "EPSG:3857", gnomonic, cell=CELL)
    assert out.zones.tolist() == [0, 1, 2]
    assert np.isfinite(out.xy).all()
    assert shapely.covers(shapely.Polygon(rings(out)[0]), shapely.box(-3e6, -3e6, 3e6, 3e6))


def test_antarctica_round_trips(data_dir: Path) -> None:
    """Antarctica in polar stereographic keeps its area to the map scale, pole included."""
    frame = geopandas.read_file(data_dir / "zonal_tools/exactextract_wkt/antarctica.geojson")
    column = wkb(*frame.geometry.array)
    laea = outline(column, "EPSG:4326", "EPSG:6932", cell=(1e4, 1e4))
    geodesic = abs(
        pyproj.Geod(ellps="WGS84").geometry_area_perimeter(
            shapely.segmentize(shapely.make_valid(frame.geometry.iloc[0]), 0.5)
        )[0]
    )
    assert signed(laea)[0] == pytest.approx(geodesic, rel=2e-2)


def test_real_fields_match_geopandas(data_dir: Path) -> None:
    """Real fields lie where geopandas projects them."""
    frame = geopandas.read_parquet(data_dir / "zones/fiboa/improve/be_vlg_2024_fiboa_0_2.parquet")
    out = outline(wkb(*frame.geometry.array), "EPSG:31370", "EPSG:32631", cell=CELL)
    there = frame.to_crs("EPSG:32631")
    np.testing.assert_allclose(out.bounds, there.bounds.to_numpy(), atol=0.5)
    np.testing.assert_allclose(signed(out), there.area.to_numpy(), rtol=1e-3)
