"""CRS: one spelling for each, so that they compare."""

from __future__ import annotations

import functools
import json
from typing import Any

from zonalbatch.errors import SourceError

__all__ = ["crs_text"]


def crs_text(crs: Any) -> str:
    """A CRS in the form that compares: ``EPSG:n`` where it has a code, else WKT2.

    Takes a rasterio or pyproj CRS, a code, WKT or PROJJSON text, or a PROJJSON mapping.

    Raises:
        SourceError: PROJ does not know what it means.
    """
    if isinstance(crs, dict):
        return _canonical(json.dumps(crs, sort_keys=True))
    return _canonical(crs if isinstance(crs, str) else crs.to_wkt())


@functools.lru_cache(maxsize=1024)
def _canonical(text: str) -> str:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_user_input(text)
    except CRSError as error:
        raise SourceError(
            f"CRS {text[:80]!r} is not known to PROJ ({error}); give an EPSG code or WKT2"
        ) from error
    authority = crs.to_authority()
    if authority is not None and authority[0] == "EPSG":
        return f"EPSG:{authority[1]}"
    return str(crs.to_wkt())
