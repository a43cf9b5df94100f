"""Longitudes: shapes in degrees brought to one turn of the globe, split where they leave it.

Whole batches are looked at at once; only the few shapes that cross the antimeridian are visited
one by one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import antimeridian
import numpy as np
import shapely
from pyproj import CRS

from zonalbatch.errors import ZonesError
from zonalbatch.zones.shapes import (
    Floats,
    Ints,
    Objects,
    joined,
    note,
    repaired,
    single_polygons,
)

__all__ = [
    "as_drawn",
    "at_the_seam",
    "refuse_metres",
    "split_at_antimeridian",
    "to_longitudes",
]

ROUNDING = 1e-9
"""Longitudes that miss the antimeridian by less are put on it, degrees."""

LEAP = 270.0
"""An edge of more degrees than this crosses the antimeridian, where shapes were drawn by hand."""

POLAR = 45.0
"""A ring poleward of this latitude whose edges turn about the pole goes around it, degrees."""


def refuse_metres(bounds: Floats, crs: CRS) -> None:
    """Raise if coordinates are no degrees while the CRS says so; ``bounds`` are (shape, 4)."""
    left, bottom, right, top = bounds.T
    wrong = np.flatnonzero(np.maximum(np.abs([left, right]) / 8, np.abs([bottom, top])).max(0) > 90)
    if wrong.size:
        where = f"({left[wrong[0]]:g}, {bottom[wrong[0]]:g})"
        raise ZonesError(
            f"{wrong.size} of {len(bounds)} zones have coordinates such as {where}, which are no "
            f"degrees, while their CRS is {crs.name}; say which CRS they are in (gdf.set_crs)"
        )


def at_the_seam(bounds: Floats) -> Ints:
    """Which shapes of these (shape, 4) bounds `split_at_antimeridian` may change: few, or none."""
    left, _, right, _ = bounds.T
    return np.flatnonzero((left < ROUNDING - 180) | (right > 180 - ROUNDING) | (right - left > 180))


def as_drawn(shapes: Objects, tally: Counter[str]) -> Objects:
    """Shapes whose edges of more than 180 degrees are cut up, unless they cross the antimeridian.

    RFC 7946, section 3.1.9, has shapes cut at the antimeridian, so that a box from -133 to 133 is
    266 degrees wide. But many are not cut: the short way of an edge is meant if that is less than
    90 degrees, or if the ring goes around a pole. Other edges get vertices, 90 degrees apart at
    most, by which they can no longer be misunderstood.
    """
    parts, row = single_polygons(shapes)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    edges = np.flatnonzero(np.diff(ring) == 0)
    ring, step = ring[edges], np.diff(xy[:, 0])[edges]
    turn = np.bincount(ring, weights=(step + 180) % 360 - 180, minlength=len(rings))
    _, bottom, _, top = shapely.bounds(rings).T
    polar = (np.abs(turn) > 180) & ((bottom > POLAR) | (top < -POLAR))
    wide, leap = _is_jump(step), _is_jump(step, LEAP)
    drawn = np.setdiff1d(part[ring[wide]], [*part[ring[leap]], *part[polar]])
    if not drawn.size:
        return shapes
    parts[drawn] = shapely.segmentize(parts[drawn], 90.0)
    changed = np.unique(row[drawn])
    shapes = shapes.copy()
    shapes[changed] = joined(parts, row, len(shapes))[changed]
    note(tally, "wide", changed.size)
    return shapes


def split_at_antimeridian(shapes: Objects, tally: Counter[str] | None = None) -> Objects:
    """Shapes in degrees with every longitude in -180..180, split where they cross that line.

    An edge of more than 180 and less than 360 degrees is taken to go the short way round. An
    edge of exactly 360 runs along a frame's border, as Antarctica's does, and crosses nothing.
    """
    tally = Counter() if tally is None else tally
    shapes = _snapped(shapes)
    crossing = _crossing(shapes)
    left, _, right, _ = shapely.bounds(shapes).T
    beyond = np.flatnonzero(((left < -180) | (right > 180)) & ~crossing)
    if beyond.size:
        shapes[beyond] = to_longitudes(shapes[beyond], -180.0)
    for i in np.flatnonzero(crossing):  # few: a shape in a million
        shapes[i] = _split(shapes[i])
    note(tally, "split", crossing.sum())
    note(tally, "moved", beyond.size)
    return shapes


def _snapped(shapes: Objects) -> Objects:
    """Shapes with longitudes that miss +-180 by rounding only put there, lest slivers arise."""
    xy = shapely.get_coordinates(shapes)
    near = np.flatnonzero((np.abs(np.abs(xy[:, 0]) - 180) < ROUNDING) & (np.abs(xy[:, 0]) != 180))
    shapes = shapes.copy()
    if near.size:
        xy[near, 0] = np.copysign(180.0, xy[near, 0])
        shapely.set_coordinates(shapes, xy)
    return shapes


def _crossing(shapes: Objects) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which shapes have an edge that goes the short way round the antimeridian."""
    flags = np.zeros(len(shapes), dtype=bool)
    left, _, right, _ = shapely.bounds(shapes).T
    wide = np.flatnonzero(right - left > 180)  # an edge is no wider than its shape
    if wide.size:
        parts, part_row = single_polygons(shapes[wide])
        rings, ring_part = shapely.get_rings(parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        jump = _is_jump(np.diff(xy[:, 0])) & (np.diff(ring) == 0)
        flags[wide[part_row[ring_part[ring[:-1][jump]]]]] = True
    return flags


def _is_jump(step: Floats, least: float = 180.0) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which edges are wider than ``least`` and narrower than the 360 degrees of a frame."""
    return np.asarray((np.abs(step) > least) & (np.abs(step) < 360))


def _split(shape: Any) -> Any:
    """One crossing shape, cut in two or more at the antimeridian; around a pole if it goes so."""
    parts = shapely.transform(shapely.get_parts(shape), _wrapped)
    fixed = [_split_polygon(part) for part in parts]
    pieces = np.concatenate([shapely.get_parts(piece) for piece in fixed])
    whole = np.array([shapely.multipolygons(pieces)], dtype=object)
    return repaired(whole)[0]


def _wrapped(xy: Floats) -> Floats:
    """Coordinates with longitudes beyond +-180 brought back; those within are kept to the bit."""
    lon = xy[:, 0]
    outside = np.abs(lon) > 180
    return np.column_stack([np.where(outside, (lon + 180) % 360 - 180, lon), xy[:, 1]])


def _split_polygon(polygon: shapely.Polygon) -> Any:
    xy = shapely.get_coordinates(polygon.exterior)
    turn = ((np.diff(xy[:, 0]) + 180) % 360 - 180).sum()
    if abs(turn) < 180:
        return antimeridian.fix_polygon(polygon, fix_winding=True, great_circle=False)
    # It goes around a pole: eastward has the north pole on its left, westward the south pole.
    north = xy[:, 1].mean() > 0
    if (turn > 0) != north:
        polygon = shapely.reverse(polygon)
    return antimeridian.fix_polygon(polygon, fix_winding=False, great_circle=False)


def to_longitudes(shapes: Objects, west: float) -> Objects:
    """Shapes in degrees moved by turns of 360 so that longitudes lie in ``west..west + 360``.

    A polygon that straddles the seam is split there; others are only moved.
    """
    parts, row = single_polygons(shapes)
    left, _, right, _ = shapely.bounds(parts).T
    turns = np.floor((left - west) / 360)
    # A polygon whose left edge lies on the seam's end touches it only: it stays on this side.
    straddles = right - 360 * turns > west + 360
    moved = _turned(parts, turns)
    pieces, piece_row = _cut(moved[straddles], row[straddles], west)
    polygons = np.concatenate([moved[~straddles], pieces])
    rows = np.concatenate([row[~straddles], piece_row])
    order = np.argsort(rows, kind="stable")
    return joined(polygons[order], rows[order], len(shapes))


def _turned(shapes: Objects, turns: Floats) -> Objects:
    """Shapes moved west by whole turns; those with none keep every bit."""
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    xy[:, 0] -= 360.0 * turns[row]
    return np.asarray(shapely.set_coordinates(shapes.copy(), xy), dtype=object)


def _cut(shapes: Objects, row: np.ndarray[Any, Any], west: float) -> tuple[Objects, Any]:
    """Polygons that reach past ``west + 360`` cut there, the rest moved a turn to the west.

    Shapes wider than a turn would overlap themselves; they are united.
    """
    if not len(shapes):
        return shapes, row
    shapes = repaired(shapes)
    last = int(np.ceil((shapely.bounds(shapes)[:, 2].max() - west) / 360))
    turns = [np.full(len(shapes), float(k)) for k in range(last)]
    bands = [shapely.box(west + 360 * k, -90, west + 360 * (k + 1), 90) for k in range(last)]
    pieces = [
        _turned(np.asarray(shapely.intersection(shapes, band)), turn)
        for band, turn in zip(bands, turns, strict=True)
    ]
    parts, index = single_polygons(np.asarray(shapely.union_all(np.array(pieces), axis=0)))
    return parts, row[index]
