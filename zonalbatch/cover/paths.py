"""Paths: the segments of lines in the CRS of one lattice, ready to be walked.

    lines ─► strands ─► (short way round) ─► subdivide and project ─► segments ─► (turn by 360)

What the projection does not show of a line is left out, as it is of a polygon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from pyproj import CRS

from zonalbatch.cover.domain import degree
from zonalbatch.cover.projection import Change
from zonalbatch.cover.rings import Floats, Ints, Objects, Rings, replaced, spans
from zonalbatch.projections import transformer

__all__ = ["Paths", "paths"]

LINESTRING, LINEARRING = 1, 2  # shapely's type ids

EARTH = CRS("OGC:CRS84")
"""Degrees, x before y."""


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The segments that lines are made of; each runs from its end that is smaller in (x, y)."""

    line: Ints
    """(segment,) index of the line, ascending."""
    low: Floats
    """(segment, 2) the end that is smaller, units of the CRS."""
    high: Floats
    """(segment, 2) the other end."""

    @classmethod
    def of(cls, line: Ints, a: Floats, b: Floats) -> Paths:
        """Segments between ends in any order; those of no length or without coordinates go."""
        some = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1) & (a != b).any(axis=1)
        line, a, b = line[some], a[some], b[some]
        swap = ((b[:, 0] < a[:, 0]) | ((b[:, 0] == a[:, 0]) & (b[:, 1] < a[:, 1])))[:, None]
        return cls(line, np.where(swap, b, a), np.where(swap, a, b))


def paths(
    shapes: Objects,
    crs: str,
    lattice_crs: str,
    *,
    cell: tuple[float, float],
    densify: Literal["auto", "none"] = "auto",
    west: float | None = None,
) -> Paths:
    """The segments of lines in the CRS of a lattice.

    Segments are straight in the lines' own CRS: they are subdivided before they are projected
    until each piece lies within 1/20 of a cell of its true place.

    Args:
        shapes: (line,) linestrings and multilinestrings; null and empty ones get no segment.
        crs: CRS of the lines.
        lattice_crs: CRS of the lattice.
        cell: (width, height) of a cell, units of the lattice's CRS.
        densify: ``"none"`` projects the vertices only.
        west: westernmost longitude of a grid beyond -180..180.
    """
    source, target = CRS.from_user_input(crs), CRS.from_user_input(lattice_crs)
    strands = _strands(shapes)
    if source.is_geographic:
        strands = _short_way(strands)
    if crs != lattice_crs and not source.equals(target, ignore_axis_order=True):
        strands = _Trail.along(source, target, cell).follow(strands, densify == "auto")
    found = _segments(strands)
    return _turned(found, -180.0 if west is None else west) if target.is_geographic else found


def _strands(shapes: Objects) -> Rings:
    """Lines as ragged arrays, each linestring in the place of a ring and of a polygon."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    while np.any(shapely.get_type_id(parts) > LINEARRING):
        parts, inner = shapely.get_parts(parts, return_index=True)
        row = row[inner]
    some = np.isin(shapely.get_type_id(parts), (LINESTRING, LINEARRING)) & ~shapely.is_empty(parts)
    parts, row = parts[some], row[some]
    return Rings(
        xy=shapely.get_coordinates(parts),
        rings=_offsets(shapely.get_num_coordinates(parts)),
        polygons=np.arange(len(parts) + 1),
        shapes=_offsets(np.bincount(row, minlength=len(shapes))),
    )


def _offsets(sizes: np.ndarray[Any, Any]) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _lines(strands: Rings) -> Objects:
    """The multilinestrings that strands make."""
    offsets = (strands.rings, strands.shapes)
    made = shapely.from_ragged_array(shapely.GeometryType.MULTILINESTRING, strands.xy, offsets)
    return np.asarray(made, dtype=object)


def _short_way(strands: Rings) -> Rings:
    """Strands whose segments of 180 to 360 degrees run on over the antimeridian instead."""
    step = np.diff(strands.xy[:, 0], prepend=0.0)
    step[strands.rings[:-1]] = 0.0
    long = (np.abs(step) > 180) & (np.abs(step) < 360)
    if not long.any():
        return strands
    turns = np.cumsum(np.where(long, -np.sign(step), 0.0))
    size = np.diff(strands.rings)
    turns -= turns[strands.rings[:-1]].repeat(size)
    xy = strands.xy + np.column_stack([360.0 * turns, np.zeros(len(turns))])
    return Rings(xy, strands.rings, strands.polygons, strands.shapes)


class _Trail(Change):
    """The way of lines, which have no inside, from their CRS to the lattice's."""

    @classmethod
    def along(cls, source: CRS, target: CRS, cell: tuple[float, float]) -> _Trail:
        """The way from one CRS to another."""
        return cls(source, target, cell, transformer(source, target))

    def follow(self, strands: Rings, densify: bool) -> Rings:
        """Strands as far as the projection shows them; a vertex that has no place is NaN."""
        frame = self.frame(strands, densify)
        close = self.doubtful(strands, frame)
        out = self.moved(strands, frame, densify)
        if not close.any():
            return out
        shown = self._as_shown(_lines(strands)[close], densify)
        return replaced(out, np.flatnonzero(close), shown)

    def _as_shown(self, lines: Objects, densify: bool) -> Rings:
        """Strands of what is shown of lines."""
        if self.source.is_geographic or self.target.is_geographic:
            strands = _strands(self.domain.cut(lines))
            return self.moved(strands, self.frame(strands, densify), densify)
        # Domains lie on degrees, so from one projection to another the way leads over these.
        metres = self.cell[0] * self.target.axis_info[0].unit_conversion_factor
        size = metres / degree(EARTH)
        first = _Trail.along(self.source, EARTH, (size, size))
        onward = _Trail.along(EARTH, self.target, self.cell)
        return onward._as_shown(_lines(first.follow(_strands(lines), densify)), densify)


def _segments(strands: Rings) -> Paths:
    """The segments between the vertices of each strand."""
    start = spans(strands.rings[:-1], np.maximum(strands.rings[1:] - 1, strands.rings[:-1]))
    size = np.maximum(np.diff(strands.rings) - 1, 0)
    line = np.repeat(np.arange(len(strands.shapes) - 1), np.diff(strands.shapes)).repeat(size)
    return Paths.of(line, strands.xy[start], strands.xy[start + 1])


def _turned(found: Paths, west: float) -> Paths:
    """Segments with longitudes in ``west..west + 360``, cut where they straddle that seam.

    A segment of more than 180 degrees has been torn by the projection: it goes the short way.
    """
    a, b = found.low, found.high.copy()
    torn = (b[:, 0] - a[:, 0] > 180) & (b[:, 0] - a[:, 0] < 360)
    b[torn, 0] -= 360.0
    line, done = found.line, []
    found = Paths.of(line, a, b)
    while len(found.line):
        line, a, b = found.line, found.low, found.high
        turn = 360.0 * np.floor((a[:, 0] - west) / 360)
        seam = west + 360 + turn
        over = b[:, 0] > seam
        share = np.where(over, (seam - a[:, 0]) / np.where(over, b[:, 0] - a[:, 0], 1.0), 1.0)
        middle = a + share[:, None] * (b - a)
        middle[over, 0] = seam[over]
        end = np.where(over[:, None], middle, b)
        shift = np.column_stack([turn, np.zeros(len(turn))])
        done.append((line, a - shift, end - shift))
        found = Paths.of(line[over], middle[over], b[over])
    if not done:
        return found
    line, a, b = (np.concatenate(each) for each in zip(*done, strict=True))
    order = np.argsort(line, kind="stable")
    return Paths.of(line[order], a[order], b[order])
