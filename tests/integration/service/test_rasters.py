"""What the service answers about one area on one raster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

import zonalbatch as zb
from tests.made.service import AREA, RASTER, Served
from zonalbatch.service.figures import FIGURES

FACT = {"aoi": AREA, "url": "file:///fact.tif"}


def test_the_fact(service: Served) -> None:
    """The numbers that clients of this interface know, under the rule that they expect."""
    stats = ["count", "mean", "min", "max", "sum", "std", "median"]
    (told,) = service.answer(RASTER, {**FACT, "stats": stats}).values()
    assert told["std"] == pytest.approx(1.0198, abs=5e-5)
    assert told["aoi_area"] == pytest.approx(7_724_123, abs=0.5)
    exact = {"count": 10, "mean": 4.6, "min": 3, "max": 6, "sum": 46, "median": 5}
    assert {name: told[name] for name in exact} == exact


def test_the_fact_by_shares(service: Served) -> None:
    """Each pixel by the share of it that is covered."""
    (told,) = service.answer(RASTER, {**FACT, "coverage": "fraction"}).values()
    assert told["count"] == pytest.approx(8.3333, abs=5e-5)
    assert told["mean"] == pytest.approx(4.68, abs=5e-5)


def test_defaults(service: Served) -> None:
    """Band 1, its min, max, mean and count, and the areas."""
    told = service.answer(RASTER, FACT)
    assert list(told) == ["band_1"]
    assert list(told["band_1"]) == ["min", "max", "mean", "count", "aoi_area", "data_area"]


EVERY = {
    "min": 3, "max": 6, "mean": 4.6, "count": 10, "sum": 46, "std": np.sqrt(1.04), "median": 5,
    "majority": 5, "minority": 3, "unique": 4, "range": 3, "nodata": 53,
    "freq_hist": {"3": 2, "4": 2, "5": 4, "6": 2}, "p90": 6, "percentile_25": 4, "p12.5": 3.125,
}  # fmt: skip
"""Each statistic of the fact, by hand: 63 pixels are met, of which ten have a value. Percentiles
are NumPy's of the ten values."""


@pytest.mark.parametrize("name", EVERY)
def test_each_statistic(service: Served, name: str) -> None:
    """Alone, under the name by which it was asked for."""
    (told,) = service.answer(RASTER, {**FACT, "stats": [name]}).values()
    assert list(told) == [name, "aoi_area", "data_area"]
    expected = EVERY[name]
    if isinstance(expected, dict):
        assert told[name] == expected
    else:
        assert told[name] == pytest.approx(expected, rel=1e-12)


def test_every_statistic_is_tried() -> None:
    """None of the interface's is left out above."""
    assert set(FIGURES) <= set(EVERY)


def test_a_point_is_its_pixel(service: Served) -> None:
    """A point without a radius, or with 0, has the pixel's value and no area."""
    for point in ({}, {"radius": 0}):
        aoi = {"type": "Point", "coordinates": [-0.1409, 51.5195], **point}
        (told,) = service.answer(RASTER, {**FACT, "aoi": aoi}).values()
        assert told == {"min": 4, "max": 4, "mean": 4, "count": 1, "aoi_area": 0, "data_area": 0}


def test_a_point_with_a_radius_is_a_circle(service: Served) -> None:
    """Of so many metres in its UTM zone."""
    aoi = {"type": "Point", "coordinates": [-0.13, 51.515], "radius": 500}
    (told,) = service.answer(RASTER, {**FACT, "aoi": aoi}).values()
    assert told["aoi_area"] == pytest.approx(np.pi * 500**2, rel=2e-3)
    assert told["count"] > 1


def test_bands_scale_and_offset(service: Served, root: Path) -> None:
    """Bands in the order asked for, as physical values; the engine's own numbers."""
    rng = np.random.default_rng(1)
    path = root / "scaled.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=60, height=50, count=3, dtype="uint16",
        crs="EPSG:32631", transform=from_origin(500_000, 5_700_000, 10, 10),
    ) as file:  # fmt: skip
        file.write(rng.integers(0, 10_000, (3, 50, 60)).astype("uint16"))
        file.scales, file.offsets = (0.1, 1.0, 1e-4), (0.0, 5.0, -0.1)
    shape = shapely.box(3.001, 51.447, 3.006, 51.4495)
    aoi = shapely.geometry.mapping(shape)
    body = {"aoi": aoi, "url": "file:///scaled.tif", "bands": [3, 1], "coverage": "fraction"}
    told = service.answer(RASTER, {**body, "stats": ["mean", "p90", "count"]})
    assert list(told) == ["band_3", "band_1"]
    import geopandas

    zones = geopandas.GeoDataFrame(geometry=[shape], crs="OGC:CRS84")
    own = zb.zonal_stats(zones, str(path), ["mean", "p90", "count"], bands=[3, 1]).iloc[0]
    for band in ("band_3", "band_1"):
        for name in ("mean", "p90", "count"):
            assert told[band][name] == pytest.approx(own[f"{band}_{name}"], rel=1e-12)


def test_overviews(service: Served, root: Path) -> None:
    """Approximate statistics read an overview: they count its pixels."""
    path = root / "large.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=4096, height=4096, count=1, dtype="uint8", tiled=True,
        crs="EPSG:32631", transform=from_origin(500_000, 5_700_000, 10, 10), compress="deflate",
    ) as file:  # fmt: skip
        file.write(np.full((1, 4096, 4096), 7, "uint8"))
        file.build_overviews([2, 4], rasterio.enums.Resampling.nearest)
    aoi = shapely.geometry.mapping(shapely.box(3.02, 51.2, 3.2, 51.4))
    body = {"aoi": aoi, "url": "file:///large.tif", "coverage": "center"}
    exact = service.answer(RASTER, body)["band_1"]["count"]
    coarse = service.answer(RASTER, {**body, "approx_stats": True})["band_1"]["count"]
    assert coarse == pytest.approx(exact / 16, rel=0.02)


def test_outside_of_the_raster(service: Served) -> None:
    """There is nothing, which is told as nothing, not as 0."""
    aoi = shapely.geometry.mapping(shapely.box(10, 10, 10.1, 10.1))
    (told,) = service.answer(RASTER, {**FACT, "aoi": aoi}).values()
    assert told["count"] == 0
    assert told["mean"] is told["min"] is told["max"] is None
    assert told["data_area"] == 0


def test_a_file_that_is_replaced(service: Served, root: Path) -> None:
    """A file that is kept open for the next question is not asked about when it is another one."""
    path = root / "replaced.tif"
    profile = {
        "driver": "GTiff", "width": 4, "height": 4, "count": 1, "dtype": "uint8",
        "crs": "EPSG:4326", "transform": from_origin(-1, 53, 1, 1),
    }  # fmt: skip
    body = {"aoi": AREA, "url": "file:///replaced.tif", "stats": ["mean"]}
    for value in (1, 200):
        other = root / "other.tif"
        with rasterio.open(other, "w", **profile) as file:
            file.write(np.full((1, 4, 4), value, "uint8"))
        other.replace(path)
        assert service.answer(RASTER, body)["band_1"]["mean"] == value
