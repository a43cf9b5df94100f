"""Plane: rasters without a CRS, which lie in the same plane as their zones, that is all."""

from __future__ import annotations

from zonalbatch.errors import ReadError, SourceError
from zonalbatch.sources import Pixels, open_pixels

__all__ = ["PLANE", "open_file"]

PLANE = (
    'ENGCRS["plane",EDATUM["plane"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],'
    'LENGTHUNIT["metre",1]]'
)
"""The CRS of what has none."""


def open_file(path: str) -> tuple[str, Pixels]:
    """A file and its pixels; one without a CRS is seen through a VRT in the plane.

    Raises:
        OSError: it cannot be read, either way.
    """
    causes = []
    for name in (path, f"vrt://{path}?a_srs={PLANE}"):
        pixels = open_pixels(name)
        try:
            _ = pixels.header
        except (SourceError, ReadError) as error:
            causes.append(error)
        else:
            return name, pixels
    raise OSError(str(causes[0])) from causes[0]
