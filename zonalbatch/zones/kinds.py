"""Kinds: areas, lines and points; a zone is of one kind."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import shapely

from zonalbatch.errors import ZonesError
from zonalbatch.zones.shapes import EMPTY, Objects, note

__all__ = ["are_thin", "of_one_kind", "refuse_all_but_points"]

POINT, LINE, RING, AREA, POINTS, LINES, AREAS, MIXED = range(8)  # shapely's type ids
THIN = (POINT, LINE, RING, POINTS, LINES)

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def are_thin(shapes: Objects) -> Mask:
    """(shape,) True for lines and points, which have no inside."""
    return np.asarray(np.isin(shapely.get_type_id(shapes), THIN) & ~shapely.is_empty(shapes))


def of_one_kind(shapes: Objects, tally: Counter[str]) -> Objects:
    """Collections without an area made lines or, without a line, points; other shapes as they are.

    Of a collection with an area only the polygons are kept, when it is repaired.
    """
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == MIXED)
    thin = mixed[shapely.get_dimensions(shapes[mixed]) < 2] if mixed.size else mixed
    if not thin.size:
        return shapes
    shapes = shapes.copy()
    shapes[thin] = [_thickest(shape) for shape in shapes[thin]]
    note(tally, "parts", thin.size)
    return shapes


def refuse_all_but_points(shapes: Objects, start: int) -> None:
    """Raise if a shape is neither a single point nor empty; ``start`` is the row of the first.

    Raises:
        ZonesError: naming the first such row.
    """
    single = np.isin(shapely.get_type_id(shapes), (-1, POINT)) | shapely.is_empty(shapes)
    others = np.flatnonzero(~single)
    if others.size:
        row, kind = others[0], shapes[others[0]].geom_type
        raise ZonesError(
            f"interpolate is of single points, but row {start + row} of the zones is a {kind}; "
            "explode multipoints (gdf.explode) or, for statistics of what zones cover, leave "
            "interpolate out"
        )


def _thickest(collection: shapely.GeometryCollection) -> Any:
    """The lines of a collection as one shape or, if it has none, the points."""
    parts = [collection]
    while any(part.geom_type.startswith(("Multi", "Geometry")) for part in parts):
        parts = list(shapely.get_parts(parts))
    dimension = shapely.get_dimensions(parts)
    kept = [part for part, of in zip(parts, dimension, strict=True) if of == dimension.max()]
    if not kept or dimension.max() < 0:
        return EMPTY
    return shapely.multilinestrings(kept) if dimension.max() else shapely.multipoints(kept)
