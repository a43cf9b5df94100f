"""Signing: what a job says that it takes to read its files."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from zonalbatch.errors import InputError
from zonalbatch.sources.access import KINDS, Access, access_from

__all__ = ["Signing", "bare", "bare_files"]


def _signing(value: Any) -> Access:
    """How the right to read files is come by."""
    try:
        return access_from(value)
    except InputError as error:
        raise ValueError(str(error)) from None


def bare(links: Any, sign: Access | None) -> Any:
    """A link or several without signatures that ``sign`` replaces; what is no link as it is.

    A job's document is kept with its result, where no signature belongs.
    """
    if sign is None or not isinstance(links, str | list | tuple):
        return links
    if isinstance(links, str):
        return sign.bare(links)
    return type(links)(bare(one, sign) for one in links)


def bare_files(files: Any, info: ValidationInfo) -> Any:
    """Files as `bare` has them, by the ``sign`` that stands before them."""
    return bare(files, info.data.get("sign"))


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
