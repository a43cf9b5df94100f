"""Zones in files: which layer is read, and in which encoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pytest
import shapely

from zonalbatch.errors import ZonesError
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


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """A GeoPackage of two layers."""
    path = tmp_path / "layers.gpkg"
    for layer, names in {"cities": PLACES, "towns": ["Bonn"]}.items():
        places(names).to_file(path, layer=layer)
    return path


def test_a_layer_that_is_named_is_read(layers: Path) -> None:
    """Then nothing needs to be said of its choice."""
    reader = open_zones(layers, layer="towns", columns=["name"])
    assert pa.concat_tables(reader.batches())["name"].to_pylist() == ["Bonn"]
    assert reader.notes == ()


def test_an_encoding_that_is_named_is_believed(latin: Path) -> None:
    """Also against a guess; the text is read by it and nothing is noted."""
    reader = open_zones(latin, encoding="cp1252", columns=["*"])
    table = pa.concat_tables(reader.batches())
    assert table.column(1).to_pylist() == PLACES
    assert reader.notes == ()
    other = pa.concat_tables(open_zones(latin, encoding="cp437", columns=["*"]).batches())
    assert other.column(1).to_pylist() == [t.encode("latin-1").decode("cp437") for t in PLACES]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layer": "town"}, "no layer 'town' .* did you mean 'towns'.* cities, towns"),
        ({"encoding": "cp1252"}, "zones.encoding is for Shapefiles"),
        ({"encoding": "nope"}, "zones.encoding 'nope' is unknown"),
    ],
)
def test_what_a_file_does_not_have(layers: Path, options: dict[str, Any], words: str) -> None:
    """A layer that is not there is refused with those that are, and so is a useless encoding."""
    with pytest.raises(ZonesError, match=words):
        open_zones(layers, **options)


@pytest.mark.parametrize("key", ["layer", "encoding"])
def test_only_gdal_s_files_have_a_choice(tmp_path: Path, key: str) -> None:
    """GeoParquet and frames have neither layers nor encodings."""
    places(PLACES).to_parquet(tmp_path / "a.parquet")
    chosen: dict[str, Any] = {key: "utf-8"}
    with pytest.raises(ZonesError, match=rf"zones.{key} is 'utf-8', but .* is GeoParquet"):
        open_zones(tmp_path / "a.parquet", **chosen)
    with pytest.raises(ZonesError, match="a frame has neither"):
        open_zones(places(PLACES), **chosen)


def test_shapes_that_are_fit_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """WKB is written of each raw shape, and again only of what was changed."""
    written, write = list[int](), shapely.to_wkb

    def counted(shapes: Any, **options: Any) -> Any:
        written.append(len(shapes))
        return write(shapes, **options)

    zones = places([f"{i}" for i in range(10)])
    bowtie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    zones.loc[3, "geometry"] = bowtie
    monkeypatch.setattr(shapely, "to_wkb", counted)
    (table,) = open_zones(zones).batches()
    assert written == [10, 1]
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    assert shapely.is_valid(shapes).all()
    untouched = np.arange(10) != 3
    assert shapely.equals_exact(shapes, zones.geometry.to_numpy())[untouched].all()
