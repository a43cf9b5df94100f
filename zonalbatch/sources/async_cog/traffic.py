"""Traffic: how much may be asked of servers at once, by one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

__all__ = ["Bounds", "Traffic"]


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
        self.requests = 0
        """How many were made so far."""
        self.bytes = 0
        """How many bytes they were to bring."""
        self._under_way = 0
        self._bytes = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Wait until a request for so many bytes may be made; one alone always may."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._has_room(size))
            self._under_way += 1
            self._bytes += size
            self.requests += 1
            self.bytes += size
        try:
            yield
        finally:
            async with self._changed:
                self._under_way -= 1
                self._bytes -= size
                self._changed.notify(2)  # where one has no room for its bytes, another may

    def _has_room(self, size: int) -> bool:
        if not self._under_way:
            return True
        return self._under_way < self._bounds.requests and self._bytes + size <= self._bounds.bytes
