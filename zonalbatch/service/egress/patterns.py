"""Patterns: hosts, all hosts below a name, or a network, each with a port."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network

from zonalbatch.errors import ForbiddenAddress, InputError
from zonalbatch.service.egress.names import PORTS, Host, host_of
from zonalbatch.service.egress.networks import Address, Network

__all__ = ["Pattern"]

_PORTED = re.compile(r"(?P<host>\[.+\]|[^:]+)(:(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Pattern:
    """`example.org`, `*.example.org`, `example.org:8443`, `10.0.0.0/8`, `[::1]:9000`."""

    host: str | Network
    """A name, the end of names (from a dot on), or a network."""
    port: int | None
    """The port; None for those of http and https."""

    @classmethod
    def of(cls, text: str) -> Pattern:
        """A pattern from its text.

        Raises:
            InputError: it is none.
        """
        network = _network(text)
        if network is not None:
            return cls(network, None)
        found = _PORTED.fullmatch(text)
        if found is None or int(found["port"] or 1) not in range(1, 65536):
            raise _unreadable(text)
        bare = found["host"].removeprefix("[").removesuffix("]")
        return cls(_network(bare) or _names(bare, text), int(found["port"] or 0) or None)

    @property
    def is_network(self) -> bool:
        """True if it means addresses, False if names."""
        return not isinstance(self.host, str)

    def names(self, host: Host, port: int) -> bool:
        """True if a host is meant as it was asked for, before its name is looked up."""
        if not self._opens(port):
            return False
        if isinstance(host, str) and isinstance(self.host, str):
            wild = self.host.startswith(".")
            return host.endswith(self.host) if wild else host == self.host
        return not isinstance(host, str) and self.holds(host, port)

    def holds(self, address: Address, port: int) -> bool:
        """True if it is a network, in which an address lies."""
        return not isinstance(self.host, str) and self._opens(port) and address in self.host

    def _opens(self, port: int) -> bool:
        return port in PORTS.values() if self.port is None else port == self.port


def _network(text: str) -> Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


def _names(bare: str, text: str) -> str:
    wild = bare.startswith("*.")
    try:
        host = host_of(bare[2:] if wild else bare)
    except ForbiddenAddress:
        raise _unreadable(text) from None
    if not isinstance(host, str):
        raise _unreadable(text)
    return f".{host}" if wild else host


def _unreadable(text: str) -> InputError:
    return InputError(
        f"{text!r} is no host or network; give one such as example.org, *.example.org, "
        "example.org:8443, 10.0.0.0/8 or [::1]:9000"
    )
