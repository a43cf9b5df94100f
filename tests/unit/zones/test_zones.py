"""Zones come in batches of promised columns, whatever they are made of."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from tests.made.read_zones import fields, table
from zonalbatch.zones import open_zones


def test_batches_have_the_columns_that_were_promised() -> None:
    """zone_id, carried columns, geometry, bounds and hash, in this order and of these types."""
    got = table(fields(), id="field", columns=["crop"])
    sides = ["left", "bottom", "right", "top"]
    assert got.schema.names == ["zone_id", "crop", "geometry", *sides, "hash"]
    assert got.schema.field("zone_id").type == pa.int64()
    assert got.schema.field("geometry").type == pa.binary()
    assert got.schema.field("hash").type == pa.binary(16)
    assert got["zone_id"].to_pylist() == list(range(100, 120))
    np.testing.assert_array_equal(got["right"], np.arange(20) + 0.9)


def test_a_frame_of_no_zones_gives_no_zones() -> None:
    """Nothing in, nothing out, no error."""
    assert list(open_zones(fields(0)).batches()) == []


def test_shapefiles_wind_the_other_way(tmp_path: Path) -> None:
    """A shapefile turns the rings round, which makes other hashes but the same zones."""
    fields().to_file(tmp_path / "z.shp")
    got, want = (table(each, id="field") for each in (tmp_path / "z.shp", fields()))
    assert got.select(["zone_id", "top"]).equals(want.select(["zone_id", "top"]))
    assert shapely.equals(*(shapely.from_wkb(t["geometry"].to_numpy()) for t in (got, want))).all()


@pytest.mark.parametrize("name", ["z.parquet", "z.gpkg", "z.geojson", "z.fgb"])
def test_every_format_gives_the_same_zones(tmp_path: Path, name: str) -> None:
    """A file gives what its frame gives: ids, columns, shapes and hashes, in any batch size."""
    zones = fields(crs="EPSG:4326")
    path = tmp_path / name
    zones.to_parquet(path) if name == "z.parquet" else zones.to_file(path)
    by_id = table(zones, id="field", columns=["crop"]).sort_by("zone_id")
    from_file = table(path, 7, id="field", columns=["crop"]).sort_by("zone_id")
    assert from_file.equals(by_id)


def test_a_zipped_shapefile_in_a_folder_is_found(tmp_path: Path) -> None:
    """The one dataset in a zip file is read though it lies in a folder there."""
    fields().to_file(tmp_path / "z.shp")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for file in tmp_path.glob("z.[!z]*"):
            archive.write(file, f"inner/{file.name}")
    assert len(table(tmp_path / "z.zip")) == 20


def test_folder_glob_and_dask_are_one_table(tmp_path: Path) -> None:
    """Partitions are read one after the other, in order of name."""
    dask_geopandas = pytest.importorskip("dask_geopandas")
    zones = fields()
    for i in range(4):
        zones.iloc[5 * i : 5 * i + 5].to_parquet(tmp_path / f"part-{i}.parquet")
    whole = table(zones, id="field", columns=["*"])
    for given in (tmp_path, str(tmp_path / "part-*.parquet"), tmp_path / "part-?.parquet"):
        assert table(given, 3, id="field", columns=["*"]).equals(whole)
    parts = dask_geopandas.from_geopandas(zones, npartitions=3)
    assert table(parts, id="field", columns=["*"]).equals(whole)
    assert table(tmp_path)["zone_id"].to_pylist() == list(range(20))
