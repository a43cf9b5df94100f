"""Domains: what a projection shows is covered right to its very ends, and the rest is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from numpy.typing import NDArray

from zonalbatch.cover.coverage import cover
from zonalbatch.cover.domain import Domain
from zonalbatch.cover.outlines import Outlines, outline
from zonalbatch.lattice import TILE, Lattice, Window

DEGREES = "EPSG:4326"
EARTH = 5.100656217e14
"""Area of the WGS 84 ellipsoid, m²."""

ORTHO = pyproj.CRS("+proj=ortho +lat_0=60 +lon_0=10").to_wkt()
GNOMONIC = pyproj.CRS("+proj=gnom +lat_0=0 +lon_0=0").to_wkt()
LAEA = pyproj.CRS("+proj=laea +lat_0=-30 +lon_0=20").to_wkt()
WESTWARD = pyproj.CRS("+proj=laea +lat_0=-30 +lon_0=20 +axis=wnu").to_wkt()
"""Mirrored: x grows to the west."""
SINUSOIDAL = pyproj.CRS("+proj=sinu +R=6371007.181").to_wkt()
HOMOLOSINE = "ESRI:54052"

RNG = np.random.default_rng(7)


def star(x: float, y: float, reach: tuple[float, float], n: int = 40) -> shapely.Polygon:
    """A ragged polygon about a place, cut off at the poles and the antimeridian."""
    angle = np.sort(RNG.uniform(0, 2 * np.pi, n))
    radius = RNG.uniform(0.4, 1, n)
    lon = np.clip(x + reach[0] * radius * np.cos(angle), -180, 180)
    lat = np.clip(y + reach[1] * radius * np.sin(angle), -90, 90)
    return shapely.Polygon(np.column_stack([lon, lat]))


WORLD = shapely.box(-180, -90, 180, 90)
ZONES = {
    "world": WORLD,
    "half": shapely.box(-80, -90, 100, 90),
    "to the north pole": shapely.box(-180, -10, 180, 90),
    "to the south pole": shapely.box(-180, -90, 180, 20),
    "wedge": shapely.box(0, 60, 90, 90),
    "holes": WORLD - shapely.box(-179, 30, -150, 60) - shapely.Point(10, 50).buffer(20),
    "star": star(10, 20, (170, 70)),
    "huge star": star(30, 0, (150, 90)),
}


def outlined(zones: Sequence[Any], lattice: Lattice, crs: str = DEGREES, **about: Any) -> Outlines:
    """The outlines of zones in the CRS of a lattice."""
    wkb = np.array([shapely.to_wkb(zone) for zone in zones], dtype=object)
    return outline(wkb, crs, lattice.crs, cell=(lattice.dx, lattice.dy), **about)


def signed(outlines: Outlines) -> NDArray[np.float64]:
    """Signed area of each zone: the sum over its rings."""
    rings = np.split(outlines.xy, outlines.rings[1:-1])
    area = [
        shapely.Polygon(ring).area * (1 if shapely.LinearRing(ring).is_ccw else -1)
        for ring in rings
    ]
    return np.add.reduceat(area, outlines.zones[:-1])


def raster_at(crs: str, cell: float, left: float, top: float, side: int) -> tuple[Lattice, Window]:
    """A lattice with a cell's corner at its CRS's zero, and a square window of it."""
    row, col = round(-top / cell), round(left / cell)
    return Lattice(crs, cell, cell, 0.0, 0.0), Window(row, col, row + side, col + side)


def found(outlines: Outlines, lattice: Lattice, window: Window) -> list[NDArray[np.bool_]]:
    """For each zone, (row, col) of a window: whether the package covers a cell's centre."""
    coverage = cover(outlines, lattice, rule="center", extent=window)
    out = np.zeros((coverage.n_zones, *window.shape), dtype=bool)
    for piece, (first, stop) in enumerate(coverage.run_span):
        row = TILE * coverage.tile_row[piece] - window.top
        col = TILE * coverage.tile_col[piece] - window.left
        for at, length in zip(
            coverage.run_at[first:stop], coverage.run_length[first:stop], strict=True
        ):
            r, c = row + at // TILE, col + at % TILE
            if 0 <= r < window.shape[0]:
                out[coverage.zone[piece], r, max(c, 0) : max(c + length, 0)] = True
    return list(out)


class Ground:
    """Where the cells of a window lie in the zones' CRS: the slow way round, cell by cell."""

    def __init__(self, lattice: Lattice, window: Window, crs: str = DEGREES) -> None:
        self._change = pyproj.Transformer.from_crs(crs, lattice.crs, always_xy=True)
        row, col = np.mgrid[window.top : window.bottom, window.left : window.right] + 0.5
        self._x, self._y = lattice.dx * col, -lattice.dy * row
        self._edge = 180 if crs == DEGREES else np.inf
        reach = 0.06 * lattice.dx  # outlines may be off by 0.05 cells
        turns = np.arange(8) * np.pi / 4
        steps = [(0.0, 0.0), *zip(reach * np.cos(turns), reach * np.sin(turns), strict=True)]
        self._places = [self._at(*step, reach) for step in steps]

    def _at(self, dx: float, dy: float, reach: float) -> tuple[Any, Any]:
        """Places in the zones' CRS; NaN for what is not on the map."""
        x, y = self._x + dx, self._y + dy
        lon, lat = self._change.transform(x, y, direction="INVERSE")
        there = np.isfinite(lon) & np.isfinite(lat)
        again = self._change.transform(np.where(there, lon, 0), np.where(there, lat, 0))
        there &= np.hypot(again[0] - x, again[1] - y) < reach
        lon = np.clip(lon, 1e-7 - self._edge, self._edge - 1e-7)  # off the zones' very border
        return np.where(there, lon, np.nan), np.where(there, lat, np.nan)

    def inside(self, zone: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(row, col) whether a zone holds each cell's centre, and whether that is certain."""
        each = [np.asarray(shapely.contains_xy(zone, *place)) for place in self._places]
        return each[0], np.all([one == each[0] for one in each], axis=0)


def wrong(zones: Sequence[Any], lattice: Lattice, window: Window, crs: str = DEGREES) -> list[int]:
    """For each zone, how many cells of a window are covered and should not be, or the reverse."""
    ground = Ground(lattice, window, crs)
    covered = found(outlined(zones, lattice, crs), lattice, window)
    truth = [ground.inside(zone) for zone in zones]
    return [
        int((got != want)[certain].sum())
        for got, (want, certain) in zip(covered, truth, strict=True)
    ]


@pytest.mark.parametrize(
    ("crs", "cell", "left", "top", "side"),
    [
        pytest.param("EPSG:32633", 20e3, 5e5, 5e6, 40, id="UTM, where it is used"),
        pytest.param("EPSG:32633", 1e5, -8e6, 12e6, 160, id="UTM, to over the pole"),
        pytest.param("EPSG:3413", 5e4, -3.85e6, 5.85e6, 224, id="polar, a sea ice grid"),
        pytest.param("EPSG:3413", 2e5, -12e6, 12e6, 120, id="polar, across the equator"),
        pytest.param("EPSG:3857", 2e5, -20e6, 20e6, 200, id="Mercator"),
        pytest.param("EPSG:3832", 2e5, -20e6, 20e6, 200, id="Mercator about 150 degrees east"),
        pytest.param(SINUSOIDAL, 2e5, -20e6, 10e6, 200, id="sinusoidal"),
        pytest.param(LAEA, 2e5, -12.8e6, 12.8e6, 128, id="azimuthal, to the antipode"),
        pytest.param("EPSG:3035", 5e4, 9e5, 5.5e6, 110, id="Europe"),
        pytest.param("EPSG:3338", 1e5, -4e6, 5e6, 90, id="Alaska"),
        pytest.param(ORTHO, 1e5, -6.4e6, 6.4e6, 128, id="the Earth from afar"),
        pytest.param(GNOMONIC, 2e5, -6.4e6, 6.4e6, 64, id="gnomonic"),
        pytest.param(HOMOLOSINE, 2e5, -20e6, 8.8e6, 200, id="interrupted"),
        pytest.param("EPSG:5514", 5e4, -1e6, -9e5, 16, id="oblique, folded over elsewhere"),
        pytest.param("EPSG:27200", 5e4, 2e6, 6.8e6, 24, id="polynomial, wild elsewhere"),
    ],
)
def test_zones_beyond_what_is_shown_cover_the_right_cells(
    crs: str, cell: float, left: float, top: float, side: int
) -> None:
    """Whatever a zone does where a projection ends, on the map it covers what lies in it."""
    lattice, window = raster_at(crs, cell, left, top, side)
    count = wrong(list(ZONES.values()), lattice, window)
    assert dict(zip(ZONES, count, strict=True)) == dict.fromkeys(ZONES, 0)


@pytest.mark.parametrize(
    ("crs", "cell", "left", "top", "side"),
    [
        pytest.param("EPSG:32633", 1e5, -8e6, 12e6, 160, id="UTM"),
        pytest.param("EPSG:3413", 5e4, -3.85e6, 5.85e6, 224, id="polar"),
        pytest.param(LAEA, 2e5, -12.8e6, 12.8e6, 128, id="azimuthal"),
        pytest.param(GNOMONIC, 2e5, -6.4e6, 6.4e6, 64, id="gnomonic"),
    ],
)
def test_zones_in_metres_cover_the_right_cells(
    crs: str, cell: float, left: float, top: float, side: int
) -> None:
    """Zones whose edges are straight in Web Mercator are held to what is shown likewise."""
    mercator = pyproj.Transformer.from_crs(DEGREES, "EPSG:3857", always_xy=True)

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(mercator.transform(xy[:, 0], np.clip(xy[:, 1], -85.06, 85.06)))

    zones = [shapely.transform(zone, moved) for zone in ZONES.values()]
    lattice, window = raster_at(crs, cell, left, top, side)
    assert wrong(zones, lattice, window, "EPSG:3857") == [0] * len(zones)


def test_the_world_has_its_area_on_maps_that_keep_areas() -> None:
    """Nothing is lost of the world but a speck about the antipode, which is a ring on the map."""
    for crs in (LAEA, WESTWARD, "EPSG:6933", "EPSG:6932", "EPSG:3035"):
        outlines = outlined([WORLD, ZONES["half"]], Lattice(crs, 1e4, 1e4, 0.0, 0.0))
        np.testing.assert_allclose(signed(outlines), [EARTH, EARTH / 2], rtol=1e-4)


def test_maps_that_never_end_end_where_they_are_sixteen_times_too_large() -> None:
    """A zone to a pole that is infinitely far has finite outlines, beyond the square of tiles."""
    (mercator,) = outlined([WORLD], Lattice("EPSG:3857", 1e4, 1e4, 0.0, 0.0)).bounds
    assert (np.abs(mercator) > 20037508).all()
    assert (np.abs(mercator) < 2.6e7).all()
    (polar,) = outlined([WORLD], Lattice("EPSG:3413", 1e4, 1e4, 0.0, 0.0)).bounds
    assert (np.abs(polar) > 12.4e6).all()  # the equator is on it
    assert (np.abs(polar) < 5e7).all()


@pytest.mark.parametrize("densify", ["auto", "none"])
def test_a_zone_that_is_shown_whole_is_not_touched(densify: Any) -> None:
    """A zone so wide that it must be looked at has the vertices of its ring, each at its place."""
    box = shapely.box(-70, 10, 60, 70)
    for crs in ("EPSG:3035", SINUSOIDAL):
        out = outlined([box], Lattice(crs, 1e6, 1e6, 0.0, 0.0), densify=densify)
        change = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True)
        corners = np.column_stack(change.transform(*shapely.get_coordinates(box).T))
        assert {tuple(corner) for corner in corners} <= {tuple(vertex) for vertex in out.xy}


def test_a_zone_that_is_nowhere_on_the_map_has_no_rings() -> None:
    """The far side of the Earth, in degrees or in metres, is not seen from afar."""
    far = shapely.box(-180, -85, -160, -65)
    mercator = pyproj.Transformer.from_crs(DEGREES, "EPSG:3857", always_xy=True)
    metres = shapely.transform(far, lambda xy: np.column_stack(mercator.transform(*xy.T)))
    for crs, zone in ((DEGREES, far), ("EPSG:3857", metres)):
        assert len(outlined([zone], Lattice(ORTHO, 1e5, 1e5, 0.0, 0.0), crs).xy) == 0


@pytest.mark.parametrize("crs", ["EPSG:27200", "EPSG:2056"])
def test_fields_far_from_a_map_are_not_folded_onto_it(crs: str) -> None:
    """Where a map is a polynomial, or wraps around, the other side of the Earth is not on it."""
    fields = [shapely.box(x, y, x + 0.01, y + 0.01) for x in (-100, 100) for y in (30, -30)]
    lattice = Lattice(crs, 10.0, 10.0, 0.0, 0.0)
    change = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True)
    all_bounds = outlined(fields, lattice).bounds
    for field, (left, bottom, right, top) in zip(fields, all_bounds, strict=True):
        if np.isfinite(left):
            back = change.transform_bounds(left, bottom, right, top, direction="INVERSE")
            np.testing.assert_allclose(back, field.bounds, atol=0.01)


def test_zones_beside_change_no_bit() -> None:
    """A zone that is cut has the same outlines alone and among others."""
    zones = [ZONES[name] for name in ("world", "holes", "star")]
    for crs in ("EPSG:32633", LAEA, HOMOLOSINE):
        lattice = Lattice(crs, 1e5, 1e5, 0.0, 0.0)
        together = outlined(zones, lattice)
        rings = np.split(together.xy, together.rings[1:-1])
        for i, zone in enumerate(zones):
            alone = outlined([zone], lattice)
            first, stop = together.zones[i : i + 2]
            assert alone.xy.tobytes() == np.concatenate(rings[first:stop]).tobytes()


@pytest.mark.parametrize(
    ("crs", "cell", "left", "top", "side"),
    [(DEGREES, 1.0, -180, 90, 360), ("EPSG:3857", 1e5, -20e6, 20e6, 400)],
)
def test_tiles_that_hang_over_a_map_are_cut_at_its_border(
    crs: str, cell: float, left: float, top: float, side: int
) -> None:
    """A square of the sinusoidal grid, half of it off the Earth, keeps the half that is on it."""
    size = 1111950.52
    lattice, window = raster_at(crs, cell, left, top, side)
    tiles = [
        shapely.box(size * (h - 18), size * (8 - v), size * (h - 17), size * (9 - v))
        for h, v in ((18, 4), (11, 2), (24, 2))
    ]
    covered = found(outlined(tiles, lattice, SINUSOIDAL), lattice, window)
    truth = [Ground(lattice, window, SINUSOIDAL).inside(tile)[0] for tile in tiles]
    for got, want in zip(covered, truth, strict=True):
        assert (got != want).sum() <= 0.05 * want.sum()  # its border is found to some 30 km


def test_a_domain_that_is_all_hides_nothing() -> None:
    """Where a projection shows all of the Earth, nothing is hidden."""
    for crs in ("EPSG:6933", "ESRI:54008", "+proj=eqc"):
        source, target = pyproj.CRS(DEGREES), pyproj.CRS(crs)
        change = pyproj.Transformer.from_crs(source, target, always_xy=True)
        assert Domain.of(change, source, target).hidden.is_empty
