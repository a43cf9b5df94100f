"""Items of real catalogs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from zonalbatch.errors import PassingReadError, SourceError
from zonalbatch.sources import Band, cog_layers, headers, stac_layers


def test_items_agree_with_their_files(data_dir: Path) -> None:
    """The grids that items state are those that the files have, for 118 Sentinel-2 dates."""
    folder = data_dir / "timeseries/worldcereal_flanders/00002806639B424A"
    bands = {"red": Band(asset="B04"), "scl": Band(asset="SCL")}
    told = stac_layers(folder / "items.generated.json", bands=bands).layers
    read = cog_layers(
        pattern=str(folder / "*" / "S2_L2A_{date:%Y%m%d}_{band}.tif"), bands=bands
    ).layers
    assert len(told) == len(read) == 118
    for one, other in zip(told, read, strict=True):
        for name in bands:
            a, b = one.scenes[0].assets[name], other.scenes[0].assets[name]
            assert (a.href, a.band, a.grid, a.dtype, a.nodata) == (
                b.href,
                b.band,
                b.grid,
                b.dtype,
                b.nodata,
            )


def test_landsat_items(data_dir: Path) -> None:
    """19 scenes whose extents shift, with all 12 bands."""
    found = stac_layers(data_dir / "timeseries/gdalcubes_L8NY18/items.generated.json")
    assert len(found.layers) == 19
    assert {len(layer.scenes[0].assets) for layer in found.layers} == {12}


@pytest.mark.parametrize(
    ("name", "band", "crs", "scaled"),
    [
        ("earth-search/sentinel-2-l2a/S2A_13TDE_20231008_0_L2A", "red", "EPSG:32613", True),
        ("earth-search/landsat-c2-l2/LC08_L2SP_033032_20231008_02_T1", "red", "EPSG:32613", True),
        (
            "planetarycomputer/landsat-c2-l2/LC09_L2SR_084073_20250722_02_T1",
            "red",
            "EPSG:32658",
            True,
        ),
        ("odc-stac/S2A_28QCH_20200714_0_L2A", "B04", "EPSG:32628", True),
        ("odc-stac/lidar_dem", "dem", "EPSG:28355", False),
        (
            "stactools-esa-worldcover/ESA_WorldCover_10m_2021_v200_N00E006",
            "map",
            "EPSG:4326",
            False,
        ),
    ],
)
def test_items_of_real_catalogs(
    data_dir: Path, name: str, band: str, crs: str, scaled: bool
) -> None:
    """Each catalog's dialect gives a grid without a request."""
    path = data_dir / "stac_items" / f"{name}.json"
    (layer,) = stac_layers(path, bands={"x": Band(asset=band)}).layers
    found = layer.scenes[0].assets["x"]
    assert found.grid.lattice.crs == crs
    assert (found.scale is not None) == scaled


@pytest.mark.parametrize(
    "name", ["pc-sdk/sample-zarr-item", "pc-sdk/sample-tabular-item", "rio-tiler/stac_grib"]
)
def test_items_without_rasters_are_refused(data_dir: Path, name: str) -> None:
    """Zarr, tables and GRIB have no asset that is taken unasked."""
    with pytest.raises(SourceError, match="raster asset"):
        stac_layers(data_dir / "stac_items" / f"{name}.json")


TOLD = {"a layer": 130, "its files are asked": 59, "has a raster asset": 13}
"""What becomes of all real items: versions 0.7 to 1.1 of every provider."""
VERSIONS = {
    "0.7.0": 7, "0.8.1": 2, "0.9.0": 9, "1.0.0-beta.1": 2, "1.0.0-beta.2": 10, "1.0.0-rc.4": 10,
    "1.0.0": 119, "1.1.0": 43,
}  # fmt: skip


def outcome(given: Any) -> str:
    """What becomes of an item where no file can be read."""
    try:
        found = stac_layers(given)
    except PassingReadError:
        return "its files are asked"
    except SourceError as error:
        return next(told for told in TOLD if told in str(error))
    layer = found.layers[0]
    assert layer.assets
    assert layer.missing or all(one.grid.shape for one in layer.assets)
    return "a layer"


def test_every_real_item_makes_a_layer_or_says_why_not(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None fails otherwise, and no request is needed where an item says its grid."""

    def unasked(href: str, *rest: Any) -> Any:
        raise PassingReadError(f"{href} is not asked here")

    monkeypatch.setattr(headers, "read_header", unasked)
    seen, versions = Counter[str](), Counter[str]()
    for path in sorted((data_dir / "stac_items").rglob("*.*json")):
        document = json.loads(path.read_text())
        several = document.get("features")
        for doc in several or [document]:
            seen[outcome([doc] if several else path)] += 1
            versions[str(doc.get("stac_version"))] += 1
    assert dict(seen) == TOLD
    assert dict(versions) == VERSIONS
