"""Band VRT: one band of a raster file described anew for GDAL, with a nodata of the plan's."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

from zonalbatch.sources.masks import mask_name

__all__ = ["Frame", "band_vrt", "blank_vrt"]

_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32",
    "int32": "Int32", "uint64": "UInt64", "int64": "Int64", "float32": "Float32",
    "float64": "Float64",
}  # fmt: skip
"""Names of types, numpy's to GDAL's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all VRTs of a file's bands have from it."""

    width: int
    """Columns."""
    height: int
    """Rows."""
    crs: str
    """WKT."""
    transform: tuple[float, ...]
    """GDAL's six numbers from column and row to place."""
    mask: str | None
    """What a VRT calls its mask or alpha band; None if it has none."""

    @classmethod
    def of(cls, handle: Any) -> Frame:
        """Of an open rasterio dataset."""
        return cls(
            width=handle.width, height=handle.height, crs=handle.crs.to_wkt(),
            transform=handle.transform.to_gdal(), mask=mask_name(handle),
        )  # fmt: skip


def band_vrt(frame: Frame, name: str, band: int, dtype: str, nodata: float | int | None) -> str:
    """A VRT of one band: its raw pixels, its mask, and the nodata that takes no part in warping.

    Args:
        frame: of the file.
        name: of the file, as GDAL calls it.
        band: 1-based.
        dtype: of the band.
        nodata: raw value that means no data, whatever the file says.
    """
    root, pixels = _root(frame, name, dtype)
    if nodata is not None:
        ET.SubElement(pixels, "NoDataValue").text = repr(nodata)
    _source(pixels, name, str(band))
    return ET.tostring(root, encoding="unicode")


def blank_vrt(frame: Frame, name: str) -> str:
    """A VRT of zeros with the file's extent and mask, which is read for its mask alone."""
    root, _ = _root(frame, name, "uint8")
    return ET.tostring(root, encoding="unicode")


def _root(frame: Frame, name: str, dtype: str) -> tuple[ET.Element, ET.Element]:
    """A VRT of the file's extent and mask, and its one band."""
    size = {"rasterXSize": str(frame.width), "rasterYSize": str(frame.height)}
    root = ET.Element("VRTDataset", size)
    ET.SubElement(root, "SRS").text = frame.crs
    ET.SubElement(root, "GeoTransform").text = ",".join(map(repr, frame.transform))
    pixels = ET.SubElement(root, "VRTRasterBand", {"dataType": _TYPES[dtype], "band": "1"})
    if frame.mask is not None:
        band = ET.SubElement(ET.SubElement(root, "MaskBand"), "VRTRasterBand", dataType="Byte")
        _source(band, name, frame.mask)
    return root, pixels


def _source(band: ET.Element, name: str, what: str) -> None:
    source = ET.SubElement(band, "SimpleSource")
    # Handles that GDAL shares among threads are not ours to share.
    file = ET.SubElement(source, "SourceFilename", {"relativeToVRT": "0", "shared": "0"})
    file.text = name
    ET.SubElement(source, "SourceBand").text = what
