"""Origins: which kind of source the zones that a user gives are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from zonalbatch.errors import ZonesError
from zonalbatch.zones.files import open_files
from zonalbatch.zones.frames import frame_sources
from zonalbatch.zones.labels import array_labels, file_labels
from zonalbatch.zones.source import Source

__all__ = ["sources_of"]


def sources_of(
    zones: Any,
    band: int | None,
    layer: str | None = None,
    encoding: str | None = None,
    *,
    trusted: bool = False,
) -> list[Source]:
    """The sources of a frame, an array of labels, or a path to files or to a raster of labels.

    Args:
        zones: what the user gave.
        band: the band of a raster that holds the labels; a path is one of a raster then.
        layer: which layer of a file; None takes the first that has rows.
        encoding: of the text in a Shapefile; None takes what it says.
        trusted: True reads also files that may have others opened.

    Raises:
        ZonesError: it is none of these, or cannot be read.
    """
    if isinstance(zones, (str, Path)):
        path = str(zones)
        if band is not None:
            return [file_labels(path, band, trusted=trusted)]
        return _of_path(path, layer, encoding, trusted=trusted)
    if layer is not None or encoding is not None:
        raise ZonesError("zones.layer and zones.encoding choose in files; a frame has neither")
    if hasattr(type(zones), "dims") and hasattr(zones, "dtype"):
        return [array_labels(zones, band)]
    if band is not None:
        raise ZonesError(f"band {band} is of a raster of labels; leave it out for other zones")
    if _is_frame(zones):
        return frame_sources(zones)
    raise ZonesError(
        "zones must be a GeoDataFrame, a path or a DataArray of labels, not a "
        f"{type(zones).__name__}; make one with geopandas.GeoDataFrame(..., geometry=..., crs=...)"
    )


def _is_frame(zones: Any) -> bool:
    """True of GeoDataFrames, and of those whose partitions Dask holds."""
    import geopandas

    parted = type(zones).__module__.startswith("dask_geopandas") and hasattr(zones, "geometry")
    return parted or isinstance(zones, geopandas.GeoDataFrame)


def _of_path(path: str, layer: str | None, encoding: str | None, *, trusted: bool) -> list[Source]:
    """Files with geometries or, if GDAL knows a file as a raster only, its labels."""
    try:
        return open_files(path, layer, encoding, trusted=trusted)
    except ZonesError as error:
        from pyogrio.errors import DataSourceError

        if not isinstance(error.__cause__, DataSourceError):
            raise
        if _is_job(path):
            raise ZonesError(
                f"{path} is a job, not zones; do it by `zonalbatch run {path}`, or give zones"
            ) from None
        try:
            return [file_labels(path, None, trusted=trusted)]
        except ZonesError as other:
            # A raster that is one, but not of labels, says so itself.
            raise (error if isinstance(other.__cause__, Exception) else other) from None


def _is_job(path: str) -> bool:
    """True for a document that has both zones and a source, as only a job has."""
    if not path.endswith((".yaml", ".yml", ".json")) or not Path(path).is_file():
        return False
    text = Path(path).read_bytes()
    return all(re.search(rb"\b%s[\"']?\s*:" % key, text) for key in (b"zones", b"source"))
