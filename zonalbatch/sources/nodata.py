"""Nodata: raw values that mean no data, exactly as pixels have them."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.io import MemoryFile

__all__ = ["held_nodata", "nodata_of", "snapped"]

EXACT = 2**53
"""Up to here float64 holds every integer."""

FLOAT32 = float(np.finfo(np.float32).eps)
"""Relative precision of float32."""


def nodata_of(handle: Any, dtypes: tuple[str, ...]) -> tuple[float | int | None, ...]:
    """The raw value that means no data, of each band of a rasterio dataset."""
    stated = handle.nodatavals
    if dtypes[0] in ("int64", "uint64") and any(map(_is_lost, stated, handle.mask_flag_enums)):
        stated = _exact(handle)
    return tuple(map(held_nodata, stated, dtypes))


def snapped(values: NDArray[Any], nodata: float | int | None) -> NDArray[Any]:
    """Values of an overview with those made equal to nodata that GDAL takes for it.

    Overviews of float64 were made in float32 once, and so was their nodata. The tolerance is
    that of GDAL's ``ARE_REAL_EQUAL``.
    """
    if values.dtype.kind == "f" and nodata and math.isfinite(nodata):
        with np.errstate(over="ignore", invalid="ignore"):
            far = np.abs(values - nodata) >= 2 * FLOAT32 * np.abs(values + nodata)
        values = np.where(far | ~np.isfinite(values), values, values.dtype.type(nodata))
    return values


def held_nodata(value: float | int | None, dtype: str) -> float | int | None:
    """A nodata value as the dtype holds it; None where it cannot (−9999 in uint8, NaN in int16).

    Of a complex type it is the real part.
    """
    if value is None:
        return None
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        return _held_integer(value, np.iinfo(kind))
    with np.errstate(over="ignore"):
        held = float(kind.type(value).real)
    return None if math.isinf(held) and not math.isinf(value) else held


def _held_integer(value: float | int, info: np.iinfo[Any]) -> int | None:
    if not math.isfinite(value) or value != int(value) or not info.min <= value <= info.max:
        return None
    return int(value)


def _is_lost(value: float | None, flags: list[MaskFlags]) -> bool:
    """True if a band has a nodata that rasterio, which tells it as float64, cannot say."""
    return MaskFlags.nodata in flags and (value is None or abs(value) >= EXACT)


def _exact(handle: Any) -> list[int | float | None]:
    """The nodata of each band as GDAL itself writes it, into the description of a VRT."""
    with MemoryFile(ext=".vrt") as file:
        rasterio.shutil.copy(handle, file.name, driver="VRT")
        bands = ET.fromstring(file.read()).findall("VRTRasterBand")
    return [_number(band.findtext("NoDataValue")) for band in bands]


def _number(text: str | None) -> int | float | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return float(text)
