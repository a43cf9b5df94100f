"""Problems: what is wrong with a document, in sentences that name the key and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from zonalbatch.job.clusters import (
    AddressCluster,
    CustomCluster,
    GatewayCluster,
    ListenCluster,
    LocalCluster,
    QueueCluster,
    TlsKeys,
)
from zonalbatch.job.keys import (
    ArraySource,
    BandKeys,
    BinKeys,
    CogSource,
    JobKeys,
    LimitKeys,
    MaskKeys,
    OutputKeys,
    PickKeys,
    StackSource,
    StacSource,
    TemporalKeys,
    ZoneKeys,
)
from zonalbatch.job.reading import ReaderKeys
from zonalbatch.near import hint
from zonalbatch.sources.secrets import shown as masked

__all__ = ["message", "repeated", "shown"]

MOST = 30
"""Problems of a document that are told at once."""

_QUEUES = QueueCluster.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
_GROUPS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): JobKeys,
    ("zones",): ZoneKeys,
    ("source", "cog"): CogSource,
    ("source", "stac"): StacSource,
    ("source", "stack"): StackSource,
    ("source", "array"): ArraySource,
    ("bands", "*"): BandKeys,
    ("mask",): MaskKeys,
    ("bins",): BinKeys,
    ("pick",): PickKeys,
    ("temporal",): TemporalKeys,
    ("output",): OutputKeys,
    ("cluster", "local"): LocalCluster,
    ("cluster", "address"): AddressCluster,
    ("cluster", "listen"): ListenCluster,
    **{("cluster", kind, "tls"): TlsKeys for kind in ("address", "listen")},
    ("cluster", "gateway"): GatewayCluster,
    **{("cluster", kind): QueueCluster for kind in _QUEUES},
    ("cluster", "custom"): CustomCluster,
    ("limits",): LimitKeys,
    ("reader",): ReaderKeys,
}
_MISSING_HINTS: Mapping[str, str] = {
    "source.kind": "give kind: cog, kind: stac or kind: stack",
    "cluster.kind": "give kind: local, address, listen, gateway, slurm or another",
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
    "too_short": "give at least {min_length}",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "bool_type": "write true or false",
    "greater_than_equal": "write {ge:g} or more",
    "less_than_equal": "write {le:g} or less",
    "invalid_key": "a key is a text; put it in quotes",
}


def message(error: ValidationError, name: str) -> str:
    """One line for each problem, each with the file's name."""
    errors = error.errors(include_url=False)
    told = [problem for problem in errors if not _told_by_another(problem, errors)]
    problems = [line for problem in told for line in _problem(problem).splitlines()]
    lines = list(dict.fromkeys(problems))
    if len(lines) > MOST:
        lines = [*lines[:MOST], f"there are {len(lines) - MOST:,} more problems; mend these first"]
    return "\n".join(f"{name}: {masked(problem)}" for problem in lines)


def _told_by_another(problem: Mapping[str, Any], problems: Iterable[Mapping[str, Any]]) -> bool:
    """True if another problem says it better."""
    loc, kind = problem["loc"], problem["type"]
    others = [other["loc"] for other in problems]
    if kind == "too_short":  # a list whose only value is wrong is called empty too
        return any(other[: len(loc)] == loc != other for other in others)
    return False


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
        return f"{where} is {shown(value)}; use {' or '.join(choices)}"
    if kind == "value_error":
        reason = str(problem["ctx"]["error"])
        if loc[-1:] == ("sign",):  # a secret may stand in its value
            return f"{where}{reason.removeprefix('sign')}"
        if loc == () or loc[:1] == ("measurements",) or "[key]" in loc:
            return f"{where}: {reason}" if loc else reason
        return f"{where} is {shown(value)}: {reason}"
    what = _EXPECTED.get(kind, problem["msg"][:1].lower() + problem["msg"][1:])
    what = what.format_map(problem.get("ctx", {})) if kind in _EXPECTED else what
    return f"{where} is {shown(value)}: {what}"


def _unknown_key(loc: tuple[Any, ...]) -> str:
    group, key = loc[:-1], loc[-1]
    known = _known_keys(group)
    place = f"in {_dotted(group)}" if group else "at top level"
    return f"unknown key {shown(key)} {place}{hint(key, known) or '; keys are ' + ', '.join(known)}"


def _missing(loc: tuple[Any, ...], value: Any) -> str:
    where = _dotted(loc)
    if loc[-1] == "kind" and not isinstance(value, Mapping):
        return f"{_dotted(loc[:-1])} is {shown(value)}: {_MISSING_HINTS[where]}"
    what = _MISSING_HINTS.get(where) or _description(loc)
    return f"{where} is missing: {what}"


def _unknown_kind(loc: tuple[Any, ...], kind: str) -> str:
    group = str(loc[0])
    kinds = [path[1] for path in _GROUPS if path[:1] == (group,) and len(path) == 2]
    kinds = [kind for kind in kinds if kind != "array"]
    kinds += ["dataset"] if group == "source" else []  # which is written out before it is read
    choice = f"use {' or '.join(kinds)}"
    return f"{group}.kind is {shown(kind)}; {choice}"


def _group(loc: tuple[Any, ...]) -> type[BaseModel] | None:
    """The keys that are known at a place."""
    if loc[:2] in (("mask", "one"), ("mask", "several")):
        loc = ("mask", *(part for part in loc[2:] if not isinstance(part, int)))
    return _GROUPS.get(("bands", "*") if loc[:1] == ("bands",) and len(loc) == 2 else loc)


def _fields(loc: tuple[Any, ...]) -> dict[str, FieldInfo]:
    """The keys that are known at a place, by their names in a document."""
    group = _group(loc)
    fields = group.model_fields.items() if group else ()
    return {field.alias or name: field for name, field in fields}


def _known_keys(loc: tuple[Any, ...]) -> list[str]:
    return list(_fields(loc))


def _description(loc: tuple[Any, ...]) -> str:
    fields = _fields(loc[:-1])
    text = (fields[loc[-1]].description or "") if fields else ""
    return text[:1].lower() + text[1:].rstrip(".")


def _choices(loc: tuple[Any, ...]) -> list[str]:
    group = _group(loc[:-1])
    literal = group.model_fields[loc[-1]].annotation if group else None
    options = getattr(literal, "__args__", ())  # of a Literal, or of one that may be None
    choices = [one for option in options for one in getattr(option, "__args__", (option,))]
    return [str(choice) for choice in choices if choice is not type(None)]


def _dotted(loc: tuple[Any, ...]) -> str:
    """A place as a user writes it: without the kinds that pydantic puts in."""
    kinded = loc[:2] in _GROUPS and loc[:1] in (("source",), ("cluster",))
    kinded = kinded or loc[:2] in (("mask", "one"), ("mask", "several"))
    parts = [str(part) for part in (loc[:1] + loc[2:] if kinded else loc) if part != "[key]"]
    parts = [part if len(part) <= 60 else f"{part[:57]}..." for part in parts]
    return ".".join(parts) or "the document"


def shown(value: Any) -> str:
    """The value as it can stand in a message, whatever its size, without what is secret in URLs."""
    text = repr(value) if isinstance(value, str | int | float | list | dict | None) else ""
    text = masked(text or f"a {type(value).__name__}")
    return text if len(text) <= 60 else text[:57] + "..."


def repeated(key: str, names: tuple[str, ...]) -> list[str]:
    """One sentence for each name that stands twice."""
    twice = dict.fromkeys(name for name in names if names.count(name) > 1)
    return [f"{key} names {name!r} twice; name it once" for name in twice]
