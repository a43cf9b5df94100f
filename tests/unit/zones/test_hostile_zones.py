"""Files of zones that are made to do harm."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pytest
import shapely

from tests.made.read_zones import read
from zonalbatch.errors import ZonesError
from zonalbatch.zones import open_zones, vetting
from zonalbatch.zones.nesting import MOST, without_abysses

SQUARE = shapely.box(0, 0, 1, 1)


def geojson(path: Path, **keys: Any) -> Path:
    """A GeoJSON file of one point."""
    point = {"type": "Point", "coordinates": [1, 2]}
    feature = {"type": "Feature", "properties": {"crs": "x"}, "geometry": point}
    path.write_text(json.dumps({"type": "FeatureCollection", **keys, "features": [feature]}))
    return path


class TestOtherFiles:
    """What has GDAL open other files is refused unless it is trusted."""

    def test_descriptions_of_other_files(self, tmp_path: Path) -> None:
        """A virtual format and a pipeline are refused by what they begin with; trusted, read."""
        other = geojson(tmp_path / "a.geojson")
        virtual = tmp_path / "b.gpkg"
        virtual.write_text(
            f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{other}</SrcDataSource>'
            "</OGRVRTLayer></OGRVRTDataSource>"
        )
        pipeline = tmp_path / "c.json"
        line = f"gdal vector pipeline ! read {other} ! reproject --dst-crs EPSG:4326"
        pipeline.write_text(json.dumps({"type": "gdal_streamed_alg", "command_line": line}))
        for path in (virtual, pipeline):
            with pytest.raises(ZonesError, match=r"may have other files opened.*trusted: true"):
                open_zones(path)
            assert len(open_zones(path, trusted=True).whole()[1]) == 1

    @pytest.mark.parametrize(
        "crs",
        [{"type": "link", "properties": {"href": "http://127.0.0.1:9/a.wkt", "type": "ogcwkt"}},
         {"type": "url", "properties": {"url": "http://127.0.0.1:9/a.wkt"}},
         {"type": "name", "properties": {"name": "http://127.0.0.1:9/a.wkt"}}],
    )  # fmt: skip
    def test_a_crs_by_a_link(self, tmp_path: Path, crs: dict[str, Any]) -> None:
        """GDAL would fetch it, however the key is spelled."""
        path = geojson(tmp_path / "a.geojson", crs=crs)
        with pytest.raises(ZonesError, match="CRS that is not given by its name"):
            open_zones(path)
        path.write_text(path.read_text().replace('"crs": {', '"\\u0063rs": {'))
        with pytest.raises(ZonesError, match="CRS that is not given by its name"):
            open_zones(path)

    @pytest.mark.parametrize("name", ["urn:ogc:def:crs:EPSG::32631", "EPSG:32631"])
    def test_a_crs_by_its_name(self, tmp_path: Path, name: str) -> None:
        """As most files have it."""
        crs = {"type": "name", "properties": {"name": name}}
        assert open_zones(geojson(tmp_path / "a.geojson", crs=crs)).crs == "EPSG:32631"

    @pytest.mark.parametrize(
        "name",
        ["PG:dbname=x", "WFS:http://a.example/wfs", "/vsistdin/", "/vsisparse/a.xml",
         '{"type": "FeatureCollection"}', "<OGRVRTDataSource/>", "MYSQL:x://y"],
    )  # fmt: skip
    def test_names_that_are_no_files(self, name: str) -> None:
        """Databases, services and documents in the place of a path."""
        with pytest.raises(ZonesError, match="are no path and no link to a file"):
            open_zones(name)

    def test_other_drivers(self) -> None:
        """Whatever GDAL took a file for, it must be of the list."""
        vetting.refuse_driver("a.gpkg", "GPKG")
        with pytest.raises(ZonesError, match=r"\(PGDUMP\)"):
            vetting.refuse_driver("a.sql", "PGDUMP")


class TestArchives:
    """What is packed is looked at before it is unpacked."""

    def test_a_bomb(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Much more than its own size is refused; as much of what is small is not."""
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(geojson(tmp_path / "a.geojson"), "in/a.geojson")
            archive.writestr("zeros.bin", bytes(10_000_000))
        assert len(open_zones(path).whole()[1]) == 1
        monkeypatch.setattr(vetting, "MAX_SMALL", 1_000_000)
        with pytest.raises(ZonesError, match="more than 100 times its size"):
            open_zones(path)
        with pytest.raises(ZonesError, match="more than 100 times its size"):
            open_zones(f"/vsizip/{path}/in/a.geojson")

    def test_what_is_within(self, tmp_path: Path) -> None:
        """A description of other files is found in an archive, too."""
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.vrt", "<OGRVRTDataSource></OGRVRTDataSource>")
        with pytest.raises(ZonesError, match=r"a\.zip/a\.vrt is of a kind"):
            open_zones(path)


class TestGeometries:
    """Geometries that no field has."""

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_coordinates_that_are_not_finite(self, bad: float) -> None:
        """A zone with one is empty, and the report says how many are."""
        lost = shapely.transform(
            SQUARE, lambda xy: np.where(xy.min(axis=1, keepdims=True) > 0, bad, xy)
        )
        got, reader = read(geopandas.GeoDataFrame(geometry=[SQUARE, lost], crs="EPSG:32631"))
        assert list(shapely.is_empty(got)) == [False, True]
        assert any("not finite" in said for said in reader.notes)

    def test_ten_thousand_parts(self) -> None:
        """Are as good as one."""
        many = shapely.multipolygons([shapely.box(3 * i, 0, 3 * i + 2, 2) for i in range(10_000)])
        (got,), _ = read(geopandas.GeoDataFrame(geometry=[many], crs="EPSG:32631"))
        assert got.area == 40_000

    @pytest.mark.parametrize(
        ("order", "kind"), [("<", 7), (">", 7), ("<", 1007), (">", 3006), ("<", 0x80000007)]
    )
    def test_collections_within_collections(self, order: str, kind: int) -> None:
        """A million of them would end the process; such a geometry is left unread."""
        head = struct.pack(f"{order}BII", order == "<", kind, 1)
        deep, whole = head * 1_000_000 + SQUARE.wkb, SQUARE.wkb
        column = pa.chunked_array([[whole, deep], [None, whole]], pa.binary())
        assert without_abysses(column).to_pylist() == [whole, None, None, whole]
        few = pa.chunked_array([[head * (MOST - 10) + SQUARE.wkb]], pa.binary())
        assert without_abysses(few).null_count == 0

    def test_a_deep_geometry_in_a_file(self, tmp_path: Path) -> None:
        """It is told as one that could not be parsed."""
        path = tmp_path / "a.parquet"
        frame = geopandas.GeoDataFrame({"id": [1, 2]}, geometry=[SQUARE, SQUARE], crs="EPSG:32631")
        frame.to_parquet(path)
        table = pa.parquet.read_table(path)
        deep = struct.pack("<BII", 1, 7, 1) * 500_000 + SQUARE.wkb
        at = table.schema.get_field_index("geometry")
        table = table.set_column(at, "geometry", pa.array([SQUARE.wkb, deep], pa.binary()))
        pa.parquet.write_table(table.replace_schema_metadata(table.schema.metadata), path)
        got, reader = read(path)
        assert list(shapely.is_empty(got)) == [False, True]
        assert any("could not be parsed" in said for said in reader.notes)
