"""Whole files: documents and tables, read at once, wherever they lie, up to a size.

What lies in the web is asked for by libraries that hear of the proxy in the environment, as GDAL
does; urllib3 and pyarrow by themselves do not. Services that make a document as it is asked for
tell neither its size nor its age, and know no ranges, which obstore wants of a file over HTTP.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from functools import partial
from http.client import HTTPException, IncompleteRead
from urllib.request import urlopen

from zonalbatch.sources.access import Grant
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.stores import store_of
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.servers import request_of

__all__ = ["LARGEST", "read_whole"]

SECONDS = 60.0
"""How long to wait for a file over HTTP."""
LARGEST = 2 * 1024**3
"""Bytes of a file that is read unless it is said otherwise."""
PIECE = 1024**2


def read_whole(grant: Grant, most: int = LARGEST) -> bytes:
    """The bytes of a file.

    Args:
        grant: the right to read it: a path, or a link of http, https, s3, gs or az.
        most: bytes that it may have; no more of it is held.

    Raises:
        OSError: it cannot be read; its number is EFBIG if it is larger.
    """
    if grant.href.startswith(("http://", "https://")):
        return _of_web(grant, most)
    if is_remote(grant.href):
        return _of_bucket(grant, most)
    with open(grant.href, "rb") as file:
        return _joined(iter(partial(file.read, PIECE), b""), most)


def _of_web(grant: Grant, most: int) -> bytes:
    try:
        with urlopen(request_of(grant.href, grant), timeout=SECONDS) as answer:
            found = _joined(iter(partial(answer.read, PIECE), b""), most)
            # Pieces, unlike the whole, are given without an error where the answer ends early.
            if answer.length:
                raise IncompleteRead(found, answer.length)
            return found
    except HTTPException as error:
        raise ConnectionError(f"the connection was closed: {error}") from error


def _of_bucket(grant: Grant, most: int) -> bytes:
    from obstore.exceptions import BaseError

    try:
        store, path = store_of(grant)
        return _joined(map(bytes, store.get(path).stream()), most)
    except (BaseError, UnfitError) as error:
        told, _, _ = str(error).partition("\n")
        raise OSError(told or type(error).__name__) from error


def _joined(pieces: Iterable[bytes], most: int) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > most:
            raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes")
    return bytes(found)
