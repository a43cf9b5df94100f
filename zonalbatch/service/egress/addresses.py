"""Addresses: which hosts may be reached, and by which addresses."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address

from zonalbatch.errors import ForbiddenAddress, PassingReadError
from zonalbatch.service.egress.names import PORTS, Host, host_of, plain, target_of
from zonalbatch.service.egress.networks import Address, is_inner, is_public
from zonalbatch.service.egress.patterns import Pattern

__all__ = ["Addresses", "ForbiddenAddress"]

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name, as text; it may take its time, and raise OSError."""

LOOKING_UP = 16
"""Names that are looked up at once; a name server that is silent holds no other threads."""


def _by_system(name: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Which hosts may be reached: by name before they are looked up, by all addresses after it."""

    allowed: tuple[Pattern, ...] = ()
    """Hosts that may be asked for; none stands for any that is public."""
    private: tuple[Pattern, ...] = ()
    """Hosts that may be asked for and be private; networks in which what was looked up may lie."""
    resolve: Resolve = _by_system
    """Looks up a name."""
    seconds: float = 5.0
    """How long looking up a name may take."""

    @classmethod
    def of(cls, allowed: Iterable[str] = (), private: Iterable[str] = ()) -> Addresses:
        """From patterns as settings have them.

        Raises:
            InputError: one is no pattern.
        """
        return cls(allowed=tuple(map(Pattern.of, allowed)), private=tuple(map(Pattern.of, private)))

    async def checked(self, url: str) -> None:
        """Refuse a URL of http or https whose host may not be reached.

        It is for an early answer. Redirects, and names that are looked up again, are held by
        `Egress`.

        Raises:
            ForbiddenAddress: it may not be reached.
            PassingReadError: its name is not known, or cannot be looked up now.
        """
        await self.resolved(*target_of(url))

    async def resolved(self, host: str, port: int) -> list[Address]:
        """The addresses by which a host may be reached; all that it has, or none.

        Raises:
            ForbiddenAddress: it may not be reached.
            PassingReadError: its name is not known, or cannot be looked up now.
        """
        meant = host_of(host)
        self._refuse_unlisted(meant, port)
        found = await self._looked_up(meant, port)
        if not all(self._opens(meant, port, address) for address in found):
            raise _forbidden(meant, port)
        return found

    def _refuse_unlisted(self, host: Host, port: int) -> None:
        if self._names(host, port):
            return
        # A name may yet turn out to lie in a private network with a port of its own.
        ports = {*PORTS.values(), *(one.port for one in self.private if one.is_network)}
        if self.allowed or port not in ports:
            raise _forbidden(host, port)

    def _opens(self, host: Host, port: int, address: Address) -> bool:
        if any(one.holds(address, port) for one in self.private):
            return True
        if is_public(address):
            return self._names(host, port) or port in PORTS.values()
        # A name that leads to the link, to many hosts or to none was not meant by who listed it.
        return is_inner(address) and any(one.names(host, port) for one in self.private)

    def _names(self, host: Host, port: int) -> bool:
        return any(one.names(host, port) for one in self.allowed + self.private)

    async def _looked_up(self, host: Host, port: int) -> list[Address]:
        if not isinstance(host, str):
            return [host]
        looking = asyncio.get_running_loop().run_in_executor(_threads(), self.resolve, host, port)
        try:
            found = await asyncio.wait_for(looking, self.seconds)
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            found = []
        if not found:
            raise PassingReadError(f"the host {host} could not be found; check its name")
        return [plain(ip_address(address)) for address in found]


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(LOOKING_UP, "looking-up")


def _forbidden(host: Host, port: int) -> ForbiddenAddress:
    shown = f"[{host}]" if ":" in str(host) else host
    return ForbiddenAddress(
        f"{shown}:{port} may not be reached from this service; ask its operator to allow the host"
    )
