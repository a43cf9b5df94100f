"""Masks: what a file itself says of its cells, beside nodata."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.windows import Window

from zonalbatch.errors import SourceError
from zonalbatch.sources.causes import shown

__all__ = [
    "has_own_mask",
    "mask_may_be_lost",
    "mask_name",
    "read_mask_of_whole",
    "read_own_mask",
    "refuse_several_masks",
]


def has_own_mask(handle: Any) -> bool:
    """True if a rasterio dataset has a mask or an alpha band beside nodata."""
    return _masked_band(handle) is not None or _alpha(handle) is not None


def read_own_mask(handle: Any, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """The mask of a half-open (top, left, bottom, right) window; True means valid."""
    top, left, bottom, right = window
    part = (top, bottom), (left, right)
    masked, alpha = _masked_band(handle), _alpha(handle)
    if masked is not None:
        return np.asarray(handle.read_masks(masked, window=part) != 0)
    if alpha is not None:
        return np.asarray(handle.read(alpha, window=part) != 0)
    return np.ones((bottom - top, right - left), dtype=bool)


def mask_name(handle: Any) -> str | None:
    """What a VRT calls the mask or the alpha band of a rasterio dataset; None if it has none."""
    masked, alpha = _masked_band(handle), _alpha(handle)
    if masked is not None:
        return f"mask,{masked}"
    return None if alpha is None else str(alpha)


def mask_may_be_lost(handle: Any) -> bool:
    """True if an overview's mask may be missing, which GDAL shows as one that is all valid.

    That is so if the mask is no band, nor follows from pixels, and has no overviews of its own.
    """
    masked = _masked_band(handle)
    return masked is not None and handle.mask_flag_enums[masked - 1] == [MaskFlags.per_dataset]


def read_mask_of_whole(
    whole: Any, shape: tuple[int, int], window: tuple[int, int, int, int]
) -> NDArray[np.bool_]:
    """The mask of a window of an overview, read of the file that it is an overview of.

    Args:
        whole: the file, an open rasterio dataset.
        shape: height and width of the overview, cells.
        window: (top, left, bottom, right) in cells of the overview.
    """
    top, left, bottom, right = window
    high, wide = whole.height / shape[0], whole.width / shape[1]
    part = Window(left * wide, top * high, (right - left) * wide, (bottom - top) * high)
    size = (bottom - top, right - left)
    if 0 in size:
        return np.ones(size, dtype=bool)
    return np.asarray(whole.read_masks(_masked_band(whole), window=part, out_shape=size) != 0)


def refuse_several_masks(handle: Any, href: str) -> None:
    """Raise if each band has a mask of its own: a file is read with one for all."""
    if handle.count > 1 and any(not flags for flags in handle.mask_flag_enums):
        raise SourceError(
            f"{shown(href)} has a mask for each of its {handle.count} bands; "
            "give one file for each band (gdal_translate -b n -mask mask,n)"
        )


def _masked_band(handle: Any) -> int | None:
    """The first band that GDAL masks by more than its nodata; its mask is that of all.

    It need not be the first band of all: an alpha band has no mask.
    """
    for band, flags in zip(handle.indexes, handle.mask_flag_enums, strict=True):
        if MaskFlags.per_dataset in flags or not flags:
            return int(band)
    return None


def _alpha(handle: Any) -> int | None:
    """The alpha band, of which GDAL says nothing where the file has nodata too."""
    for band, meaning in zip(handle.indexes, handle.colorinterp, strict=True):
        if meaning == ColorInterp.alpha and handle.count > 1:
            return int(band)
    return None
