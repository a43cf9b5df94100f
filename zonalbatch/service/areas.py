"""Areas: what a question is about, from GeoJSON, checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from zonalbatch.cover.areas import zone_areas
from zonalbatch.cover.rings import Objects
from zonalbatch.service.refusals import BAD, TOO_LARGE, Refusal
from zonalbatch.service.settings import Settings
from zonalbatch.zones.buffers import circles
from zonalbatch.zones.longitudes import as_drawn, at_the_seam, split_at_antimeridian
from zonalbatch.zones.shapes import polygonal, repaired

__all__ = ["WGS84", "Area", "area_of"]

WGS84 = "OGC:CRS84"
"""The CRS of GeoJSON (RFC 7946, section 4): longitude and latitude, in this order."""
_EARTH = CRS(WGS84)
ROUNDING = 1e-9
"""Degrees by which files of whole countries overshoot the end of the Earth."""


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon, a multipolygon, or a point."""

    shape: Any
    """Shapely's, longitude and latitude; repaired."""
    metres: float
    """Its geodesic area, m²; 0 of a point."""

    @property
    def is_point(self) -> bool:
        """True of a point without a circle around it."""
        return bool(shapely.get_type_id(self.shape) == shapely.GeometryType.POINT)


def area_of(aoi: Mapping[str, Any], settings: Settings, *, bounded: bool = True) -> Area:
    """The area that GeoJSON names.

    Args:
        aoi: a Polygon or MultiPolygon; or a Point with, perhaps, a ``radius`` in metres, which
            stands for the circle around it, drawn in its UTM zone.
        settings: how many vertices and square kilometres there may be.
        bounded: False lets it be of any size on the ground.

    Raises:
        Refusal: it is no such shape, lies beyond the Earth, or is too large.
    """
    shape = _shape(aoi, settings.vertices)
    if aoi.get("radius"):
        shape = circles(np.array([shape]), _EARTH, float(aoi["radius"]))[0]
        if shape is None or shapely.is_empty(shape):
            raise Refusal(BAD, "no circle of that radius can be drawn there")
    if shapely.get_type_id(shape) != shapely.GeometryType.POINT:
        shape = _as_meant(polygonal(repaired(np.array([shape]), Counter()), Counter()))[0]
        if shapely.is_empty(shape):
            raise Refusal(BAD, "the area is empty: its ring has no inside; correct it")
    metres = float(zone_areas(np.array([shape]), WGS84)[0])
    if bounded and metres > settings.area * 1e6:
        raise Refusal(
            TOO_LARGE,
            f"the area has {metres / 1e6:,.0f} km², and at most {settings.area:,.0f} are "
            "measured at once; ask for less, or approx_stats",
        )
    return Area(shape, metres)


def _as_meant(shapes: Objects) -> Objects:
    """Shapes with edges of more than half the Earth cut up, and split at the antimeridian."""
    some = at_the_seam(shapely.bounds(shapes))
    shapes[some] = split_at_antimeridian(as_drawn(shapes[some], Counter()))
    return shapes


def _shape(aoi: Mapping[str, Any], vertices: int) -> Any:
    try:
        shape = shapely.geometry.shape(dict(aoi))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, shapely.GEOSException):
        raise Refusal(
            BAD, f"the coordinates are those of no {aoi.get('type')}; see RFC 7946"
        ) from None
    count = int(shapely.get_num_coordinates(shape))
    if count > vertices:
        raise Refusal(
            TOO_LARGE, f"the area has {count:,} vertices, and at most {vertices:,} are measured"
        )
    most = np.array([180.0, 90.0])
    places = shapely.get_coordinates(shape)
    if not count or not (np.abs(places) <= most + ROUNDING).all():
        raise Refusal(
            BAD, "the area lies beyond the Earth: longitudes are -180 to 180, latitudes -90 to 90"
        )
    return shapely.set_coordinates(shapely.force_2d(shape), np.clip(places, -most, most))
