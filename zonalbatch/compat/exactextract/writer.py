"""Writers: what becomes of the features of a result."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zonalbatch.compat.exactextract.feature import Feature, JSONFeature
from zonalbatch.compat.exactextract.operation import TEMPORARY

__all__ = ["GDALWriter", "JSONWriter", "PandasWriter", "Writer", "writer_for"]

ARRAY_TYPES: Mapping[str, Any] = {"numpy": None, "list": list, "set": set}


class Writer:
    """Takes features one by one. A class of the user's own needs ``write``."""

    def add_operation(self, op: Any) -> None:
        """Learn of an operation whose results features will have."""

    def add_column(self, col_name: str) -> None:
        """Learn of a column that features carry."""

    def add_geometry(self) -> None:
        """Learn that features have a geometry."""

    def write(self, feature: Feature) -> None:
        """Take a feature."""
        raise NotImplementedError

    def finish(self) -> None:
        """Learn that there are no more."""

    def features(self) -> Any:
        """What was made of all."""


class JSONWriter(Writer):
    """A list of GeoJSON-like features."""

    def __init__(
        self,
        *,
        array_type: str = "numpy",
        map_fields: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """How lists are told.

        Args:
            array_type: ``numpy``, ``list`` or ``set``.
            map_fields: name -> (statistic of keys, statistic of values) to make a mapping of.
        """
        if array_type not in ARRAY_TYPES:
            raise ValueError(f"Unsupported array_type: {array_type}")
        self._as = ARRAY_TYPES[array_type]
        self._maps = map_fields or {}
        self._ops: list[Any] = []
        self._features: list[dict[str, Any]] = []

    def add_operation(self, op: Any) -> None:
        """Learn of an operation whose results features will have."""
        self._ops.append(op)

    def write(self, feature: Feature) -> None:
        """Take a feature."""
        copy = JSONFeature()
        feature.copy_to(copy)
        fields = {op.name: None for op in self._ops} | copy.feature["properties"]
        fields |= self._mapped(fields)
        copy.feature["properties"] = {
            name: self._as(value) if self._as and isinstance(value, np.ndarray) else value
            for name, value in fields.items()
            if not name.startswith(TEMPORARY)
        }
        self._features.append(copy.feature)

    def features(self) -> list[dict[str, Any]]:
        """The features."""
        return self._features

    def _mapped(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Fields that are mappings of others."""
        found = {}
        for name, (keys, values) in self._maps.items():
            of_keys = [op.name for op in self._ops if op.stat == keys]
            of_values = [op.name for op in self._ops if op.stat == values]
            if of_values:
                for key, value in zip(of_keys, of_values, strict=True):
                    pairs = zip(fields[key].tolist(), fields[value].tolist(), strict=True)
                    found[value.replace(values, name)] = dict(pairs)
        return found


class PandasWriter(Writer):
    """A DataFrame, or a GeoDataFrame if features have a geometry."""

    def __init__(self, *, srs_wkt: str | None = None) -> None:
        self._columns: dict[str, list[Any]] = {}
        self._shapes: list[Any] | None = None
        self._srs_wkt = srs_wkt

    def add_operation(self, op: Any) -> None:
        """Learn of an operation whose results features will have."""
        self._columns[op.name] = []

    def add_column(self, col_name: str) -> None:
        """Learn of a column that features carry."""
        self._columns[col_name] = []

    def add_geometry(self) -> None:
        """Learn that features have a geometry."""
        self._shapes = []

    def write(self, feature: Feature) -> None:
        """Take a feature."""
        known = set(feature.fields())
        for name, column in self._columns.items():
            column.append(feature.get(name) if name in known else None)
        if self._shapes is not None:
            self._shapes.append(feature.geometry())

    def features(self) -> Any:
        """The frame."""
        import pandas as pd

        columns = {name: _series(values) for name, values in self._columns.items()}
        if self._shapes is None:
            return pd.DataFrame(columns)
        import geopandas
        import shapely

        shapes = [
            shapely.from_geojson(one) if isinstance(one, str) else shapely.from_wkb(one)
            for one in self._shapes
        ]
        return geopandas.GeoDataFrame(columns, geometry=shapes, crs=self._srs_wkt)


def _series(values: list[Any]) -> Any:
    """Values as a column: objects if one is a list, so that rows stay rows."""
    if not any(isinstance(value, np.ndarray | list | set) for value in values):
        return values
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


class GDALWriter(PandasWriter):
    """A file that GDAL writes, of the format that its name or ``driver`` tells."""

    def __init__(
        self,
        dataset: Any = None,
        *,
        filename: str | os.PathLike[str] | None = None,
        driver: str | None = None,
        layer_name: str = "",
        srs_wkt: str | None = None,
    ) -> None:
        super().__init__(srs_wkt=srs_wkt)
        if dataset is not None:
            raise ValueError(
                "a dataset of osgeo cannot be written to; give output_options={'filename': ...}"
            )
        if filename is None:
            raise ValueError("Unhandled output type: give output_options={'filename': ...}")
        self._about = {"path": os.fspath(filename), "driver": driver, "layer": layer_name or None}

    def finish(self) -> None:
        """Write the file."""
        import pyogrio

        frame = super().features()
        pyogrio.write_dataframe(frame, **{k: v for k, v in self._about.items() if v is not None})

    def features(self) -> None:
        """Nothing: the features are in the file."""


def writer_for(output: Any, srs_wkt: str | None, options: Mapping[str, Any]) -> Writer:
    """The writer that ``output`` stands for.

    Raises:
        ValueError: there is none of that name.
    """
    if isinstance(output, Writer):
        if options:
            raise ValueError("output_options are for names of outputs; give them to the writer")
        return output
    if output == "geojson":
        return JSONWriter(**options)
    if output == "pandas":
        return PandasWriter(srs_wkt=srs_wkt, **options)
    if output == "gdal":
        return GDALWriter(srs_wkt=srs_wkt, **options)
    if output == "qgis":
        raise ValueError(
            "output='qgis' is not offered; write a file with output='gdal' and open it in QGIS"
        )
    raise ValueError(f"Unsupported value of output: {output!r}; use geojson, pandas or gdal")
