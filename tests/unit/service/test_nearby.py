"""What of an area lies about a raster: as much of it as its pixels need."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from zonalbatch.service.areas import Area, area_of
from zonalbatch.service.desk import Desk
from zonalbatch.service.rasters.measuring import Measure, measured
from zonalbatch.service.rasters.nearby import nearby
from zonalbatch.service.rasters.opening import file_raster
from zonalbatch.service.settings import Settings

MEASURE = Measure(
    bands=(1,), stats=("count", "mean"), coverage="fraction", approximate=False
)  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Of a process that may read two rasters: in UTM about 7 E, 46 N, and about the north pole."""
    folder = tmp_path_factory.mktemp("root")
    for name, crs, corner, size in (
        ("utm", "EPSG:32632", (345_000, 5_095_000), 50.0),
        ("pole", "EPSG:3413", (-500_000, 500_000), 10_000.0),
    ):
        with rasterio.open(
            folder / f"{name}.tif", "w", driver="GTiff", width=100, height=100, count=1,
            dtype="uint8", crs=crs, transform=from_origin(*corner, size, size),
        ) as file:  # fmt: skip
            file.write(np.arange(10_000, dtype="uint16").astype("uint8").reshape(1, 100, 100))
    return Desk(Settings(root=folder))


def area(*bounds: float) -> Area:
    """A box."""
    west, south, east, north = bounds
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return area_of({"type": "Polygon", "coordinates": [ring]}, Settings(), bounded=False)


@pytest.mark.parametrize("name", ["utm", "pole"])
def test_what_is_cut_off_changes_no_number(desk: Desk, name: str) -> None:
    """An area of a few times a raster's size has the numbers of the same area, told in parts.

    As far as edges are followed: to a twentieth of a cell.
    """
    raster = file_raster(desk, f"file:///{name}.tif", (1,), approximate=False)
    if name == "utm":
        whole, halves = area(4, 44, 7.03, 48), (area(4, 44, 7.03, 45.98), area(4, 45.98, 7.03, 48))
    else:
        whole, halves = area(-90, 70, 0, 90), (area(-90, 70, -45, 90), area(-45, 70, 0, 90))
    grid = raster.layers.layers[0].assets[0].grid
    (near,) = nearby([whole], grid)
    assert near.metres < whole.metres
    one, *parts = (answer["band_1"] for answer in measured(desk, MEASURE, [whole, *halves], raster))
    count = sum(part["count"] for part in parts)
    assert one["count"] == pytest.approx(count, rel=1e-5)
    total = sum(part["count"] * part["mean"] for part in parts)
    assert one["mean"] == pytest.approx(total / count, rel=1e-5)
    assert one["data_area"] == pytest.approx(sum(part["data_area"] for part in parts), rel=0.02)


def test_a_continent_over_a_small_raster(desk: Desk) -> None:
    """Its numbers are those of all pixels; its area is its own."""
    raster = file_raster(desk, "file:///utm.tif", (1,), approximate=False)
    continent = area(-20, 30, 40, 70)
    ((_, told),) = measured(desk, MEASURE, [continent], raster)[0].items()
    assert told["count"] == 10_000
    assert told["aoi_area"] == continent.metres
    assert told["data_area"] == pytest.approx(25e6, rel=0.02)


def test_areas_that_are_near_are_left_as_they_are(desk: Desk) -> None:
    """To the bit."""
    raster = file_raster(desk, "file:///utm.tif", (1,), approximate=False)
    grid = raster.layers.layers[0].assets[0].grid
    some = [area(7.0, 45.98, 7.02, 46.0), area(7.01, 45.97, 7.06, 46.0)]
    assert [one.shape for one in nearby(some, grid)] == [one.shape for one in some]


def test_countries_that_reach_the_end_of_the_earth() -> None:
    """Files of countries overshoot 180 degrees by a rounding."""
    found = area(170, 60, 180.00000000000017, 70)
    assert shapely.bounds(found.shape)[2] == 180.0
