"""Arguments: what the functions that compute at once accept, by the rules of the job file.

Each rule gives the value in the one form that the pipeline takes, or says what to give.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from zonalbatch.breakdown import Bins, Breakdown, number_text
from zonalbatch.errors import InputError, SourceError, ZonesError
from zonalbatch.sources.protocol import Band, GroupBy, ScaleOffset, is_remote

if TYPE_CHECKING:
    from zonalbatch.cover.coverage import CoverageRule
    from zonalbatch.recipe import WeightBy
    from zonalbatch.statistics import QuantileMethod

__all__ = [
    "band_index",
    "band_keys",
    "breakdown_given",
    "check_columns",
    "check_layout",
    "classes_given",
    "coverage_rule",
    "default_given",
    "expressions_given",
    "grouping",
    "id_column",
    "min_fraction_given",
    "nodata_value",
    "plain_number",
    "plain_scaling",
    "quantile_method_given",
    "rasters_given",
    "scaling",
    "statistics_given",
    "weighing",
    "zone_band_given",
]

POLICIES = ("auto", "item", "file", "none")
"""Whose scale and offset to apply."""
RASTERS = (
    "a path or URL, a DataArray or Dataset with a CRS, STAC items, or a list of paths or items"
)
"""What may stand for rasters."""


def nodata_value(value: Any) -> float | int | Literal["none"] | None:
    """A raw value, ``"none"``, or None for the file's own."""
    if value is None:
        return None
    if isinstance(value, str) and value == "none":
        return "none"
    number = plain_number(value)
    if number is None:
        raise InputError(f"nodata={value!r}: give a number, or 'none' to ignore the file's tag")
    return number


def scaling(value: Any) -> ScaleOffset:
    """A policy's name, or the pair (scale, offset)."""
    found = plain_scaling(value)
    if found is None:
        raise InputError(
            f"scale_offset={value!r}: give auto, item, file, none, (scale, offset), "
            "or {'scale': number, 'offset': number}"
        )
    return found


def band_index(value: Any) -> int | None:
    """A band's number, also as NumPy's integer; None for what names a band instead.

    Raises:
        InputError: it is a number, but not a whole one.
    """
    number = plain_number(value)
    if isinstance(value, bool) or isinstance(number, float):
        raise InputError(f"band {value!r}: give a whole number, counted from 1, or a name")
    return number


def zone_band_given(value: Any) -> int | None:
    """The number of a band of labels, from 1, or None."""
    number = plain_number(value)
    if value is None:
        return None
    if not isinstance(number, int) or number < 1:
        raise InputError(f"zone_band={value!r}: give the number of a band of labels, from 1")
    return number


def band_keys(band: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a band, with their values as the pipeline takes them."""
    known = [field.name for field in fields(Band)]
    unknown = [key for key in band if key not in known]
    if unknown:
        raise InputError(f"band {band!r} has no key {unknown[0]!r}; known are {', '.join(known)}")
    found = dict(band)
    if found.get("index") is not None:
        found["index"] = band_index(found["index"])
    if found.get("scale_offset") is not None:
        found["scale_offset"] = scaling(found["scale_offset"])
    return found | {"nodata": nodata_value(found.get("nodata"))}


def check_layout(layout: Any) -> None:
    """Refuse a layout that is not known."""
    if not isinstance(layout, str) or layout not in ("wide", "long"):
        raise InputError(f"layout={layout!r} is unknown; use wide or long")


def coverage_rule(coverage: Any) -> CoverageRule:
    """How zones take cells, by one of the four names."""
    rules: tuple[CoverageRule, ...] = ("fraction", "center", "all_touched", "bilinear")
    if coverage not in rules:
        known = "fraction, center or all_touched (bilinear is for points)"
        raise InputError(f"coverage {coverage!r} is unknown; use {known}")
    return rules[rules.index(coverage)]


def min_fraction_given(value: Any, coverage: CoverageRule) -> float:
    """A share from 0 to 1, for rules that know shares."""
    share = plain_number(value)
    if share is None or not 0 <= share <= 1:
        raise InputError(f"min_fraction={value!r}: give a share of a cell, from 0 to 1")
    if share and coverage not in ("fraction", "all_touched"):
        raise InputError(
            f"min_fraction={value!r} has no meaning with coverage {coverage!r}, which asks for no "
            "shares; use fraction or all_touched, or leave it out"
        )
    return float(share)


def default_given(value: Any) -> float | None:
    """A finite number, or None."""
    number = None if value is None else plain_number(value)
    if value is not None and (number is None or not math.isfinite(number)):
        raise InputError(f"default_value={value!r}: give a finite number, or leave it None")
    return None if number is None else float(number)


def weighing(weight_by: Any) -> WeightBy:
    """How averages weigh cells, by one of the two names."""
    ways: tuple[WeightBy, ...] = ("fraction", "area")
    if weight_by not in ways:
        raise InputError(f"weight_by={weight_by!r} is unknown; use {', '.join(ways)}")
    return ways[ways.index(weight_by)]


def quantile_method_given(method: Any) -> QuantileMethod:
    """Where quantiles lie among the values, by one of the two names."""
    methods: tuple[QuantileMethod, ...] = ("linear", "inverted_cdf")
    if method not in methods:
        raise InputError(f"quantile_method={method!r} is unknown; use {', '.join(methods)}")
    return methods[methods.index(method)]


def grouping(group_by: Any) -> GroupBy:
    """What makes a layer: ``item``, ``datetime``, ``solar_day`` or ``all``; None is the first."""
    if group_by is None:
        return "item"
    if group_by not in get_args(GroupBy):
        raise InputError(f"group_by={group_by!r} is unknown; use item, datetime, solar_day or all")
    found: GroupBy = group_by
    return found


def statistics_given(stats: Any) -> Sequence[str | Callable[..., Any]] | str:
    """Names of statistics, as text or a list, which may hold functions too."""
    if callable(stats):
        return [stats]
    if isinstance(stats, str):
        return stats
    if isinstance(stats, Mapping) or not isinstance(stats, Iterable):
        raise InputError(
            f"stats={stats!r}: give names of statistics, as a list or separated by commas"
        )
    return list(stats)


def breakdown_given(classes: Any, edges: Any, bins: Any) -> Breakdown:
    """What statistics by class or bin are told by."""
    return Breakdown(
        classes=() if classes is None else classes_given(classes),
        edges=() if edges is None else _edges(edges),
        bins=None if bins is None else _bins(bins),
    )


def classes_given(classes: Any) -> tuple[tuple[str, float], ...]:
    """Names and values of classes, from a list of values or from value -> name."""
    if isinstance(classes, Mapping):
        found = tuple((name, _class_value(value)) for value, name in classes.items())
        named = all(isinstance(name, str) for name, _ in found)
    else:
        values = [] if isinstance(classes, str) else _numbers(classes)
        found, named = tuple((number_text(value), value) for value in values), True
    if not found or not named or any(value is None for _, value in found):
        raise InputError(
            f"classes={classes!r}: give a list of values, or a name for each, such as "
            "{1: 'maize', 2: 'wheat'}"
        )
    return found  # type: ignore[return-value]


def _class_value(key: Any) -> float | None:
    """A value, also as text, which is what JSON has for a key; None if it is none."""
    if isinstance(key, str):
        try:
            return float(key)
        except ValueError:
            return None
    number = plain_number(key)
    return None if number is None else float(number)


def _edges(edges: Any) -> tuple[float, ...]:
    found = [] if isinstance(edges, str) else _numbers(edges)
    if not found:
        raise InputError(f"edges={edges!r}: give a list of rising numbers")
    return tuple(found)


def _bins(bins: Any) -> Bins:
    keys = dict(bins) if isinstance(bins, Mapping) else {"count": bins}
    count, start, stop = (keys.pop(name, None) for name in ("count", "start", "stop"))
    asked = {"start": start, "stop": stop, "count": count}
    missing = [name for name, value in asked.items() if value is None]
    if missing and not {"start", "stop"} <= set(missing):
        raise InputError(
            f"bins has no {' and no '.join(missing)}; give start, stop and count, or a number of "
            "bins between each zone's own least and largest value"
        )
    ends = _numbers([end for end in (start, stop) if end is not None])
    whole = plain_number(10 if count is None else count)
    if keys or not isinstance(whole, int) or len(ends) != 2 * (start is not None):
        raise InputError(
            f"bins={bins!r}: give a number of bins, or {{'start': number, 'stop': number, "
            "'count': whole number}"
        )
    return Bins(whole, (ends[0], ends[1]) if ends else None)


def _numbers(values: Any) -> list[float]:
    """Plain numbers; none at all if one of the values is no number."""
    numbers = [plain_number(v) for v in values] if isinstance(values, Iterable) else [None]
    found = [float(number) for number in numbers if number is not None]
    return found if len(found) == len(numbers) else []


def expressions_given(measurements: Any) -> Mapping[str, str] | None:
    """Names and expressions, or None for each band by itself."""
    if measurements is None:
        return None
    texts = measurements.values() if isinstance(measurements, Mapping) else (None,)
    if not all(isinstance(text, str) for text in texts):
        raise InputError(
            f"measurements={measurements!r}: give a name for each expression, such as "
            "{'ndvi': '(nir - red) / (nir + red)'}"
        )
    return measurements  # type: ignore[no-any-return]


def rasters_given(raster: Any) -> Any:
    """One raster, an array, items, or a list of paths or of items.

    Raises:
        InputError: it is something else, or a file is given twice.
    """
    if _is_path(raster) or _is_array(raster) or _is_item(raster):
        return raster
    # NumPy's arrays can be walked through like a list; so can bytes and frames.
    if isinstance(raster, bytes) or hasattr(raster, "dtype") or hasattr(raster, "columns"):
        raise _no_raster(raster)
    if not isinstance(raster, Iterable):
        raise _no_raster(raster)
    every = list(raster)
    paths = [one for one in every if _is_path(one)]
    if not paths:
        for one in every:
            if _is_array(one) or not _is_item(one):
                raise _no_raster(one, "a list of ")
        return every
    for one in every:
        if not _is_path(one):
            raise _no_raster(one, "a list of paths and ")
    _check_once([os.fspath(path) for path in paths])
    return every


def _check_once(paths: Sequence[str]) -> None:
    seen = set()
    for path in paths:
        elsewhere = is_remote(path) or path.startswith("/vsi")
        place = path if elsewhere else os.path.abspath(path.removeprefix("file://"))
        if place in seen:
            raise SourceError(f"the raster {path} is given twice; give each once")
        seen.add(place)


def _no_raster(value: Any, several: str = "") -> InputError:
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return InputError(f"rasters cannot be {several}{name}; give {RASTERS}")


def id_column(frame: Any, id: str | None) -> str | None:
    """The column of ids; None if the index already is what it names.

    Raises:
        ZonesError: the geometry is named.
    """
    if id is None or not hasattr(frame, "columns") or not hasattr(frame, "geometry"):
        return id
    if not isinstance(id, Hashable):
        raise ZonesError(f"id={id!r}: give the name of one column")
    if id == frame.geometry.name:
        raise ZonesError(f"id={id!r} is the zones' geometry; name a column of ids")
    return None if id not in frame.columns and id == frame.index.name else id


def check_columns(frame: Any) -> None:
    """Refuse zones of which two columns have one name."""
    if not hasattr(frame, "columns"):
        return
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ZonesError(f"the zones have two columns named {twice[0]!r}; rename one of them")


def plain_scaling(value: Any) -> ScaleOffset | None:
    """A policy's name, or the pair (scale, offset) of finite numbers; None if it is neither."""
    if isinstance(value, str) and value in POLICIES:
        return POLICIES[POLICIES.index(value)]  # type: ignore[return-value]
    pair = value
    if isinstance(value, Mapping) and set(value) == {"scale", "offset"}:
        pair = (value["scale"], value["offset"])
    numbers = [plain_number(n) for n in pair] if isinstance(pair, tuple | list) else []
    finite = [float(n) for n in numbers if n is not None and math.isfinite(n)]
    return (finite[0], finite[1]) if len(numbers) == len(finite) == 2 else None


def plain_number(value: Any) -> int | float | None:
    """A plain number, also from NumPy's scalars, never from a bool; None if it is none.

    Integers beyond float64 are none: whatever is computed with them could not be.
    """
    if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if isinstance(value, int) and value.bit_length() > 1000 else value


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


# A class is asked, because a frame without geometry raises when it is asked.
def _is_array(value: Any) -> bool:
    return hasattr(type(value), "dims")


def _is_item(value: Any) -> bool:
    """True for an item or a collection of them, whether STAC's text or pystac's objects."""
    made = hasattr(value, "to_dict") and not hasattr(type(value), "columns")
    return isinstance(value, Mapping) or made
