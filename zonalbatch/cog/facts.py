"""Facts: what a raster file says of itself, in rasterio's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zonalbatch.sources.masks import has_own_mask

__all__ = ["Facts"]


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The answers of a rasterio dataset that need no pixel."""

    profile: Mapping[str, Any]
    """As rasterio's: driver, dtype, nodata, width, height, count, crs, transform and so on."""
    bounds: tuple[float, float, float, float]
    """(left, bottom, right, top) in the file's CRS."""
    crs: Any
    """A rasterio CRS."""
    epsg: int | None
    nodata: float | None
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    descriptions: tuple[str | None, ...]
    colormap: Mapping[int, tuple[int, ...]] | None
    """Value -> red, green, blue and alpha, 0 to 255."""
    is_masked: bool
    """True if pixels may be no data: by nodata, a mask or an alpha band."""
    overviews: tuple[int, ...]
    """How many times larger the cells of each overview are."""
    tags: Mapping[str, str]
    """GDAL's metadata of the file."""

    @classmethod
    def of(cls, handle: Any) -> Facts:
        """Those of an open rasterio dataset."""
        return cls(
            profile=dict(handle.profile),
            bounds=_bounds(handle),
            crs=handle.crs,
            epsg=handle.crs.to_epsg() if handle.crs else None,
            nodata=handle.nodata,
            scales=tuple(map(float, handle.scales)),
            offsets=tuple(map(float, handle.offsets)),
            descriptions=tuple(handle.descriptions),
            colormap=_colormap(handle),
            is_masked=handle.nodata is not None or has_own_mask(handle),
            overviews=tuple(handle.overviews(1)),
            tags=dict(handle.tags()),
        )


def _bounds(handle: Any) -> tuple[float, float, float, float]:
    left, one, right, other = handle.bounds  # of a file whose first row lies in the south
    return left, min(one, other), right, max(one, other)


def _colormap(handle: Any) -> Mapping[int, tuple[int, ...]] | None:
    try:
        return dict(handle.colormap(1))
    except ValueError:  # rasterio's way to say that there is none
        return None
