"""Buffers: shapes grown by metres, whatever the units of their CRS."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from zonalbatch.zones.longitudes import split_at_antimeridian
from zonalbatch.zones.shapes import Floats, Objects, joined, polygonal, repaired, single_polygons

__all__ = ["buffered"]


def buffered(shapes: Objects, crs: CRS, metres: float) -> Objects:
    """Shapes grown by metres, in the CRS itself or, if it is geographic, in UTM."""
    if not crs.is_geographic:
        factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
        return polygonal(shapely.buffer(shapes, metres / factor), Counter())
    parts, row = single_polygons(shapes)
    grown = np.empty(len(parts), dtype=object)
    centres = shapely.get_coordinates(shapely.point_on_surface(parts))
    codes = _utm(centres)
    for code in np.unique(codes):
        group = codes == code
        grown[group] = _buffered_in(parts[group], crs, CRS.from_epsg(int(code)), metres)
    pieces, piece_row = single_polygons(split_at_antimeridian(grown))
    # Parts of one zone may have grown into each other: repairing unites them.
    return repaired(joined(pieces, row[piece_row], len(shapes)))


def _utm(lon_lat: Floats) -> np.ndarray[Any, np.dtype[np.int64]]:
    """EPSG code of the UTM zone (or, beyond 84 degrees, of UPS) of each place."""
    lon, lat = lon_lat.T
    zone = np.clip(np.floor((lon + 180) / 6), 0, 59).astype(np.int64) + 1
    north = lat >= 0
    utm = np.where(north, 32600, 32700) + zone
    return np.where(np.abs(lat) > 84, np.where(north, 32661, 32761), utm)


def _buffered_in(shapes: Objects, crs: CRS, local: CRS, metres: float) -> Objects:
    """Shapes grown in a CRS that is true to scale where they lie."""
    out = Transformer.from_crs(crs, local, always_xy=True)
    back = Transformer.from_crs(local, crs, always_xy=True)
    grown = shapely.buffer(_moved(shapes, out), metres)
    return _moved(np.asarray(grown), back)


def _moved(shapes: Objects, transformer: Transformer) -> Objects:
    xy = shapely.get_coordinates(shapes)
    there = np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
    return np.asarray(shapely.set_coordinates(shapes.copy(), there))
