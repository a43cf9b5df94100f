"""Servers: who answers for a remote file, and for how long it asks to be left alone."""

from __future__ import annotations

import functools
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import urllib3

from zonalbatch.errors import DoubtfulReadError, PassingReadError
from zonalbatch.sources.access import Grant
from zonalbatch.sources.gdal import doubt, gdal_name
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.view import View

__all__ = ["heeding", "request_of", "server_of"]

LONGEST = 60.0
"""Seconds; who asks for more is tried again after these."""

_LIMITED = re.compile(r"\b(429|503)\b|too many requests|slow ?down", re.IGNORECASE)
_BUCKET = re.compile(r"/vsi(s3|gs|az|adls|oss|swift)/([^/]+)")


@functools.lru_cache(4096)
def server_of(href: str) -> str:
    """Who answers for a file: by scheme and host, or by store; empty if it is local."""
    if not is_remote(href):
        return ""
    name = gdal_name(View.of(href).href)
    if bucket := _BUCKET.match(name):
        return f"{bucket[1]}://{bucket[2]}"
    url = urlsplit(_url_of(name))
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


@contextmanager
def heeding(href: str, grant: Grant) -> Iterator[None]:
    """Have a read of a remote file that fails in passing, or so it seems, be tried as it should.

    GDAL is to ask the server then, and not what it remembers; and the error says when.
    """
    try:
        yield
    except (PassingReadError, DoubtfulReadError) as error:
        if is_remote(href):
            doubt(grant)
        if isinstance(error, PassingReadError) and is_remote(href):
            error.after = _asked(grant, str(error))
        raise


def _asked(grant: Grant, cause: str) -> float:
    """Seconds for which a server that limits requests wants none; 0 if it does not say.

    GDAL does not tell the headers of an answer, so one byte is asked for by another client.
    """
    url = _url_of(gdal_name(grant.href))
    if not (_LIMITED.search(cause) and url.startswith(("http://", "https://"))):
        return 0.0
    request = request_of(url, grant)
    request.add_header("Range", "bytes=0-0")
    try:
        # It goes by the proxy of the environment, as GDAL does; urllib3 by itself would not.
        with urllib.request.urlopen(request, timeout=10.0):
            return 0.0
    except urllib.error.HTTPError as error:
        with error:
            return _seconds(error.headers.get("Retry-After", ""))
    except (OSError, ValueError, http.client.HTTPException):
        return 0.0


def request_of(url: str, grant: Grant) -> urllib.request.Request:
    """A request by a right to read, whose headers go to that host and to none it sends us on to."""
    request = urllib.request.Request(url, headers={"User-Agent": "zonalbatch"})
    for name, value in grant.headers.items():
        request.add_unredirected_header(name, value)
    return request


def _seconds(asked: str) -> float:
    try:
        return min(urllib3.Retry().parse_retry_after(asked), LONGEST)
    except urllib3.exceptions.InvalidHeader:
        return 0.0


def _url_of(name: str) -> str:
    """A link without GDAL's word for how it is read."""
    return name.removeprefix("/vsicurl/").removeprefix("/vsicurl_streaming/")
