"""Links: what may be opened by name where the one who wrote the name is not trusted.

A job's own files may be paths, links and GDAL's plain paths of archives and stores. An item says
where its files lie, and who wrote it is not who wrote the job: one that comes from the web may
name what lies in the web, any other also paths. No name may be one by which GDAL makes a file of
others, or reads what is no file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from zonalbatch.errors import PermanentReadError, SourceError
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.secrets import shown
from zonalbatch.sources.vetting import TRUST

__all__ = ["ORIGIN", "refuse_asset", "refuse_name"]

ORIGIN = "origin"
"""Key of an item that tells where it comes from: what its relative links are relative to."""

_WEB = re.compile(r"(https?|s3|gs|az|abfss?|oss|ftp)://[^/]", re.IGNORECASE)
_NAME = re.compile(r"/+vsi|[A-Za-z_][\w+.-]+:|\s*[<{\[]", re.IGNORECASE)
"""Beginnings of GDAL's and rasterio's names that are neither path nor link."""
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_STORE = re.compile(r"/vsi(curl|s3|gs|az|adls|oss|swift|zip|tar)/")
_ANY_STORE = re.compile(r"(?:^|(?<=[:\"/!{]))/vsi[^/]*/?")


def refuse_asset(href: str, item: Mapping[str, Any]) -> None:
    """Raise a SourceError if an item, not trusted, may not name this file.

    Args:
        href: of an asset, absolute.
        item: a STAC item that knows its origin.
    """
    named = _NAME.match(href) or "://" in href
    if _CONTROL.search(href) or (named and not _WEB.match(href)):
        raise SourceError(
            f"item {item.get('id')!r} names {shown(href)[:120]!r}, which is no path and no link "
            f"to a file; {TRUST}"
        )
    origin = item.get(ORIGIN)
    if origin is not None and is_remote(origin) and not _WEB.match(href):
        raise SourceError(
            f"item {item.get('id')!r} comes from {shown(origin)} and names "
            f"{shown(href)[:120]!r}, which does not lie in the web; {TRUST}"
        )


def refuse_name(href: str) -> None:
    """Raise a PermanentReadError if a name is one of GDAL's for what is made of other files."""
    if _CONTROL.search(href):
        raise PermanentReadError(f"{shown(href)[:120]!r} has control characters; correct the name")
    if _WEB.match(href):
        return
    for found in _ANY_STORE.findall(href):
        if not _STORE.fullmatch(found):
            raise PermanentReadError(f"{shown(href)[:120]!r} begins with {found}; {TRUST}")
