"""Items: STAC items that questions name, and which of their assets is asked about."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable

from zonalbatch.service.desk import Desk
from zonalbatch.service.refusals import BAD, TOO_LARGE, Refusal
from zonalbatch.sources import read_error
from zonalbatch.sources.access import using
from zonalbatch.sources.access.grant import Grant
from zonalbatch.sources.documents import Doc, item_at
from zonalbatch.sources.whole import read_whole

__all__ = ["asset_of", "item_of"]

MOST_BYTES = 16 * 1024**2
"""Of a document."""


def item_of(desk: Desk, url: str) -> Doc:
    """A STAC item, with absolute links of its assets.

    Raises:
        Refusal: there is no item, or it may not be asked for.
        ReadError: it cannot be read.
    """
    href = desk.href(url)
    text = using(desk.access(), href, _read)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusal(BAD, "the link leads to no STAC item: it is no JSON") from None
    if not isinstance(document, dict) or document.get("type") != "Feature":
        raise Refusal(BAD, "the link leads to no STAC item; give that of one item")
    return item_at(document, href)


def asset_of(item: Doc, name: str | None, fitting: Iterable[str], what: str) -> str:
    """The name of the asset that is asked about: the one that is named, else the first that fits.

    Raises:
        Refusal: there is no such asset.
    """
    known = ", ".join(sorted(item["assets"]))[:500] or "none"
    if name is not None and name not in item["assets"]:
        raise Refusal(BAD, f"the item has no asset {name!r}; it has {known}")
    found = name or next(iter(fitting), None)
    if found is None:
        raise Refusal(BAD, f"the item has no asset that is a {what}; it has {known}")
    return found


def _read(grant: Grant) -> bytes:
    try:
        return read_whole(grant, MOST_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise Refusal(TOO_LARGE, f"the item is larger than {MOST_BYTES:,} bytes") from None
        raise read_error(grant.href, error) from None
