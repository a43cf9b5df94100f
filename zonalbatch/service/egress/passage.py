"""Passages: bytes from one connection to another, in bounds."""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from zonalbatch.service.egress.heads import LONGEST, BadHeadError

__all__ = ["Line", "Meter", "pass_chunks", "pass_on", "reset"]

PIECE = 65536
"""Bytes that are passed on at once."""

_CHUNK_LINE = 128
"""Bytes of the line before a chunk: its length, and extensions that nobody sends."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One connection, as who talks over it holds it."""

    reader: StreamReader
    writer: StreamWriter


@dataclass(slots=True, eq=False)
class Meter:
    """What goes through one connection; without a byte for a while, or after too many, it ends."""

    left: int
    """Bytes that may yet pass."""
    idle: float
    """Seconds without a byte."""
    patience: asyncio.Timeout
    """Ends the connection."""
    count: Callable[[int], None]
    """Told of all bytes, too."""

    def note(self, amount: int) -> None:
        """Note that bytes went through.

        Raises:
            ConnectionError: they were too many.
        """
        self.count(amount)
        self.left -= amount
        if self.left < 0:
            raise ConnectionError("more bytes than one connection may carry")
        self.patience.reschedule(asyncio.get_running_loop().time() + self.idle)


async def pass_on(
    reader: StreamReader, writer: StreamWriter, meter: Meter, length: int | None = None
) -> None:
    """Pass on a number of bytes, or all that come.

    Raises:
        ConnectionError: there are fewer, or too many.
    """
    left = length
    while left != 0:
        piece = await reader.read(PIECE if left is None else min(left, PIECE))
        if not piece:
            if left is None:
                return
            raise ConnectionResetError("the body ended early")
        meter.note(len(piece))
        writer.write(piece)
        await writer.drain()
        left = None if left is None else left - len(piece)


async def pass_chunks(reader: StreamReader, writer: StreamWriter, meter: Meter) -> None:
    """Pass on a body in chunks, to its end; trailers are left out.

    Raises:
        BadHeadError: a chunk does not say its length.
        ConnectionError: it ends early, or is too long.
    """
    size = -1
    while size:
        digits = (await reader.readuntil(b"\r\n"))[:-2]
        try:
            size = int(digits.partition(b";")[0], 16) if len(digits) < _CHUNK_LINE else -1
        except ValueError:
            size = -1
        if size < 0:
            raise BadHeadError("a chunk of the body does not say its length")
        writer.write(b"%x\r\n" % size)
        await pass_on(reader, writer, meter, size)
        if size:
            await _end_of_chunk(reader)
            writer.write(b"\r\n")
    trailers = 0
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        trailers += len(line)
        if trailers > LONGEST:
            raise BadHeadError("there is too much after the body")
    writer.write(b"\r\n")
    await writer.drain()


async def _end_of_chunk(reader: StreamReader) -> None:
    if await reader.readexactly(2) != b"\r\n":
        raise BadHeadError("a chunk of the body is not as long as it says")


def reset(writer: StreamWriter) -> None:
    """End a connection so that the other end knows that something is missing."""
    link = writer.get_extra_info("socket")
    with suppress(OSError):  # it may have ended by itself
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
