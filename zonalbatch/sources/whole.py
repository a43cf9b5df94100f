"""Whole files: documents and tables, read at once, wherever they lie.

What lies in the web is asked for by libraries that hear of the proxy in the environment, as GDAL
does; urllib3 and pyarrow by themselves do not.
"""

from __future__ import annotations

from pathlib import Path
from urllib.request import Request, urlopen

from zonalbatch.sources.access import Grant
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.stores import store_of
from zonalbatch.sources.protocol import is_remote

__all__ = ["read_whole"]

SECONDS = 60.0
"""How long to wait for a file over HTTP."""


def read_whole(href: str) -> bytes:
    """The bytes of a file: a path, or a link of http, https, s3, gs or az.

    Raises:
        OSError: it cannot be read.
    """
    if href.startswith(("http://", "https://")):
        request = Request(href, headers={"User-Agent": "zonalbatch"})
        with urlopen(request, timeout=SECONDS) as answer:
            return bytes(answer.read())
    if is_remote(href):
        return _of_bucket(href)
    return Path(href).read_bytes()


def _of_bucket(href: str) -> bytes:
    from obstore.exceptions import BaseError

    try:
        store, path = store_of(Grant(href))
        return bytes(store.get(path).bytes())
    except (BaseError, UnfitError) as error:
        raise OSError(str(error)) from error
