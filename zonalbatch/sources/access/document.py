"""Access as jobs, calls and plans name it."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from zonalbatch.errors import InputError
from zonalbatch.sources.access.aws import Aws
from zonalbatch.sources.access.grant import OPEN, Access
from zonalbatch.sources.access.headers import Headers
from zonalbatch.sources.access.planetary import PlanetaryComputer
from zonalbatch.sources.access.read_by import ReadBy
from zonalbatch.sources.access.reader import Reader, reader_here
from zonalbatch.sources.access.trust import Trusting

__all__ = ["KINDS", "access_again", "access_from", "access_given"]


def _aws(keys: Mapping[str, Any]) -> Access:
    for key in ("requester_pays", "anonymous"):
        if not isinstance(keys.get(key, False), bool):
            raise InputError(f"sign: {key} is true or false")
    for key in ("profile", "region"):
        if not isinstance(keys.get(key, ""), str | None):
            raise InputError(f"sign: {key} is a text")
    return Aws(**keys)


def _headers(keys: Mapping[str, Any]) -> Access:
    headers, hosts = keys.get("headers"), keys.get("hosts", ())
    texts = isinstance(headers, Mapping) and all(
        isinstance(text, str) for pair in headers.items() for text in pair
    )
    if not texts or not headers:
        raise InputError(
            "sign: headers are names with texts, such as {Authorization: 'Bearer ${TOKEN}'}"
        )
    hosts = (hosts,) if isinstance(hosts, str) else hosts
    if not isinstance(hosts, list | tuple) or not all(isinstance(host, str) for host in hosts):
        raise InputError("sign: hosts are a list of names, such as [data.example.org]")
    return Headers(headers=tuple(headers.items()), hosts=tuple(hosts))


KINDS: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Access]]] = {
    "planetary-computer": ((), lambda keys: PlanetaryComputer()),
    "aws": (("requester_pays", "profile", "anonymous", "region"), _aws),
    "headers": (("headers", "hosts"), _headers),
}
"""Kind -> its keys, and what makes it of them."""


def access_from(document: Any) -> Access:
    """The access that a document names: a kind, or ``{"kind": ..., ...}``; nothing is open to all.

    Raises:
        InputError: it is none of these. No value of a header is repeated.
    """
    if document is None or document == {}:
        return OPEN
    if hasattr(document, "grant"):
        return document  # type: ignore[no-any-return]
    keys = dict(document) if isinstance(document, Mapping) else {"kind": document}
    kind = keys.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"sign: kind {kind!r} is unknown; use {', '.join(KINDS)}{hint}")
    known, make = KINDS[kind]
    unknown = [str(key) for key in keys if key not in known]
    if unknown:
        raise InputError(
            f"sign: {unknown[0]!r} is no key of {kind}; it has {', '.join(known) or 'none'}"
        )
    return make(keys)


def access_given(sign: Any, trusted: Any = False, reader: Reader | None = None) -> Access:
    """The access that a call or a job names, whether files are trusted, and how they are read.

    It is good for one run: what is kept of files is not used by another.

    Raises:
        InputError: as of `access_from`; ``trusted`` is neither true nor false.
    """
    if not isinstance(trusted, bool):
        raise InputError(f"trusted is {trusted!r}; write true or false")
    access = ReadBy(access_from(sign), replace(reader or reader_here(), run=uuid.uuid4().hex))
    return Trusting(access) if trusted else access


def access_again(document: Mapping[str, Any]) -> Access:
    """The access that has this for its ``document``."""
    sign = {key: value for key, value in document.items() if key not in ("trusted", "reader")}
    access = access_from(sign)
    if "reader" in document:
        access = ReadBy(access, Reader(**document["reader"]))
    return Trusting(access) if document.get("trusted") else access
