"""Strokes: how many metres of each line lie in each cell.

Every segment is walked from cell to cell. Where it enters and leaves a cell follows from its ends
alone, not from the cells before, so that no tile depends on its neighbours. A segment along an edge
of cells belongs to those on its right and below, as a point does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.cover.accumulation import SNAP
from zonalbatch.cover.coverage import Coverage
from zonalbatch.cover.joint import joint
from zonalbatch.cover.paths import Paths
from zonalbatch.cover.visits import Visits, coverage_of, in_cells
from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE, Lattice, Window

__all__ = ["cover_lines"]

EVERYWHERE = Window(-(2**52), -(2**52), 2**52, 2**52)

AT_ONCE = 2**20
"""About how many visits of cells are kept at once; a line is never cut."""

FAR = 2**22
"""Lines that meet more cells than this are not kept where tiles are left out, only their length."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Measure(NamedTuple):
    """How metres follow from steps in a CRS."""

    unit: float
    """Metres in a unit of the CRS; radians if it is geographic."""
    semi_major: float
    """Semi-major axis of the ellipsoid, metres; 0 if the CRS is not geographic."""
    eccentricity: float
    """Square of the ellipsoid's first eccentricity."""

    @classmethod
    def of(cls, crs: str) -> Measure:
        """How lengths are measured in a CRS."""
        known = CRS.from_user_input(crs)
        unit = known.axis_info[0].unit_conversion_factor if known.axis_info else 1.0
        body = known.ellipsoid
        if not known.is_geographic or body is None:
            return cls(unit, 0.0, 0.0)
        flattening = 1 / body.inverse_flattening if body.inverse_flattening else 0.0
        return cls(unit, body.semi_major_metre, flattening * (2 - flattening))


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """Segments in cells, with the number of cells that each may meet."""

    paths: Paths
    low: Floats
    """(segment, 2) column and row of the lower end, with their fractions."""
    high: Floats
    """(segment, 2) column and row of the other end."""
    faint: Floats
    """(segment,) shorter visits are rounding, cells."""
    ends: Ints
    """(segment + 1,) how many cells the segments before may meet."""
    far: NDArray[np.bool_]
    """(segment,) True if the line meets so many cells that they are not kept out of the extent."""

    @classmethod
    def of(cls, paths: Paths, lattice: Lattice, n_lines: int) -> _Walk:
        low, high = in_cells(paths.low, lattice), in_cells(paths.high, lattice)
        step = high - low
        length = np.bincount(paths.line, np.hypot(*step.T), minlength=n_lines)
        met = (np.floor(np.abs(step)) + 2).astype(np.int64).sum(axis=1)
        ends = np.concatenate([[0], np.cumsum(met)])
        far = np.bincount(paths.line, met, minlength=n_lines)[paths.line] > FAR
        return cls(paths, low, high, SNAP * np.minimum(length, 1.0)[paths.line], ends, far)

    def batches(self) -> Iterator[slice]:
        """The segments in groups that meet not too many cells, lines kept whole."""
        line, n = self.paths.line, len(self.paths.line)
        first = np.flatnonzero(np.diff(line, prepend=-1))
        group = self.ends[first] // AT_ONCE
        cuts = first[np.flatnonzero(np.diff(group, prepend=-1))]
        yield from (slice(int(a), int(b)) for a, b in pairwise([*cuts, n]))

    def visits(self, some: slice, measure: Measure, extent: Window) -> tuple[Visits, Floats]:
        """The cells that some segments meet, with metres; and what is left out, of each line.

        Lines are counted from that of the first segment.
        """
        first, last = self.paths.line[some.start], self.paths.line[some.stop - 1]
        size = int(self.ends[some.stop] - self.ends[some.start])
        line, row, col = (np.empty(size, np.int64) for _ in range(3))
        weight, rest = np.empty(size), np.zeros(int(last - first) + 1)
        n = _walk(
            self.paths.line[some] - first, self.paths.low[some], self.paths.high[some],
            self.low[some], self.high[some], self.faint[some], self.far[some],
            _tiles(extent), *measure,
            line, row, col, weight, rest,
        )  # fmt: skip
        return Visits(line[:n], row[:n], col[:n], weight[:n]), rest


def cover_lines(
    paths: Paths,
    lattice: Lattice,
    n_lines: int,
    *,
    extent: Window | None = None,
    once: bool = False,
) -> Coverage:
    """The cells that each line runs through, weighted by its length inside.

    Lengths are metres of the lattice's CRS; on a grid of degrees they are metres on the ellipsoid
    of the segment as it is drawn there, straight from degree to degree.

    Args:
        paths: the lines' segments in the lattice's CRS.
        lattice: where the cells lie.
        n_lines: how many lines there are; some may have no segment.
        extent: fold tiles outside of this window are left out (but for the lines' totals).
        once: True gives every cell the weight 1 (``all_touched``).
    """
    walk, measure = _Walk.of(paths, lattice, n_lines), Measure.of(lattice.crs)
    kept = EVERYWHERE if extent is None or once else extent
    parts = []
    for some in walk.batches():
        visits, rest = walk.visits(some, measure, kept)
        part = coverage_of(visits, lattice, len(rest), extent=extent, once=once)
        whole = replace(part, zone_total=part.zone_total + rest, beyond=part.beyond | (rest > 0))
        parts.append((whole, paths.line[some.start] + np.arange(len(rest))))
    if not parts:
        none = np.zeros(0, np.int64)
        nothing = Visits(none, none, none, np.zeros(0))
        return coverage_of(nothing, lattice, n_lines, extent=extent)
    return joint(parts, n_lines)


def _tiles(extent: Window) -> Ints:
    """(4,) top, left, bottom, right of the fold tiles that a window touches, cells."""
    first, last = np.array(extent[:2]) // TILE, -(-np.array(extent[2:]) // TILE)
    return np.concatenate([first, last]).astype(np.int64) * TILE


@kernel()
def _walk(
    lines: Ints, from_xy: Floats, to_xy: Floats, low: Floats, high: Floats, faint: Floats,
    far: NDArray[np.bool_], kept: Ints, unit: float, semi_major: float, eccentricity: float,
    out_line: Ints, out_row: Ints, out_col: Ints, out_weight: Floats, rest: Floats,
) -> int:  # fmt: skip
    """Walk all segments; return the number of visits. Columns never fall, as ends are sorted."""
    n = 0
    for i in range(len(lines)):
        u, v = low[i, 0], low[i, 1]
        du, dv = high[i, 0] - u, high[i, 1] - v
        length = np.hypot(du, dv)
        col, row = int(np.floor(u)), int(np.floor(v))
        last_col, last_row = col, row
        if du > 0.0:
            last_col = int(np.ceil(u + du)) - 1
        if dv > 0.0:
            last_row = int(np.ceil(v + dv)) - 1
        elif dv < 0.0:
            row, last_row = int(np.ceil(v)) - 1, int(np.floor(v + dv))
        down = 1 if dv >= 0.0 else 0
        entry = 0.0
        while True:
            right = (col + 1 - u) / du if col < last_col else 2.0
            below = (row + down - v) / dv if row != last_row else 2.0
            leave = min(right, below, 1.0)
            if (leave - entry) * length > faint[i]:
                metres = _metres(from_xy, to_xy, i, entry, leave, unit, semi_major, eccentricity)
                if far[i] and not (kept[0] <= row < kept[2] and kept[1] <= col < kept[3]):
                    rest[lines[i]] += metres
                else:
                    out_line[n], out_row[n], out_col[n] = lines[i], row, col
                    out_weight[n] = metres
                    n += 1
            if right == 2.0 and below == 2.0:
                break
            if right <= below:
                col += 1
            if below <= right:
                row += 2 * down - 1
            entry = max(entry, leave)
    return n


@kernel()
def _metres(from_xy: Floats, to_xy: Floats, i: int, entry: float, leave: float, unit: float,
            semi_major: float, eccentricity: float) -> float:  # fmt: skip
    """Length of a part of a segment, metres.

    On an ellipsoid it is the integral of hypot(M dφ, N cos φ dλ), with M and N the radii of
    curvature along the meridian and across it, by Gauss's rule of three points.
    """
    dx, dy = (to_xy[i, 0] - from_xy[i, 0]) * unit, (to_xy[i, 1] - from_xy[i, 1]) * unit
    part = leave - entry
    if semi_major == 0.0:
        return part * np.hypot(dx, dy)
    middle, reach = 0.5 * (entry + leave), 0.5 * part * np.sqrt(0.6)
    total = 0.0
    for k in range(3):
        latitude = from_xy[i, 1] * unit + (middle + (k - 1) * reach) * dy
        flat = 1.0 - eccentricity * np.sin(latitude) ** 2
        across = semi_major / np.sqrt(flat)
        along = across * (1.0 - eccentricity) / flat
        speed = np.hypot(along * dy, across * np.cos(latitude) * dx)
        total += speed * (8.0 if k == 1 else 5.0)
    return part * total / 18.0
