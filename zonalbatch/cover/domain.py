"""Domain: the part of a plane that a projection shows one to one, unbroken and not too large.

The plane is laid out in square cells, anchored at its zero. A cell is shown if its places come back
from the projection and if, over it, the projection is nearly a change of scale and direction. A
cell of which nothing comes back is hidden. Any other is quartered; what is in doubt to the last is
hidden. So a domain follows from two CRSs alone, whatever zones and rasters there are.

On what is shown, a ring winds about each point of the map as often as about the place that is
shown there: once, or not at all. So zones need no case of their own, whatever becomes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.enums import TransformDirection

from zonalbatch.cover.rings import Floats, Objects

__all__ = ["Domain", "bulges", "come_back", "degree", "first_side", "frames", "moved"]

CROOKED = 0.16
"""A cell is crooked if the middle of a line is this share of its longest line off half-way.

At Mollweide's pole that is 0.13 at any scale; beside an antipode that is drawn as a ring, 0.21.
"""

LARGEST = 16.0
"""How many times larger than the ground a map may be, in the direction in which it is smallest.

The square of Web Mercator ends at 12. Poles and horizons that are infinitely far lie beyond.
"""

DEGREES, LENGTHS = 4.0, 2.0**19
"""Side of a cell at first, in a plane of degrees and in any other (about 500 km)."""

HALVINGS = 4
"""How often the side of a cell in doubt is halved."""

DOUBTFUL = 4096
"""If more cells are in doubt, the projection is chaotic there and they are hidden at once."""

ASTRAY = 1 / 64
"""How far from where it was a place may come back, sides of a first cell: datums may differ."""

INSET = 2.0**-14
"""How far inside of a cell its outermost places lie, sides of a first cell: poles are brittle."""

TORN = 1 / 64
"""A map is torn along a line whose two sides lie so far apart, lengths of the cell beside it."""

SLIT = 2.0**-26
"""Half the width of what is cut away along a tear, sides of a first cell (about 7 mm)."""

INFINITE = 1e12
"""A coordinate of this size is none, units of its plane; squares of larger ones would overflow."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """What a projection shows of a plane."""

    hidden: Any
    """The rest of the plane, as far as there are places on it."""

    @classmethod
    def of(cls, transformer: Transformer, source: CRS, target: CRS) -> Domain:
        """What is shown of the source's plane on the target's; x before y in both."""
        survey, hidden = _Survey(transformer, source, target), []
        boxes = survey.cells()
        for level in range(HALVINGS + 1):
            shown, gone, slits = survey.seen(boxes)
            doubtful = ~shown & ~gone
            last = level == HALVINGS or doubtful.sum() > DOUBTFUL
            cells = _shapes(boxes[~shown if last else gone])
            hidden += [shapely.coverage_union_all(cells), *_shapes(slits)]
            if last:
                break
            boxes = _quarters(boxes[doubtful])
        return cls(shapely.union_all(hidden))

    def hides(self, shapes: Objects) -> Mask:
        """Which shapes are not shown whole."""
        shapely.prepare(self.hidden)
        some: Mask = shapely.intersects(self.hidden, shapes)
        return some

    def cut(self, shapes: Objects) -> Objects:
        """The part of each shape that is shown."""
        return np.asarray(shapely.difference(shapes, self.hidden), dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class _Survey:
    """Looks at cells of the source's plane, given as (cell, 4) bounds."""

    transformer: Transformer
    source: CRS
    target: CRS

    @property
    def side(self) -> float:
        """Side of a cell at first."""
        return first_side(self.source)

    @property
    def rim(self) -> Floats:
        """(left, bottom, right, top) of what there is of the plane."""
        x, y = (180.0, 90.0) if self.source.is_geographic else (64 * LENGTHS, 64 * LENGTHS)
        return np.array([-x, -y, x, y])

    def cells(self) -> Floats:
        """All of the plane in cells, anchored at its zero and cut off at the rim."""
        left, bottom, right, top = self.rim / self.side
        x, y = np.meshgrid(
            np.arange(np.floor(left), np.ceil(right)), np.arange(np.floor(bottom), np.ceil(top))
        )
        boxes = self.side * np.stack([x, y, x + 1, y + 1], axis=-1).reshape(-1, 4)
        return np.clip(boxes, self.rim[[0, 1, 0, 1]], self.rim[[2, 3, 2, 3]])

    def seen(self, boxes: Floats) -> tuple[Mask, Mask, Floats]:
        """Which cells are shown, which are hidden, and (slit, 4) bounds of tears between cells."""
        places = frames(boxes, INSET * self.side)
        there = moved(self.transformer, places)
        back = come_back(self.transformer, self.source, places, there)
        shown = np.asarray(back.all(axis=(1, 2)))
        gone = np.asarray(~back.any(axis=(1, 2)))
        if self.target.is_geographic or not self.source.is_geographic:
            return shown, gone, np.empty((0, 4))  # a turn's end is where longitudes are split
        off, length = bulges(there)
        straight = off <= CROOKED * length
        large = self._scale(boxes, there) > LARGEST
        shown, gone = shown & straight & ~large, gone | (straight & large)
        return shown, gone, self._slits(boxes[shown], length[shown])

    def _scale(self, boxes: Floats, there: Floats) -> Floats:
        """How many times larger than the ground cells in degrees are shown, the smallest way.

        The semi-minor axis of Tissot's indicatrix: the smaller singular value of the Jacobian.
        """
        left, bottom, right, top = boxes.T
        width = (right - left) * np.cos(np.radians((bottom + top) / 2))
        unit = self.target.axis_info[0].unit_conversion_factor / degree(self.source)
        a = unit * (there[:, 1, 2] - there[:, 1, 0]) / width[:, None]
        b = unit * (there[:, 2, 1] - there[:, 0, 1]) / (top - bottom)[:, None]
        aa, ab, bb = ((u * v).sum(axis=1) for u, v in ((a, a), (a, b), (b, b)))
        largest = np.sqrt((aa + bb + np.hypot(aa - bb, 2 * ab)) / 2)
        area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        return np.asarray(area / np.maximum(largest, 1e-99))

    def _slits(self, boxes: Floats, length: Floats) -> Floats:
        """Narrow boxes along sides of cells, shown at these lengths, where the map is torn or ends.

        The rim is looked at because a pole may have no place though all around it has.
        """
        half, slits = SLIT * self.side, []
        places = frames(boxes)
        for axis, end in ((0, 0), (0, 2), (1, 0), (1, 2)):
            side = places[:, :, end] if axis == 0 else places[:, end]
            across = half * np.eye(2)[axis]
            both = np.clip(np.stack([side - across, side + across]), self.rim[:2], self.rim[2:])
            one, other = moved(self.transformer, both)
            gap = _length(other - one)
            edge = boxes[:, axis + end]
            torn = (gap > TORN * length[:, None]).any(axis=1)
            torn |= (edge == self.rim[axis + end]) & np.isnan(gap).any(axis=1)
            slit = boxes[torn]
            slit[:, [axis, axis + 2]] = edge[torn, None] + [-half, half]
            slits.append(slit)
        return np.concatenate(slits)


def first_side(crs: CRS) -> float:
    """Side of the cells that the plane of a CRS is laid out in at first, units of the plane."""
    return DEGREES if crs.is_geographic else LENGTHS


def degree(crs: CRS) -> float:
    """Length of a degree of a great circle, metres."""
    return float(np.radians(crs.ellipsoid.semi_major_metre if crs.ellipsoid else 6378137.0))


def _shapes(boxes: Floats) -> Objects:
    return np.asarray(shapely.box(*boxes.T), dtype=object)


def _quarters(boxes: Floats) -> Floats:
    left, bottom, right, top = boxes.T
    x, y = (left + right) / 2, (bottom + top) / 2
    parts = (left, bottom, x, y), (x, bottom, right, y), (left, y, x, top), (x, y, right, top)
    return np.concatenate([np.column_stack(part) for part in parts])


def come_back(transformer: Transformer, source: CRS, places: Floats, there: Floats) -> Mask:
    """Which (..., 2) places are found again from where the transformer has put them."""
    off = moved(transformer, there, TransformDirection.INVERSE) - places
    if source.is_geographic:
        off[..., 0] = (off[..., 0] + 180) % 360 - 180
        off[..., 0] *= np.cos(np.radians(places[..., 1]))
    return np.asarray(_length(off) < ASTRAY * first_side(source))


def moved(
    transformer: Transformer, xy: Floats, direction: TransformDirection = TransformDirection.FORWARD
) -> Floats:
    """(..., 2) coordinates on the other side of a transformer; NaN where there are none."""
    there = np.stack(transformer.transform(xy[..., 0], xy[..., 1], direction=direction), axis=-1)
    there[~(np.abs(there) < INFINITE).all(axis=-1)] = np.nan
    return there


def frames(boxes: Floats, inset: float = 0.0) -> Floats:
    """(box, 3, 3, 2): nine places of each of (box, 4) bounds, its rows from the bottom up."""
    left, bottom, right, top = boxes.T
    x = np.stack([left + inset, (left + right) / 2, right - inset], axis=-1)
    y = np.stack([bottom + inset, (bottom + top) / 2, top - inset], axis=-1)
    return np.stack(np.broadcast_arrays(x[:, None, :], y[:, :, None]), axis=-1)


def bulges(
    frame: Floats, step: Callable[[Floats, Floats], Floats] = lambda a, b: b - a
) -> tuple[Floats, Floats]:
    """(box,) how far the middle of any line of a frame is off half-way, and its longest line.

    The lines are the sides, the middles and the diagonals; ``step`` is the way from a to b.
    """
    f = np.moveaxis(frame, 0, 2)
    a = np.stack([*f[:, 0], *f[0], f[0, 0], f[0, 2]])
    middle = np.stack([*f[:, 1], *f[1], f[1, 1], f[1, 1]])
    b = np.stack([*f[:, 2], *f[2], f[2, 2], f[2, 0]])
    whole = step(a, b)
    off = step(a, middle) - whole / 2
    return _length(off).max(axis=0), _length(whole).max(axis=0)


def _length(steps: Floats) -> Floats:
    return np.hypot(steps[..., 0], steps[..., 1])
