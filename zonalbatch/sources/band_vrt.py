"""Band VRT: one band of a raster file described anew for GDAL, with a nodata of the plan's."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from zonalbatch.sources.masks import mask_name

__all__ = ["band_vrt", "blank_vrt"]

_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32",
    "int32": "Int32", "uint64": "UInt64", "int64": "Int64", "float32": "Float32",
    "float64": "Float64",
}  # fmt: skip
"""Names of types, numpy's to GDAL's."""


def band_vrt(handle: Any, name: str, band: int, dtype: str, nodata: float | int | None) -> str:
    """A VRT of one band: its raw pixels, its mask, and the nodata that takes no part in warping.

    Args:
        handle: the file, an open rasterio dataset.
        name: of the file, as GDAL calls it.
        band: 1-based.
        dtype: of the band.
        nodata: raw value that means no data, whatever the file says.
    """
    root, pixels = _root(handle, name, dtype)
    if nodata is not None:
        ET.SubElement(pixels, "NoDataValue").text = repr(nodata)
    _source(pixels, name, str(band))
    return ET.tostring(root, encoding="unicode")


def blank_vrt(handle: Any, name: str) -> str:
    """A VRT of zeros with the file's extent and mask, which is read for its mask alone."""
    root, _ = _root(handle, name, "uint8")
    return ET.tostring(root, encoding="unicode")


def _root(handle: Any, name: str, dtype: str) -> tuple[ET.Element, ET.Element]:
    """A VRT of the file's extent and mask, and its one band."""
    size = {"rasterXSize": str(handle.width), "rasterYSize": str(handle.height)}
    root = ET.Element("VRTDataset", size)
    ET.SubElement(root, "SRS").text = handle.crs.to_wkt()
    ET.SubElement(root, "GeoTransform").text = ",".join(map(repr, handle.transform.to_gdal()))
    pixels = ET.SubElement(root, "VRTRasterBand", {"dataType": _TYPES[dtype], "band": "1"})
    mask = mask_name(handle)
    if mask is not None:
        band = ET.SubElement(ET.SubElement(root, "MaskBand"), "VRTRasterBand", dataType="Byte")
        _source(band, name, mask)
    return root, pixels


def _source(band: ET.Element, name: str, what: str) -> None:
    source = ET.SubElement(band, "SimpleSource")
    # Handles that GDAL shares among threads are not ours to share.
    file = ET.SubElement(source, "SourceFilename", {"relativeToVRT": "0", "shared": "0"})
    file.text = name
    ET.SubElement(source, "SourceBand").text = what
