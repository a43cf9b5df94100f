"""Lattices, windows and fold tiles: where cells lie.

A *lattice* is a CRS, a cell size and an origin modulo the cell size. A file is an integer
*window* of a lattice. Rows grow downward (south) and columns to the right (east), counted from
the lattice's zero; a south-up file is a window whose rows are read in reverse order.

A *fold tile* is a square of 512 × 512 cells anchored at the lattice's zero. States are kept per
(zone, fold tile) and folded in row-major order of tiles, so that cutting the work cannot change
a bit of any result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from zonalbatch.errors import SourceError

__all__ = [
    "TILE",
    "TOLERANCE",
    "Grid",
    "Lattice",
    "Window",
    "crs_label",
    "grid_of",
    "nesting_factor",
]

TILE = 512
"""Side of a fold tile, cells."""

TOLERANCE = 1e-6
"""Two grids share a lattice if their cell corners agree to this share of a cell."""


class Window(NamedTuple):
    """A half-open block of a lattice's cells: rows ``[top, bottom)``, columns ``[left, right)``."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, cells; zero where the window is empty."""
        return max(0, self.bottom - self.top), max(0, self.right - self.left)

    @property
    def empty(self) -> bool:
        """True if the window holds no cell."""
        return self.bottom <= self.top or self.right <= self.left

    def intersect(self, other: Window) -> Window:
        """The cells in both windows (perhaps none)."""
        return Window(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def shift(self, rows: int, cols: int) -> Window:
        """The window moved by whole cells."""
        return Window(self.top + rows, self.left + cols, self.bottom + rows, self.right + cols)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Where cells can lie: every cell that a family of aligned rasters could have."""

    crs: str
    """``EPSG:n`` where the CRS has a code, else WKT2."""
    dx: float
    """Cell width, units of the CRS, positive."""
    dy: float
    """Cell height, units of the CRS, positive."""
    x0: float
    """Left edge of column 0, in ``[0, dx)`` up to rounding."""
    y0: float
    """Top edge of row 0, in ``[0, dy)`` up to rounding."""

    @classmethod
    def through(cls, crs: str, left: float, top: float, dx: float, dy: float) -> Lattice:
        """The lattice that has a cell with this left and top edge."""
        return cls(crs, dx, dy, _phase(left, dx), _phase(top, dy))

    def window(self, left: float, top: float, height: int, width: int) -> Window | None:
        """The window of a raster with this corner and shape, or None if its cells are not ours."""
        col, row = (left - self.x0) / self.dx, (self.y0 - top) / self.dy
        if abs(col - round(col)) > TOLERANCE or abs(row - round(row)) > TOLERANCE:
            return None
        row, col = round(row), round(col)
        return Window(row, col, row + height, col + width)

    def bounds(self, window: Window) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of a window, units of the CRS."""
        return (
            self.x0 + self.dx * window.left,
            self.y0 - self.dy * window.bottom,
            self.x0 + self.dx * window.right,
            self.y0 - self.dy * window.top,
        )

    def outward(self, bounds: tuple[float, float, float, float]) -> Window:
        """The window of all cells that (left, bottom, right, top) touch by more than rounding."""
        left, bottom, right, top = bounds
        return Window(
            math.floor((self.y0 - top) / self.dy + TOLERANCE),
            math.floor((left - self.x0) / self.dx + TOLERANCE),
            math.ceil((self.y0 - bottom) / self.dy - TOLERANCE),
            math.ceil((right - self.x0) / self.dx - TOLERANCE),
        )

    def shares_cells(self, other: Lattice) -> bool:
        """True if both lattices have the same cells, origin aside."""
        return (
            self.crs == other.crs
            and math.isclose(self.dx, other.dx, rel_tol=1e-12)
            and math.isclose(self.dy, other.dy, rel_tol=1e-12)
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """Where one raster's cells lie: a window of a lattice, and the sense of its rows."""

    lattice: Lattice
    window: Window
    south_up: bool = False
    """True if the raster's first row is the southernmost (its rows are read in reverse)."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the raster, cells."""
        return self.window.shape

    def on(self, lattice: Lattice) -> Grid | None:
        """The same raster seen as a window of ``lattice``, or None if its cells are not there."""
        if not lattice.shares_cells(self.lattice):
            return None
        left, _, right, top = self.lattice.bounds(self.window)
        window = lattice.window(left, top, *self.shape)
        if window is None or abs((right - lattice.x0) / lattice.dx - window.right) > TOLERANCE:
            return None
        return Grid(lattice, window, self.south_up)


def grid_of(
    crs: str, transform: tuple[float, ...], shape: tuple[int, int], name: str = "raster"
) -> Grid:
    """The grid of a raster with an affine transform ``(a, b, c, d, e, f)`` and a (row, col) shape.

    Raises:
        SourceError: the transform is not finite, rotated, sheared or mirrored in x, or its cells
            are too small for their coordinates.
    """
    a, b, c, d, e, f = transform[:6]
    if not all(map(math.isfinite, (a, b, c, d, e, f))):
        raise SourceError(
            f"{name} has the transform {(a, b, c, d, e, f)}, which is not finite; write the true "
            "one (gdal_edit -a_ullr left top right bottom)"
        )
    if abs(b) > 1e-9 * abs(a) or abs(d) > 1e-9 * abs(e) or a <= 0 or e == 0:
        raise SourceError(
            f"{name} has a rotated, sheared or mirrored grid {(a, b, c, d, e, f)}; "
            "warp it to a north-up grid first (gdalwarp), or wrap it in a VRT that does"
        )
    height, width = shape
    top = f if e < 0 else f + e * height
    window = None
    if max(abs(c), abs(f), abs(top)) < 2**52 * min(a, abs(e)):
        lattice = Lattice.through(crs, c, top, a, abs(e))
        window = lattice.window(c, top, height, width)
    if window is None:  # a cell so small against its coordinates that float64 cannot place it
        raise SourceError(f"{name} has cells of {a} × {abs(e)}, too small for float64 coordinates")
    return Grid(lattice, window, south_up=e > 0)


def nesting_factor(coarse: Lattice, fine: Lattice) -> int | None:
    """How many cells of ``fine`` make one side of a cell of ``coarse``; None if not nested."""
    if coarse.crs != fine.crs:
        return None
    factor = round(coarse.dx / fine.dx)
    same_size = math.isclose(coarse.dx, factor * fine.dx, rel_tol=1e-9) and math.isclose(
        coarse.dy, factor * fine.dy, rel_tol=1e-9
    )
    if factor < 1 or not same_size:
        return None
    aligned = fine.window(coarse.x0, coarse.y0, 1, 1) is not None
    return factor if aligned else None


def _phase(edge: float, size: float) -> float:
    """An edge modulo the cell size, with phases within tolerance of a whole cell taken as zero."""
    phase = math.fmod(edge, size)  # exact in floating point
    if phase < 0:
        phase += size
    return phase - size if phase > (1 - TOLERANCE) * size else phase


def crs_label(crs: str) -> str:
    """A CRS as it can stand in a sentence: its code, if it has one."""
    return crs if len(crs) < 40 else "a CRS without a code"
