"""Figures: the engine's answers to operations, one column of results for each.

Operations on the same rasters and cells are one run of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.compat.engine import columns_of
from zonalbatch.compat.exactextract.fit import check_fit
from zonalbatch.compat.exactextract.lists import CellList, UserFunction, cell_lists, lacks_weights
from zonalbatch.compat.exactextract.operation import Operation, Options, PythonOperation
from zonalbatch.compat.exactextract.raster import FilledSource, RasterSource, SourcePixels
from zonalbatch.compat.exactextract.spherical import SPHERICAL, sphere_figure
from zonalbatch.sources import Pixels
from zonalbatch.statistics import FunctionError, OfCells, parse_statistics

__all__ = ["figures"]

Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Told:
    """How the engine's number becomes the peer's."""

    engine: str
    """The engine's statistic."""
    empty: Any
    """What stands for no number."""
    own: bool = False
    """True if it is a value of the raster, and so of its type."""
    area: int = 0
    """The power of a cell's area that it grows with."""


NAN = float("nan")
TOLD: Mapping[str, Told] = {
    "count": Told("count", 0.0, area=1),
    "sum": Told("sum", 0.0, area=1),
    "mean": Told("mean", NAN),
    "median": Told("median", None),
    "quantile": Told("median", None),
    "min": Told("min", None, own=True),
    "max": Told("max", None, own=True),
    "mode": Told("mode", None, own=True),
    "majority": Told("mode", None, own=True),
    "minority": Told("minority", None, own=True),
    "variety": Told("variety", 0),
    "variance": Told("variance", NAN),
    "stdev": Told("std", NAN),
    "coefficient_of_variation": Told("cv", NAN),
    "min_center_x": Told("min_x", NAN),
    "min_center_y": Told("min_y", NAN),
    "max_center_x": Told("max_x", NAN),
    "max_center_y": Told("max_y", NAN),
    "weighted_sum": Told("weighted_sum", 0.0, area=1),
    "weighted_mean": Told("weighted_mean", NAN),
    "weighted_variance": Told("weighted_variance", NAN),
    "weighted_stdev": Told("weighted_std", NAN),
}

LACKS = CellList("cells without weights", lacks_weights, False, weighted=True)
"""Where the peer's weighted numbers are none: one missing weight is enough."""


def figures(
    shapes: Objects, operations: Sequence[Operation], tolerance: float = 1e-3
) -> dict[int, Sequence[Any]]:
    """(zone,) results of each operation, by its place among them.

    Args:
        shapes: geometries, which are taken to lie in the rasters' CRS, whatever their own.
        operations: what is asked.
        tolerance: how far values and weights may be off each other, cells.
    """
    found: dict[int, Sequence[Any]] = {}
    groups: dict[tuple[Options, RasterSource | None], list[int]] = {}
    for i, one in enumerate(operations):
        groups.setdefault((one.options, one.weights if one.weighted else None), []).append(i)
    for (options, weights), places in groups.items():
        some = [operations[i] for i in places]
        if weights is not None:
            for one in some:
                check_fit(one.values, weights, tolerance)
        run = _Run(shapes, some, options, weights)
        found |= dict(zip(places, run.columns(), strict=True))
    return found


@dataclass
class _Run:
    """One run of the engine: operations on cells by the same rules."""

    shapes: Objects
    operations: Sequence[Operation]
    options: Options
    weights: RasterSource | None

    def columns(self) -> Iterator[Sequence[Any]]:
        """The results of each operation."""
        for one in self.operations:
            yield self._column(one)

    @cached_property
    def _answers(self) -> dict[RasterSource, Mapping[str, Any]]:
        """What the engine says of each raster."""
        found: dict[RasterSource, Mapping[str, Any]] = {}
        for sources in self._together():
            found |= self._asked_of(sources)
        return found

    def _together(self) -> Iterator[list[RasterSource]]:
        """Rasters that are asked of at once: those on one grid, unless cells are shown, which
        is for each of them to ask."""
        sources = list(dict.fromkeys(one.values for one in self.operations))
        whole = all(isinstance(self._statistic(one), str) for one in self.operations)
        if self.weights is not None or not whole:
            yield from ([source] for source in sources)
            return
        lattices = {source: source.opened().pixels.header.grid.lattice for source in sources}
        for lattice in dict.fromkeys(lattices.values()):
            yield [source for source in sources if lattices[source] == lattice]

    def _asked_of(self, sources: Sequence[RasterSource]) -> dict[RasterSource, Mapping[str, Any]]:
        asked = [self._statistic(one) for one in self.operations if one.values in sources]
        if self.weights is not None:
            asked += ["frac"] * ("weighted_frac" in asked) + [LACKS]
        try:
            found = columns_of(
                self.shapes, [source.opened() for source in sources], asked,
                "fraction" if self.options.coverage_weight != "none" else "all_touched",
                min_fraction=self.options.min_coverage, default=self._default(sources),
                weights=self._weights(sources[0]),
            )  # fmt: skip
        except FunctionError as error:
            raise (error.__cause__ or error) from None
        return dict(zip(sources, found, strict=True))

    def _weights(self, values: RasterSource) -> Pixels | None:
        """The weights, taken to have the values' CRS."""
        if self.weights is None:
            return None
        default = self.options.default_weight
        filled = FilledSource(self.weights, NAN if default is None else default)
        return SourcePixels(filled, values.opened().pixels.header.grid.lattice.crs)

    def _default(self, sources: Sequence[RasterSource]) -> float | None:
        """The value that stands in, if the rasters' types can hold it."""
        if self.options.default_value is None:
            return None
        value = float(self.options.default_value)
        for source in sources:
            kind = _dtype(source)
            if kind.kind in "iu" and not np.iinfo(kind).min <= value <= np.iinfo(kind).max:
                raise RuntimeError(f"Value out of range: default_value={value:g} of {kind}")
        return value

    def _statistic(self, one: Operation) -> str | OfCells:
        """What the engine is asked for an operation."""
        if isinstance(one, PythonOperation):
            return UserFunction(f"cells {one.name}", one.function, one.weighted)
        if self._spherical and one.stat.startswith("weighted"):
            raise RuntimeError(f"{one.stat} by spherical areas is not offered; weigh by fractions")
        if self._spherical and one.stat in SPHERICAL:
            unit = 1e-6 if self.options.coverage_weight.endswith("km2") else 1.0
            return CellList(f"cells {one.name}", partial(sphere_figure, one.stat, one.q, unit))
        if one.stat in ("unique", "frac"):
            return "frac"
        if one.stat == "quantile":
            return f"p{np.format_float_positional(round((one.q or 0.0) * 100, 10), trim='-')}"
        if one.stat == "weighted_frac":
            return "weighted_frac"
        if one.stat in TOLD:
            return TOLD[one.stat].engine
        return cell_lists(f"cells {one.name}", one.stat, one.values)

    @property
    def _spherical(self) -> bool:
        return self.options.coverage_weight.startswith("area_spherical")

    def _column(self, one: Operation) -> Sequence[Any]:
        """The results of one operation, as the peer gives them."""
        statistic = self._statistic(one)
        (known,) = parse_statistics([statistic])
        column = self._answers[one.values][known.name]
        dx, dy = one.values.res()
        area = dx * dy if self.options.coverage_weight == "area_cartesian" else 1.0
        kind = _dtype(one.values)
        if one.stat in ("unique", "frac") and statistic == "frac":
            return _classes(column, "class" if one.stat == "unique" else "value", kind)
        if statistic == "weighted_frac":
            return _weighted_shares(self._answers[one.values]["frac"], column)
        if not isinstance(statistic, str):
            found = column.tolist()  # type: ignore[union-attr]
            return [v * area for v in found] if one.stat == "coverage" else found
        told = TOLD[one.stat]
        number: Callable[[float], Any] = float
        if one.stat == "variety" or (told.own and kind.kind in "iub"):
            number = int
        factor = area**told.area
        if self.weights is not None and one.stat.startswith("weighted"):
            lacking = self._answers[one.values][LACKS.name].astype(bool)  # type: ignore[union-attr]
            column = np.where(lacking, np.inf, column)  # NaN there, told from no cells at all
        return [_plain(value, told, number, factor) for value in column.tolist()]  # type: ignore[union-attr]


def _plain(value: float, told: Told, number: Callable[[float], Any], factor: float) -> Any:
    """One of the engine's numbers as the peer tells it."""
    if value != value:
        return told.empty
    if value == np.inf:
        return NAN
    return number(value * factor if factor != 1 else value)


def _weighted_shares(classes: Any, column: Any) -> list[NDArray[np.float64]]:
    """Weighted shares of all classes of each zone, 0 of those whose weights are all 0."""
    kind = np.dtype(np.float64)
    every, some, shares = (
        _classes(classes, "class", kind), _classes(column, "class", kind),
        _classes(column, "value", kind),
    )  # fmt: skip
    found = [np.zeros(len(one)) for one in every]
    for i, told in enumerate(found):
        told[np.searchsorted(every[i], some[i])] = shares[i]
    return found


def _dtype(source: RasterSource) -> np.dtype[Any]:
    """The type of a raster's physical values."""
    opened = source.opened()
    header, band = opened.pixels.header, opened.band - 1
    scaling = opened.scaling or (header.scales[band], header.offsets[band])
    return np.dtype(np.float64 if scaling != (1.0, 0.0) else header.dtypes[band])


def _classes(column: Any, field: str, kind: np.dtype[Any]) -> list[NDArray[Any]]:
    """The classes of each zone, or their shares, in the order of classes."""
    ends = np.cumsum(pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False))
    flat = pc.list_flatten(column)
    classes = pc.struct_field(flat, "class").to_numpy(zero_copy_only=False)
    told = pc.struct_field(flat, field).to_numpy(zero_copy_only=False)
    if field == "class":
        told = told.astype(kind)
    parts = zip(np.split(classes, ends[:-1]), np.split(told, ends[:-1]), strict=True)
    return [own[np.argsort(of, kind="stable")] for of, own in parts]
