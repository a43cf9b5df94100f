"""Warp: one file on the common grid of a stack, as text that stands in its href."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from zonalbatch.errors import SourceError
from zonalbatch.lattice import TOLERANCE, Grid, Lattice

__all__ = ["CommonGrid", "Resampling", "Warp"]

Resampling: TypeAlias = Literal[
    "nearest", "bilinear", "cubic", "cubic_spline", "lanczos", "average", "mode", "max", "min",
    "med", "q1", "q3", "sum", "rms",
]  # fmt: skip
"""How a cell's value is made of the pixels of a file, in the words of GDAL and rasterio."""

Bounds: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right and top, units of the CRS."""

POINTS = 101
"""Points of each edge of a file by which its extent is found in another CRS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonGrid:
    """A grid of the user's, on which files of any grid are put.

    Raises:
        SourceError: the CRS is none of EPSG's, or not projected, or the cells do not fill the
            bounds.
    """

    epsg: int
    """Code of a projected CRS."""
    resolution: tuple[float, float]
    """Width and height of a cell, units of the CRS."""
    resampling: Resampling = "nearest"
    """How a cell's value is made."""
    bounds: Bounds | None = None
    """What lies beyond is left out. None takes all of every file, in cells whose edges are
    multiples of the resolution."""

    def __post_init__(self) -> None:
        """Refuse what makes no grid."""
        _check_crs(self.epsg)
        if not all(0 < size < math.inf for size in self.resolution):
            raise SourceError(f"resolution {self.resolution} is no size of a cell; give lengths")
        if self.resampling not in get_args(Resampling):
            raise SourceError(
                f"resampling {self.resampling!r} is unknown; use {', '.join(get_args(Resampling))}"
            )
        if self.bounds is not None:
            _check_bounds(self.bounds, self.resolution)

    @property
    def lattice(self) -> Lattice:
        """Where cells lie."""
        left, _, _, top = self.bounds or (0.0, 0.0, 0.0, 0.0)
        return Lattice.through(f"EPSG:{self.epsg}", left, top, *self.resolution)

    def grid(self, native: Grid, name: str) -> Grid | None:
        """The cells that a file on a grid of its own may reach; None if all are out of bounds.

        Args:
            native: the file's own grid.
            name: of the file, for errors.

        Raises:
            SourceError: the CRS does not show where the file lies.
        """
        window = self.lattice.outward(_extent(native, self.epsg, name))
        if self.bounds is not None:
            window = window.intersect(self.lattice.outward(self.bounds))
        return None if window.empty else Grid(self.lattice, window)


@dataclass(frozen=True, slots=True)
class Warp:
    """One band or more of a file on a common grid."""

    common: CommonGrid
    """The grid."""
    nodata: float | int | Literal["none"] | None = None
    """Raw value that takes no part in the warping; None asks the file."""

    @classmethod
    def of(cls, text: str) -> Warp:
        """What the text of a warp stands for."""
        epsg, dx, dy, *edges, resampling, nodata = text.split("/")
        left, bottom, right, top = (float(edge or "nan") for edge in edges)
        bounds = (left, bottom, right, top) if edges[0] else None
        how: Resampling = next(one for one in get_args(Resampling) if one == resampling)
        common = CommonGrid(
            epsg=int(epsg), resolution=(float(dx), float(dy)), resampling=how, bounds=bounds
        )
        return cls(common, _nodata_from(nodata))

    def __str__(self) -> str:
        """``epsg/dx/dy/left/bottom/right/top/resampling/nodata``, exact; no bounds are empty."""
        one = self.common
        numbers = (*one.resolution, *(one.bounds or ("",) * 4))
        nodata = self.nodata if isinstance(self.nodata, str) else json.dumps(self.nodata)
        return "/".join(map(str, (one.epsg, *numbers, one.resampling, nodata)))


def _nodata_from(text: str) -> float | int | Literal["none"] | None:
    if text == "none":
        return "none"
    number: float | int | None = json.loads(text)
    return number


@functools.lru_cache(maxsize=64)
def _check_crs(epsg: int) -> None:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_epsg(epsg)
    except (CRSError, TypeError) as error:
        raise SourceError(
            f"epsg {epsg!r} is no CRS that PROJ knows; give the code of a projected one"
        ) from error
    if not crs.is_projected:
        raise SourceError(
            f"epsg {epsg} ({crs.name}) is not projected; give the code of a CRS that is, such as "
            "3035 for Europe, or that of a UTM zone"
        )


def _check_bounds(bounds: Bounds, resolution: tuple[float, float]) -> None:
    left, bottom, right, top = bounds
    if not (left < right and bottom < top and all(map(math.isfinite, bounds))):
        raise SourceError(f"bounds {bounds} hold nothing; give left, bottom, right and top")
    for length, size in ((right - left, resolution[0]), (top - bottom, resolution[1])):
        if abs(length / size - round(length / size)) > TOLERANCE:
            raise SourceError(
                f"bounds {bounds} are {length:g} long, which is no whole number of cells of "
                f"{size:g}; move an edge"
            )


def _extent(grid: Grid, epsg: int, name: str) -> Bounds:
    """Where a file lies in a CRS: exact in its own, else by points on its edges."""
    from pyproj.exceptions import ProjError

    own = grid.lattice.bounds(grid.window)
    if grid.lattice.crs == f"EPSG:{epsg}":
        return own
    try:
        found = _transformer(grid.lattice.crs, epsg).transform_bounds(*own, densify_pts=POINTS)
    except ProjError:
        found = (math.nan,) * 4
    if not all(map(math.isfinite, found)):
        raise SourceError(
            f"{name} lies where EPSG:{epsg} has no coordinates; give another epsg, or leave it out"
        )
    left, bottom, right, top = found
    return left, bottom, right, top


@functools.lru_cache(maxsize=64)
def _transformer(crs: str, epsg: int):  # type: ignore[no-untyped-def]
    from pyproj import Transformer

    return Transformer.from_crs(crs, epsg, always_xy=True)
