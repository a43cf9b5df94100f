"""Zones: what to summarise over, streamed from a frame, a file or a raster, and made fit for it.

    shapes ◄─ kinds, simple, longitudes ◄─ buffers     geometry, a whole batch at once
    corners ◄─ loops ◄─ tracing ◄─ labels              rasters of labels, as polygons
    source ◄─ crs, columns ◄─ frames                   where zones come from: frames
    source ◄─ encoding, streams ◄─ vector ◄─ files     and files
    frames, files, labels ◄─ origins
    frames ◄─ identity                                 ids and hashes
    all ◄─ reader                                      puts them together

An arrow points to what is imported.
"""

from __future__ import annotations

from zonalbatch.zones.crs import crs_name
from zonalbatch.zones.longitudes import split_at_antimeridian, to_longitudes
from zonalbatch.zones.reader import ZoneReader, fit_shapes, open_zones
from zonalbatch.zones.source import ROW

__all__ = [
    "ROW", "ZoneReader", "crs_name", "fit_shapes", "open_zones", "split_at_antimeridian",
    "to_longitudes",
]  # fmt: skip
