"""Buffers: shapes grown or shrunk by metres, and circles, whatever the units of their CRS."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from zonalbatch.zones.longitudes import at_the_seam, split_at_antimeridian, to_longitudes
from zonalbatch.zones.shapes import (
    Floats,
    Ints,
    Objects,
    joined,
    note,
    polygonal,
    repaired,
    single_polygons,
)  # fmt: skip

__all__ = ["buffered", "circles"]

CORNERS = 64
"""Of a circle, whose area they keep: its outline is 0.08 % of the radius off at most."""

DEGREES = CRS("OGC:CRS84")
"""Where UTM zones lie."""


def buffered(
    shapes: Objects, crs: CRS, metres: float, tally: Counter[str] | None = None
) -> Objects:
    """Shapes grown by metres, in the CRS itself or, if it is geographic, in UTM.

    Args:
        shapes: areas, lines and points, one part or several each.
        crs: their CRS.
        metres: negative ones shrink areas and leave nothing of lines and points.
        tally: is told how many shapes vanish.
    """
    grown = _grown_by_degrees if crs.is_geographic else _grown
    found = polygonal(grown(shapes, crs, metres), Counter())
    vanished = shapely.is_empty(found) & ~shapely.is_empty(shapes)
    note(Counter() if tally is None else tally, "vanished", vanished.sum())
    return found


def circles(points: Objects, crs: CRS, radius: float) -> Objects:
    """Circles of a radius in metres about points, drawn in the UTM zone that each lies in.

    The circles of a multipoint are one shape; where there is no point there is an empty one.
    """
    xy, row = shapely.get_coordinates(points, return_index=True)
    finite = np.isfinite(xy).all(axis=1)
    xy, row = xy[finite], row[finite]
    codes = _utm(xy if crs.is_geographic else _placed(xy, crs, DEGREES))
    rings = np.empty((len(xy), CORNERS, 2))
    for code in np.unique(codes):
        group, local = codes == code, CRS.from_epsg(int(code))
        centres = _placed(xy[group], crs, local)[:, None]
        rings[group] = _placed(centres + radius * _unit_circle(), local, crs)
    drawn = np.asarray(shapely.polygons(rings), dtype=object)
    return _united(drawn, row, len(points), crs)


def _grown(shapes: Objects, crs: CRS, metres: float) -> Objects:
    factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return np.asarray(shapely.buffer(shapes, metres / factor))


def _grown_by_degrees(shapes: Objects, crs: CRS, metres: float) -> Objects:
    parts, row = shapely.get_parts(_whole(shapes), return_index=True)
    parts, row = parts[~shapely.is_empty(parts)], row[~shapely.is_empty(parts)]
    grown = np.empty(len(parts), dtype=object)
    codes = _utm(shapely.get_coordinates(shapely.point_on_surface(parts)))
    for code in np.unique(codes):
        group = codes == code
        grown[group] = _buffered_in(parts[group], crs, CRS.from_epsg(int(code)), metres)
    return _united(grown, row, len(shapes), crs)


def _whole(shapes: Objects) -> Objects:
    """Areas that are split at the antimeridian made whole, lest they shrink from that line too."""
    left, _, right, _ = shapely.bounds(shapes).T
    split = (left == -180) & (right == 180) & (shapely.get_dimensions(shapes) == 2)
    if not split.any():
        return shapes
    shapes = shapes.copy()
    shapes[split] = shapely.union_all(to_longitudes(shapes[split], 0.0)[:, None], axis=1)
    return shapes


def _united(polygons: Objects, row: Ints, count: int, crs: CRS) -> Objects:
    """One shape for each of ``count`` rows: the union of its polygons, split where they must be."""
    if crs.is_geographic:
        seam = at_the_seam(shapely.bounds(polygons))
        polygons[seam] = split_at_antimeridian(polygons[seam])
    parts, inner = single_polygons(polygons)
    shapes = joined(parts, row[inner], count)
    several = np.flatnonzero(shapely.get_num_geometries(shapes) > 1)
    if several.size:  # parts of one shape may have grown into each other
        shapes[several] = shapely.union_all(shapes[several, None], axis=1)
    return repaired(shapes)


def _utm(lon_lat: Floats) -> np.ndarray[Any, np.dtype[np.int64]]:
    """EPSG code of the UTM zone (or, beyond 84 degrees, of UPS) of each place."""
    lon, lat = lon_lat.T
    zone = np.floor((lon + 180) / 6).astype(np.int64) % 60 + 1
    north = lat >= 0
    utm = np.where(north, 32600, 32700) + zone
    return np.where(np.abs(lat) > 84, np.where(north, 32661, 32761), utm)


def _unit_circle() -> Floats:
    """(corner, 2) a polygon about zero with the area of a circle of radius 1."""
    angle = 2 * np.pi * np.arange(CORNERS) / CORNERS
    radius = np.sqrt(np.pi / (CORNERS / 2 * np.sin(2 * np.pi / CORNERS)))
    return np.asarray(radius * np.column_stack([np.cos(angle), np.sin(angle)]))


def _buffered_in(shapes: Objects, crs: CRS, local: CRS, metres: float) -> Objects:
    """Shapes grown in a CRS that is true to scale where they lie."""
    grown = np.asarray(shapely.buffer(_moved(shapes, crs, local), metres))
    return _moved(grown, local, crs)


def _moved(shapes: Objects, source: CRS, target: CRS) -> Objects:
    xy = _placed(shapely.get_coordinates(shapes), source, target)
    return np.asarray(shapely.set_coordinates(shapes.copy(), xy))


def _placed(xy: Floats, source: CRS, target: CRS) -> Floats:
    """(..., 2) coordinates in another CRS; x before y in both."""
    transformer = Transformer.from_crs(source, target, always_xy=True)
    return np.stack(transformer.transform(xy[..., 0], xy[..., 1]), axis=-1)
