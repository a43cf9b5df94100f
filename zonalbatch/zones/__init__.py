"""Zones: what to summarise over, streamed from a frame or a file and made fit to be measured.

    shapes ◄─ kinds, simple, longitudes ◄─ buffers     geometry, a whole batch at once
    source ◄─ crs, columns ◄─ frames                   where zones come from: frames
    source ◄─ encoding, streams ◄─ vector ◄─ files     and files
    frames ◄─ identity                                 ids and hashes
    all ◄─ reader                                      puts them together

An arrow points to what is imported.
"""

from __future__ import annotations

from zonalbatch.zones.crs import crs_name
from zonalbatch.zones.longitudes import split_at_antimeridian, to_longitudes
from zonalbatch.zones.reader import ZoneReader, open_zones

__all__ = ["ZoneReader", "crs_name", "open_zones", "split_at_antimeridian", "to_longitudes"]
