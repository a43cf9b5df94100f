"""A run as a document: a checked `Job` from YAML, JSON or Python, and back.

Every key is described once, here; `Job.schema_json` says the same to editors and to services.
Nothing is opened: whether files exist and bands can be found is for the plan to see.
"""

from __future__ import annotations

import difflib
import json
import keyword
import math
import os
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from zonalbatch.errors import ExpressionError, JobError
from zonalbatch.expression import Expression, check, parse
from zonalbatch.sources.protocol import Band, ScaleOffset

__all__ = [
    "AddressCluster",
    "ArraySource",
    "BandKeys",
    "CogSource",
    "Job",
    "LimitKeys",
    "LocalCluster",
    "MaskKeys",
    "OutputKeys",
    "StacSource",
    "ZoneKeys",
]

MAX_BYTES = 4 * 1024**2
"""Longest job file that is read, bytes."""

_UNITS = {"": 1, "b": 1} | {
    f"{prefix}{unit}": base**power
    for power, prefix in enumerate("kmgt", start=1)
    for unit, base in (("b", 1000), ("ib", 1024))
}
_LATER_KEYS: Mapping[tuple[str, ...], frozenset[str]] = {
    ("source", "stac"): frozenset(
        ("api", "collections", "datetime", "query", "filter", "sign", "bbox", "intersects")
    ),
}
_LATER_KINDS: Mapping[str, frozenset[str]] = {
    "source": frozenset(("stack", "dataset")),
    "cluster": frozenset(("listen", "gateway", "slurm")),
}


# --- values ---------------------------------------------------------------------------------


def _bytes(value: Any) -> int:
    """Bytes of ``1610612736``, ``"1.5GiB"`` or ``"500 MB"``."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]*)\s*", str(value))
    unit = _UNITS.get(match[2].lower()) if match and isinstance(value, str) else None
    if match is None or unit is None or float(match[1]) * unit < 1:
        raise ValueError("write bytes, or a size such as 1.5GiB or 500MB")
    return int(float(match[1]) * unit)


def _number(value: Any) -> int | float:
    """A plain number, also from NumPy's scalars; never a bool."""
    value = value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("write a number")
    return value


def _finite(value: Any) -> float:
    """A finite float."""
    number = float(_number(value))
    if not math.isfinite(number):
        raise ValueError("write a finite number")
    return number


def _nodata(value: Any) -> float | int | str | None:
    """A raw value, ``"none"``, or None for the file's own."""
    try:
        return value if value is None or value == "none" else _number(value)
    except ValueError:
        raise ValueError("write a number, or none to ignore the file's tag") from None


def _densify(value: Any) -> float | str:
    """``"auto"`` or a positive length."""
    if value == "auto":
        return "auto"
    try:
        length = _finite(value)
    except ValueError:
        length = 0.0
    if length <= 0:
        raise ValueError("write auto, or the longest edge as a positive number")
    return length


def _scale_offset(value: Any) -> Any:
    """A policy's name, or the pair (scale, offset)."""
    if isinstance(value, str) and value in ("auto", "item", "file", "none"):
        return value
    pair = value
    if isinstance(value, Mapping) and set(value) == {"scale", "offset"}:
        pair = (value["scale"], value["offset"])
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError("write auto, item, file, none, or {scale: number, offset: number}")
    return _finite(pair[0]), _finite(pair[1])


def _write_scale_offset(value: Any) -> Any:
    """The document's form of a policy."""
    return {"scale": value[0], "offset": value[1]} if isinstance(value, tuple) else value


def _band_name(name: str) -> str:
    """A name that an expression can hold."""
    stable = unicodedata.normalize("NFKC", name) == name  # as Python's parser reads names
    if not name.isidentifier() or keyword.iskeyword(name) or not stable:
        raise ValueError(f"{name!r} cannot stand in an expression; use letters, digits and _")
    return name


def _band_keys(value: Any) -> Any:
    """``B04`` means the asset, ``1`` the index."""
    if isinstance(value, str):
        return {"asset": value}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"index": value}
    return value


def _parses(text: str) -> str:
    """An expression's text, seen to parse."""
    try:
        return parse(text).text
    except ExpressionError as error:
        raise ValueError(str(error)) from None


def _later(value: Any) -> None:
    """A key that only takes null for now."""
    if value is not None:
        raise ValueError("not in this version; leave it null")


def _no_dilation(value: Any) -> float:
    """Zero: dilation comes later."""
    if _finite(value) != 0:
        raise ValueError("dilating a mask is not in this version; leave it 0")
    return 0.0


def _only_item(value: Any) -> str:
    """``item``: grouping comes later."""
    if value in ("datetime", "solar_day"):
        raise ValueError("not in this version; use item")
    if value != "item":
        raise ValueError("use item")
    return "item"


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


def _zones_location(value: Any, info: ValidationInfo) -> Any:
    """A path, or a frame as it is."""
    return value if _is_frame(value) else _location(value, info)


def _items(value: Any, info: ValidationInfo) -> Any:
    """A path to items, or items in memory as a tuple."""
    if isinstance(value, str | os.PathLike):
        return _location(value, info)
    items = tuple(value) if isinstance(value, Iterable) and not isinstance(value, Mapping) else ()
    if not items or not all(_is_item(item) for item in items):
        raise ValueError("write the path of a file of STAC items, or a list of items")
    return items


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


def _is_item(value: Any) -> bool:
    return "assets" in value if isinstance(value, Mapping) else hasattr(value, "assets")


def _zones_short(value: Any) -> Any:
    """A frame, or a path, stands for ``{path: …}``."""
    short = _is_frame(value) or isinstance(value, str | os.PathLike)
    return {"path": value} if short else value


def _source_short(value: Any) -> Any:
    """An xarray object, or a list of items, stands for the source it makes."""
    if _is_array(value):
        return {"kind": "array", "data": value}
    if isinstance(value, Mapping | str | BaseModel) or not isinstance(value, Iterable):
        return value
    return {"kind": "stac", "items": value}


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
_Text: TypeAlias = Annotated[StrictStr, Field(min_length=1)]
_Count: TypeAlias = Annotated[StrictInt, Field(ge=1)]
_Null: TypeAlias = Annotated[None, PlainValidator(_later), _schema(type="null")]
_Value: TypeAlias = Annotated[int | float, PlainValidator(_number), _schema(type="number")]
_Path: TypeAlias = Annotated[str, PlainValidator(_location), _schema(**_TEXT)]
_ScaleOffset: TypeAlias = Annotated[
    ScaleOffset,
    PlainValidator(_scale_offset),
    PlainSerializer(_write_scale_offset),
    _schema(**_SCALE_OFFSET_SCHEMA),
]


# --- keys -----------------------------------------------------------------------------------


class _Keys(BaseModel):
    """A group of keys: frozen, nothing unknown, each described by its docstring."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ZoneKeys(_Keys):
    """What to summarise over."""

    path: Annotated[Any, PlainValidator(_zones_location), _schema(**_TEXT)]
    """Path or URL of the zones: GeoParquet, GeoPackage, GeoJSON or Shapefile."""
    id: _Text | None = None
    """Column of unique ids; null numbers the rows (or takes a frame's index)."""
    columns: tuple[_Text, ...] | None = None
    """Columns to carry to the result; null carries all."""
    densify: Annotated[
        Literal["auto"] | float,
        PlainValidator(_densify),
        _schema(anyOf=[{"const": "auto"}, {"type": "number", "exclusiveMinimum": 0}]),
    ] = "auto"
    """Longest edge before zones are projected, units of their CRS; auto follows the error."""
    buffer: Annotated[float, PlainValidator(_finite), _schema(type="number")] = 0.0
    """Distance by which zones grow (or shrink, if negative), metres."""


class CogSource(_Keys):
    """Raster files that GDAL reads."""

    kind: Literal["cog"]
    """Raster files."""
    files: Annotated[tuple[_Path, ...], Field(min_length=1)] | None = None
    """Paths or URLs; each file is a layer."""
    pattern: _Path | None = None
    """A path with fields, such as s2/{date:%Y%m%d}_{band}.tif; those but band make the layer."""
    datetime_pattern: _Text | None = None
    """Where the date stands in the names of files, such as S2_%Y%m%d."""

    @model_validator(mode="after")
    def _one_of(self) -> CogSource:
        if (self.files is None) == (self.pattern is None):
            raise ValueError("give either files or pattern")
        return self


class StacSource(_Keys):
    """STAC items."""

    kind: Literal["stac"]
    """STAC items."""
    items: Annotated[
        Any,
        PlainValidator(_items),
        _schema(anyOf=[_TEXT, {"type": "array", "items": {"type": "object"}, "minItems": 1}]),
    ]
    """Path or URL of a file of items (a FeatureCollection or a list), or the items."""


class ArraySource(_Keys):
    """An xarray object; only from Python."""

    kind: Literal["array"]
    """An xarray object."""
    data: Annotated[Any, PlainValidator(_array)]
    """The DataArray or Dataset."""


class BandKeys(_Keys):
    """Where to find one band, and what overrides its file; text is an asset, a number an index."""

    asset: _Text | None = None
    """STAC asset, the value of {band} in a pattern, or the variable of a Dataset."""
    index: _Count | None = None
    """Number of the band in its file, from 1."""
    description: _Text | None = None
    """The file's own description of the band."""
    nodata: Annotated[
        float | int | Literal["none"] | None,
        PlainValidator(_nodata),
        _schema(anyOf=[{"type": "number"}, {"const": "none"}, {"type": "null"}]),
    ] = None
    """Raw value that means no data; none ignores the file's tag, null asks it."""
    scale_offset: _ScaleOffset | None = None
    """Overrides the job's scale_offset."""

    @model_validator(mode="after")
    def _somewhere(self) -> BandKeys:
        if self.index is not None and self.description is not None:
            raise ValueError("give index or description, not both")
        if self.asset is self.index is self.description is None:
            raise ValueError("give an asset, an index or a description")
        return self

    def band(self) -> Band:
        """The band as sources read it."""
        return Band(**dict(self))


class MaskKeys(_Keys):
    """Which cells to leave out, by the values of a band."""

    band: _Text
    """The band that holds the classes."""
    exclude: Annotated[tuple[_Value, ...], Field(min_length=1)] | None = None
    """Values that mask a cell."""
    include: Annotated[tuple[_Value, ...], Field(min_length=1)] | None = None
    """The only values that do not mask a cell."""
    dilate: Annotated[float, PlainValidator(_no_dilation), _schema(const=0)] = 0.0
    """Metres by which the mask grows; only 0 in this version."""

    @model_validator(mode="after")
    def _one_of(self) -> MaskKeys:
        if (self.exclude is None) == (self.include is None):
            raise ValueError("give either exclude or include")
        return self


class OutputKeys(_Keys):
    """Where the result goes, and its form."""

    path: _Path
    """Folder of the result."""
    layout: Literal["wide", "long"] = "wide"
    """wide: a column for each measurement and statistic; long: a row for each."""
    geometry: Literal["zone", "none", "auto"] = "auto"
    """zone repeats the geometry in each row; auto leaves it out above 10,000,000 rows."""


class LocalCluster(_Keys):
    """Worker processes on this machine."""

    kind: Literal["local"]
    """Worker processes on this machine."""
    workers: _Count | None = None
    """Number of processes; null takes one for each processor."""
    threads: _Count = 1
    """Dask threads of each process; each works on one part at a time."""


class AddressCluster(_Keys):
    """A Dask cluster that runs already."""

    kind: Literal["address"]
    """A Dask cluster that runs already."""
    address: Annotated[_Text, Field(pattern=r"^[a-z]+://\S+$")]
    """Address of its scheduler, such as tcp://10.0.0.1:8786."""


class LimitKeys(_Keys):
    """What a run may take."""

    memory: Annotated[
        int,
        PlainValidator(_bytes),
        _schema(anyOf=[{"type": "integer", "exclusiveMinimum": 0}, {"type": "string"}]),
    ] = 1536 * 1024**2
    """Peak memory of one worker process, bytes, or text such as 1.5GiB or 500MB."""
    requests_in_flight: _Count = 64
    """Reads that one worker process may have under way at once."""
    max_failures: Annotated[StrictInt, Field(ge=0)] | None = None
    """Failures after which the run stops; null never stops."""


_Source: TypeAlias = Annotated[
    CogSource | StacSource | SkipJsonSchema[ArraySource],
    Field(discriminator="kind"),
    BeforeValidator(_source_short),
]
_Cluster: TypeAlias = Annotated[LocalCluster | AddressCluster, Field(discriminator="kind")]
_BandName: TypeAlias = Annotated[StrictStr, AfterValidator(_band_name)]


class Job(_Keys):
    """A checked run: zones, source, measurements, statistics, output. Frozen.

    Raises:
        JobError: the document is not valid; one line for each problem names the key, the
            value seen and what to do.
    """

    version: Literal[1] = 1
    """Version of the document's form."""
    zones: Annotated[ZoneKeys, BeforeValidator(_zones_short, json_schema_input_type=ZoneKeys | str)]
    """What to summarise over."""
    source: _Source
    """Where pixels come from."""
    bands: Annotated[
        dict[
            _BandName,
            Annotated[
                BandKeys,
                BeforeValidator(_band_keys, json_schema_input_type=BandKeys | str | int),
            ],
        ],
        Field(min_length=1),
    ]
    """Bands by the name that expressions use: an asset, an index, or keys."""
    measurements: dict[_Text, Annotated[StrictStr, AfterValidator(_parses)]] | None = None
    """Output variables by name, each an expression of bands; null measures each band but the
    mask's."""
    mask: MaskKeys | None = None
    """Which cells to leave out."""
    statistics: Annotated[tuple[_Text, ...], Field(min_length=1)] = ("count", "mean")
    """Names of statistics."""
    coverage: Literal["fraction", "center", "all_touched"] = "fraction"
    """How a zone takes its cells: by exact share, by their centre, or all that it touches."""
    weights: _Null = None
    """A raster of weights; only null in this version."""
    scale_offset: _ScaleOffset = "auto"
    """Whose scale and offset to apply: auto (item, else file), item, file, none, or numbers."""
    group_by: Annotated[Literal["item"], PlainValidator(_only_item), _schema(const="item")] = "item"
    """What makes a layer; only item in this version."""
    resolution: _Null = None
    """Metres, to read overviews; only null in this version."""
    temporal: _Null = None
    """Summaries over time; only null in this version."""
    output: OutputKeys
    """Where the result goes, and its form."""
    prefix: StrictStr | None = None
    """Text before the names of result columns."""
    cluster: _Cluster = LocalCluster(kind="local")
    """Where workers come from."""
    limits: LimitKeys = LimitKeys()
    """What a run may take."""
    on_failure: Literal["record", "raise"] = "record"
    """What cannot be read: record it and go on, or stop."""

    _name: ClassVar[str] = "job"

    def __init__(self, /, **document: Any) -> None:
        self._fill(document, self._name, None)

    @model_validator(mode="after")
    def _names_agree(self) -> Job:
        problems = [*self._unknown_bands(), *_repeated("statistics", self.statistics)]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Job:
        """The job in a YAML or JSON file; its relative paths are relative to the file's folder.

        Raises:
            JobError: the file cannot be read, or is not a valid job.
        """
        file = Path(path)
        text = _read_text(file)
        document = _read_document(text, str(file), as_json=file.suffix.lower() == ".json")
        return cls._made(document, str(file), str(file.absolute().parent))

    @classmethod
    def from_yaml(cls, text: str, folder: str | os.PathLike[str] | None = None) -> Job:
        """The job in a YAML (or JSON) text, relative paths taken from ``folder`` if it is given.

        Raises:
            JobError: the text is not a valid job.
        """
        document = _read_document(text, cls._name, as_json=False)
        return cls._made(document, cls._name, None if folder is None else os.path.abspath(folder))

    @classmethod
    def schema_json(cls) -> dict[str, Any]:  # type: ignore[override]
        """The JSON Schema (draft 2020-12) of the document, every key described."""
        schema = cls.model_json_schema(mode="validation")
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        return head | schema | {"title": "zonalbatch job", "description": "A run as a document."}

    def to_yaml(self) -> str:
        """The document, defaults written out; reading it gives an equal job.

        Raises:
            JobError: zones or source are objects in memory.
        """
        if self.in_memory:
            raise JobError(
                f"the job's {' and '.join(self.in_memory)} are in memory; "
                "write them to files to have a job document"
            )
        document = self.model_dump(mode="json", exclude_none=True)
        return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)

    @property
    def in_memory(self) -> tuple[str, ...]:
        """Which of ``zones`` and ``source`` are objects that only Python holds."""
        zones = not isinstance(self.zones.path, str)
        items = isinstance(self.source, StacSource) and not isinstance(self.source.items, str)
        source = items or isinstance(self.source, ArraySource)
        return ("zones",) * zones + ("source",) * source

    def bands_to_read(self) -> dict[str, Band]:
        """Bands by name, in the document's order, that a measurement or the mask needs."""
        needed = {name for expression in self.expressions().values() for name in expression.names}
        needed |= {self.mask.band} if self.mask else set()
        return {name: keys.band() for name, keys in self.bands.items() if name in needed}

    def expressions(self) -> dict[str, Expression]:
        """Measurements by name; without ``measurements``, each band by itself but the mask's."""
        if self.measurements is not None:
            return {name: parse(text) for name, text in self.measurements.items()}
        return {name: parse(name) for name in self.bands if not self._only_mask(name)}

    def _only_mask(self, name: str) -> bool:
        return self.mask is not None and self.mask.band == name

    def _unknown_bands(self) -> Iterable[str]:
        for name, expression in self.expressions().items():
            try:
                check(expression, self.bands)
            except ExpressionError as error:
                yield f"measurements.{name}: {error}"
        if self.mask and self.mask.band not in self.bands:
            yield f"mask.band {self.mask.band!r} is not a band{_hint(self.mask.band, self.bands)}"
        if not self.expressions():
            yield "there is nothing to measure: give a band beside the mask's, or measurements"

    @classmethod
    def _made(cls, document: Any, name: str, folder: str | None) -> Job:
        job = cls.__new__(cls)
        job._fill(document, name, folder)
        return job

    def _fill(self, document: Any, name: str, folder: str | None) -> None:
        """Validate into this instance, as pydantic's own ``__init__`` does, with our errors."""
        validator = self.__pydantic_validator__
        try:
            validator.validate_python(document, self_instance=self, context={"folder": folder})
        except ValidationError as error:
            raise JobError(_message(error, name)) from None


# --- errors ---------------------------------------------------------------------------------

_GROUPS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): Job,
    ("zones",): ZoneKeys,
    ("source", "cog"): CogSource,
    ("source", "stac"): StacSource,
    ("source", "array"): ArraySource,
    ("bands", "*"): BandKeys,
    ("mask",): MaskKeys,
    ("output",): OutputKeys,
    ("cluster", "local"): LocalCluster,
    ("cluster", "address"): AddressCluster,
    ("limits",): LimitKeys,
}
_MISSING_HINTS: Mapping[str, str] = {
    "source.kind": "give kind: cog or kind: stac",
    "cluster.kind": "give kind: local or kind: address",
}
_EXPECTED: Mapping[str, str] = {
    "string_type": "write a text",
    "int_type": "write a whole number",
    "tuple_type": "write a list",
    "dict_type": "write keys with values",
    "model_type": "write keys with values",
    "model_attributes_type": "write keys with values",
    "string_too_short": "write a text that is not empty",
    "string_pattern_mismatch": "write protocol://host:port",
    "too_short": "give at least one",
    "invalid_key": "a key is a text; put it in quotes",
}


def _message(error: ValidationError, name: str) -> str:
    """One line for each problem, each with the file's name."""
    errors = error.errors(include_url=False)
    told = [problem for problem in errors if not _told_by_another(problem, errors)]
    problems = [line for problem in told for line in _problem(problem).splitlines()]
    return "\n".join(f"{name}: {problem}" for problem in dict.fromkeys(problems))


def _told_by_another(problem: Mapping[str, Any], problems: Iterable[Mapping[str, Any]]) -> bool:
    """True if another problem says it better."""
    loc, kind = problem["loc"], problem["type"]
    others = [other["loc"] for other in problems]
    if kind == "too_short":  # a list whose only value is wrong is called empty too
        return any(other[:-1] == loc for other in others)
    if kind == "missing":  # a key of a later version stands in its place
        return any(other[:-1] == loc[:-1] and _is_later(other) for other in others)
    return False


def _is_later(loc: tuple[Any, ...]) -> bool:
    """True for a key that this version knows of but does not do yet."""
    return bool(loc) and loc[-1] in _LATER_KEYS.get(loc[:-1], ())


def _problem(problem: Mapping[str, Any]) -> str:
    """What is wrong with one key, and what to do."""
    loc, kind, value = tuple(problem["loc"]), problem["type"], problem["input"]
    where = _dotted(loc)
    if kind == "extra_forbidden":
        return _unknown_key(loc)
    if kind in ("missing", "union_tag_not_found"):
        return _missing(loc + (("kind",) if kind == "union_tag_not_found" else ()), value)
    if kind == "union_tag_invalid":
        return _unknown_kind(loc, str(problem["ctx"]["tag"]))
    if kind == "literal_error":
        choices = _choices(loc)
        return f"{where} is {_short(value)}; use {' or '.join(choices)}"
    if kind == "value_error":
        reason = str(problem["ctx"]["error"])
        if loc == () or loc[:1] == ("measurements",) or "[key]" in loc:
            return f"{where}: {reason}" if loc else reason
        return f"{where} is {_short(value)}: {reason}"
    what = _EXPECTED.get(kind, problem["msg"][:1].lower() + problem["msg"][1:])
    return f"{where} is {_short(value)}: {what}"


def _unknown_key(loc: tuple[Any, ...]) -> str:
    group, key = loc[:-1], loc[-1]
    if _is_later(loc):
        return f"{_dotted(loc)} is not in this version; give items, a file of STAC items"
    known = _known_keys(group)
    place = f"in {_dotted(group)}" if group else "at top level"
    return f"unknown key {key!r} {place}{_hint(key, known) or '; keys are ' + ', '.join(known)}"


def _missing(loc: tuple[Any, ...], value: Any) -> str:
    where = _dotted(loc)
    if loc[-1] == "kind" and not isinstance(value, Mapping):
        return f"{_dotted(loc[:-1])} is {_short(value)}: {_MISSING_HINTS[where]}"
    hint = _MISSING_HINTS.get(where) or _description(loc)
    return f"{where} is missing: {hint}"


def _unknown_kind(loc: tuple[Any, ...], kind: str) -> str:
    group = str(loc[0])
    kinds = [path[1] for path in _GROUPS if path[:1] == (group,) and path[1] != "array"]
    choice = f"use {' or '.join(kinds)}"
    if kind in _LATER_KINDS[group]:
        return f"{group}.kind {kind!r} is not in this version; {choice}"
    return f"{group}.kind is {_short(kind)}; {choice}"


def _group(loc: tuple[Any, ...]) -> type[BaseModel] | None:
    """The keys that are known at a place."""
    return _GROUPS.get(("bands", "*") if loc[:1] == ("bands",) and len(loc) == 2 else loc)


def _known_keys(loc: tuple[Any, ...]) -> list[str]:
    group = _group(loc)
    return list(group.model_fields) if group else []


def _description(loc: tuple[Any, ...]) -> str:
    group = _group(loc[:-1])
    text = (group.model_fields[loc[-1]].description or "") if group else ""
    return text[:1].lower() + text[1:].rstrip(".")


def _choices(loc: tuple[Any, ...]) -> list[str]:
    group = _group(loc[:-1])
    literal = group.model_fields[loc[-1]].annotation if group else None
    return [str(choice) for choice in getattr(literal, "__args__", ())]


def _dotted(loc: tuple[Any, ...]) -> str:
    """A place as a user writes it: without the kinds that pydantic puts in."""
    kinded = loc[:2] in _GROUPS and loc[:1] in (("source",), ("cluster",))
    parts = [str(part) for part in (loc[:1] + loc[2:] if kinded else loc) if part != "[key]"]
    return ".".join(parts) or "the document"


def _hint(name: Any, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _short(value: Any) -> str:
    """The value as it can stand in a message, whatever its size."""
    text = repr(value) if isinstance(value, str | int | float | list | dict | None) else ""
    text = text or f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _repeated(key: str, names: tuple[str, ...]) -> list[str]:
    repeated = dict.fromkeys(name for name in names if names.count(name) > 1)
    return [f"{key} names {name!r} twice; name it once" for name in repeated]


# --- text -----------------------------------------------------------------------------------


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise JobError(f"{file} is larger than {MAX_BYTES} bytes; a job document is a page")
        return data.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise JobError(f"{file} cannot be read ({reason}); give the path of a job file") from None
    except UnicodeDecodeError:
        raise JobError(f"{file} is not UTF-8 text; write the job as YAML or JSON") from None


def _read_document(text: str, name: str, *, as_json: bool) -> dict[Any, Any]:
    """The plain values of a YAML or JSON text."""
    read: Callable[[str], Any] = _load_json if as_json else _load_yaml
    try:
        document = read(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise JobError(f"{name}: {_one_line(error)}") from None
    if not isinstance(document, dict):
        raise JobError(f"{name} holds {_short(document)} instead of keys with values")
    return document


def _one_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the document is nested too deep"
    mark = getattr(error, "problem_mark", None)
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    reason = " ".join((getattr(error, "problem", None) or str(error)).split())
    return f"{reason}{place}"


def _load_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_repeats)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    for problem in _repeated("a group", tuple(key for key, _ in pairs)):
        raise ValueError(problem)
    return keys


def _load_yaml(text: str) -> Any:
    if len(text) > MAX_BYTES:
        raise ValueError(f"the document is larger than {MAX_BYTES} bytes")
    return yaml.load(text, Loader=_Loader)


class _Loader(yaml.SafeLoader):
    """Plain values as YAML 1.2 has them; no aliases, no key twice."""

    # YAML 1.1 takes on, no, 1:30 and 2024-01-01 for a bool, a number and a date; here they are
    # text, because bands and columns have such names.
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node; an alias is refused, because a few nested ones can fill the memory."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.MarkedYAMLError(
                problem="an alias (*name) is not allowed; write the value again",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are all different."""
        seen: set[Any] = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            key = (key_node.tag, str(key_node.value))
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key_node.value!r} stands twice; keep one",
                    problem_mark=key_node.start_mark,
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` and readers of YAML 1.1 both read alike."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write an alias: the loader refuses them."""
        return True


# A leading zero makes an octal number in YAML 1.1; here 007 is text, like other ids.
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|"
        r"\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
        )
