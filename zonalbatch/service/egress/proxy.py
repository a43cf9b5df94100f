"""The way out: a proxy on loopback that alone decides what the service's workers may reach.

They measure what strangers name. Whatever they ask for, with whichever library, by a link, a
redirect or an item, comes by here and is connected to one of the very addresses that were checked:
a name that leads elsewhere when it is looked up again leads nowhere.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from asyncio import StreamReader, StreamWriter
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from zonalbatch.errors import ForbiddenAddress, PassingReadError
from zonalbatch.service.egress.addresses import Addresses
from zonalbatch.service.egress.asked import Asked, asked_of, user_of
from zonalbatch.service.egress.exchange import exchange, tunnel
from zonalbatch.service.egress.heads import LONGEST, BadHeadError, Head
from zonalbatch.service.egress.passage import Line, Meter, reset
from zonalbatch.service.egress.replies import REFUSED, Reply

__all__ = ["Bounds", "Egress"]

_log = logging.getLogger(__name__)
_TOLD = re.compile(r"GET /refused\?since=([0-9]+(?:\.[0-9]+)?) HTTP/1\.[01]")

REMEMBERED = 1024
"""Refusals that may be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much the way out carries."""

    connections: int = 256
    """At once."""
    size: int = 2 << 30
    """Bytes that one connection carries, both ways together."""
    idle: float = 60.0
    """Seconds without a byte after which a connection ends."""
    asking: float = 10.0
    """Seconds that the head of a request may take."""
    connecting: float = 10.0
    """Seconds that reaching one address may take."""
    leaving: float = 2.0
    """Seconds for which connections are waited for at the end."""


class Egress:
    """The proxy, while the block lasts; only who has its URL, with the secret, may use it."""

    def __init__(self, addresses: Addresses, bounds: Bounds | None = None) -> None:
        self._addresses = addresses
        self._bounds = bounds or Bounds()
        self._secret = secrets.token_urlsafe(32)
        self._meetings: set[asyncio.Task[None]] = set()
        self._refused: deque[tuple[float, str, str]] = deque(maxlen=REMEMBERED)
        self._server: asyncio.Server | None = None
        self.url = ""
        """Where the proxy is, with the secret; for `way_out`."""
        self.connections = 0
        """Connections that are open."""
        self.requests = 0
        """Requests so far that had the secret."""
        self.refusals = 0
        """Of these, those for what may not be reached."""
        self.bytes_passed = 0
        """Bytes so far, both ways together."""

    async def __aenter__(self) -> Self:
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0, limit=LONGEST)
        self._server = server
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://zonalbatch:{self._secret}@127.0.0.1:{port}"
        return self

    async def __aexit__(self, *how: object) -> None:
        if self._server is None:
            return
        self._server.close()
        if self._meetings:
            _, late = await asyncio.wait(self._meetings, timeout=self._bounds.leaving)
            for meeting in late:
                meeting.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._server.wait_closed()

    async def _meet(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection of a client, from its first byte to its last."""
        meeting = asyncio.current_task()
        assert meeting is not None
        self._meetings.add(meeting)
        try:
            await self._attend(Line(reader, writer))
        except asyncio.CancelledError:  # the service ends
            reset(writer)
        finally:
            self._meetings.discard(meeting)

    async def _attend(self, client: Line) -> None:
        try:
            await self._serve(client)
        except Reply as reply:
            client.writer.write(bytes(reply))
        except (BadHeadError, OSError, EOFError, asyncio.LimitOverrunError):
            reset(client.writer)  # an answer that ends early must not look whole
            return
        client.writer.close()
        with suppress(OSError):
            await client.writer.wait_closed()

    async def _serve(self, client: Line) -> None:
        head = await self._heard(client)
        user = user_of(head, self._secret)
        if user is None:
            realm = ("Proxy-Authenticate", 'Basic realm="zonalbatch"')
            raise Reply("407 Proxy Authentication Required", "this proxy wants its secret", realm)
        self.requests += 1
        if head.line.startswith("GET /"):
            raise self._told(head, user)
        if self.connections >= self._bounds.connections:
            raise Reply("503 Service Unavailable", "too many connections are open; try again")
        self.connections += 1
        try:
            await self._connect(head, user, client)
        finally:
            self.connections -= 1

    async def _heard(self, client: Line) -> Head:
        try:
            async with asyncio.timeout(self._bounds.asking):
                return Head.of(await client.reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            raise Reply("431 Request Header Fields Too Large", "the head is too long") from None
        except TimeoutError:
            raise Reply("408 Request Timeout", "the head took too long") from None
        except BadHeadError as error:
            raise Reply("400 Bad Request", str(error)) from None

    async def _connect(self, head: Head, user: str, client: Line) -> None:
        asked, host = await self._reached(head, user)
        try:
            async with asyncio.timeout(self._bounds.idle) as patience:
                meter = Meter(self._bounds.size, self._bounds.idle, patience, self._count)
                if asked.relayed is None:
                    client.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    await tunnel(client, host, meter)
                else:
                    await exchange(asked.relayed, client, host, meter)
        except BaseException:
            reset(host.writer)
            raise
        host.writer.close()

    async def _reached(self, head: Head, user: str) -> tuple[Asked, Line]:
        """What is asked for, and a connection to it."""
        try:
            asked = asked_of(head)
            found = await self._addresses.resolved(asked.host, asked.port)
        except BadHeadError as error:
            raise Reply("400 Bad Request", str(error)) from None
        except PassingReadError as error:
            raise Reply("502 Bad Gateway", str(error)) from None
        except ForbiddenAddress as error:
            raise self._refuse(user, error) from None
        for address in found:
            with suppress(OSError):  # the next may answer
                async with asyncio.timeout(self._bounds.connecting):
                    link = await asyncio.open_connection(str(address), asked.port, limit=LONGEST)
                return asked, Line(*link)
        raise Reply("502 Bad Gateway", f"{asked.host} does not answer")

    def _told(self, head: Head, user: str) -> Reply:
        """The last refusal to a user since a moment, as `refusals_told` asks for it."""
        since = _TOLD.fullmatch(head.line)
        if since is None:
            return Reply("400 Bad Request", "a moment is wanted, in seconds")
        for at, who, sentence in reversed(self._refused):
            if who == user and at >= float(since[1]):
                return Reply("200 OK", sentence, REFUSED)
        return Reply("200 OK", "")

    def _refuse(self, user: str, error: ForbiddenAddress) -> Reply:
        self.refusals += 1
        self._refused.append((time.monotonic(), user, str(error)))
        _log.warning("refused to %s: %s", user, error)
        return Reply("403 Forbidden", str(error), REFUSED)

    def _count(self, amount: int) -> None:
        self.bytes_passed += amount
