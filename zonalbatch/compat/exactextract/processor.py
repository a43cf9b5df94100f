"""Processors: features through operations to a writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from zonalbatch.compat.exactextract.feature import (
    Feature,
    FeatureSource,
    GeoPandasFeatureSource,
    JSONFeature,
)
from zonalbatch.compat.exactextract.figures import figures
from zonalbatch.compat.exactextract.operation import Operation
from zonalbatch.compat.exactextract.writer import Writer

__all__ = ["FeatureSequentialProcessor", "Processor", "RasterSequentialProcessor"]

POINTS = (0, 4)  # shapely's type ids


class Processor:
    """Computes operations for all features and hands the results to a writer, in order.

    The peer's two processors are this one: the engine has its own order, and bounds its memory.
    """

    def __init__(
        self,
        ds: FeatureSource,
        writer: Writer,
        op_list: Sequence[Operation] = (),
        include_cols: Sequence[str] | None = None,
    ) -> None:
        self._features, self._writer = ds, writer
        self._operations, self._carried = list(op_list), list(include_cols or ())
        self._geometry, self._shown = False, False
        self._told: Callable[[float, str], None] = _print
        self._tolerance = 1e-3

    def add_operation(self, op: Operation) -> None:
        """Compute this too."""
        self._operations.append(op)

    def add_col(self, col_name: str) -> None:
        """Carry a field of the features."""
        self._carried.append(col_name)

    def add_geom(self) -> None:
        """Carry the features' geometry."""
        self._geometry = True

    def show_progress(self, shown: bool) -> None:
        """Tell of each feature, or do not."""
        self._shown = shown

    def set_progress_fn(self, function: Callable[[float, str], None]) -> None:
        """Whom to tell: a function of the share that is done and a text."""
        self._told = function

    def set_max_cells_in_memory(self, cells: int) -> None:
        """Means nothing: the engine bounds its memory by itself."""

    def set_grid_compat_tol(self, tolerance: float) -> None:
        """How far values and weights may be off each other, cells."""
        self._tolerance = tolerance

    def process(self) -> None:
        """Do it.

        Raises:
            RuntimeError: a feature is a point, or values and weights do not fit.
            OSError: a raster cannot be read.
        """
        shapes, features = self._read()
        found = figures(shapes, self._operations, self._tolerance)
        self._announce()
        rows = zip(features, _rows(self._operations, found, len(shapes)), strict=True)
        for i, (feature, row) in enumerate(rows, 1):
            self._writer.write(self._made(feature, row))
            if self._shown:
                self._told(i / len(shapes), "")
        self._writer.finish()

    def _announce(self) -> None:
        for column in self._carried:
            self._writer.add_column(column)
        for one in self._operations:
            self._writer.add_operation(one)
        if self._geometry:
            self._writer.add_geometry()

    def _made(self, feature: Feature, row: Mapping[str, Any]) -> JSONFeature:
        """The feature of a result."""
        made = JSONFeature()
        for name in self._carried:
            made.set(name, feature.get(name))
        made.feature["properties"].update(row)
        if self._geometry:
            geometry = feature.geometry()
            if isinstance(geometry, bytes):
                geometry = str(shapely.to_geojson(shapely.from_wkb(geometry)))
            made.set_geometry(geometry)
        return made

    def _read(self) -> tuple[NDArray[np.object_], Sequence[Feature]]:
        """The shapes of all features, and the features where more is needed of them."""
        source, features = self._features, []
        if isinstance(source, GeoPandasFeatureSource) and not (self._carried or self._geometry):
            shapes = np.asarray(source.src.geometry.array, dtype=object)
            features = [Feature()] * len(shapes)
        else:
            features = list(source)
            shapes = np.empty(len(features), dtype=object)
            shapes[:] = [_shape(feature) for feature in features]
        if np.isin(shapely.get_type_id(shapes), POINTS).any():
            raise RuntimeError("Unsupported geometry type: a zone is a point; give areas or lines")
        return shapely.force_2d(shapes), features


class FeatureSequentialProcessor(Processor):
    """`Processor` under the name of the peer's first."""


class RasterSequentialProcessor(Processor):
    """`Processor` under the name of the peer's second."""


def _rows(
    operations: Sequence[Operation], found: Mapping[int, Sequence[Any]], n_zones: int
) -> Iterator[dict[str, Any]]:
    """The results of each zone by name."""
    names = [one.name for one in operations]
    columns = [found[i] for i in range(len(operations))]
    rows = zip(*columns, strict=True) if columns else ((),) * n_zones
    return (dict(zip(names, row, strict=True)) for row in rows)


def _shape(feature: Feature) -> Any:
    if isinstance(feature, JSONFeature):
        told = feature.feature.get("geometry")
        return None if told is None else shapely.geometry.shape(told)
    return shapely.from_wkb(feature.geometry())


def _print(share: float, text: str) -> None:
    print(f"\r[{share * 100:0.1f}%] {text}", end="\n" if share == 1 else "", flush=True)
