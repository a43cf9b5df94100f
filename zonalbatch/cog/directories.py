"""Directories: the images in a TIFF, and their tags by name and code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zonalbatch.sources.async_cog.tiff import TiffDirectory

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
    "ModelTransformation": 34264, "GeoKeyDirectory": 34735, "GeoDoubleParams": 34736,
    "GeoAsciiParams": 34737, "GDALMetadata": 42112, "GDALNoData": 42113, "LercParameters": 50674,
}  # fmt: skip
"""Names of tags. TIFF 6.0; OGC GeoTIFF 1.1, 7.1; https://gdal.org/drivers/raster/gtiff.html"""

_NAMES = {code: name for name, code in CODES.items()}


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
    def of(cls, read: TiffDirectory) -> Directory:
        """What was read of a TIFF."""
        number = read.number(CODES["Compression"], 1)
        height, width = read.shape
        return cls(
            width=width,
            height=height,
            tile=read.tile,
            is_mask=read.is_mask,
            is_overview=read.is_overview,
            compression=_COMPRESSIONS.get(number, str(number)),
            tags={tag.name: tag for tag in _tags(read)},
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


def _tags(read: TiffDirectory) -> Iterator[Tag]:
    for code in sorted(read.entries):
        yield Tag(code, _NAMES.get(code, f"Tag {code}"), _plain(read.values(code)))


def _plain(values: Any) -> Any:
    """Values as Python has them: a text, a number, or a list of numbers."""
    if isinstance(values, bytes):
        return values.rstrip(b"\0").decode("utf-8", "replace")
    return values[0].item() if len(values) == 1 else values.tolist()
