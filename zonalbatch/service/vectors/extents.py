"""Extents: how large features are on the ground, and which share of each lies in an area.

Edges are straight in the plane of the features' own CRS, as GeoParquet has them, where they are
also cut. So the parts of a feature add up to it, to rounding, however it is cut.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer

from zonalbatch.cover.projection import Change
from zonalbatch.cover.rings import Floats, Ints, Objects, Rings, ragged, unragged
from zonalbatch.projections import transformer
from zonalbatch.service.areas import WGS84
from zonalbatch.service.refusals import BAD, Refusal
from zonalbatch.zones.reader import fit_shapes
from zonalbatch.zones.shapes import polygonal

__all__ = ["SQUARE_METRES", "Inside", "Plane", "plane_of"]

EARTH = CRS(WGS84)
CELL = 0.5
"""Metres; of this a projected edge may be off by a tenth: 5 cm."""

LEAST = 1e-9
"""Shares below this are none: they come of rounding where borders are shared."""
FEW, PLAIN = 4, 256
"""Shapes, and vertices of an area, up to which it is not worth looking for what of it is near."""
NUMBER, METRES, SQUARE_METRES = range(3)
"""What points, lines and areas are counted in, by shapely's dimension."""


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """Features that lie in an area, wholly or in part."""

    which: Ints
    """(inside,) their places among those that were looked at."""
    share: Floats
    """(inside,) of each, 0 < share <= 1."""
    extent: Floats
    """(inside,) of the whole feature: m² of areas, metres of lines, the number of points."""
    dimension: Ints
    """(inside,) 0 of points, 1 of lines, 2 of areas."""


class Plane:
    """The plane of a CRS, in which features lie and are cut."""

    def __init__(self, crs: CRS) -> None:
        self.crs = crs
        self._earth = crs.geodetic_crs or EARTH
        self._geod = self._earth.get_geod() or Geod(ellps="WGS84")

    @cached_property
    def _onto(self) -> Change:
        """From longitudes and latitudes of WGS 84."""
        unit = self.crs.axis_info[0].unit_conversion_factor  # radians or metres
        radius = self._geod.a if self.crs.is_geographic else 1.0
        cell = CELL / (radius * unit)
        return Change.between(EARTH, self.crs, (cell, cell))

    @cached_property
    def _down(self) -> Transformer:
        return transformer(self.crs, self._earth)

    def shown(self, area: Any) -> Any:
        """A polygon or point of WGS 84 in this plane, its edges cut where they would be curves.

        What the projection does not show is left out, and what is left may be empty.

        Raises:
            Refusal: it is not the inside of a border there.
        """
        if shapely.get_type_id(area) == shapely.GeometryType.POINT:
            x, y = self._onto.transformer.transform(area.x, area.y)
            return shapely.Point(x, y) if np.isfinite([x, y]).all() else shapely.Point()
        shapes = fit_shapes(np.array([area]), WGS84)
        if self.crs.equals(EARTH, ignore_axis_order=True):
            return shapes[0]
        rings = self._onto.project(shapes, densify=True)
        shape = unragged(rings)[0]
        if shape.area < 0:  # about an antipode, the border of a hole is the outer one
            raise Refusal(
                BAD, "the area holds a place that the features' CRS puts everywhere; ask for less"
            )
        return shapely.make_valid(shape, method="structure")

    def inside(self, shapes: Objects, area: Any) -> Inside:
        """What lies in an area.

        Areas and lines are weighed by share, and what only touches the border has none. Points on
        the border, and parts of lines along it, do not lie in the area.

        Args:
            shapes: points, lines and areas, valid; none missing.
            area: a polygon or multipolygon; or a point, for which all that it lies in, or on, is
                inside wholly.
        """
        shapely.prepare(area)
        met = np.flatnonzero(shapely.intersects(area, shapes))
        shapes, extents = shapes[met], self.extents(shapes[met])
        if shapely.get_type_id(area) == shapely.GeometryType.POINT:
            share = np.ones(len(met))
        else:
            share = self._shares(shapes, extents, area)
        kept = share >= LEAST
        dimension = shapely.get_dimensions(shapes[kept]).astype(np.int64)
        return Inside(met[kept], share[kept], extents[kept], dimension)

    def extents(self, shapes: Objects) -> Floats:
        """(shape,) m² of areas, metres of lines, the number of points.

        Areas are exact for straight edges but for what a parabola through the ends and the middle
        of an edge leaves out: less than 1e-9 of the area for edges up to 10 km, 1e-6 up to 200 km.
        Lengths are those of geodesics between vertices: for lines of long edges in degrees, up to
        1e-5 less than along edges of 100 km.
        """
        dimension, out = shapely.get_dimensions(shapes), np.zeros(len(shapes))
        for one, measure in (
            (NUMBER, _number),
            (METRES, self._metres),
            (SQUARE_METRES, self._area),
        ):
            some = np.flatnonzero(dimension == one)
            if some.size:
                out[some] = measure(shapes[some])
        return out

    def _shares(self, shapes: Objects, extents: Floats, area: Any) -> Floats:
        share = shapely.contains_properly(area, shapes).astype(float)
        some = np.flatnonzero(share == 0)
        parts = _parts(shapes[some], area)
        with np.errstate(divide="ignore", invalid="ignore"):
            share[some] = self.extents(parts) / extents[some]
        return np.clip(np.nan_to_num(share, nan=0.0, posinf=0.0), 0.0, 1.0)

    def _metres(self, lines: Objects) -> Floats:
        parts, owner = shapely.get_parts(lines, return_index=True)
        xy, part = shapely.get_coordinates(parts, return_index=True)
        start = np.flatnonzero(part[1:] == part[:-1])
        lon, lat = self._radians(xy)
        _, _, metres = self._geod.inv(
            lon[start], lat[start], lon[start + 1], lat[start + 1], radians=True
        )
        return np.asarray(np.bincount(owner[part[start]], weights=metres, minlength=len(lines)))

    def _area(self, shapes: Objects) -> Floats:
        """Of polygons: in the plane of longitude and area north of the equator, areas are exact."""
        rings = ragged(shapes)
        start = np.delete(np.arange(len(rings.xy)), rings.rings[1:] - 1)
        a, b = rings.xy[start], rings.xy[start + 1]
        base = np.repeat(rings.rings[:-1], np.diff(rings.rings) - 1)
        south = self._equal_area(rings.xy[base])[1]
        (x, low), (x_mid, mid), (x_end, high) = map(self._equal_area, (a, (a + b) / 2, b))
        low, mid, high = low - south, mid - south, high - south  # small numbers keep their digits
        step, aside = self._turn(x_end - x), self._turn(x_mid - x)
        under = 0.5 * (low + high) * step
        under += 2.0 / 3.0 * (step * (mid - low) - aside * (high - low))
        ring = np.repeat(np.arange(len(rings.rings) - 1), np.diff(rings.rings) - 1)
        sums = np.bincount(ring, weights=under, minlength=len(rings.rings) - 1)
        turned = np.bincount(ring, weights=step, minlength=len(sums))
        polar = np.abs(turned) > np.pi
        if polar.any():
            base_of = self._equal_area(rings.xy[rings.rings[:-1][polar]])[1]
            whole = 2 * np.pi * _north(np.array(np.pi / 2), self._geod)
            sums[polar] = whole - np.abs(sums[polar] + base_of * turned[polar])
        return _by_shape(np.abs(sums), rings)

    def _equal_area(self, xy: Floats) -> tuple[Floats, Floats]:
        """Longitudes, radians; areas between the equator and each latitude, m² for each radian."""
        lon, lat = self._radians(xy)
        return lon, _north(lat, self._geod)

    def _radians(self, xy: Floats) -> tuple[Floats, Floats]:
        """Longitudes and latitudes of places in the plane."""
        if self.crs.is_geographic:
            lon, lat = (xy * self.crs.axis_info[0].unit_conversion_factor).T
            return lon, lat
        lon, lat = self._down.transform(xy[:, 0], xy[:, 1])
        unit = self._earth.axis_info[0].unit_conversion_factor
        return lon * unit, lat * unit

    def _turn(self, angle: Floats) -> Floats:
        """Steps of longitude: as they are drawn in degrees, else the short way."""
        if self.crs.is_geographic:
            return angle
        return angle - 2 * np.pi * np.rint(angle / (2 * np.pi))


@lru_cache(64)
def plane_of(wkt: str) -> Plane:
    """That of a CRS; PROJ may take a second to find the ways there and back."""
    return Plane(CRS.from_wkt(wkt))


def _parts(shapes: Objects, area: Any) -> Objects:
    """What of each shape lies in an area."""
    parts = _cut(shapes, area)
    dimension = shapely.get_dimensions(shapes)
    thin = np.flatnonzero(dimension < SQUARE_METRES)
    if thin.size:
        parts[thin] = shapely.difference(parts[thin], shapely.boundary(area))
    # Where shapes touch, an intersection has parts of fewer dimensions.
    mixed = shapely.get_dimensions(parts) != dimension
    parts[mixed] = None
    crowds = np.flatnonzero(shapely.get_type_id(parts) == shapely.GeometryType.GEOMETRYCOLLECTION)
    parts[crowds] = [_thick(parts[i], dimension[i]) for i in crowds]
    return parts


def _cut(shapes: Objects, area: Any) -> Objects:
    """Intersections of shapes with an area, each with no more of a large area than is near it."""
    if len(shapes) <= FEW or shapely.get_num_coordinates(area) <= PLAIN:
        return np.asarray(shapely.intersection(shapes, area))
    left, bottom, right, top = shapely.bounds(shapes).T
    x, y = left + right, bottom + top
    place = x if np.ptp(x) > np.ptp(y) else y
    beyond = place > np.median(place)
    if not beyond.any():
        return np.asarray(shapely.intersection(shapes, area))
    out = np.empty(len(shapes), object)
    for some in (beyond, ~beyond):
        near = shapely.intersection(area, shapely.box(*shapely.total_bounds(shapes[some])))
        out[some] = _cut(shapes[some], polygonal(np.array([near]), Counter())[0])
    return out


def _thick(crowd: Any, dimension: int) -> Any:
    """The parts of a collection that have a dimension."""
    parts = shapely.get_parts(crowd)
    kept = parts[shapely.get_dimensions(parts) == dimension]
    return shapely.multipolygons(kept) if dimension == SQUARE_METRES else shapely.union_all(kept)


def _number(points: Objects) -> Floats:
    return shapely.get_num_coordinates(points).astype(float)


def _north(latitude: Floats, geod: Geod) -> Floats:
    """Area between the equator and a latitude, m² for each radian of longitude.

    Snyder, Map Projections: A Working Manual, USGS Professional Paper 1395 (1987), equation 3-12.
    """
    sine, e = np.sin(latitude), np.sqrt(geod.es)
    if e == 0.0:
        return np.asarray(geod.a**2 * sine)
    bent = sine / (1.0 - geod.es * sine * sine) + np.arctanh(e * sine) / e
    return np.asarray(0.5 * geod.a**2 * (1.0 - geod.es) * bent)


def _by_shape(areas: Floats, rings: Rings) -> Floats:
    """Exteriors less their holes, summed by shape."""
    signs = np.full(len(areas), -1.0)
    signs[rings.polygons[:-1]] = 1.0
    shape = np.repeat(np.arange(len(rings.shapes) - 1), np.diff(rings.polygons[rings.shapes]))
    return np.asarray(np.bincount(shape, weights=signs * areas, minlength=len(rings.shapes) - 1))
