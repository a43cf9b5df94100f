"""Hostile TIFFs: small ones of each codec with bytes changed, cut off, or none of theirs left."""

from __future__ import annotations

import itertools
import struct
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.transform import Affine

from zonalbatch.errors import ZonalbatchError
from zonalbatch.sources import RasterPixels
from zonalbatch.sources.access import Reader, access_given
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.pixels import CogPixels

CODECS: tuple[dict[str, Any], ...] = (
    {},
    {"compress": "deflate"},
    {"compress": "deflate", "predictor": 2},
    {"compress": "lzw"},
    {"compress": "deflate", "predictor": 3, "dtype": "float32"},
    {"compress": "packbits"},
    {"compress": "zstd"},
    {"compress": "jpeg", "dtype": "uint8"},
    {"compress": "lerc"},
    {"compress": "deflate", "interleave": "pixel"},
    {"compress": "deflate", "tiled": False},
    {"compress": "deflate", "bigtiff": "yes"},
    {"compress": "deflate", "dtype": "uint8", "nbits": 4},
    {"compress": "lzma"},
    {"compress": "webp", "dtype": "uint8", "interleave": "pixel", "count": 3},
)
NUMBERS = (0, 1, 2, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
MOST_BLOCKS, LARGEST = 40, 4 * 1024**2
"""How much of a file is read: blocks, and bytes of one."""

_folder, _seeds = Path(), list[bytes]()


def ready(folder: Path) -> None:
    """Make the whole files, and compile what reads them."""
    global _folder
    _folder = folder
    canary = folder.parent / "outside" / "canary.tif"
    for i, codec in enumerate(CODECS):
        _seeds.append(_made(folder / f"seed{i}.tif", dict(codec)))
        check(_seeds[-1])
    _seeds.append(_naming(folder / "overviews.tif", canary))
    named = folder / "named.vrt"
    rasterio.shutil.copy(folder / "seed0.tif", named, driver="VRT")
    text = named.read_text().replace("seed0.tif", str(canary)).replace('ToVRT="1"', 'ToVRT="0"')
    assert str(canary) in text
    _seeds.append(text.encode())


def _made(path: Path, codec: dict[str, Any]) -> bytes:
    dtype, count = codec.pop("dtype", "uint16"), codec.pop("count", 2)
    values = np.random.default_rng(1).integers(0, 15, (count, 96, 100)).astype(dtype)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": count,
        "height": 96,
        "width": 100,
        "dtype": dtype,
        "crs": "EPSG:32631",
        "transform": Affine(10, 0, 500000, 0, -10, 5600000),
        "tiled": True,
        "nodata": 0,
        "interleave": "band",
        "blockxsize": 32,
        "blockysize": 32,
        **codec,
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)
    return path.read_bytes()


def _naming(path: Path, canary: Path) -> bytes:
    """A TIFF whose tags name the canary for its overviews."""
    _made(path, {})
    with rasterio.open(path, "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(canary))
    return path.read_bytes()


def case(chance: Random) -> bytes:
    """A hostile file."""
    data = bytearray(chance.choice(_seeds))
    way = chance.randrange(6)
    if way == 0:
        return bytes(data[: chance.randrange(len(data))])
    if way == 1:
        return bytes(data[: chance.choice((0, 4, 8, 200))]) + chance.randbytes(
            chance.randrange(400)
        )
    if way == 2:  # numbers of the header, where sizes and offsets stand
        for _ in range(chance.randrange(1, 4)):
            form = chance.choice("HIQ")
            number = chance.choice(NUMBERS) & (256 ** struct.calcsize(form) - 1)
            struct.pack_into(f"<{form}", data, chance.randrange(min(len(data), 500) - 8), number)
        return bytes(data)
    if way == 3:  # fields of the directory, each 12 bytes
        _field(data, chance)
        return bytes(data)
    for _ in range(chance.randrange(0, 12)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _field(data: bytearray, chance: Random) -> None:
    """Change one value or count of the first directory of a classic TIFF."""
    (at,) = struct.unpack_from("<I", data, 4)
    if at + 2 > len(data):
        return
    (count,) = struct.unpack_from("<H", data, at)
    field = at + 2 + 12 * chance.randrange(max(1, count))
    if field + 12 <= len(data):
        struct.pack_into("<I", data, field + chance.choice((4, 8)), chance.choice(NUMBERS[:8]))


def check(data: bytes) -> None:
    """Read header, blocks and mask; blocks that are read past GDAL hold what it gives, if it does.

    (Of broken ones it may give what lay in its memory, another time something else.)
    """
    path = _folder / "case.tif"
    path.write_bytes(data)
    _check_by_ranges(path)
    pixels = RasterPixels(str(path))
    try:
        header = pixels.header
        height, width = header.block
        size = np.dtype(header.dtypes[0]).itemsize
        if height * width * len(header.dtypes) * size > LARGEST:
            return
        rows, cols = header.grid.shape
        corners = itertools.product(range(0, rows, height), range(0, cols, width))
        for top, left in itertools.islice(corners, MOST_BLOCKS):
            window = (top, left, min(top + height, rows), min(left + width, cols))
            _same(pixels, window, path)
    finally:
        pixels.close()


def _check_by_ranges(path: Path) -> None:
    """Read a block at each end as if the file lay far away; it is what GDAL gives, if it does."""
    pixels = CogPixels(str(path), access_given(None, reader=Reader(kind="async")))
    try:
        header = pixels.header
        (rows, cols), (height, width) = header.grid.shape, header.block
        bands = range(1, len(header.dtypes) + 1)
        if height * width * len(bands) * np.dtype(header.dtypes[0]).itemsize > LARGEST:
            return
        for top, left in {(0, 0), ((rows - 1) // height * height, (cols - 1) // width * width)}:
            window = (top, left, min(top + height, rows), min(left + width, cols))
            ours = pixels.read(bands, window)
            with suppress(ZonalbatchError):
                theirs = RasterPixels(str(path)).read(bands, window)
                np.testing.assert_array_equal(ours, theirs)
    except (UnfitError, ZonalbatchError):
        return


def _same(pixels: RasterPixels, window: tuple[int, int, int, int], path: Path) -> None:
    top, left, bottom, right = window
    bands = range(1, len(pixels.header.dtypes) + 1)
    try:
        read = pixels.read(bands, window)
        if pixels.header.masked:
            pixels.read_mask(window)
    except ZonalbatchError:
        return
    assert read.shape == (len(bands), bottom - top, right - left)
    ours = None if pixels._deflated is None else pixels._deflated.read(bands, window)
    if ours is None:
        return
    try:
        with rasterio.open(path) as file:
            theirs = file.read(window=((top, bottom), (left, right)))
    except rasterio.errors.RasterioError:
        return
    np.testing.assert_array_equal(ours, theirs)
