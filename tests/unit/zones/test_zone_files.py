"""Zones in files: which layer is read, and in which encoding."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pyarrow as pa
import pytest
import shapely

from zonalbatch.zones import open_zones

PLACES = ["Köln", "Évry"]


def places(names: list[str], column: str = "name") -> geopandas.GeoDataFrame:
    """A square for each name."""
    squares = [shapely.box(i, 0, i + 1, 1) for i in range(len(names))]
    return geopandas.GeoDataFrame({column: names}, geometry=squares, crs="EPSG:32633")


@pytest.fixture
def latin(tmp_path: Path) -> Path:
    """A Shapefile in ISO-8859-1 that does not say so, with an accent in a column's name."""
    path = tmp_path / "latin.shp"
    places(PLACES, "né").to_file(path, encoding="ISO-8859-1")
    path.with_suffix(".cpg").unlink()
    dbf = path.with_suffix(".dbf")
    content = bytearray(dbf.read_bytes())
    content[29] = 0  # the code page, which few programs write
    dbf.write_bytes(content)
    return path


def test_a_shapefile_without_an_encoding_is_read_as_gdal_would(latin: Path) -> None:
    """ISO-8859-1 is assumed, and said if it may matter."""
    reader = open_zones(latin, id="né")
    table = pa.concat_tables(reader.batches())
    assert table["zone_id"].to_pylist() == PLACES
    (said,) = reader.notes
    assert "no .cpg file; its text is read as ISO-8859-1" in said


def test_plain_text_needs_no_encoding(tmp_path: Path) -> None:
    """Without accents nothing is said of the encoding, nor where a .cpg tells it."""
    path = tmp_path / "zones.shp"
    places(["Bonn"]).to_file(path)
    path.with_suffix(".cpg").unlink()
    reader = open_zones(path, id="name")
    assert sum(map(len, reader.batches())) == 1
    assert reader.notes == ()
    places(PLACES).to_file(path, encoding="UTF-8")
    reader = open_zones(path, id="name")
    assert pa.concat_tables(reader.batches())["zone_id"].to_pylist() == PLACES
    assert reader.notes == ()


def test_the_first_layer_that_has_rows_is_read(tmp_path: Path) -> None:
    """Empty layers before it are passed over; a note or a warning tells which it was."""
    path = tmp_path / "layers.gpkg"
    for layer, names in {"none": [], "two": PLACES, "one": ["Bonn"]}.items():
        places(names).to_file(path, layer=layer)
    reader = open_zones(path, columns=["name"])
    assert pa.concat_tables(reader.batches())["name"].to_pylist() == PLACES
    assert reader.notes == (f"{path} has 3 layers; zones are read from 'two'",)
    with pytest.warns(UserWarning, match="3 layers; zones are read from 'two'"):
        reader.whole()


def test_a_shapefile_without_cpg_in_utf_8(tmp_path: Path) -> None:
    """Text that reads as UTF-8 is UTF-8, though nothing says so."""
    frame = geopandas.GeoDataFrame(
        {"name": ["Kärnten", "Łódź"]}, geometry=[shapely.box(0, 0, 1, 1)] * 2, crs=4326
    )
    frame.to_file(tmp_path / "a.shp", encoding="UTF-8")
    (tmp_path / "a.cpg").unlink()
    table, _ = open_zones(tmp_path / "a.shp", columns=["*"]).whole()
    assert table["name"].to_pylist() == ["Kärnten", "Łódź"]
