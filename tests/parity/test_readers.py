"""Every raster of the real data, by ranges and by GDAL: the same bytes, or why GDAL reads it."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.made.ranges import Server, serving_ranges
from zonalbatch.errors import ReadError, SourceError
from zonalbatch.sources import Header, Pixels, RasterPixels
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.pixels import CogPixels

STRIPS, MASK, CODEC = "not tiled", "a mask or an alpha band", "that GDAL has to undo"
APART = "do not all lie at its front"

TIFF, TILER, DERIVED, RIO = (
    "tricky/async_tiff/image-tiff", "tricky/rio_tiler", "tricky/derived", "tricky/rasterio",
)  # fmt: skip
LEFT_TO_GDAL = {
    f"{DERIVED}/dem_internal_mask.tif": APART,
    "zonal_tools/stars_sf_olinda/L7_ETMs.tif": APART,
    f"{RIO}/RGB.byte.tif": APART,
    f"{RIO}/alpha.tif": APART,
    f"{RIO}/all-nodata.tif": "its bands lie apart",
    **{f"{RIO}/{name}.tif": MASK for name in ("cogeo", "corrupt", "goes")},
    **{f"{DERIVED}/dem_{name}.tif": CODEC for name in ("lerc", "lerc_zstd")},
    **{
        f"{TILER}/cog_{name}.tif": MASK
        for name in ("rgb_mask", "rgba", "uint8_rgb_mask", "uint8_rgba")
    },
}
"""Tiled files that are no plain COG, and why."""
MOST = 2048
"""Cells to a side that are compared."""


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[Server]:
    """The real data over HTTP."""
    with serving_ranges(data_dir) as served:
        yield served


def test_readers_agree(data_dir: Path, server: Server) -> None:
    """Header and pixels of the file and of each overview are equal, to the bit."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(data_dir.rglob("*.tif")):
        name = path.relative_to(data_dir).as_posix()
        found[_compared(f"{server.url}/{name}")].append(name)
    unfit = {name: why for why, names in found.items() for name in names if why.startswith("it")}
    tiled = {name: why for name, why in unfit.items() if STRIPS not in why}
    assert tiled.keys() == LEFT_TO_GDAL.keys()
    assert {name: why for name, why in tiled.items() if LEFT_TO_GDAL[name] not in why} == {}
    assert set(found) - set(unfit.values()) == {"same", "unusable"}
    assert len(found["same"]) > 100


def _compared(href: str) -> str:
    """``same``, ``unusable`` if GDAL makes nothing of it either, or why it is unfit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = RasterPixels(href).header
        except (ReadError, SourceError):
            return "unusable"
        try:
            views = [href, *(f"view:overview={i}:{href}" for i in range(len(header.overviews)))]
            for view in views:
                _same(CogPixels(view), RasterPixels(view))
        except UnfitError as unfit:
            return str(unfit)
    return "same"


def _same(by_ranges: Pixels, by_gdal: Pixels) -> None:
    one, other = by_ranges.header, by_gdal.header
    assert _comparable(one) == _comparable(other)
    height, width = one.grid.shape
    window = (0, 0, min(height, MOST), min(width, MOST))
    bands = range(1, len(one.dtypes) + 1)
    try:
        expected = by_gdal.read(bands, window)
    except ReadError:
        with pytest.raises(ReadError):
            by_ranges.read(bands, window)
        return
    pixels = by_ranges.read(bands, window)
    assert pixels.dtype == expected.dtype
    assert np.array_equal(pixels.view(np.uint8), expected.view(np.uint8))


def _comparable(header: Header) -> dict[str, object]:
    """All that it says, with a NaN that is equal to itself."""
    told = {name: getattr(header, name) for name in Header.__dataclass_fields__}
    return told | {"nodata": list(map(str, header.nodata))}
