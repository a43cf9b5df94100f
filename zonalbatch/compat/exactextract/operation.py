"""Operations: what is asked of a raster, as exactextract writes it.

``name=stat(values, weights, argument=value)``, where all but ``stat`` may be left out.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zonalbatch.compat.exactextract.raster import RasterSource

__all__ = ["TEMPORARY", "Operation", "Options", "PythonOperation", "operations_of", "with_unique"]

STATS = (
    "cell_id", "center_x", "center_y", "coefficient_of_variation", "count", "coverage", "frac",
    "majority", "max", "max_center_x", "max_center_y", "mean", "median", "min", "min_center_x",
    "min_center_y", "minority", "mode", "quantile", "stdev", "sum", "unique", "values", "variance",
    "variety", "weighted_frac", "weighted_mean", "weighted_stdev", "weighted_sum",
    "weighted_variance", "weights",
)  # fmt: skip

COVERAGE_WEIGHTS = (
    "fraction", "none", "area_cartesian", "area_spherical_m2", "area_spherical_km2",
)  # fmt: skip

DESCRIPTOR = re.compile(r"(?:(?P<name>\w+)=)?(?P<stat>\w+)(?:\((?P<args>[ ,.=\w-]+)\))?")

TEMPORARY = "@delete@"
"""How names of results begin that only serve to make others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What arguments say of the cells that an operation is about; it tells their groups apart."""

    min_coverage: float = 0.0
    coverage_weight: str = "fraction"
    default_value: str | None = None
    default_weight: float | None = None

    @classmethod
    def taken(cls, args: dict[str, str]) -> Options:
        """The options among some arguments, which are taken out of them.

        Raises:
            RuntimeError: a value has no meaning.
        """
        least = _number(args.pop("min_coverage_frac", "0"))
        if not 0 <= least <= 1:
            raise RuntimeError("min_coverage_frac must be > 0 and <= 1.0")
        weight = args.pop("coverage_weight", "fraction")
        if weight not in COVERAGE_WEIGHTS:
            raise RuntimeError(f"Unexpected coverage_weight type: {weight}")
        of_weights = args.pop("default_weight", None)
        return cls(
            min_coverage=least,
            coverage_weight=weight,
            default_value=args.pop("default_value", None),
            default_weight=None if of_weights is None else _number(of_weights),
        )


class Operation:
    """A statistic of one raster, perhaps under another one of weights."""

    def __init__(
        self,
        stat_name: str,
        field_name: str,
        raster: RasterSource,
        weights: RasterSource | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """What is asked.

        Args:
            stat_name: the statistic.
            field_name: name of the result.
            raster: of which.
            weights: weights for it.
            options: arguments by name, such as ``{"q": 0.667}``.

        Raises:
            TypeError: a raster is none.
            RuntimeError: the statistic or an argument is not known, or weights are missing.
        """
        _check_raster(raster)
        if weights is not None:
            _check_raster(weights)
        if stat_name not in STATS:
            raise RuntimeError(f"Unsupported stat: {stat_name}")
        if stat_name.startswith("weighted") and weights is None:
            raise RuntimeError(f"No weights provided for weighted stat: {stat_name}")
        args = {str(k): str(v) for k, v in (options or {}).items()}
        self.stat, self.values, self.weights = stat_name, raster, weights
        self.args: Mapping[str, str] = dict(args)
        self.options = Options.taken(args)
        self.q = _probability(args) if stat_name == "quantile" else None
        self.name = field_name if self.q is None else f"{field_name}_{int(self.q * 100)}"
        if args:
            raise RuntimeError(f'Unexpected argument(s) to stat "{stat_name}": {" ".join(args)}')

    @property
    def weighted(self) -> bool:
        """True if its result depends on the weights."""
        return self.stat.startswith("weight")

    def with_stat(self, stat: str, name: str) -> Operation:
        """Another statistic of the same cells."""
        return Operation(stat, name, self.values, self.weights, self.args)

    def __repr__(self) -> str:
        return f"Operation({self.stat!r}, {self.name!r}, {self.values!r})"


class PythonOperation(Operation):
    """A function of all cells of a zone: ``f(values, coverage)``, or with ``weights`` after these.

    Values and weights are masked arrays.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        field_name: str,
        raster: RasterSource,
        weights: RasterSource | None,
    ) -> None:
        _check_raster(raster)
        self.function, self.name, self.stat = function, field_name, ""
        self.values, self.weights, self.q, self.args = raster, weights, None, {}
        self.options = Options()

    @property
    def weighted(self) -> bool:
        """True if the function takes weights."""
        return _arguments(self.function) == 3


def operations_of(
    asked: Any, values: Sequence[RasterSource], weights: Sequence[RasterSource]
) -> list[Operation]:
    """The operations that text, functions and operations stand for, on each of some rasters.

    Raises:
        RuntimeError: text is not understood, or two results have one name.
        ValueError: something is none of these.
    """
    if isinstance(asked, str | Operation) or callable(asked):
        asked = [asked]
    found: list[Operation] = []
    for one in asked:
        if isinstance(one, Operation):
            found.append(one)
        elif isinstance(one, str):
            found += _of_text(one, values, weights)
        elif callable(one):
            found += _of_function(one, values, weights)
        else:
            raise ValueError("Don't know how to handle stat", one)
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise RuntimeError(f"Operation name is not unique: {name}")
    return found


@dataclass(frozen=True, slots=True)
class _Descriptor:
    """What one text asks for."""

    name: str
    stat: str
    rasters: tuple[str, ...]
    """Names of the values, and of the weights."""
    args: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> _Descriptor:
        """Take a text apart."""
        match = DESCRIPTOR.fullmatch(text)
        if match is None:
            raise RuntimeError(f"Invalid stat descriptor. Failed to parse: {text}")
        rasters: list[str] = []
        args: dict[str, str] = {}
        for part in (match["args"] or "").split(",") if match["args"] else []:
            key, *value = part.strip().split("=")
            if not value and key and not args and len(rasters) < 2:
                rasters.append(key)
            elif len(value) == 1 and key not in args:
                args[key] = value[0]
            else:
                raise RuntimeError(f"Invalid stat descriptor. Malformed argument: {part.strip()!r}")
        return cls(match["name"] or "", match["stat"], tuple(rasters), args)


def _of_text(
    text: str, values: Sequence[RasterSource], weights: Sequence[RasterSource]
) -> list[Operation]:
    told = _Descriptor.read(text)
    if not told.rasters:
        return [
            Operation(told.stat, told.name or name, v, w, told.args)
            for name, v, w in _pairs(told.stat, values, weights)
        ]
    known = {one.name(): one for one in values}
    for name in told.rasters:
        known |= {one.name(): one for one in weights}
        if name not in known:
            raise RuntimeError(f"Unknown raster {name} in stat {told.stat}")
    of_values = known[told.rasters[0]]
    of_weights = known[told.rasters[1]] if len(told.rasters) > 1 else None
    name = told.name or f"{of_values.name()}_{told.stat}"
    return [Operation(told.stat, name, of_values, of_weights, told.args)]


def _of_function(
    function: Callable[..., Any], values: Sequence[RasterSource], weights: Sequence[RasterSource]
) -> list[Operation]:
    count, name = _arguments(function), getattr(function, "__name__", repr(function))
    if count not in (2, 3):
        raise RuntimeError(f"Summary operation {name} must take 2 or 3 arguments")
    if count == 3 and not weights:
        raise RuntimeError(f"No weights provided but {name} expects 3 arguments")
    stem = "weighted_" if count == 3 else ""
    return [
        PythonOperation(function, told.removesuffix(stem + name) + name, v, w)
        for told, v, w in _pairs(stem + name, values, weights)
    ]


def _pairs(
    stat: str, values: Sequence[RasterSource], weights: Sequence[RasterSource]
) -> Iterable[tuple[str, RasterSource, RasterSource | None]]:
    """Names, values and weights of a statistic on each raster, or under each of the weights."""
    weighted = stat.startswith("weighted")
    of_weights = weights if weighted else weights[:1]
    if len(values) > 1 and len(of_weights) > 1 and len(values) != len(of_weights):
        raise RuntimeError(
            "Value and weight rasters must have a single band or the same number of bands."
        )
    full = len(values) > 1 or len(weights) > 1
    for i in range(max(len(values), len(of_weights))):
        v = values[i % len(values)]
        w = weights[i % len(weights)] if weights else None
        parts = [v.name()] + ([w.name()] if weighted and w is not None else [])
        yield "_".join([*parts, stat]) if full else stat, v, w


def with_unique(operations: Sequence[Operation]) -> list[Operation]:
    """Operations with the classes of every ``frac`` beside it, for mappings of both."""
    found = list(operations)
    have = {(o.values, o.weights, o.options) for o in operations if o.stat == "unique"}
    for one in operations:
        key = (one.values, one.weights, one.options)
        if one.stat in ("frac", "weighted_frac") and key not in have:
            have.add(key)
            found.append(one.with_stat("unique", TEMPORARY + one.name))
    return found


def _arguments(function: Callable[..., Any]) -> int:
    """How many arguments a function takes by position."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds for p in inspect.signature(function).parameters.values())


def _check_raster(raster: Any) -> None:
    if not isinstance(raster, RasterSource):
        raise TypeError(f"{raster!r} is no RasterSource")


def _probability(args: dict[str, str]) -> float:
    if "q" not in args:
        raise RuntimeError("Missing required argument: q")
    q = _number(args.pop("q"))
    if not 0 <= q <= 1:
        raise ValueError("Quantile must be between 0 and 1.")
    return q


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise RuntimeError(f"Failed to parse value: {text}") from error
