"""Names: hosts as people write them, each in the one form by which it is judged and found."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from zonalbatch.errors import ForbiddenAddress
from zonalbatch.service.egress.networks import Address

__all__ = ["PORTS", "Host", "host_of", "plain", "target_of"]

Host = str | Address
"""A name in lower case and ASCII, without a last dot; or an address."""

PORTS = {"http": 80, "https": 443}
"""Schemes that may be asked for, and where they are answered if nothing else is said."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ODD = re.compile(r"[\x00-\x20\x7f\\]")


def host_of(text: str) -> Host:
    """A host in its one form.

    Raises:
        ForbiddenAddress: it is none, or an address in a spelling that programs read differently
            (`2130706433`, `0x7f.1`, `0177.0.0.1`, `127.1`).
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in bare:
        return _written_out(bare, text)
    name = _ascii(text).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # no top-level domain is a number: it stands for an address
        return _written_out(name, text)
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ForbiddenAddress(f"{text[:253]!r} is no name of a host; give one such as example.org")
    return name


def target_of(url: str) -> tuple[str, int]:
    """Host (as written) and port that a URL of http or https leads to.

    Raises:
        ForbiddenAddress: it has another scheme, a user, or characters that programs read
            differently.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ForbiddenAddress("the URL has no host and port that can be read") from None
    if parts.scheme not in PORTS or not host or _ODD.search(url):
        raise ForbiddenAddress("only plain URLs of http and https may be asked for")
    if "@" in parts.netloc:
        raise ForbiddenAddress("a URL with a user is not asked for; leave out what is before the @")
    return host, PORTS[parts.scheme] if port is None else port


def plain(address: Address) -> Address:
    """An address of IPv4 that is written as one of IPv6, as the former."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _written_out(bare: str, text: str) -> Address:
    try:
        address = IPv6Address(bare) if ":" in bare else IPv4Address(bare)
    except ValueError:
        raise ForbiddenAddress(
            f"{text[:253]!r} is no address in the usual form; write it as in 192.0.2.1"
        ) from None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise ForbiddenAddress(f"{text[:253]!r} names a network card; give an address without one")
    return plain(address)


def _ascii(text: str) -> str:
    """A name as it is looked up: `bücher.example` is `xn--bcher-kva.example`."""
    if text.isascii():
        return text.lower()
    try:
        return text.encode("idna").decode().lower()
    except UnicodeError:
        raise ForbiddenAddress(f"{text[:253]!r} is no name of a host in any script") from None
