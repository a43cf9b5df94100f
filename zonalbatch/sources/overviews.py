"""Overviews: which of a file's smaller copies is read, by how large its cells may be."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from zonalbatch.errors import ReadError, SourceError
from zonalbatch.lattice import Grid
from zonalbatch.layers import Layer
from zonalbatch.sources.access import OPEN, Access
from zonalbatch.sources.headers import read_headers
from zonalbatch.sources.protocol import Header, Resolution
from zonalbatch.sources.view import View

__all__ = ["at_resolution", "cell_metres", "cells_read"]

CELLS = 1024
"""Cells that the longer side of a raster is left with at least, where statistics need only be
approximate: as rio-tiler has it, whose ``max_size`` is 1024."""

SIZES = 4
"""Sizes of cells that a sentence names."""

TOLERANCE = 1e-6
"""Cells may be larger than asked by this share of them: their sides are rounded."""


def at_resolution(
    headers: Mapping[str, Header | ReadError], resolution: Resolution, access: Access = OPEN
) -> dict[str, tuple[str, Header | ReadError]]:
    """Each href with the view of it to read, and what that says of itself.

    It is the coarsest overview that is not coarser than asked, or the file itself if there is
    none. Its grid is its own: cells as many times larger as it has fewer. What its values are was
    decided by whoever made it (nearest, average, mode). An overview that has lost the file's mask
    is passed over; nodata, scale and offset are the file's, as overviews in a file of their own
    have none.

    Args:
        headers: what the files say, or why they cannot be read.
        resolution: metres, at the middle of a raster in degrees; or "approx", about an eighth
            of a Sentinel-2 scene's 10 m: the fewest cells that are still 1024 along the longer
            side.
        access: how the right to read the files is come by.

    Raises:
        SourceError: the resolution is no length.
    """
    _check(resolution)
    found = {href: (href, header) for href, header in headers.items()}
    levels = {
        href: _levels(header, resolution)
        for href, header in headers.items()
        if isinstance(header, Header)
    }
    while levels := {href: some for href, some in levels.items() if some}:
        views = {h: str(replace(View.of(h), overview=some.pop(0))) for h, some in levels.items()}
        read = read_headers(views.values(), access)
        for href, view in views.items():
            header = _as_its_file(read[view], headers[href])
            if isinstance(header, ReadError) or _serves(header, headers[href], resolution):
                found[href], levels[href] = (view, header), []
    return found


def _check(resolution: Resolution) -> None:
    if resolution != "approx" and not (
        isinstance(resolution, int | float) and 0 < resolution < math.inf
    ):
        raise SourceError(f"resolution {resolution!r} is no length; give metres, or 'approx'")


def _levels(header: Header, resolution: Resolution) -> list[int]:
    """Levels that may be fine enough, the coarsest first; GDAL tells factors rounded."""
    levels = sorted(enumerate(header.overviews), key=lambda one: -one[1])
    return [level for level, times in levels if _is_fine(header.grid, resolution, times - 0.5)]


def _is_fine(grid: Grid, resolution: Resolution, times: float = 1.0) -> bool:
    """True if a raster with cells so many times larger is not coarser than asked."""
    if isinstance(resolution, str):
        return max(grid.shape) >= CELLS * times
    return cell_metres(grid) * times <= resolution * (1 + TOLERANCE)


def _serves(view: Header, file: Any, resolution: Resolution) -> bool:
    return _is_fine(view.grid, resolution) and view.masked == file.masked


def _as_its_file(view: Header | ReadError, file: Any) -> Header | ReadError:
    """An overview's header with what the file says of the meaning of values."""
    if isinstance(view, ReadError):
        return view
    return replace(
        view, nodata=file.nodata, scales=file.scales, offsets=file.offsets,
        descriptions=file.descriptions,
    )  # fmt: skip


def cell_metres(grid: Grid) -> float:
    """The longer side of a raster's cells, metres; of cells in degrees at the raster's middle."""
    lattice = grid.lattice
    unit, radius = _unit(lattice.crs)
    if radius is None:
        return unit * max(lattice.dx, lattice.dy)
    _, bottom, _, top = lattice.bounds(grid.window)
    width = lattice.dx * math.cos(unit * (bottom + top) / 2)
    return radius * unit * max(width, lattice.dy)


def cells_read(layers: Iterable[Layer], resolution: Resolution) -> str:
    """The sentence that says which cells a resolution stands for, the most frequent first."""
    files = {asset.href: asset.grid for layer in layers for asset in layer.assets}
    sizes = Counter(_size(href, grid) for href, grid in files.items()).most_common()
    told = [f"{size} in {count:,} file{'s' * (count != 1)}" for size, count in sizes[:SIZES]]
    more = [f"{len(sizes) - SIZES:,} more sizes"] if len(sizes) > SIZES else []
    asked = resolution if isinstance(resolution, str) else f"{resolution:g}"
    return f"resolution {asked} takes cells of {', '.join(told + more)}"


def _size(href: str, grid: Grid) -> str:
    size = f"{cell_metres(grid):.4g} m"
    return f"{size} (full resolution)" if View.of(href).overview is None else size


@functools.lru_cache(maxsize=1024)
def _unit(crs: str) -> tuple[float, float | None]:
    """(metres of a unit, None), or (radians of a unit, metres of the Earth's radius)."""
    from pyproj import CRS

    known = CRS.from_user_input(crs)
    unit = float(known.axis_info[0].unit_conversion_factor) if known.axis_info else 1.0
    if not known.is_geographic:
        return unit, None
    return unit, known.ellipsoid.semi_major_metre if known.ellipsoid else 6378137.0
