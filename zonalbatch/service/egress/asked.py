"""What a proxy is asked for, and by whom: a tunnel to a host, or one request over plain http."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass

from zonalbatch.errors import ForbiddenAddress
from zonalbatch.service.egress.heads import BadHeadError, Head
from zonalbatch.service.egress.names import target_of

__all__ = ["Asked", "asked_of", "user_of"]

_LINE = re.compile(r"([A-Z]{3,16}) ([\x21-\x7e]+) HTTP/1\.[01]")
_PLACE = re.compile(r".+:[0-9]{1,5}")
_URL = re.compile(r"http://([^/?#]+)([^#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to a proxy."""

    host: str
    """As it was written."""
    port: int
    relayed: Head | None
    """What is passed on to the host; None for a tunnel."""


def asked_of(head: Head) -> Asked:
    """What the head of a request asks for.

    Raises:
        BadHeadError: it is no request to a proxy.
        ForbiddenAddress: it has another scheme, or a user.
    """
    found = _LINE.fullmatch(head.line)
    if found is None:
        raise BadHeadError("the first line of the request cannot be read")
    method, target = found.groups()
    return _tunnel(target) if method == "CONNECT" else _request(method, target, head)


def _tunnel(place: str) -> Asked:
    if _PLACE.fullmatch(place) is None:
        raise BadHeadError("a tunnel wants a host and a port")
    host, port = target_of(f"https://{place}")
    return Asked(host, port, None)


def _request(method: str, url: str, head: Head) -> Asked:
    found = _URL.fullmatch(url)
    if found is None:
        raise ForbiddenAddress("only http and https may be asked for")
    place, path = found.groups()
    host, port = target_of(f"http://{place}/")
    path = path if path.startswith("/") else f"/{path}"
    relayed = head.relayed(f"{method} {path} HTTP/1.1", host=place)
    return Asked(host, port, relayed)


def user_of(head: Head, secret: str) -> str | None:
    """The user that a request names, if the password beside it is the secret; else None."""
    for value in head.values("proxy-authorization"):
        scheme, _, told = value.partition(" ")
        try:
            user, _, password = base64.b64decode(told, validate=True).decode().partition(":")
        except ValueError:
            return None
        if scheme.lower() == "basic" and hmac.compare_digest(password.encode(), secret.encode()):
            return user
    return None
