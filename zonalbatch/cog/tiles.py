"""Tiles: of web maps, and the tile matrix set of a file's own grid (OGC 17-083r4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zonalbatch.cog.frame import MOST, Frame
from zonalbatch.cog.given import a_whole
from zonalbatch.errors import InputError
from zonalbatch.sources.crs import crs_text

if TYPE_CHECKING:
    from zonalbatch.cog.opened import Cog

__all__ = ["frame_of_tile", "tile_matrix_set"]

PIXEL = 0.28e-3
"""Metres to a side of a pixel of a screen, as OGC standardises it."""
SQUARE = 1e-6
"""By what share the sides of a cell may differ."""


def _morecantile() -> ModuleType:
    try:
        import morecantile
    except ImportError as error:
        raise InputError("tiles of web maps take morecantile: pip install morecantile") from error
    return morecantile


def frame_of_tile(name: str, x: int, y: int, z: int, size: int) -> Frame:
    """The frame of a tile of a tile matrix set that morecantile knows."""
    sets, size = _morecantile().tms, a_whole("size", size, 1)
    x, y, z = (a_whole(f"{one} of a tile", at, 0) for one, at in (("x", x), ("y", y), ("z", z)))
    if size**2 > MOST:
        raise InputError(f"a tile of {size} × {size} cells is too large; give a smaller size")
    if name not in sets.list():
        raise InputError(f"{name!r} is no tile matrix set; use one of {', '.join(sets.list())}")
    tms = sets.get(name)
    if not tms.minzoom <= z <= tms.maxzoom:
        levels = f"{tms.minzoom} to {tms.maxzoom}"
        raise InputError(f"{name} has levels {levels}, and {z} is asked for")
    cols, rows = tms.matrix(z).matrixWidth, tms.matrix(z).matrixHeight
    if x >= cols or y >= rows:
        raise InputError(f"{name} has no tile {x}, {y} in level {z}, but {cols} × {rows}")
    bounds = tms.xy_bounds(_morecantile().Tile(x, y, z))
    crs = crs_text(tms.crs._pyproj_crs)
    return Frame(crs, (bounds.left, bounds.bottom, bounds.right, bounds.top), (size, size))


def tile_matrix_set(cog: Cog) -> Mapping[str, Any]:
    """The tile matrix set of a COG's own tiles: a matrix for each level, the coarsest first.

    Raises:
        InputError: the file is not tiled.
    """
    levels = [ifd for ifd in cog.ifds if not ifd.is_mask]
    if not levels:
        raise InputError(f"{cog!r} shows no directories of a TIFF, as {cog.left_to_gdal}")
    if any(ifd.tile is None for ifd in levels):
        raise InputError(f"{cog!r} is not tiled, so that it has no tiles")
    if not math.isclose(cog.grid.lattice.dx, cog.grid.lattice.dy, rel_tol=SQUARE):
        raise InputError(f"{cog!r} has cells that are no squares, which no tile matrix set can say")
    left, bottom, right, top = cog.bounds
    uri = f"http://www.opengis.net/def/crs/EPSG/0/{cog.epsg}"
    return {
        "id": "cog",
        "title": "Tiles of a COG",
        "crs": {"uri": uri} if cog.epsg else {"wkt": cog.crs.to_dict(projjson=True)},
        "boundingBox": {"lowerLeft": [left, bottom], "upperRight": [right, top]},
        "orderedAxes": ["X", "Y"],
        "tileMatrices": [
            _matrix(cog, str(number), ifd) for number, ifd in enumerate(reversed(levels))
        ],
    }


def _matrix(cog: Cog, number: str, ifd: Any) -> Mapping[str, Any]:
    left, bottom, right, top = cog.bounds
    cell = (right - left) / ifd.width
    rows, cols = ifd.tile_count
    south_up = cog.profile["transform"].e > 0
    return {
        "id": number,
        "scaleDenominator": cell * _metres(cog.crs) / PIXEL,
        "cellSize": cell,
        "cornerOfOrigin": "bottomLeft" if south_up else "topLeft",
        "pointOfOrigin": [left, bottom if south_up else top],
        "tileWidth": ifd.tile[1],
        "tileHeight": ifd.tile[0],
        "matrixWidth": cols,
        "matrixHeight": rows,
    }


def _metres(crs: Any) -> float:
    """Metres of a unit of a CRS; of a degree along the equator (6 378 137 m)."""
    return 111319.49079327358 if crs.is_geographic else float(crs.linear_units_factor[1])
