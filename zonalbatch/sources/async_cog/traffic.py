"""Traffic: how much may be asked of servers at once, by one process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice

__all__ = ["Bounds", "Tally", "Traffic"]


@dataclass(slots=True)
class Bounds:
    """How much may be under way; may be changed at any time."""

    requests: int
    bytes: int
    """Compressed ones, that requests will bring."""


class Traffic:
    """Requests under way, and the bytes that they will bring. Belongs to one event loop."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._under_way = 0
        self._bytes = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Wait until a request for so many bytes may be made; one alone always may."""
        while not self._has_room(size):
            await self._turn()
        self._under_way += 1
        self._bytes += size
        try:
            yield
        finally:
            self._under_way -= 1
            self._bytes -= size
            self._call()

    async def _turn(self) -> None:
        """Wait until there may be room; who gives up lets others try."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._call()
            raise
        finally:
            self._waiting.remove(turn)

    def _call(self) -> None:
        """Have two look for room: where one has none for its bytes, another may."""
        idle = (turn for turn in self._waiting if not turn.done())
        for turn in islice(idle, 2):
            turn.set_result(None)

    def _has_room(self, size: int) -> bool:
        if not self._under_way:
            return True
        return self._under_way < self._bounds.requests and self._bytes + size <= self._bounds.bytes


class Tally:
    """What one of those who share a traffic asks for."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.requests = 0
        """How many were made so far."""
        self.bytes = 0
        """How many bytes they were to bring."""

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """As of the traffic, counted."""
        async with self._traffic.room(size):
            self.requests += 1
            self.bytes += size
            yield
