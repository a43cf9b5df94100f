"""Directories: the images in a TIFF, and their tags by name and code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from async_tiff import ImageFileDirectory

__all__ = ["Directory", "Tag"]

CODES: Mapping[str, int] = {
    "NewSubfileType": 254, "ImageWidth": 256, "ImageLength": 257, "BitsPerSample": 258,
    "Compression": 259, "PhotometricInterpretation": 262, "DocumentName": 269,
    "ImageDescription": 270, "StripOffsets": 273, "Orientation": 274, "SamplesPerPixel": 277,
    "RowsPerStrip": 278, "StripByteCounts": 279, "MinSampleValue": 280, "MaxSampleValue": 281,
    "XResolution": 282, "YResolution": 283, "PlanarConfiguration": 284, "ResolutionUnit": 296,
    "Software": 305, "DateTime": 306, "Artist": 315, "HostComputer": 316, "Predictor": 317,
    "ColorMap": 320, "TileWidth": 322, "TileLength": 323, "TileOffsets": 324,
    "TileByteCounts": 325, "ExtraSamples": 338, "SampleFormat": 339, "JPEGTables": 347,
    "Copyright": 33432, "ModelPixelScale": 33550, "ModelTiepoint": 33922,
    "ModelTransformation": 34264, "GeoKeyDirectory": 34735, "GDALMetadata": 42112,
    "GDALNoData": 42113, "LercParameters": 50674,
}  # fmt: skip
"""Names of tags. TIFF 6.0; OGC GeoTIFF 1.1, 7.1; https://gdal.org/drivers/raster/gtiff.html"""

_ATTRIBUTES = {
    name.replace("_", ""): name
    for name in (
        "new_subfile_type", "image_width", "bits_per_sample", "compression",
        "photometric_interpretation", "document_name", "image_description", "strip_offsets",
        "orientation", "samples_per_pixel", "rows_per_strip", "strip_byte_counts",
        "min_sample_value", "max_sample_value", "x_resolution", "y_resolution",
        "planar_configuration", "resolution_unit", "software", "date_time", "artist",
        "host_computer", "predictor", "tile_width", "tile_offsets", "tile_byte_counts",
        "extra_samples", "sample_format", "jpeg_tables", "copyright", "model_pixel_scale",
        "model_tiepoint", "model_transformation", "lerc_parameters",
    )
} | {
    "imagelength": "image_height", "tilelength": "tile_height", "colormap": "colormap",
    "geokeydirectory": "geo_key_directory", "gdalmetadata": "gdal_metadata",
    "gdalnodata": "gdal_nodata",
}  # fmt: skip
"""Name of a tag in small letters -> what async-tiff calls it."""

MASK, REDUCED = 4, 1
"""Bits of NewSubfileType."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a directory."""

    code: int
    name: str
    """TIFF's name for it; ``Tag 12345`` where that is not known here."""
    value: Any
    """A number, a text, or a list of numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Directory:
    """One image of a TIFF: the file itself, an overview, or a mask."""

    width: int
    height: int
    tile: tuple[int, int] | None
    """Height and width of a tile, pixels; None where the image is in strips."""
    is_mask: bool
    is_overview: bool
    compression: str
    tags: Mapping[str, Tag]
    """By name."""

    @classmethod
    def of(cls, ifd: ImageFileDirectory) -> Directory:
        """What async-tiff read."""
        kind = ifd.new_subfile_type or 0
        tiled = ifd.tile_width and ifd.tile_height
        name = getattr(ifd.compression, "name", None) or str(int(ifd.compression))
        return cls(
            width=ifd.image_width,
            height=ifd.image_height,
            tile=(int(ifd.tile_height or 0), int(ifd.tile_width or 0)) if tiled else None,
            is_mask=bool(kind & MASK),
            is_overview=bool(kind & REDUCED),
            compression=_COMPRESSIONS.get(int(ifd.compression), name),
            tags={tag.name: tag for tag in _tags(ifd)},
        )

    @property
    def tag_count(self) -> int:
        """How many tags it has."""
        return len(self.tags)

    @property
    def tile_count(self) -> tuple[int, int] | None:
        """Rows and columns of tiles."""
        if self.tile is None:
            return None
        return -(-self.height // self.tile[0]), -(-self.width // self.tile[1])

    def __iter__(self) -> Iterator[Tag]:
        """Its tags, in order of their codes."""
        return iter(sorted(self.tags.values(), key=lambda tag: tag.code))

    def __getitem__(self, key: str | int) -> Any:
        """The value of a tag, by name or code.

        Raises:
            KeyError: it has no such tag.
        """
        for tag in self.tags.values():
            if key in (tag.name, tag.code):
                return tag.value
        raise KeyError(key)


_COMPRESSIONS = {
    1: "NONE", 5: "LZW", 6: "JPEG", 7: "JPEG", 8: "DEFLATE", 32773: "PACKBITS", 32946: "DEFLATE",
    34712: "JPEG2000", 34887: "LERC", 34925: "LZMA", 50000: "ZSTD", 50001: "WEBP",
}  # fmt: skip


def _tags(ifd: ImageFileDirectory) -> Iterator[Tag]:
    for name, code in CODES.items():
        value = getattr(ifd, _ATTRIBUTES[name.lower()], None)
        if value is not None:
            yield Tag(code, name, _plain(value))
    for code, value in sorted(ifd.other_tags.items()):
        yield Tag(int(code), f"Tag {int(code)}", value)


def _plain(value: Any) -> Any:
    """A value without async-tiff's classes."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, bool | str | bytes | float):
        return value
    if hasattr(value, "keys"):
        return {key: value[key] for key in value.keys()}  # noqa: SIM118 - it has no items
    return int(value) if hasattr(value, "__int__") else np.asarray(value).tolist()
