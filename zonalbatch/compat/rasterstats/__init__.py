"""rasterstats' interface over this engine.

    from zonalbatch.compat.rasterstats import zonal_stats, point_query

Parameters, keys, types, warnings and errors are those of rasterstats 0.21, and so are the numbers
but where its own are at fault:

- An edge through centres of cells gives them to the zone on its right and below, so that
  neighbours share no cell; rasterstats takes such cells on both sides, or on none.
- ``all_touched`` takes cells whose open interior the zone meets, not those that it only borders.
- Means, sums and deviations are float64, also of float32 rasters. Only where ``zone_func``,
  ``add_stats`` or ``raster_out`` ask for the zone's array are they NumPy's on that array.
- Points of one feature in the same cell count it once; there two of them cancel.
- Beyond the raster is nodata, whatever the file says; there it is 0 where a file says nothing,
  and the number of cells without data is NaN or 0 where a file has a mask.
- Infinite values are no values. Masked cells of masked arrays stay masked.
- A raster on 0..360 degrees sees zones west of Greenwich.

Like there, a raster whose nodata is not known has -999 (`NodataWarning`), scale and offset of files
are not applied, and zones are taken to lie in the raster's CRS, whatever their own.
"""

from __future__ import annotations

from zonalbatch.compat.rasterstats.query import gen_point_query, point_query
from zonalbatch.compat.rasterstats.surface import NodataWarning
from zonalbatch.compat.rasterstats.zonal import gen_zonal_stats, raster_stats, zonal_stats

__all__ = [
    "NodataWarning", "gen_point_query", "gen_zonal_stats", "point_query", "raster_stats",
    "zonal_stats",
]  # fmt: skip
