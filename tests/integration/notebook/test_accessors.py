"""Accessors: the same numbers as by the front doors."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pandas as pd
import pytest
import rioxarray
import shapely
import xarray
from pandas.testing import assert_frame_equal

import zonalbatch as zb
import zonalbatch.accessors
from tests.made.commands import python
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares
from zonalbatch.errors import InputError


@pytest.fixture(scope="module")
def raster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise under four zones."""
    path = tmp_path_factory.mktemp("noise") / "noise.tif"
    write_tif(path, noise(64, 64), nodata=0)
    return path


def test_zones(raster: Path) -> None:
    """``gdf.zonal`` is `zonal_stats` and `point_query` of the frame."""
    zones = squares(2, side=320)
    assert_frame_equal(zones.zonal.stats(raster), zb.zonal_stats(zones, raster))
    asked = {"stats": ["p90", "max"], "prefix": "n_"}
    assert_frame_equal(
        zones.zonal.stats(raster, **asked),
        zb.zonal_stats(zones, str(raster), **asked),  # type: ignore[arg-type]
    )
    points = zones.set_geometry(zones.centroid)
    assert_frame_equal(points.zonal.points(raster), zb.point_query(points, raster))
    with pytest.raises(InputError):
        zones.zonal.stats(raster, "meen")


def test_rasters(raster: Path) -> None:
    """``da.zonal`` and ``ds.zonal`` are `zonal_stats` of what xarray holds."""
    zones = squares(2, side=320)
    opened = rioxarray.open_rasterio(raster, masked=True)
    assert isinstance(opened, xarray.DataArray)
    array = opened.squeeze("band")
    expected = zb.zonal_stats(zones, raster)
    assert_frame_equal(array.zonal.stats(zones), expected)
    assert_frame_equal(array.zonal.stats(zones, "mean"), expected.drop(columns="count"))
    found = array.to_dataset(name="height").zonal.stats(zones)
    assert_frame_equal(found.rename(columns=lambda name: name.removeprefix("height_")), expected)


def test_frames_that_are_no_zones() -> None:
    """A table without geometry has no such accessor, as it has no zones."""
    assert not hasattr(pd.DataFrame({"a": [1]}), "zonal")
    assert hasattr(geopandas.GeoDataFrame(geometry=[shapely.Point(0, 0)]), "zonal")


def test_they_are_there_where_they_are_wanted() -> None:
    """With geopandas or xarray at hand; by an import of their own otherwise."""
    there = "print(hasattr(geopandas.GeoDataFrame, 'zonal'))"
    assert python(f"import geopandas, zonalbatch\n{there}").strip() == "True"
    assert python(f"import zonalbatch, geopandas\n{there}").strip() == "False"
    late = f"import zonalbatch, geopandas, zonalbatch.accessors\n{there}"
    assert python(late).strip() == "True"
