"""Exchanges: one request and its answer, or a tunnel, between a client and the host it asked for.

A connection carries one request. A second one could have another host, that nobody looked at.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

from zonalbatch.service.egress.heads import BadHeadError, Head
from zonalbatch.service.egress.passage import Line, Meter, pass_chunks, pass_on

__all__ = ["exchange", "tunnel"]

_BODILESS = {"204", "304"}


async def tunnel(client: Line, host: Line, meter: Meter) -> None:
    """Pass on all bytes in both directions, until both ends are done.

    Raises:
        ConnectionError: an end broke off, or there were too many.
    """
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_one_way(client.reader, host.writer, meter))
            both.create_task(_one_way(host.reader, client.writer, meter))
    except ExceptionGroup as errors:
        raise ConnectionAbortedError("the tunnel broke off") from errors


async def _one_way(reader: StreamReader, writer: StreamWriter, meter: Meter) -> None:
    await pass_on(reader, writer, meter)
    with suppress(OSError):  # the other end may have gone
        writer.write_eof()


async def exchange(request: Head, client: Line, host: Line, meter: Meter) -> None:
    """Pass on one request and its answer, then end; also when the client has left.

    Args:
        request: its head as it is passed on.
        client: who sends its body.
        host: who answers it.
        meter: the bounds of both.

    Raises:
        BadHeadError: head or body cannot be read.
        ConnectionError: the answer ends early, or is too long.
    """
    asking = asyncio.create_task(_ask(request, client, host, meter))
    answering = asyncio.create_task(_answer(request, client, host, meter))
    try:
        done, _ = await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
        (answering if answering in done else asking).result()
    finally:
        asking.cancel()
        answering.cancel()
        await asyncio.gather(asking, answering, return_exceptions=True)


async def _ask(request: Head, client: Line, host: Line, meter: Meter) -> None:
    """Send a request; what the client sends after it is heard, until it leaves, and dropped."""
    length = request.length
    with suppress(ConnectionError):  # who answers before it has heard all may stop listening
        host.writer.write(bytes(request))
        if request.in_chunks:
            await pass_chunks(client.reader, host.writer, meter)
        else:
            await pass_on(client.reader, host.writer, meter, length or 0)
    while piece := await client.reader.read(4096):
        meter.note(len(piece))


async def _answer(request: Head, client: Line, host: Line, meter: Meter) -> None:
    answer = await _head(host)
    while answer.line[9:10] == "1":  # 100 Continue, 103 Early Hints
        client.writer.write(bytes(answer))
        answer = await _head(host)
    client.writer.write(bytes(answer.relayed(answer.line)))
    empty = request.line.startswith("HEAD ") or answer.line[9:12] in _BODILESS
    await pass_on(host.reader, client.writer, meter, 0 if empty else answer.length)
    await client.writer.drain()


async def _head(host: Line) -> Head:
    head = Head.of(await host.reader.readuntil(b"\r\n\r\n"))
    if not head.line.startswith("HTTP/1.") or head.line[9:12] == "101":
        raise BadHeadError("the host does not answer in HTTP/1.1")
    return head
