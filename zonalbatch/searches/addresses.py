"""Addresses: where APIs are, by URL or by the name of a well-known one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from zonalbatch.errors import SourceError

__all__ = ["KNOWN", "address_of", "signed_by"]

KNOWN: Mapping[str, str] = {
    "planetary-computer": "https://planetarycomputer.microsoft.com/api/stac/v1",
    "earth-search": "https://earth-search.aws.element84.com/v1",
    "copernicus": "https://stac.dataspace.copernicus.eu/v1",
}
"""Well-known APIs by name."""


SIGNED: Mapping[str, str] = {KNOWN["planetary-computer"]: "planetary-computer"}
"""What it takes to read the files that an API tells of, where they are not open to all."""


def signed_by(api: str) -> str | None:
    """The kind of ``sign`` that the files of an API want, as far as is known of it."""
    return SIGNED.get(KNOWN.get(api, api).rstrip("/"))


def address_of(api: str) -> str:
    """The URL of an API's landing page.

    Raises:
        SourceError: it is neither a URL nor a known name.
    """
    url = KNOWN.get(api, api)
    if re.match(r"https?://[^/\s]", url):
        return url
    from zonalbatch.sources import shown  # which loads rasterio: a job is checked without it

    near = difflib.get_close_matches(api, KNOWN, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f", or a name: {', '.join(KNOWN)}"
    raise SourceError(f"api {shown(api)!r} is no address of a STAC API; give its URL{hint}")
