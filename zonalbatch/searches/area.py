"""Area: where zones lie, as small boxes that hold them and few boxes to ask an API for.

zones ─► bounds, one for each cell of a coarse grid ─► degrees ─► cut into few boxes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from zonalbatch.errors import InputError, ZonesError
from zonalbatch.sources import geometry_told
from zonalbatch.zones import ZoneReader, fit_shapes

__all__ = ["EVERYWHERE", "Area", "few_boxes", "held_boxes"]

Boxes = NDArray[np.float64]
"""(box, 4): west, south, east, north."""

DEGREES, METRES = 0.1, 10_000.0
"""Side of the cells by which bounds of zones are put together, to begin with."""
CELLS = 4096
"""How many cells are kept at most; their side is doubled until they are so few."""
SCENE = 1.0
"""About how wide a scene is, degrees: a search finds those of a box and of half a scene around."""
SEARCHES = 24
"""How many boxes are asked for at most."""
WORTH, LEAST = 1 / 16, 4.0
"""A box is cut in two if that spares so much of what all boxes find, and so many scenes a date."""
DIGITS = 7
"""Decimals of degrees that are asked for: a centimetre."""


def _objects(shapes: Sequence[Any]) -> NDArray[np.object_]:
    """Geometries as an array."""
    made: NDArray[np.object_] = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """Where to look: the places to ask for, and the shapes that what is found must meet."""

    asked: tuple[Mapping[str, Any], ...]
    """``bbox`` or ``intersects`` of each search; empty keys ask for all the world."""
    shapes: NDArray[np.object_]
    """Polygons in degrees; none of them stands for all the world."""

    @classmethod
    def of_zones(cls, zones: ZoneReader) -> Area:
        """Where zones lie, whatever their CRS; they are streamed once.

        Raises:
            ZonesError: there is none, or they lie beyond where their CRS is valid.
        """
        crs = CRS.from_user_input(zones.crs)
        cells = _in_degrees(held_boxes(zones.shapes(), _side(crs)), crs)
        if not len(cells):
            raise ZonesError("there is no zone to search for; check the file, or give a bbox")
        return cls._of(few_boxes(cells), cells)

    @classmethod
    def of_box(cls, bbox: Sequence[float]) -> Area:
        """A box (west, south, east, north), degrees; one with west > east crosses 180°.

        Raises:
            InputError: it is no such box.
        """
        try:
            box = np.array([float(side) for side in bbox])
        except (TypeError, ValueError):
            box = np.empty(0)
        if box.shape != (4,) or not _is_box(box):
            raise InputError(
                f"bbox {bbox!r} is no box; give west, south, east and north in degrees"
            )
        boxes = _split(box[None])
        return cls._of(boxes, boxes)

    @classmethod
    def of_shape(cls, shape: Any) -> Area:
        """A GeoJSON geometry, or a shapely one, in degrees.

        Raises:
            InputError: it is no geometry.
        """
        document = getattr(shape, "__geo_interface__", shape)
        if not isinstance(document, Mapping) or "type" not in document:
            raise InputError(
                f"intersects={shape!r} is no GeoJSON geometry; give type and coordinates"
            )
        try:
            made = shapely.geometry.shape(dict(document))
        except Exception as error:  # whatever shapely says of what is no geometry
            raise InputError(
                f"intersects is no GeoJSON geometry ({error}); give type and coordinates"
            ) from error
        return cls(({"intersects": dict(document)},), _objects([made]))

    @classmethod
    def _of(cls, boxes: Boxes, cells: Boxes) -> Area:
        asked = [{"bbox": [float(side) for side in box]} for box in _outward(boxes)]
        return cls(tuple(asked), np.asarray(shapely.box(*cells.T), dtype=object))

    def meets(self, footprints: Sequence[Any]) -> NDArray[np.bool_]:
        """Which GeoJSON geometries meet the area; those that make no sense are let through."""
        if not len(self.shapes):
            return np.ones(len(footprints), dtype=bool)
        shapes = _objects([geometry_told(one) for one in footprints])
        left, bottom, right, top = shapely.bounds(shapes).T
        usable = (np.abs([bottom, top]).max(0) <= 90) & (np.abs([left, right]).max(0) <= 360)
        found = ~usable
        fit = fit_shapes(shapes[usable], "EPSG:4326")
        tree = shapely.STRtree(self.shapes)
        met = np.unique(tree.query(fit, predicate="intersects")[0])
        found[np.flatnonzero(usable)[met]] = True
        return found


EVERYWHERE = Area(({},), _objects([]))
"""All the world."""


def held_boxes(shapes: Iterable[NDArray[np.object_]], side: float) -> Boxes:
    """At most `CELLS` boxes that hold all shapes, whose parts are looked at one by one.

    Args:
        shapes: geometries, batch by batch.
        side: of the cells by which bounds are put together at first, in units of the CRS.
    """
    boxes: Boxes = np.empty((0, 4))
    for some in shapes:
        bounds = shapely.bounds(shapely.get_parts(some))
        boxes = np.concatenate([boxes, bounds[~np.isnan(bounds).any(axis=1)]])
        while True:
            boxes = _by_cell(boxes, side)
            if len(boxes) <= CELLS:
                break
            side *= 2
    return boxes


def _by_cell(boxes: Boxes, side: float) -> Boxes:
    """The bounds of all boxes whose middles lie in one cell, for each cell."""
    if not len(boxes):
        return boxes
    middles = np.floor((boxes[:, :2] + boxes[:, 2:]) / (2 * side))
    column, row = np.clip(middles, -(2**30), 2**30).astype(np.int64).T
    cell = (column << 32) + row
    order = np.argsort(cell, kind="stable")
    first = np.flatnonzero(np.diff(cell[order], prepend=cell[order[0]] - 1))
    low = np.minimum.reduceat(boxes[order, :2], first)
    high = np.maximum.reduceat(boxes[order, 2:], first)
    return np.concatenate([low, high], axis=1)


def few_boxes(cells: Boxes) -> Boxes:
    """At most `SEARCHES` boxes that hold all cells and find hardly more scenes than these do."""
    groups = [cells]
    cuts = [_best_cut(cells)]
    while len(groups) < SEARCHES:
        whole = sum(_cost(_around(group)) for group in groups)
        best = int(np.argmax([spared for spared, _, _ in cuts]))
        spared, one, other = cuts[best]
        if spared < max(WORTH * whole, LEAST * SCENE**2):
            break
        groups[best : best + 1] = [one, other]
        cuts[best : best + 1] = [_best_cut(one), _best_cut(other)]
    return np.array([_around(group) for group in groups])


def _best_cut(boxes: Boxes) -> tuple[float, Boxes, Boxes]:
    """What it spares to cut a group in two by a line, at best, and the two groups."""
    best = (0.0, boxes, boxes[:0])
    if len(boxes) < 2:
        return best
    whole = _cost(_around(boxes))
    for axis in (0, 1):
        ordered = boxes[np.argsort(boxes[:, axis], kind="stable")]
        before, after = _running(ordered), _running(ordered[::-1])[::-1]
        spared = whole - _cost(before[:-1]) - _cost(after[1:])
        at = int(np.argmax(spared))
        if spared[at] > best[0]:
            best = (float(spared[at]), ordered[: at + 1], ordered[at + 1 :])
    return best


def _running(boxes: Boxes) -> Boxes:
    """The bounds of the first box, of the first two, and so on."""
    low = np.minimum.accumulate(boxes[:, :2])
    return np.concatenate([low, np.maximum.accumulate(boxes[:, 2:])], axis=1)


def _around(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _cost(boxes: Boxes) -> Any:
    """How many scenes a search of each box finds, more or less: its size grown by a scene."""
    sides = boxes[..., 2:] - boxes[..., :2] + SCENE
    return sides[..., 0] * sides[..., 1]


def _in_degrees(boxes: Boxes, crs: CRS) -> Boxes:
    """Boxes of longitudes and latitudes that hold boxes of a CRS, none of them across 180°."""
    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    moved = np.array([transformer.transform_bounds(*box) for box in boxes]).reshape(-1, 4)
    wrong = np.flatnonzero([not _is_box(box) for box in moved])
    if wrong.size:
        where = ", ".join(f"{side:g}" for side in boxes[wrong[0]])
        raise ZonesError(
            f"zones within {where} have no longitudes and latitudes, as they lie beyond where "
            f"{crs.name} is valid; correct their CRS, or give the search a bbox"
        )
    return _split(moved)


def _side(crs: CRS) -> float:
    """Side of the first cells in units of a CRS."""
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return float(np.radians(DEGREES) / unit if crs.is_geographic else METRES / unit)


def _is_box(box: Boxes) -> bool:
    west, south, east, north = box
    return bool(
        np.isfinite(box).all() and max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90
    )


def _split(boxes: Boxes) -> Boxes:
    """Boxes with those that cross 180° cut there."""
    crossing = boxes[:, 0] > boxes[:, 2]
    west, east = boxes[crossing].copy(), boxes[crossing].copy()
    west[:, 2], east[:, 0] = 180.0, -180.0
    return np.concatenate([boxes[~crossing], west, east])


def _outward(boxes: Boxes) -> Boxes:
    """Boxes with their sides rounded outward."""
    scale = 10.0**DIGITS
    low, high = np.floor(boxes[:, :2] * scale) / scale, np.ceil(boxes[:, 2:] * scale) / scale
    limit = np.array([180.0, 90.0])
    return np.concatenate([np.maximum(low, -limit), np.minimum(high, limit)], axis=1)
