"""Signing: what a job says that it takes to read its files."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from zonalbatch.errors import InputError
from zonalbatch.sources.access import KINDS, Access, access_from

__all__ = ["Signing", "bare_files"]


def _signing(value: Any) -> Access:
    """How the right to read files is come by."""
    try:
        return access_from(value)
    except InputError as error:
        raise ValueError(str(error)) from None


def bare_files(files: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
    """Files without signatures that ``sign`` replaces: a job's document is kept with its result."""
    sign = info.data.get("sign")
    return files if files is None or sign is None else tuple(map(sign.bare, files))


_TEXT = {"type": "string", "minLength": 1}
_FLAG = {"type": "boolean"}
_SIGNING_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": [kind for kind in KINDS if kind != "headers"]},
        {
            "type": "object",
            "properties": {
                "kind": {"enum": list(KINDS)},
                "requester_pays": _FLAG,
                "profile": _TEXT,
                "anonymous": _FLAG,
                "region": _TEXT,
                "headers": {"type": "object", "additionalProperties": _TEXT},
                "hosts": {"type": "array", "items": _TEXT},
            },
            "required": ["kind"],
            "additionalProperties": False,
        },
    ]
}
Signing: TypeAlias = Annotated[
    Any,
    PlainValidator(_signing),
    PlainSerializer(lambda access: access.document),
    WithJsonSchema(_SIGNING_SCHEMA),
]
