"""Encoding: what the raw values of an asset mean, as far as its file can hold it."""

from __future__ import annotations

from typing import Any

import numpy as np

from zonalbatch.errors import ReadError
from zonalbatch.layers import Asset
from zonalbatch.measure import NO_ENCODING, Encoding
from zonalbatch.sources.offsets import agree
from zonalbatch.sources.protocol import Header

__all__ = ["contradicted", "encoding_of"]


def encoding_of(asset: Asset, header: Header | ReadError) -> Encoding:
    """What the plan says of a band's values, and where it is silent, the file."""
    if isinstance(header, ReadError):
        return NO_ENCODING
    b = asset.band - 1
    nodata = header.nodata[b] if asset.nodata is None else asset.nodata
    return Encoding(
        nodata=_holdable(nodata, np.dtype(header.dtypes[b])),
        scale=header.scales[b] if asset.scale is None else asset.scale,
        offset=header.offsets[b] if asset.offset is None else asset.offset,
    )


def contradicted(asset: Asset, header: Header | ReadError) -> tuple[float, float] | None:
    """(scale, offset) of a file's tags, if it has any and others were applied; not the job's.

    Tags of 1 and 0 say nothing: GDAL has them where there are none.
    """
    if isinstance(header, ReadError) or asset.scale is None or asset.offset is None:
        return None
    tags = header.scales[asset.band - 1], header.offsets[asset.band - 1]
    silent = tags == (1.0, 0.0) or asset.scaled_by == "job"
    return None if silent or agree(tags, (asset.scale, asset.offset)) else tags


def _holdable(nodata: float | int | str | None, dtype: np.dtype[Any]) -> float | int | None:
    """A nodata value, or None if the type of the pixels cannot hold it."""
    if nodata is None or isinstance(nodata, str):
        return None
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        whole = nodata == nodata and float(nodata).is_integer()
        return int(nodata) if whole and info.min <= nodata <= info.max else None
    if np.isfinite(nodata) and abs(nodata) > float(np.finfo(dtype).max):
        return None
    return nodata
