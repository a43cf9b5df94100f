"""Zonal statistics with exactextract's parameters and results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from zonalbatch.compat.exactextract.inputs import features_of, rasters_of, warn_of_crs
from zonalbatch.compat.exactextract.operation import operations_of, with_unique
from zonalbatch.compat.exactextract.processor import Processor
from zonalbatch.compat.exactextract.writer import Writer, writer_for

__all__ = ["exact_extract"]

STRATEGIES = ("feature-sequential", "raster-sequential")
MAPS = {"frac": ("unique", "frac"), "weighted_frac": ("unique", "weighted_frac")}
"""Fields that ``frac_as_map`` makes mappings of."""


def exact_extract(
    rast: Any,
    vec: Any,
    ops: Any,
    *,
    weights: Any = None,
    include_cols: Sequence[str] | str | None = None,
    include_geom: bool = False,
    strategy: Literal["feature-sequential", "raster-sequential"] = "feature-sequential",
    max_cells_in_memory: int = 30_000_000,
    grid_compat_tol: float = 1e-3,
    output: str | Writer = "geojson",
    output_options: Mapping[str, Any] | None = None,
    progress: bool | Callable[[float, str], None] = False,
) -> Any:
    """Statistics of the cells of rasters in each zone, weighted by the share that is covered.

    Zones are taken to lie in the rasters' CRS. Where the package's docstring does not say
    otherwise, the answers are those of exactextract 0.3.

    Args:
        rast: a raster, or a list of them: path, dataset of rasterio or GDAL, DataArray, Dataset,
            `RasterSource`. None if all of ``ops`` are operations.
        vec: zones: path, GeoDataFrame, GeoJSON-like features, layer of fiona, OGR or QGIS,
            `FeatureSource`.
        ops: what to compute: text such as ``"mean"``, ``"quantile(q=0.33)"``,
            ``"low=count(min_coverage_frac=0.5)"``, functions ``f(values, coverage[, weights])``,
            `Operation`, or a list of such things.
        weights: rasters of weights, as ``rast``.
        include_cols: fields of the zones to carry.
        include_geom: True carries the zones' geometry.
        strategy: either name is taken; the engine has its own.
        max_cells_in_memory: means nothing; the engine bounds its memory by itself.
        grid_compat_tol: how far values and weights may be off each other, cells.
        output: ``geojson``, ``pandas``, ``gdal`` (a file) or a `Writer`.
        output_options: arguments of the writer; ``frac_as_map`` tells shares by class.
        progress: True shows a bar; a function is called with the share done and a text.

    Returns:
        Features, a frame, or None where a file was written.

    Raises:
        ValueError: an argument cannot be used.
        RuntimeError: an operation is not understood, or lacks weights.
        OSError: a file cannot be read.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy={strategy!r} is unknown; use {' or '.join(STRATEGIES)}")
    if not (isinstance(progress, bool) or callable(progress)):
        raise ValueError("progress should be True or a function")
    options = dict(output_options or {})
    mapped = options.pop("frac_as_map", False)
    rasters = [] if rast is None else rasters_of(rast)
    features = features_of(vec)
    asked = operations_of(ops, rasters, [] if weights is None else rasters_of(weights, "weight"))
    if mapped:
        asked, options["map_fields"] = with_unique(asked), MAPS
    warn_of_crs(features, asked)
    writer = writer_for(output, features.srs_wkt(), options)
    carried = [include_cols] if isinstance(include_cols, str) else list(include_cols or ())
    processor = Processor(features, writer, asked, carried)
    if include_geom:
        processor.add_geom()
    processor.set_grid_compat_tol(grid_compat_tol)
    if progress:
        processor.show_progress(True)
    if callable(progress):
        processor.set_progress_fn(progress)
    processor.process()
    return writer.features()
