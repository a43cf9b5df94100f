"""Shapes: geometries made valid, two-dimensional and polygonal, a whole batch at once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import shapely

__all__ = [
    "EMPTY",
    "MULTIPOLYGON",
    "POLYGON",
    "Floats",
    "Ints",
    "Objects",
    "flat",
    "joined",
    "note",
    "polygonal",
    "repaired",
    "single_polygons",
]

Objects = np.ndarray[Any, np.dtype[np.object_]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

EMPTY = shapely.Polygon()
POLYGON, MULTIPOLYGON, COLLECTION = 3, 6, 7  # shapely's type ids


def flat(shapes: Objects, doubtful: Ints, tally: Counter[str]) -> Objects:
    """2-D shapes, none missing, with finite coordinates only; ``doubtful`` are those to look at."""
    shapes = shapes.copy()
    high = np.flatnonzero(shapely.has_z(shapes))
    shapes[high] = shapely.force_2d(shapes[high])
    shapes[shapely.is_missing(shapes)] = EMPTY
    xy, zone = shapely.get_coordinates(shapes[doubtful], return_index=True)
    infinite = doubtful[np.unique(zone[~np.isfinite(xy).all(axis=1)])]
    shapes[infinite] = EMPTY
    note(tally, "infinite", infinite.size)
    return shapes


def repaired(shapes: Objects, tally: Counter[str] | None = None) -> Objects:
    """Valid polygons: what rings enclose an odd number of times, whichever way they are wound.

    This is the default of GEOS, PostGIS and shapely (``linework``), so that zones mended here and
    there are the same. A part that overlaps another of its zone loses the overlap.
    """
    tally = Counter() if tally is None else tally
    shapes = polygonal(shapes, tally)
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    if broken.size:
        mended = shapely.make_valid(shapes[broken], method="linework")
        shapes[broken] = polygonal(mended, Counter())
    note(tally, "repaired", broken.size)
    return shapes


def polygonal(shapes: Objects, tally: Counter[str]) -> Objects:
    """The polygons of mixed collections; other shapes as they are."""
    shapes = shapes.copy()
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == COLLECTION)
    if mixed.size:
        shapes[mixed] = joined(*single_polygons(shapes[mixed]), mixed.size)
    note(tally, "parts", mixed.size)
    shapes[~np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON))] = EMPTY
    return shapes


def single_polygons(shapes: Objects) -> tuple[Objects, np.ndarray[Any, Any]]:
    """Single polygons at any depth of nesting, none empty, and the row that each comes from."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    while np.any(shapely.get_type_id(parts) > POLYGON):
        parts, inner = shapely.get_parts(parts, return_index=True)
        row = row[inner]
    keep = (shapely.get_type_id(parts) == POLYGON) & ~shapely.is_empty(parts)
    return parts[keep], row[keep]


def joined(polygons: Objects, row: np.ndarray[Any, Any], count: int) -> Objects:
    """One shape for each of ``count`` rows out of single polygons, whose rows are ascending."""
    out = np.full(count, EMPTY, dtype=object)
    rows, first, parts = np.unique(row, return_index=True, return_counts=True)
    if rows.size:
        out[rows] = shapely.multipolygons(polygons, indices=np.repeat(np.arange(rows.size), parts))
        out[rows[parts == 1]] = polygons[first[parts == 1]]
    return out


def note(tally: Counter[str], what: str, count: int) -> None:
    """Add to what the notes will tell of; nothing is said of nothing."""
    if count:
        tally[what] += int(count)
