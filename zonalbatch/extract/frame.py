"""Frame: the cells of a result."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from zonalbatch.catalog.named import Named
from zonalbatch.errors import InputError, SourceError
from zonalbatch.extract.asked import EARTH, Asked, Box
from zonalbatch.extract.pieces import Pieces
from zonalbatch.lattice import Lattice, Window, crs_label
from zonalbatch.projections import transformer

__all__ = ["Frame", "frame_of", "in_crs", "native_lattice", "outward"]

MOST_RATIO = 4096
"""Cells of the source to a side of one of a result."""
MOST_CELLS = 2**40
"""Of a result: more than a terabyte is no file."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A window of a lattice."""

    lattice: Lattice
    window: Window

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """From column and row to place, as affine has it."""
        left, _, _, top = self.lattice.bounds(self.window)
        return self.lattice.dx, 0.0, left, 0.0, -self.lattice.dy, top


def frame_of(asked: Asked, pieces: Pieces) -> tuple[Frame, Frame]:
    """The source's own cells about a box, and those of the result.

    The box is grown outward to whole cells, by less than one on each side. Where files have cells
    of several sizes, as elevation models have towards the poles, the smallest are taken.

    Raises:
        SourceError: the files lie in several CRSs, or the box in none of theirs.
    """
    native = native_lattice(asked.of, pieces)
    bounds = _bounds(_turned(asked.box, native, pieces), native.crs)
    window = outward(native, bounds)
    extents = (piece.grid.lattice.bounds(piece.grid.window) for piece in pieces.files)
    if not any(_meets(extent, bounds) for extent in extents):
        raise SourceError(f"{asked.of.told} has no pixel in that box; choose another one")
    if math.prod(window.shape) > MOST_CELLS:
        raise SourceError(f"the box holds {math.prod(window.shape):,} cells; extract parts of it")
    own = Frame(native, window)
    size = asked.target_resolution
    if size is None:
        return own, own
    coarse = Lattice.through(native.crs, *_corner(native, window), size, size)
    found = Frame(coarse, outward(coarse, native.bounds(window)))
    ratio = max(size / native.dx, size / native.dy)
    if math.prod(found.window.shape) > MOST_CELLS or ratio > MOST_RATIO:
        raise SourceError(
            f"target_resolution {size:g} is {ratio:g} cells of {native.dx:g} in the units of "
            f"{crs_label(native.crs)}; give another"
        )
    return own, found


def in_crs(of: Named, pieces: Pieces, wanted: str | None) -> Pieces:
    """The files that lie in a CRS; all, if none is wanted.

    Raises:
        InputError: that is no CRS.
        SourceError: none of them does.
    """
    if wanted is None:
        return pieces
    try:
        crs = CRS.from_user_input(wanted)
    except CRSError:
        raise InputError(
            f"target_crs {wanted!r} is no CRS; give a code such as EPSG:32632"
        ) from None
    files = tuple(one for one in pieces.files if CRS(one.grid.lattice.crs).equals(crs))
    if not files:
        systems = sorted({one.grid.lattice.crs for one in pieces.files})
        raise SourceError(
            f"{of.told} lies in {' and '.join(map(crs_label, systems))}, and pixels are not "
            "warped; leave target_crs out"
        )
    return replace(pieces, files=files)


def _corner(lattice: Lattice, window: Window) -> tuple[float, float]:
    left, _, _, top = lattice.bounds(window)
    return left, top


def _turned(box: Box, lattice: Lattice, pieces: Pieces) -> Box:
    """A box by the longitudes of a grid of 0 to 360 degrees.

    Raises:
        SourceError: it lies on both sides of where such a grid begins.
    """
    if not CRS.from_user_input(lattice.crs).is_geographic:
        return box
    sides = [piece.grid.lattice.bounds(piece.grid.window) for piece in pieces.files]
    west, south, east, north = box
    if max(one[2] for one in sides) <= 180 + lattice.dx or west >= 0:
        return box
    if min(one[0] for one in sides) < -lattice.dx:
        return box
    if east > 0:
        raise SourceError(
            "the grid goes from 0 to 360 degrees, and the box lies on both sides of 0; extract "
            "each side for itself"
        )
    return west + 360, south, east + 360, north


def native_lattice(of: Named, pieces: Pieces) -> Lattice:
    """The smallest cells of some files.

    Raises:
        SourceError: they lie in several CRSs.
    """
    counted = Counter(piece.grid.lattice for piece in pieces.files)
    systems = sorted({lattice.crs for lattice in counted})
    if len(systems) > 1:
        raise SourceError(
            f"files of {of.told} lie in {' and '.join(map(crs_label, systems))} there; say which "
            f"by target_crs, such as {crs_label(systems[0])}"
        )
    return min(counted, key=lambda one: (one.dx * one.dy, -counted[one], one.x0, one.y0))


def _bounds(box: Box, crs: str) -> Box:
    """A box in another CRS: exact where that is the Earth's, else by points on its edges."""
    target = CRS.from_user_input(crs)
    if target.is_geographic:
        return box
    try:
        found = transformer(EARTH, crs).transform_bounds(*box, densify_pts=101)
    except ProjError:
        found = (math.nan,) * 4
    if not np.isfinite(found).all():
        raise SourceError(f"the box has no coordinates in {crs_label(crs)}; choose another one")
    left, bottom, right, top = found
    return left, bottom, right, top


def _meets(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def outward(lattice: Lattice, bounds: Box) -> Window:
    """The window of all cells that bounds touch; one at least."""
    top, left, bottom, right = lattice.outward(bounds)
    return Window(top, left, max(bottom, top + 1), max(right, left + 1))
