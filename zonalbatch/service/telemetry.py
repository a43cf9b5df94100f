"""Telemetry: what is told of each request: its id, a line of the log, counts; and protection."""

from __future__ import annotations

import itertools
import json
import logging
import re
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LOG", "JsonLines", "Telemetry", "request_id"]

LOG = logging.getLogger("zonalbatch.service")
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered."""

ID = "X-Request-ID"
GONE = 499
"""Of a client that closed its connection before its answer, as servers log it."""
CLOSED = "the handler is closed"
"""What uvloop says of such a connection where a second request had come by it."""
_ID = re.compile(r"[\w.-]{1,64}")
# To draw each by itself took a quarter of the processor time of the service's own process.
_PROCESS, _NUMBERS = secrets.token_hex(8), itertools.count()
PROTECTION = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
DOCS = PROTECTION["Content-Security-Policy"].replace(
    "default-src 'self'", "default-src 'self' 'unsafe-inline'"
)
"""Swagger's page starts by a script within it, and knows nobody's data."""


class Telemetry:
    """An application all of whose answers are counted, logged and protected."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._count = Counter(
            "zonalbatch_requests", "Requests.", ("path", "status"), registry=registry
        )
        self._seconds = Histogram(
            "zonalbatch_request_seconds", "Until an answer was sent.", ("path",), registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(ID, "")
        name = given if _ID.fullmatch(given) else f"{_PROCESS}{next(_NUMBERS):016x}"
        request_id.set(name)
        began, answer = time.perf_counter(), {"status": 500}

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
                _protect(MutableHeaders(scope=message), name, scope["path"])
            if answer["status"] == GONE:
                return
            try:
                await send(message)
            except RuntimeError as error:
                if CLOSED not in str(error):
                    raise
                answer["status"] = GONE

        try:
            await self._app(scope, receive, told)
        finally:
            self._tell(scope, answer["status"], time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        # The route as it is written, not the path as it is asked for: there are few of them.
        path = getattr(scope.get("route"), "path", "other")
        self._count.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)
        told = {
            "method": scope["method"], "path": scope["path"], "status": status,
            "seconds": round(seconds, 4), "client": (scope.get("client") or ("",))[0],
        }  # fmt: skip
        LOG.info("request", extra={"told": told})


def _protect(headers: MutableHeaders, name: str, path: str) -> None:
    headers[ID] = name
    for header, value in PROTECTION.items():
        headers.setdefault(header, value)
    if path == "/docs":
        headers["Content-Security-Policy"] = DOCS


class JsonLines(logging.Formatter):
    """Each record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; what is unexpected with its trace, for the log alone."""
        told: Mapping[str, Any] = getattr(record, "told", {})
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            **told,
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
