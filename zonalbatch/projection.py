"""Projection: rings brought to the CRS of a lattice, their edges cut where they would be curves.

An edge is subdivided by what it is itself, from its smaller endpoint, so that two neighbours that
share it get the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from zonalbatch.rings import (
    Bounds,
    Floats,
    Ints,
    Objects,
    Rings,
    ragged,
    spans,
    unragged,
    zone_bounds,
    zone_of_vertex,
)
from zonalbatch.zones.longitudes import split_at_antimeridian

__all__ = ["Change", "in_reach"]

TOLERANCE = 0.05
"""How far a projected edge may lie from its true place, cells."""

MOST_PIECES = 4096
"""An edge is cut into no more pieces than this; more means that it runs into a singularity."""

ROUNDS = 4
"""How often an edge that is still off after subdivision is subdivided further."""

PAD = 0.05
"""By which share an extent is grown before zones are clipped to it."""

REACH = 20.0
"""How far beyond its CRS's area of use a projection is trusted, degrees."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The way from the zones' CRS to the lattice's."""

    transformer: Transformer
    """From the zones' CRS to the target; x before y in both."""
    target: CRS
    """CRS of the lattice."""
    cell: tuple[float, float]
    """(width, height) of a cell, units of the target."""

    def project(self, shapes: Objects, rings: Rings, densify: bool, extent: Bounds | None) -> Rings:
        """Rings in the lattice's CRS; zones without finite coordinates are clipped or left out."""
        out = self._rings(rings, densify)
        lost = np.unique(zone_of_vertex(out)[~np.isfinite(out.xy).all(axis=1)])
        if lost.size:
            shapes = shapes.copy()
            shapes[lost] = self._clipped(shapes[lost], extent)
            out = self._rings(ragged(shapes), densify)
            out = _without(out, np.flatnonzero(~np.isfinite(out.xy).all(axis=1)))
        return _unbroken(out) if self.target.is_geographic else out

    def _rings(self, rings: Rings, densify: bool) -> Rings:
        there = self._at(rings.xy)
        return self._subdivided(rings, there) if densify else replace(rings, xy=there)

    def _at(self, xy: Floats) -> Floats:
        """Coordinates in the lattice's CRS; NaN where it has none."""
        there = np.column_stack(self.transformer.transform(xy[:, 0], xy[:, 1]))
        there[~np.isfinite(there).all(axis=1)] = np.nan  # infinities would warn in arithmetic
        return there

    def _clipped(self, shapes: Objects, extent: Bounds | None) -> Objects | None:
        """The part of each zone in the padded extent; none without an extent that has a place."""
        if extent is None:
            return None
        left, bottom, right, top = extent
        dx, dy = PAD * (right - left), PAD * (top - bottom)
        padded = (left - dx, bottom - dy, right + dx, top + dy)
        try:
            back = self.transformer.transform_bounds(*padded, 21, direction="INVERSE")
        except ProjError:
            return None
        if not np.isfinite(back).all():
            return None
        return _polygonal(shapely.intersection(shapes, _box(back)))

    # A piece of an edge is straight where it should be a curve. How far it is off falls with the
    # square of the number of pieces, so one measurement says how many pieces are enough.

    def _subdivided(self, rings: Rings, there: Floats) -> Rings:
        edge = _edges(rings)
        edge = edge[self._bent(rings, there, edge)]
        low, high, swapped = _sorted_ends(rings.xy[edge], rings.xy[edge + 1])
        pieces = self._pieces(low, high)
        many = pieces > 1
        if not many.any():
            return replace(rings, xy=there)
        edge, pieces, swapped = edge[many], pieces[many], swapped[many]
        added = self._at(_between(low[many], high[many], pieces, swapped))
        xy = np.insert(there, np.repeat(edge + 1, pieces - 1), added, axis=0)
        extra = np.zeros(len(there) + 1, dtype=np.int64)
        extra[edge + 1] = pieces - 1
        return replace(rings, xy=xy, rings=rings.rings + np.cumsum(extra)[rings.rings])

    def _bent(self, rings: Rings, there: Floats, edge: Ints) -> np.ndarray[Any, Any]:
        """Edges that may need pieces: those of zones whose frame is bent.

        The frame of a zone is as long as any of its edges in every direction. If its sides, its
        middles and its diagonals all stay straight to a quarter of the tolerance, so do its
        edges; fields are small, and nine points a zone spare three points an edge.
        """
        bounds = zone_bounds(rings.xy, rings.rings, rings.polygons[rings.shapes])
        left, bottom, right, top = bounds.T
        x = np.stack([left, (left + right) / 2, right])
        y = np.stack([bottom, (bottom + top) / 2, top])
        grid = np.stack(np.broadcast_arrays(x[:, None], y[None, :]), axis=-1)
        some = ~np.isnan(left)
        frame = self._at(grid[:, :, some].reshape(-1, 2)).reshape(3, 3, -1, 2)
        lines = [*((frame[i, 0], frame[i, 1], frame[i, 2]) for i in range(3)),
                 *((frame[0, i], frame[1, i], frame[2, i]) for i in range(3)),
                 (frame[0, 0], frame[1, 1], frame[2, 2]),
                 (frame[0, 2], frame[1, 1], frame[2, 0])]  # fmt: skip
        off = np.max([self._bulge(a, middle, b) for a, middle, b in lines], axis=0)
        bent = np.zeros(len(left), dtype=bool)
        bent[some] = ~(off < TOLERANCE / 4)  # not finite counts as bent
        return bent[zone_of_vertex(rings)[edge]]

    def _bulge(self, a: Floats, middle: Floats, b: Floats) -> Floats:
        """How far ``middle`` is from half-way between ``a`` and ``b``, cells."""
        return np.hypot(*(self._step(a, middle) - self._step(a, b) / 2).T)

    def _pieces(self, low: Floats, high: Floats) -> Ints:
        """Into how many pieces each edge must be cut."""
        pieces = np.ones(len(low), dtype=np.int64)
        todo = np.arange(len(low))
        for _ in range(ROUNDS):
            off = self._error(low[todo], high[todo], pieces[todo])
            todo, off = todo[off > TOLERANCE], off[off > TOLERANCE]
            if not todo.size:
                break
            more = np.ceil(np.sqrt(np.minimum(off / TOLERANCE, MOST_PIECES**2)))
            pieces[todo] = np.minimum(pieces[todo] * more, MOST_PIECES).astype(np.int64)
        return pieces

    def _error(self, low: Floats, high: Floats, pieces: Ints) -> Floats:
        """How far, at most, the pieces of each edge are off, cells; NaN counts as nothing.

        Quarters are looked at besides the middle: about a line of symmetry the middle is right.
        """
        if not len(low):
            return np.zeros(0)
        at = self._at(_between(low, high, 4 * pieces, None, ends=True))
        first = np.concatenate([[0], np.cumsum(4 * pieces + 1)])
        start = _spans_by(first[:-1], pieces, 4)
        a, b = at[start], at[start + 4]
        off = [self._distance(a, b, at[start + k]) for k in (1, 2, 3)]
        worst = np.nan_to_num(np.max(off, axis=0), nan=0.0, posinf=0.0)
        return np.maximum.reduceat(worst, np.concatenate([[0], np.cumsum(pieces)[:-1]]))

    def _distance(self, a: Floats, b: Floats, point: Floats) -> Floats:
        """Distance of points from segments, cells."""
        along, to = self._step(a, b), self._step(a, point)
        length = np.einsum("ij,ij->i", along, along)
        share = np.einsum("ij,ij->i", along, to) / np.where(length > 0, length, 1.0)
        return np.hypot(*(to - along * np.clip(share, 0, 1)[:, None]).T)

    def _step(self, a: Floats, b: Floats) -> Floats:
        """From ``a`` to ``b`` in cells, the short way round if x is a longitude."""
        step = b - a
        if self.target.is_geographic:
            step[:, 0] = (step[:, 0] + 180) % 360 - 180
        return step / np.asarray(self.cell)


def in_reach(shapes: Objects, source: CRS, target: CRS) -> Objects:
    """Zones in degrees that reach far beyond the area of use of a projection, clipped to it.

    A zone around a place that the projection cannot show (the equator 90 degrees from a
    transverse Mercator's meridian, the other pole) has finite but senseless rings. The clip
    depends on the two CRSs only, so cutting the work differently cannot change it.
    """
    area = target.area_of_use
    if not source.is_geographic or target.is_geographic or area is None or area.west > area.east:
        return shapes
    reach = (area.west - REACH, area.south - REACH, area.east + REACH, area.north + REACH)
    left, bottom, right, top = shapely.bounds(shapes).T
    far = np.flatnonzero(
        (left < reach[0]) | (bottom < reach[1]) | (right > reach[2]) | (top > reach[3])
    )
    shapes = shapes.copy()
    shapes[far] = _polygonal(shapely.intersection(shapes[far], shapely.box(*reach)))
    return shapes


def _polygonal(shapes: Any) -> Objects:
    """Polygons as they are, None for what clipping has left of others."""
    shapes = np.asarray(shapes, dtype=object)
    shapes[~np.isin(shapely.get_type_id(shapes), (3, 6))] = None
    return shapes


def _edges(rings: Rings) -> Ints:
    """The vertex that each edge starts from: every vertex but the last of a ring."""
    starts = np.ones(len(rings.xy), dtype=bool)
    starts[rings.rings[1:] - 1] = False
    return np.flatnonzero(starts)


def _sorted_ends(a: Floats, b: Floats) -> tuple[Floats, Floats, np.ndarray[Any, Any]]:
    """The ends of edges, the one that is smaller in (x, y) first, and which were swapped."""
    swap = (b[:, 0] < a[:, 0]) | ((b[:, 0] == a[:, 0]) & (b[:, 1] < a[:, 1]))
    return np.where(swap[:, None], b, a), np.where(swap[:, None], a, b), swap


def _between(
    low: Floats,
    high: Floats,
    pieces: Ints,
    swapped: np.ndarray[Any, Any] | None,
    ends: bool = False,
) -> Floats:
    """Points that cut edges into equal pieces, in the sense in which each edge is run through."""
    first, stop = (0 * pieces, pieces + 1) if ends else (0 * pieces + 1, pieces)
    edge = np.repeat(np.arange(len(low)), stop - first)
    k = spans(first, stop)
    if swapped is not None:
        k = np.where(swapped[edge], pieces[edge] - k, k)
    share = (k / pieces[edge])[:, None]
    return low[edge] * (1 - share) + high[edge] * share


def _spans_by(start: Ints, count: Ints, step: int) -> Ints:
    """``count`` indices from each start on, ``step`` apart."""
    inner = spans(np.zeros_like(count), count)
    return start.repeat(count) + step * inner


def _box(bounds: tuple[float, ...]) -> Any:
    """A box of bounds; of two parts if its left is east of its right, across the antimeridian."""
    left, bottom, right, top = bounds
    if left <= right:
        return shapely.box(left, bottom, right, top)
    return shapely.union(shapely.box(left, bottom, 180, top), shapely.box(-180, bottom, right, top))


def _without(rings: Rings, lost: Ints) -> Rings:
    """The rings without those of zones that have a lost vertex."""
    if not lost.size:
        return rings
    xy = rings.xy.copy()
    xy[lost] = 0.0  # so that shapely can close the rings; they go in a moment
    shapes = unragged(replace(rings, xy=xy))
    shapes[np.unique(zone_of_vertex(rings)[lost])] = None
    return ragged(shapes)


def _unbroken(rings: Rings) -> Rings:
    """Rings that projecting has torn at the antimeridian (179.9 to -179.9), split there."""
    jump = np.zeros(len(rings.xy), dtype=bool)
    jump[:-1] = np.abs(np.diff(rings.xy[:, 0])) > 180
    jump[rings.rings[1:] - 1] = False
    torn = np.unique(zone_of_vertex(rings)[jump])
    if not torn.size:
        return rings
    shapes = unragged(rings)
    shapes[torn] = split_at_antimeridian(shapes[torn])
    return ragged(shapes)
