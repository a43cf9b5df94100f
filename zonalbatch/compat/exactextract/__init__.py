"""exactextract's interface over this engine.

    from zonalbatch.compat.exactextract import exact_extract

Parameters, names, types and errors are those of exactextract 0.3, and so are the numbers but where
its own are at fault, or the engine's rules differ:

- Quantiles and the median do not merge equal values and are not cut to integers: the median of
  0, 0, 0, 10 is 0, there it is 5.
- Masked cells of masked arrays stay masked, in every zone. Infinite values are no values.
- Coverage is float64, there float32: numbers differ by about 1e-7 of their size.
- Zones are repaired first (GEOS's `make_valid`). Lines in degrees weigh by metres, not by degrees.
- A raster on 0..360 degrees sees zones west of Greenwich.
- South-up rasters are read. Rasters in GDAL's own memory are not: write them to a file.
- ``output="gdal"`` writes files, not into datasets of osgeo; ``output="qgis"`` is not offered.
- Weights on a finer grid than the values weigh a cell by their mean over all of it, there by the
  finer cells that the zone covers: weighted figures of zones whose borders cut cells differ (by
  0.1 % in one case of population on land cover). Bring the values to the weights' grid to agree.
- Strategies and ``max_cells_in_memory`` are taken and mean nothing.

Like there, zones are taken to lie in the rasters' CRS, whatever their own, with a RuntimeWarning.
"""

from __future__ import annotations

from zonalbatch.compat.exactextract.calling import exact_extract
from zonalbatch.compat.exactextract.feature import Feature, FeatureSource
from zonalbatch.compat.exactextract.operation import Operation
from zonalbatch.compat.exactextract.processor import Processor
from zonalbatch.compat.exactextract.raster import RasterSource
from zonalbatch.compat.exactextract.writer import Writer

__all__ = [
    "Feature", "FeatureSource", "Operation", "Processor", "RasterSource", "Writer", "exact_extract",
]  # fmt: skip
