"""Values: what each key of a job accepts, from text, from numbers, or from Python's objects."""

from __future__ import annotations

import keyword
import math
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictInt,
    StrictStr,
    ValidationInfo,
    WithJsonSchema,
)

from zonalbatch.arguments import classes_given, plain_number, plain_scaling
from zonalbatch.breakdown import number_text
from zonalbatch.errors import ExpressionError, InputError
from zonalbatch.expression import parse
from zonalbatch.job.code import check_allowed, load_function, place_of
from zonalbatch.periods import period_of
from zonalbatch.places.place import is_bucket
from zonalbatch.sources.protocol import ScaleOffset

__all__ = [
    "ArrayData",
    "BandName",
    "CellSize",
    "Classes",
    "Count",
    "Every",
    "ExpressionText",
    "Finite",
    "Folder",
    "Items",
    "Location",
    "Nodata",
    "Scaling",
    "StatisticName",
    "Text",
    "WeightsLocation",
    "ZonesLocation",
    "band_short",
    "bins_short",
    "listed",
    "names_listed",
    "source_short",
    "temporal_short",
    "weights_short",
    "year_text",
    "zones_short",
]


def _number(value: Any) -> int | float:
    """A plain number, also from NumPy's scalars; never a bool."""
    number = plain_number(value)
    if number is None:
        raise ValueError("write a number")
    return number


def _finite(value: Any) -> float:
    """A finite float."""
    number = float(_number(value))
    if not math.isfinite(number):
        raise ValueError("write a finite number")
    return number


def _resolution(value: Any) -> float | str:
    """A length in metres, or ``"approx"``."""
    metres = plain_number(value)
    if value == "approx":
        return "approx"
    if metres is None or not 0 < metres < math.inf:
        raise ValueError("write metres, or approx for the coarsest overviews that still serve")
    return float(metres)


def _nodata(value: Any) -> float | int | str | None:
    """A raw value, ``"none"``, or None for the file's own."""
    try:
        return value if value is None or value == "none" else _number(value)
    except ValueError:
        raise ValueError("write a number, or none to ignore the file's tag") from None


def _scale_offset(value: Any) -> Any:
    """A policy's name, or the pair (scale, offset)."""
    found = plain_scaling(value)
    if found is None:
        raise ValueError("write auto, item, file, none, or {scale: number, offset: number}")
    return found


def _write_scale_offset(value: Any) -> Any:
    """The document's form of a policy."""
    return {"scale": value[0], "offset": value[1]} if isinstance(value, tuple) else value


def _band_name(name: str) -> str:
    """A name that an expression can hold."""
    stable = unicodedata.normalize("NFKC", name) == name  # as Python's parser reads names
    if not name.isidentifier() or keyword.iskeyword(name) or not stable:
        raise ValueError(f"{name!r} cannot stand in an expression; use letters, digits and _")
    return name


def _statistic(value: Any, info: ValidationInfo) -> Any:
    """A name, or a function; one that a text names is loaded where code is allowed."""
    if callable(value):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("write the name of a statistic")
    if ":" not in value:
        return value
    context = info.context or {}
    check_allowed(context)
    return load_function(value, context.get("folder"))


def _write_statistic(value: Any) -> Any:
    """The document's form of a statistic."""
    return place_of(value) if callable(value) else value


def band_short(value: Any) -> Any:
    """``B04`` means the asset, ``1`` the index."""
    if isinstance(value, str):
        return {"asset": value}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"index": value}
    return value


def bins_short(value: Any) -> Any:
    """``20`` means so many bins."""
    return {"count": value} if isinstance(value, int) and not isinstance(value, bool) else value


def temporal_short(value: Any) -> Any:
    """``month`` means every month."""
    return {"every": value} if isinstance(value, str) else value


def _classes(value: Any) -> dict[float, str]:
    """Value -> name, from that or from a list of values."""
    try:
        found = classes_given(value)
    except InputError:
        raise ValueError("write a list of values, or a name for each, such as 1: maize") from None
    classes = {number: name for name, number in found}
    if len(classes) < len(found):
        raise ValueError("a value stands twice; write it once")
    return classes


def _write_classes(value: Any) -> Any:
    """The document's form of classes."""
    return value and {number_text(number): name for number, name in value.items()}


def _parses(text: str) -> str:
    """An expression's text, seen to parse."""
    try:
        return parse(text).text
    except ExpressionError as error:
        raise ValueError(str(error)) from None


def _every(text: str) -> str:
    """The name of a period."""
    try:
        period_of(text)
    except InputError:
        raise ValueError(
            "write day, week, month, quarter, season, year, or days such as 10d"
        ) from None
    return text


def _location(value: Any, info: ValidationInfo) -> str:
    """A path or URL; a relative path is taken from the job file's folder, if there is one."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError("write a path or URL")
    folder = (info.context or {}).get("folder")
    remote = re.match(r"[A-Za-z][A-Za-z0-9+.-]+:|/vsi", text)
    if folder is None or remote or os.path.isabs(text):
        return text
    slash = "/" if text.endswith("/") else ""
    return os.path.normpath(os.path.join(folder, text)) + slash


def _folder(value: Any, info: ValidationInfo) -> str:
    """A folder to write to, or a link into an object store."""
    text = _location(value, info)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://|/vsi", text) and not is_bucket(text):
        raise ValueError("give a folder, or a link into an object store: s3://, gs:// or az://")
    return text


def _zones_location(value: Any, info: ValidationInfo) -> Any:
    """A path, or a frame or an array of labels as it is."""
    return value if _is_frame(value) or _is_array(value) else _location(value, info)


def _weights_location(value: Any, info: ValidationInfo) -> Any:
    """A path, or an array as it is."""
    return value if _is_array(value) else _location(value, info)


def _items(value: Any, info: ValidationInfo) -> Any:
    """A path to items, a tuple of such paths, or items in memory as a tuple."""
    if _is_path(value):
        return _location(value, info)
    items = tuple(value) if isinstance(value, Iterable) and not isinstance(value, Mapping) else ()
    if items and all(_is_path(item) for item in items):
        return tuple(_location(item, info) for item in items)
    if not items or not all(_is_item(item) for item in items):
        raise ValueError("write the path of STAC items, a list of such paths, or a list of items")
    return items


def listed(value: Any) -> Any:
    """One path stands for a list of it."""
    return (value,) if _is_path(value) else value


def names_listed(value: Any) -> Any:
    """One text stands for a list of it."""
    return (value,) if isinstance(value, str) else value


def year_text(value: Any) -> Any:
    """A year, which YAML takes for a number, as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _array(value: Any) -> Any:
    """An xarray object."""
    if not _is_array(value):
        raise ValueError("kind array takes an xarray DataArray or Dataset, so only from Python")
    return value


# Python's own objects are known by their looks, so that neither geopandas, xarray nor pystac is
# imported here; a class is asked, because a frame without geometry raises when it is asked.
def _is_frame(value: Any) -> bool:
    return all(hasattr(type(value), name) for name in ("geometry", "crs", "columns"))


def _is_array(value: Any) -> bool:
    return all(hasattr(type(value), name) for name in ("dims", "coords", "isel"))


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


def _is_item(value: Any) -> bool:
    return "assets" in value if isinstance(value, Mapping) else hasattr(value, "assets")


def zones_short(value: Any) -> Any:
    """A frame, an array of labels, or a path, stands for ``{path: …}``."""
    short = _is_frame(value) or _is_array(value) or _is_path(value)
    return {"path": value} if short else value


def weights_short(value: Any) -> Any:
    """A path, or an xarray object, stands for ``{path: …}``."""
    return {"path": value} if _is_path(value) or _is_array(value) else value


def source_short(value: Any) -> Any:
    """An xarray object, or a list of items in memory, stands for the source it makes."""
    if _is_array(value):
        return {"kind": "array", "data": value}
    if isinstance(value, Mapping | str | BaseModel) or not isinstance(value, Iterable):
        return value
    items = tuple(value)
    if any(_is_path(item) for item in items):
        raise ValueError(
            "a bare list is a list of items in memory; for paths write "
            "{kind: cog, files: [...]} or {kind: stac, items: [...]}"
        )
    return {"kind": "stac", "items": items}


def _schema(**keys: Any) -> WithJsonSchema:
    return WithJsonSchema(keys)


_TEXT = {"type": "string", "minLength": 1}
_SCALE_OFFSET_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": ["auto", "item", "file", "none"]},
        {
            "type": "object",
            "properties": {"scale": {"type": "number"}, "offset": {"type": "number"}},
            "required": ["scale", "offset"],
            "additionalProperties": False,
        },
    ]
}

Text: TypeAlias = Annotated[StrictStr, Field(min_length=1)]
Count: TypeAlias = Annotated[StrictInt, Field(ge=1)]
Location: TypeAlias = Annotated[str, PlainValidator(_location), _schema(**_TEXT)]
Folder: TypeAlias = Annotated[str, PlainValidator(_folder), _schema(**_TEXT)]
Scaling: TypeAlias = Annotated[
    ScaleOffset,
    PlainValidator(_scale_offset),
    PlainSerializer(_write_scale_offset),
    _schema(**_SCALE_OFFSET_SCHEMA),
]
StatisticName: TypeAlias = Annotated[
    Any, PlainValidator(_statistic), PlainSerializer(_write_statistic), _schema(**_TEXT)
]
Every: TypeAlias = Annotated[StrictStr, AfterValidator(_every)]
BandName: TypeAlias = Annotated[StrictStr, AfterValidator(_band_name)]
Finite: TypeAlias = Annotated[float, PlainValidator(_finite), _schema(type="number")]
Nodata: TypeAlias = Annotated[
    float | int | Literal["none"] | None,
    PlainValidator(_nodata),
    _schema(anyOf=[{"type": "number"}, {"const": "none"}, {"type": "null"}]),
]
CellSize: TypeAlias = Annotated[
    float | Literal["approx"],
    PlainValidator(_resolution),
    _schema(anyOf=[{"type": "number", "exclusiveMinimum": 0}, {"const": "approx"}]),
]
Classes: TypeAlias = Annotated[
    dict[float, str],
    PlainValidator(_classes),
    PlainSerializer(_write_classes),
    _schema(
        anyOf=[
            {"type": "array", "items": {"type": "number"}, "minItems": 1},
            {"type": "object", "additionalProperties": _TEXT, "minProperties": 1},
        ]
    ),
]
ExpressionText: TypeAlias = Annotated[StrictStr, AfterValidator(_parses)]
WeightsLocation: TypeAlias = Annotated[Any, PlainValidator(_weights_location), _schema(**_TEXT)]
ZonesLocation: TypeAlias = Annotated[Any, PlainValidator(_zones_location), _schema(**_TEXT)]
Items: TypeAlias = Annotated[
    Any,
    PlainValidator(_items),
    _schema(
        anyOf=[
            _TEXT,
            {"type": "array", "items": _TEXT, "minItems": 1},
            {"type": "array", "items": {"type": "object"}, "minItems": 1},
        ]
    ),
]
ArrayData: TypeAlias = Annotated[Any, PlainValidator(_array)]
