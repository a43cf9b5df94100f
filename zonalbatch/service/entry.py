"""Entry: who may ask, and how often."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from zonalbatch.service.refusals import NO_KEY, TOO_MANY

__all__ = ["KEY", "OWNER", "Entry"]

KEY = "X-API-Key"
"""The header that holds a key."""
OWNER = "owner"
"""What of a request's scope tells whose it is: the digest of its key, or nothing."""
GUARDED = "/api/"
"""What paths begin with that are not for everybody."""


class Entry:
    """An application that answers those who have a key, if there are any, and not too often."""

    def __init__(self, app: ASGIApp, *, keys: Sequence[str], rate: int) -> None:
        """Guard an application.

        Args:
            app: what is asked.
            keys: one of them has to be sent; none: everybody may ask.
            rate: requests a minute of a key, or of an address where there are none; 0: any number.
        """
        self._app = app
        self._keys = [_digest(key) for key in keys]
        self._rate = RateLimitItemPerMinute(rate) if rate else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request, or refuse it."""
        refused = None
        if scope["type"] == "http" and scope["path"].startswith(GUARDED):
            refused = self._refused(scope)
        await (refused or self._app)(scope, receive, send)

    def _refused(self, scope: Scope) -> JSONResponse | None:
        given = _digest(Headers(scope=scope).get(KEY, ""))
        # All are compared, each in constant time: how long it takes tells nothing of them.
        known = [hmac.compare_digest(given, key) for key in self._keys]
        if self._keys and not any(known):
            return JSONResponse({"detail": f"send a valid key in the header {KEY}"}, NO_KEY)
        scope[OWNER] = given.hex() if self._keys else ""
        who = scope[OWNER] or (scope.get("client") or ("",))[0]
        if self._rate and not self._limiter.hit(self._rate, who):
            sentence = f"more than {self._rate.amount} requests in a minute; wait before the next"
            return JSONResponse({"detail": sentence}, TOO_MANY, {"Retry-After": "60"})
        return None


def _digest(key: str) -> bytes:
    """A key as it is kept and compared: of one length."""
    return hashlib.sha256(key.encode()).digest()
