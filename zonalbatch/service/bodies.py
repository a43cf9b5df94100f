"""Bodies: what is sent to the service, up to a size and within a time."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zonalbatch.service.refusals import TOO_LARGE, TOO_SLOW

__all__ = ["Bodies"]


class Bodies:
    """An application whose bodies are whole before it sees a request."""

    def __init__(self, app: ASGIApp, *, most: int, seconds: float) -> None:
        """Bound them.

        Args:
            app: what is asked.
            most: bytes of a body.
            seconds: until it has to be there.
        """
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(self._whole(scope, receive), self._seconds)
        except TimeoutError:
            sentence = f"the request's body was not there within {self._seconds:g} s"
            await _refused(TOO_SLOW, sentence)(scope, receive, send)
            return
        if body is None:
            sentence = f"the request's body is larger than {self._most:,} bytes; send less"
            await _refused(TOO_LARGE, sentence)(scope, receive, send)
            return
        await self._app(scope, _Given(body, receive), send)

    async def _whole(self, scope: Scope, receive: Receive) -> bytes | None:
        """The body, or None if it is too large."""
        told = Headers(scope=scope).get("content-length", "0")
        if told.isdecimal() and int(told) > self._most:
            return None
        parts, size = list[bytes](), 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._most:
                return None
            if not message.get("more_body"):
                return b"".join(parts)


class _Given:
    """Gives a body at once, and later what the server tells."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            return await self._receive()
        return {"type": "http.request", "body": body, "more_body": False}


def _refused(status: int, detail: str) -> JSONResponse:
    # The rest of the body is not read, so the connection is of no more use.
    return JSONResponse({"detail": detail}, status, {"connection": "close"})
