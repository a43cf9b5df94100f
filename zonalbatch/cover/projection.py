"""Projection: rings brought to the CRS of a lattice, their edges cut where they would be curves.

An edge is subdivided by what it is itself, from its smaller endpoint, so that two neighbours that
share it get the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from pyproj import CRS, Transformer

from zonalbatch.cover.domain import Domain, bulges, come_back, degree, first_side, frames, moved
from zonalbatch.cover.rings import (
    Floats,
    Ints,
    Objects,
    Rings,
    oriented,
    patched,
    ragged,
    replaced,
    spans,
    unragged,
    upright,
    without,
    zone_bounds,
    zone_of_vertex,
)
from zonalbatch.projections import transformer
from zonalbatch.zones.longitudes import split_at_antimeridian
from zonalbatch.zones.shapes import repaired

__all__ = ["Change"]

TOLERANCE = 0.05
"""How far a projected edge may lie from its true place, cells."""

MOST_PIECES = 4096
"""An edge is cut into no more pieces than this; more means that it runs into a singularity."""

ROUNDS = 4
"""How often an edge that is still off after subdivision is subdivided further."""

CROOKED = 1 / 16
"""A zone is looked at closely if a line of its frame is bent by this share of the longest one."""

WIDE = 15.0
"""A zone is looked at closely in any case if it is wider than this, first cells of its domain."""

REACH = 20.0
"""A zone so far beyond a CRS's area of use is looked at closely too, degrees."""

Mask = np.ndarray[Any, np.dtype[np.bool_]]


class Frame(NamedTuple):
    """How straight nine places of each zone's bounds lie once they are projected.

    A frame is as long as any edge of its zone in every direction. If its lines stay straight to a
    quarter of the tolerance, so do the edges; nine points a zone spare three points an edge.
    """

    bounds: Floats
    """(zone, 4) left, bottom, right, top before; NaN without rings."""
    off: Floats
    """(zone,) how far, at most, the middle of a line is off half-way, cells; 0 if not looked at."""
    length: Floats
    """(zone,) the longest line, cells; 1 if not looked at."""

    @property
    def size(self) -> Floats:
        """(zone,) the longer side of the bounds before; NaN without rings."""
        return np.asarray((self.bounds[:, 2:] - self.bounds[:, :2]).max(axis=1))

    @property
    def bent(self) -> Mask:
        """Zones whose edges may have to be cut; not finite counts as bent."""
        bent: Mask = ~(self.off < TOLERANCE / 4)
        return bent


@dataclass(frozen=True, eq=False)
class Change:
    """The way from the zones' CRS to the lattice's."""

    source: CRS
    """CRS of the zones."""
    target: CRS
    """CRS of the lattice."""
    cell: tuple[float, float]
    """(width, height) of a cell, units of the target."""
    transformer: Transformer
    """From the source to the target; x before y in both."""

    @classmethod
    def between(cls, source: CRS, target: CRS, cell: tuple[float, float]) -> Change:
        """The way from one CRS to another."""
        return cls(source, target, cell, transformer(source, target))

    @cached_property
    def domain(self) -> Domain:
        """What is shown of the source's plane."""
        return Domain.of(self.transformer, self.source, self.target)

    def project(self, shapes: Objects, densify: bool) -> Rings:
        """Oriented rings in the lattice's CRS of what the projection shows of each zone."""
        rings = ragged(shapes)
        frame = self.frame(rings, densify)
        close = self.doubtful(rings, frame)
        out = self.moved(without(rings, np.flatnonzero(close)), frame, densify)
        close[_lost(out)] = True
        if not self.target.is_geographic:
            out = oriented(out)
        if close.any():
            out = replaced(out, np.flatnonzero(close), self._shown(shapes[close], densify))
        return oriented(_unbroken(out)) if self.target.is_geographic else out

    def moved(self, rings: Rings, frame: Frame, densify: bool) -> Rings:
        """The rings in the other CRS, with points added where their edges bend."""
        there = moved(self.transformer, rings.xy)
        return self._subdivided(rings, there, frame) if densify else replace(rings, xy=there)

    # Most zones are small, and a projection of them is as good as straight. Some reach to where it
    # is torn, folded or infinite: to a horizon, a pole, the other side of the Earth. Their rings
    # may be finite and make no sense, so all that are far from straight are looked at closely.

    def frame(self, rings: Rings, densify: bool) -> Frame:
        """The bounds of each zone, and how far from straight the projection is there."""
        bounds = zone_bounds(rings.xy, rings.rings, rings.polygons[rings.shapes])
        frame = Frame(bounds, np.zeros(len(bounds)), np.ones(len(bounds)))
        # Small zones need frames only to spare their edges points: the torn are few among them.
        some = np.flatnonzero(frame.size > (0.0 if densify else first_side(self.source) / 16))
        places = moved(self.transformer, frames(bounds[some]))
        frame.off[some], frame.length[some] = bulges(places, self._step)
        return frame

    def doubtful(self, rings: Rings, frame: Frame) -> Mask:
        """Zones that the projection may not show whole."""
        crooked = ~(frame.off < CROOKED * frame.length)  # so is what is not finite
        wide = frame.size > WIDE * first_side(self.source)  # so wide that a frame may miss poles
        doubtful = np.asarray(crooked | wide | self._far(frame.bounds))
        if self.target.is_geographic and doubtful.any():  # about a pole, all is crooked on it
            doubtful &= self._astray(without(rings, np.flatnonzero(~doubtful)))
        return doubtful

    def _astray(self, rings: Rings) -> Mask:
        """Zones of which a vertex does not come back: beyond a map's border all may be finite."""
        back = come_back(self.transformer, self.source, rings.xy, moved(self.transformer, rings.xy))
        astray = np.zeros(len(rings.shapes) - 1, dtype=bool)
        astray[zone_of_vertex(rings)[~back]] = True
        return astray

    def _far(self, bounds: Floats) -> Mask:
        """Zones in degrees that reach far beyond the area of use of the target."""
        area = self.target.area_of_use
        if not self.source.is_geographic or area is None or area.west > area.east:
            return np.zeros(len(bounds), dtype=bool)
        low, high = np.array([area.west, area.south]), np.array([area.east, area.north])
        far = (bounds[:, :2] < low - REACH) | (bounds[:, 2:] > high + REACH)
        return np.asarray(far.any(axis=1))

    def _shown(self, shapes: Objects, densify: bool) -> Rings:
        """Oriented rings of what is shown of zones; those that are shown whole keep every bit."""
        onward, there, cut = self._in_degrees(shapes, densify)
        cut |= onward.domain.hides(there)
        whole = shapes.copy()
        whole[cut] = None
        parts = onward.domain.cut(there[cut])
        return replaced(
            self._upright(whole, densify), np.flatnonzero(cut), onward._upright(parts, densify)
        )

    def _in_degrees(self, shapes: Objects, densify: bool) -> tuple[Change, Objects, Mask]:
        """The way on from degrees, where domains lie; zones in degrees; and which must go there."""
        if self.source.is_geographic or self.target.is_geographic:
            return self, shapes, np.zeros(len(shapes), dtype=bool)
        earth = self.source.geodetic_crs
        if earth is None or self.source.is_bound:  # a bound one knows the way to WGS 84 only
            earth = CRS("OGC:CRS84")
        size = self.cell[0] * self.target.axis_info[0].unit_conversion_factor / degree(earth)
        first = Change.between(self.source, earth, (size, size))
        there = repaired(unragged(first.project(shapes, densify)))
        onward = Change.between(earth, self.target, self.cell)
        return onward, there, first._astray(ragged(shapes))

    def _upright(self, shapes: Objects, densify: bool) -> Rings:
        """Rings that keep their sense: a hole about an antipode becomes the outer border."""
        rings = oriented(ragged(shapes))
        return upright(patched(self.moved(rings, self.frame(rings, densify), densify)))

    # A piece of an edge is straight where it should be a curve. How far it is off falls with the
    # square of the number of pieces, so one measurement says how many pieces are enough.

    def _subdivided(self, rings: Rings, there: Floats, frame: Frame) -> Rings:
        edge = _edges(rings)
        edge = edge[frame.bent[zone_of_vertex(rings)[edge]]]
        low, high, swapped = _sorted_ends(rings.xy[edge], rings.xy[edge + 1])
        pieces = self._pieces(low, high)
        many = pieces > 1
        if not many.any():
            return replace(rings, xy=there)
        edge, pieces, swapped = edge[many], pieces[many], swapped[many]
        added = moved(self.transformer, _between(low[many], high[many], pieces, swapped))
        xy = np.insert(there, np.repeat(edge + 1, pieces - 1), added, axis=0)
        extra = np.zeros(len(there) + 1, dtype=np.int64)
        extra[edge + 1] = pieces - 1
        return replace(rings, xy=xy, rings=rings.rings + np.cumsum(extra)[rings.rings])

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
        at = moved(self.transformer, _between(low, high, 4 * pieces, None, ends=True))
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
            step[..., 0] = (step[..., 0] + 180) % 360 - 180
        return step / np.asarray(self.cell)


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


def _lost(rings: Rings) -> Ints:
    """The zones that have a vertex without coordinates."""
    return np.unique(zone_of_vertex(rings)[np.isnan(rings.xy[:, 0])])


def _unbroken(rings: Rings) -> Rings:
    """Rings that projecting has torn at the antimeridian (179.9 to -179.9), split there."""
    jump = np.zeros(len(rings.xy), dtype=bool)
    jump[:-1] = np.abs(np.diff(rings.xy[:, 0])) > 180
    jump[rings.rings[1:] - 1] = False
    torn = np.unique(zone_of_vertex(rings)[jump])
    if not torn.size:
        return rings
    return replaced(rings, torn, ragged(split_at_antimeridian(unragged(rings)[torn])))
