"""Nesting: WKB of collections within collections, which GEOS reads by calling itself.

As deep as it nests, so much of the stack it takes, and a file of a megabyte can end the process.
Nothing else in WKB is nested, and what is real is so two or three deep.
"""

from __future__ import annotations

import re
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["MOST", "without_abysses"]

MOST = 5_000
"""Collections within one geometry that are read."""
_HEADER = 9
"""Bytes of a collection's header, hence the fewest that one more of them takes."""

_KINDS = rb"[\x04-\x07\x09-\x0c\x0f\x10]"
_ISO = rb"(?:[\xec-\xef\xf1-\xf4]\x03|[\xd4-\xd7\xd9-\xdc]\x07|[\xbc-\xbf\xc1-\xc4]\x0b)"
_SWAPPED = rb"(?:\x03[\xec-\xef\xf1-\xf4]|\x07[\xd4-\xd7\xd9-\xdc]|\x0b[\xbc-\xbf\xc1-\xc4])"
_COLLECTION = re.compile(
    rb"\x01(?:%s\x00|%s)\x00[\x00\x20\x40\x60\x80\xa0\xc0\xe0]|"
    rb"\x00[\x00\x20\x40\x60\x80\xa0\xc0\xe0]\x00(?:\x00%s|%s)" % (_KINDS, _ISO, _KINDS, _SWAPPED),
    re.DOTALL,
)
"""Byte order and type of a geometry made of geometries: OGC's, ISO's with Z and M, EWKB's."""


def without_abysses(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """WKB with null in the place of what nests too deep to be read."""
    lengths = pc.fill_null(pc.binary_length(column), 0).to_numpy()
    large = np.flatnonzero(lengths > MOST * _HEADER)
    deep = [row for row in large if _is_deep(column[int(row)].as_py())]
    if not deep:
        return column
    lost = np.zeros(len(column), bool)
    lost[deep] = True
    return pc.if_else(pa.array(lost), pa.scalar(None, column.type), column)


def _is_deep(wkb: bytes) -> bool:
    """True if a geometry may hold more collections than are read."""
    if _COLLECTION.match(wkb) is None:
        return False
    return next(islice(_COLLECTION.finditer(wkb), MOST, None), None) is not None
