"""Inputs: the rasters and features that whatever a user gives stands for."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from zonalbatch.compat.exactextract.feature import (
    FeatureSource,
    FileFeatureSource,
    GDALFeatureSource,
    GeoPandasFeatureSource,
    JSONFeatureSource,
    QGISFeatureSource,
)
from zonalbatch.compat.exactextract.operation import Operation
from zonalbatch.compat.exactextract.raster import (
    FileRasterSource,
    GDALRasterSource,
    RasterioRasterSource,
    RasterSource,
    XArrayRasterSource,
)

__all__ = ["features_of", "rasters_of", "warn_of_crs"]


def rasters_of(given: Any, root: str = "") -> list[RasterSource]:
    """The bands of files, datasets, arrays, or of a list of such things.

    Args:
        given: what the user gave.
        root: what names of bands begin with.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(given, RasterSource):
        return [given]
    if isinstance(given, list | tuple):
        files = all(isinstance(one, str | os.PathLike) for one in given)
        return [
            source for one in given for source in rasters_of(one, Path(one).stem if files else "")
        ]
    if isinstance(given, str | os.PathLike):
        return _of_file(os.fspath(given), root)
    module = type(given).__module__.partition(".")[0]
    if module == "rasterio":
        if not given.count:
            return _of_variables(given.subdatasets)
        return _bands(RasterioRasterSource, given, given.count, root)
    if module == "osgeo":
        if not given.RasterCount:
            return _of_variables([name for name, _ in given.GetSubDatasets()])
        return _bands(GDALRasterSource, given, given.RasterCount, root)
    if hasattr(given, "data_vars"):
        return [s for name in given.data_vars for s in _of_array(given[name], str(name))]
    if hasattr(given, "dims"):
        return _of_array(given, root)
    raise ValueError(f"Unhandled raster datatype: {type(given).__name__}")


def _of_file(path: str, root: str) -> list[RasterSource]:
    import rasterio

    with rasterio.open(path) as file:
        count, variables = file.count, file.subdatasets
    return _bands(FileRasterSource, path, count, root) if count else _of_variables(variables)


def _of_variables(names: Iterable[str]) -> list[RasterSource]:
    """The bands of the variables of a file."""
    return [source for name in names for source in _of_file(name, name.split(":")[-1])]


def _of_array(array: Any, root: str) -> list[RasterSource]:
    import rioxarray  # noqa: F401 - gives arrays their .rio

    return _bands(XArrayRasterSource, array, array.rio.count, root)


def _bands(kind: Any, given: Any, count: int, root: str) -> list[RasterSource]:
    names = [root] if count == 1 else [f"{root}_band_{i}".lstrip("_") for i in range(1, count + 1)]
    return [kind(given, i, name=name) for i, name in enumerate(names, 1)]


def features_of(given: Any) -> FeatureSource:
    """The features of a file, a frame, a layer, or of GeoJSON-like mappings.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(given, FeatureSource):
        return given
    if isinstance(given, dict) and "geometry" in given:
        return JSONFeatureSource(given)
    if isinstance(given, list) and given and "geometry" in given[0]:
        return JSONFeatureSource(given)
    if isinstance(given, str | os.PathLike):
        return FileFeatureSource(given)
    if hasattr(given, "iterfeatures"):
        return GeoPandasFeatureSource(given)
    module = type(given).__module__.partition(".")[0]
    if module == "osgeo":
        return GDALFeatureSource(given)
    if module == "fiona":
        return JSONFeatureSource(given)
    if module == "qgis":
        return QGISFeatureSource(given)
    raise ValueError(f"Unhandled feature datatype: {type(given).__name__}")


def warn_of_crs(features: FeatureSource, operations: Sequence[Operation]) -> None:
    """Say once of values, and once of weights, that they lie in another CRS than features."""
    for kind, what in (("values", "raster"), ("weights", "weighting raster")):
        sources = dict.fromkeys(getattr(one, kind) for one in operations)
        for source in sources:
            if source is not None and not _same(features.srs_wkt(), source.srs_wkt()):
                warnings.warn(
                    f"Spatial reference system of input features does not exactly match {what}.",
                    RuntimeWarning,
                    stacklevel=3,
                )
                break


def _same(one: str | None, other: str | None) -> bool:
    """True if two CRSs are the same, or one is not known."""
    from pyproj import CRS

    if one is None or other is None or one == other:
        return True
    return bool(CRS.from_user_input(one).equals(CRS.from_user_input(other), ignore_axis_order=True))
