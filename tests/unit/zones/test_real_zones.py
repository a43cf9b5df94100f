"""Real files of zones open as they are."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest
import shapely

from tests.made.read_zones import read, table
from zonalbatch.errors import ZonesError
from zonalbatch.zones import open_zones


def test_new_york_has_18_broken_districts(data_dir: Path) -> None:
    """18 of the 71 community districts are invalid; all are repaired."""
    got, reader = read(data_dir / "timeseries/gdalcubes_L8NY18/nycd.gpkg")
    assert shapely.is_valid(got).all()
    assert len(got) == 71
    assert reader.notes == ("18 geometries repaired (rings crossed, overlapped or lay outside)",)


@pytest.mark.parametrize("name", ["antarctica", "russia"])
def test_countries_at_180_are_left_alone(data_dir: Path, name: str) -> None:
    """Russia and Antarctica end at 180 degrees: nothing to split."""
    path = data_dir / f"zonal_tools/exactextract_wkt/{name}.geojson"
    (got,), reader = read(path)
    assert got.area == pytest.approx(geopandas.read_file(path).geometry[0].area)
    assert reader.notes == ()


def test_real_files_of_fields_open_as_they_are(data_dir: Path) -> None:
    """Files as national agencies publish them: zipped, nested, Z and M, several layers."""
    names = ["ec_ro/RO_ny.zip", "de_bb/antrag.zip", "ie/GSAA_2024.zip", "es_cat/*.zip",
             "us_ca_scm/*.zip", "jp/*.parquet", "nl/*.gpkg", "jecam/*.shp"]  # fmt: skip
    for name in names:
        (path,) = (data_dir / "zones/fiboa/convert").glob(name)
        got, _ = read(path)
        assert len(got) == 100
        assert shapely.is_valid(got).all()


def test_rasterstats_polygons_have_a_crs_without_a_code(data_dir: Path) -> None:
    """A CRS without a code is written out, be it of areas or of points."""
    folder = data_dir / "zonal_tools/rasterstats"
    for name in ("polygons.shp", "lines.shp", "points.shp"):
        reader = open_zones(folder / name)
        assert reader.crs.startswith("PROJCRS")
        assert len(reader.whole()[1]) > 1


def test_metres_that_are_said_to_be_degrees(data_dir: Path) -> None:
    """Points of rasterstats that are in metres and say WGS 84 are refused, as areas would be."""
    with pytest.raises(ZonesError, match="which are no degrees"):
        table(data_dir / "zonal_tools/rasterstats/multipoints.shp")
