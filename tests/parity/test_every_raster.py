"""Every raster of scenes/, tricky/ and zonal_tools/: right numbers, or one sentence that helps.

`tests.files_by_hand` says what is right: pixels as rasterio reads them, masks as GDAL has them,
shares by shapely. The tables say what each raster gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.shutil import copy
from rasterio.transform import Affine

import zonalbatch as zb
from tests.files_by_hand import STATISTICS, compare, zones_on
from tests.made.places import CELL, CRS, LEFT, TOP
from tests.made.rasters import unreadable_blocks
from zonalbatch.errors import ReadError, SourceError

TIFF, OTHER, RIO = "tricky/async_tiff/image-tiff", "tricky/async_tiff/other", "tricky/rasterio"
TILER, DERIVED, STARS = "tricky/rio_tiler", "tricky/derived", "zonal_tools/stars_sf_olinda"
LANDSAT = "scenes/landsat_c2l2/LC08_L2SP_017036_20130419_20200913_02_T2_{}.TIF"

NOTHING = "nothing but nodata"
NUMBERS = {
    "scenes/esa_worldcover/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif": "palette, sparse",
    **{LANDSAT.format(b): "strips" for b in ("QA_PIXEL", "SR_B4", "SR_B5", "SR_QA_AEROSOL")},
    LANDSAT.format("ST_B10"): "strips, scale and offset",
    "scenes/titiler/B01.tif": "tiles",
    "scenes/titiler/B09.tif": "tiles",
    "scenes/titiler/TCI.tif": "three bands",
    "scenes/titiler/cog_scale.tif": "scale",
    "scenes/titiler/dem.tif": "one tile",
    f"{TIFF}/geo-5b.tif": "five bands",
    **{
        f"{DERIVED}/dem_{name}.tif": f"the same values: {name}"
        for name in (
            "bigendian", "bigtiff", "cog", "internal_mask", "lerc", "lerc_zstd", "lzma",
            "nan_nodata", "nan_untagged", "plain_strip", "southup", "zstd_pred3",
        )
    },
    f"{RIO}/RGB.byte.tif": "strips of three rows",
    f"{RIO}/RGBA.uint16.tif": "alpha of 16 bits",
    f"{RIO}/all-nodata.tif": NOTHING,
    f"{RIO}/alpha.tif": "alpha, planes apart",
    f"{RIO}/byte.tif": "plain",
    f"{RIO}/cogeo.tif": "JPEG with a mask inside",
    f"{RIO}/float_raster_with_extra_nodata.tif": "nodata −3.4e38",
    f"{RIO}/float_raster_with_nodata.tif": "nodata −3.4e38",
    f"{RIO}/goes.tif": "a geostationary view, mask inside",
    f"{RIO}/green.tif": "overviews beside it",
    f"{RIO}/red.tif": "overviews beside it",
    f"{RIO}/rgb-byte-tenth.tif": "a CRS without a code",
    f"{RIO}/test_esri_wkt.tif": "ESRI's WKT",
    f"{TILER}/clp.tif": "gray and alpha",
    f"{TILER}/cog_cmap.tif": "palette",
    f"{TILER}/cog_dateline.tif": "UTM across the 180th meridian",
    f"{TILER}/cog_fullearth.tif": "all of the Earth, float64",
    f"{TILER}/cog_gradient.tif": "a tile larger than the raster",
    f"{TILER}/cog_ovr.tif": "overviews",
    f"{TILER}/cog_rgb_mask.tif": "mask inside",
    f"{TILER}/cog_rgba.tif": "alpha",
    f"{TILER}/cog_scale.tif": "scales that differ between bands",
    f"{TILER}/cog_tags.tif": "scale and tags",
    f"{TILER}/cog_uint8_rgb_mask.tif": "mask inside",
    f"{TILER}/cog_uint8_rgb_nodata.tif": "nodata 0",
    f"{TILER}/cog_uint8_rgba.tif": "alpha",
    f"{TILER}/inverted_lat.tif": NOTHING,  # south-up, in degrees
    f"{TILER}/lowres.tif": "coarse",
    "zonal_tools/rasterstats/all_nodata.tif": NOTHING,
    "zonal_tools/rasterstats/dataset_mask.tif": "mask inside",
    "zonal_tools/rasterstats/slope.tif": "float32",
    "zonal_tools/rasterstats/slope_classes.tif": "nodata −3.4e38",
    "zonal_tools/rasterstats/slope_nodata.tif": "float32",
    f"{STARS}/L7_ETMs.tif": "six bands in pixels",
    f"{STARS}/lc.tif": "palette",
    f"{STARS}/na.tif": "NaN without a tag",
    f"{STARS}/olinda_dem_utm25s.tif": "strips",
}  # fmt: skip
"""Raster → what is special about it; its numbers are right."""

PLACELESS = {
    **{
        f"{TIFF}/{name}": what
        for name, what in {
            "12bit.cropped.tiff": "12 bits",
            "gradient-1c-32b-float.tiff": "float32",
            "gradient-1c-32b.tiff": "uint32",
            "gradient-1c-64b-float.tiff": "float64",
            "gradient-1c-64b.tiff": "uint64, beyond 2^53",
            "int16.tif": "int16",
            "int16_rgb.tif": "int16 in pixels",
            "int16_zstd.tif": "ZSTD",
            "int8.tif": "int8",
            "int8_rgb.tif": "int8 in pixels",
            "issue_69_lzw.tiff": "LZW",
            "issue_69_packbits.tiff": "PackBits",
            "logluv-3c-16b.tiff": "LogLuv, one cell",
            "minisblack-1c-16b.tiff": "uint16",
            "minisblack-1c-8b.pgm": "PNM",
            "minisblack-1c-8b.tiff": "uint8",
            "minisblack-1c-i16b.tiff": "int16",
            "minisblack-1c-i8b.tiff": "int8",
            "minisblack-2c-8b-alpha.tiff": "gray and alpha",
            "miniswhite-1c-1b.tiff": "1 bit, 0 is white",
            "palette-1c-1b.tiff": "1 bit with a palette",
            "palette-1c-4b.tiff": "4 bits with a palette",
            "planar-rgb-u8.tif": "planes apart",
            "predictor-3-gray-f32.tif": "predictor 3",
            "predictor-3-rgb-f32.tif": "predictor 3 in pixels",
            "quad-tile.jpg.tiff": "JPEG",
            "random-fp16-pred2.tiff": "float16, predictor 2",
            "random-fp16-pred3.tiff": "float16, predictor 3",
            "random-fp16.pgm": "PNM of 16 bits",
            "random-fp16.tiff": "float16",
            "tiled-gray-i1.tif": "1 bit in tiles",
            "tiled-jpeg-ycbcr.tif": "JPEG, YCbCr",
            "white-fp16-pred2.tiff": "float16, predictor 2",
            "white-fp16-pred3.tiff": "float16, predictor 3",
            "white-fp16.tiff": "float16",
            "bigtiff/BigTIFF.tif": "BigTIFF",
            "bigtiff/BigTIFFLong.tif": "BigTIFF",
            "bigtiff/BigTIFFMotorola.tif": "BigTIFF, big-endian",
        }.items()
    },
    f"{OTHER}/geogtowgs_subset_USGS_13_s14w171.tif": "a CRS without a transform",
    f"{RIO}/float.tif": "float64 without a CRS",
    f"{RIO}/float32.tif": "float32 without a CRS",
    f"{RIO}/float_nan.tif": "nodata NaN, without a CRS",
    f"{RIO}/rotated.tif": "rotated, without a CRS",
}
"""Raster → what is special about it; refused, as it lies nowhere, and right once it has a place."""

REFUSED = {
    f"{RIO}/RGB.byte.gcp.vrt": "ground control points only; warp it",
    f"{TILER}/cog_gcps_ovr.tif": "ground control points only; warp it",
    f"{STARS}/geomatrix.tif": "rotated, sheared or mirrored grid",
}
"""Raster → what its refusal says."""

BROKEN = (f"{DERIVED}/B01_truncated_60pct.tif", f"{RIO}/corrupt.tif")
"""Rasters of which some blocks cannot be decoded."""

NO_RASTER = (".cpg", ".dbf", ".geojson", ".gpkg", ".pbm", ".prj", ".qpj", ".shp", ".shx", ".wkt",
             ".ovr", ".xml", "README")  # fmt: skip
"""How files end that GDAL does not open as rasters by themselves."""


def test_none_is_left_out(data_dir: Path) -> None:
    """Each raster of the three folders stands in one of the tables."""
    found = {
        str(path.relative_to(data_dir))
        for folder in ("scenes", "tricky", "zonal_tools")
        for path in (data_dir / folder).rglob("*")
        if path.is_file() and not path.name.endswith(NO_RASTER)
    }
    assert found == {*NUMBERS, *PLACELESS, *REFUSED, *BROKEN}


def check(path: str, zones: Sequence[shapely.Geometry]) -> float:
    """Compare all bands of a raster over zones with what comes out by hand; the cells compared."""
    with rasterio.open(path) as file:
        bands = {f"b{i}": {"index": i} for i in file.indexes}
        frame = gpd.GeoDataFrame(geometry=list(zones), crs=file.crs.to_wkt())
        table = zb.zonal_stats(frame, path, STATISTICS, bands=bands, trusted=path.endswith(".vrt"))
        prefixes = {1: ""} if len(bands) == 1 else {i: f"b{i}_" for i in file.indexes}
        found = {
            band: {name: table[f"{prefix}{name}"].to_numpy() for name in STATISTICS}
            for band, prefix in prefixes.items()
        }
        return compare(file, zones, found)


def placed_copy(path: Path, folder: Path) -> Path:
    """A VRT of a raster with a CRS and a transform of ours."""
    made = folder / f"{path.stem}.vrt"
    copy(path, made, driver="VRT")
    with rasterio.open(made, "r+") as file:
        file.crs, file.transform = CRS, Affine(CELL, 0, LEFT, 0, -CELL, TOP)
    return made


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(data_dir: Path, name: str) -> None:
    """What GDAL holds valid is measured, each cell by its share; nothing else is."""
    path = str(data_dir / name)
    with rasterio.open(path) as file:
        zones = zones_on(file)
    cells = check(path, zones)
    assert (cells == 0) == (NUMBERS[name] == NOTHING)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("name", PLACELESS)
def test_rasters_without_a_place(data_dir: Path, tmp_path: Path, name: str) -> None:
    """A raster that lies nowhere is refused; its pixels in a VRT that has a place are right."""
    zones = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 9, 9)], crs=CRS)
    with pytest.raises(SourceError, match=r"has no CRS.*gdal_edit -a_srs"):
        zb.zonal_stats(zones, str(data_dir / name))
    made = placed_copy(data_dir / name, tmp_path)
    with rasterio.open(made) as file:
        shapes = zones_on(file)
    assert check(str(made), shapes) > 0


@pytest.mark.parametrize("name", REFUSED)
def test_rasters_of_no_use(data_dir: Path, name: str) -> None:
    """A raster without straight rows is refused in one sentence that says what to do."""
    zones = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 9, 9)], crs=CRS)
    with pytest.raises(SourceError, match=REFUSED[name]) as told:
        zb.zonal_stats(zones, str(data_dir / name), trusted=True)
    assert Path(name).name in str(told.value)
    assert "gdalwarp" in str(told.value)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rasters(data_dir: Path, name: str) -> None:
    """A zone that meets a broken block has no number but an error; any other is right."""
    path = str(data_dir / name)
    with rasterio.open(path) as file:
        bad = shapely.union_all([b for i in file.indexes for b in unreadable_blocks(path, i)])
        at = np.array([0.3, 0.8])
        middles = [np.array([x * file.width, y * file.height]) for x in at for y in at]
        zones = [zone for middle in middles for zone in zones_on(file, middle)]
        crs = file.crs.to_wkt()
    lost = [bool(shapely.intersects(zone, bad)) for zone in zones]
    assert any(lost)
    assert not all(lost)
    check(path, [zone for zone, gone in zip(zones, lost, strict=True) if not gone])
    for zone in (zone for zone, gone in zip(zones, lost, strict=True) if gone):
        with pytest.raises(ReadError, match="could not be read"):
            zb.zonal_stats(gpd.GeoDataFrame(geometry=[zone], crs=crs), path)


def test_encodings_give_equal_numbers(data_dir: Path) -> None:
    """The twelve encodings of one raster give the same to the last bit."""
    zones = gpd.read_file(data_dir / DERIVED / "dem_zones.geojson")
    counts = ["count", "n_outside", "n_total"]
    values = ["sum", "mean", "min", "max", "std", "variance", "median", "p90"]
    paths = [str(data_dir / name) for name in NUMBERS if name.startswith(DERIVED)]
    found = zb.zonal_stats(zones, paths, counts + values)
    for _, rows in found.groupby("name"):
        assert len(rows) == len(paths)
        assert (rows[counts + values].nunique(dropna=False) == 1).all()
