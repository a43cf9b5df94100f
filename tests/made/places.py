"""Where all that is made lies, unless a test says otherwise."""

from __future__ import annotations

CRS = "EPSG:32631"
LEFT, TOP = 500_000.0, 5_600_000.0
"""The upper left corner of rasters and of groups of zones, metres."""
CELL = 10.0
"""Side of a raster's cells, metres."""
