"""Zones: ids are keys, geometry is fit to be measured, and every hash is its zone's own."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely

from zonalbatch.errors import ZonesError
from zonalbatch.zones import ZoneReader, open_zones

SQUARE = shapely.box(0, 0, 2, 2)


def frame(shapes: Sequence[Any], crs: Any = "EPSG:32633", **columns: Any) -> Any:
    """A GeoDataFrame of some shapes."""
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def table(zones: Any, size: int = 65_536, **options: Any) -> pa.Table:
    """All batches in one."""
    return pa.concat_tables(open_zones(zones, **options).batches(size))


def read(zones: Any, **options: Any) -> tuple[Any, ZoneReader]:
    """Shapes, and the reader after it has read them."""
    reader = open_zones(zones, **options)
    column = pa.concat_tables(reader.batches())["geometry"].to_numpy()
    return shapely.from_wkb(column), reader


def fields(n: int = 20, crs: Any = "EPSG:32633") -> Any:
    """Some fields with an id, a crop and an area."""
    shapes = [shapely.box(i, 0, i + 0.9, 1 + i) for i in range(n)]
    return frame(shapes, crs, field=np.arange(n) + 100, crop=[f"c{i % 3}" for i in range(n)])


# --- batches ----------------------------------------------------------------------------------


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


# --- CRS --------------------------------------------------------------------------------------


def test_crs_is_named_by_its_code_or_written_out() -> None:
    """EPSG:n, OGC:CRS84, or WKT2 for a CRS that has no code."""
    assert open_zones(fields()).crs == "EPSG:32633"
    assert open_zones(fields(crs="OGC:CRS84")).crs == "OGC:CRS84"
    own = open_zones(fields(crs="+proj=laea +lat_0=12.3")).crs
    assert own.startswith("PROJCRS")
    assert pyproj.CRS(own).is_projected


def test_zones_without_a_crs_are_refused() -> None:
    """Without a CRS no zone has a place; the error says how to give one."""
    with pytest.raises(ZonesError, match=r"no CRS.*set_crs"):
        open_zones(fields(crs=None))


@pytest.mark.parametrize(("crs", "name"), [("absent", "OGC:CRS84"), (None, None)])
def test_geoparquet_without_a_crs(tmp_path: Path, crs: Any, name: str | None) -> None:
    """In GeoParquet an absent crs means OGC:CRS84 and a null one means unknown."""
    fields(crs="EPSG:4326").to_parquet(tmp_path / "z.parquet")
    content = pq.read_table(tmp_path / "z.parquet")
    geo = json.loads(content.schema.metadata[b"geo"])
    del geo["columns"]["geometry"]["crs"]
    if crs is None:
        geo["columns"]["geometry"]["crs"] = None
    pq.write_table(
        content.replace_schema_metadata({"geo": json.dumps(geo)}), tmp_path / "z.parquet"
    )
    if name:
        assert open_zones(tmp_path / "z.parquet").crs == name
    else:
        with pytest.raises(ZonesError, match="no CRS"):
            open_zones(tmp_path / "z.parquet")


def test_files_of_different_crs_are_refused(tmp_path: Path) -> None:
    """A folder of two CRSs cannot be one set of zones."""
    fields().to_parquet(tmp_path / "a.parquet")
    fields(crs="EPSG:3857").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ZonesError, match=r"share one CRS.*EPSG:32633.*EPSG:3857"):
        open_zones(tmp_path)


def test_metres_that_claim_to_be_degrees_are_refused() -> None:
    """Coordinates far beyond any longitude mean a wrong CRS, not a long journey."""
    with pytest.raises(ZonesError, match="no degrees"):
        table(frame([shapely.box(4e5, 5e6, 5e5, 6e6)], "EPSG:4326"))


# --- ids and columns --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (np.array([3, 1, 2], np.int16), pa.int64()),
        (np.array([3.0, 1.0, 2.0]), pa.int64()),
        (["a", "b", "ü"], pa.string()),
        (pd.Categorical(["a", "b", "c"]), pa.string()),
    ],
)
def test_ids_are_int64_or_string(ids: Any, kind: pa.DataType) -> None:
    """Whole numbers of any type become int64; text and categories become strings."""
    reader = open_zones(frame([SQUARE] * 3, own=ids), id="own")
    assert reader.id_type == kind
    assert reader.id_name == "own"
    assert next(reader.batches())["zone_id"].to_pylist() == list(ids)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 1, 2], r"unique, but 1 of 3 in 'own'.*such as 1, 2 times"),
        (["a", None, "b"], "'own' is null in row 1"),
        ([1.5, 2.0, 3.0], "does not fit int64.*convert them to text"),
        (np.array([1, 2, 2**63 + 1], np.uint64), "does not fit int64.*convert them to text"),
        (["x", 2, 3], "'own' mixes kinds of values.*convert it to text"),
        ([True, False, True], "integers or strings"),
        (pd.to_datetime(["2024-01-01"] * 3), "integers or strings"),
    ],
)
def test_ids_that_cannot_be_keys_are_refused(ids: Any, message: str) -> None:
    """Duplicates, nulls, fractions, truth values and times are no ids."""
    with pytest.raises(ZonesError, match=message):
        table(frame([SQUARE] * 3, own=ids), 2, id="own")


def test_without_an_id_the_index_serves() -> None:
    """A frame's unique index of integers or strings names the zones."""
    zones = frame([SQUARE] * 2).set_index(pd.Index(["x", "y"], name="plot"))
    assert open_zones(zones).id_name == "plot"
    assert table(zones)["zone_id"].to_pylist() == ["x", "y"]
    with pytest.raises(ZonesError, match="reset_index"):
        open_zones(zones.set_index(pd.Index([1, 1])))


def test_unknown_columns_are_named_with_the_nearest_one() -> None:
    """A typing error gets the list of columns and a suggestion."""
    with pytest.raises(ZonesError, match=r"no id column 'feild'; did you mean 'field'\?.*crop"):
        open_zones(fields(), id="feild")
    with pytest.raises(ZonesError, match="no carried column 'corp'; did you mean 'crop'"):
        open_zones(fields(), columns=["corp"])
    with pytest.raises(ZonesError, match="the name is ours"):
        open_zones(fields().assign(hash=1), columns=["*"])


def test_star_carries_all_columns_but_the_id() -> None:
    """``*`` means the user's columns, without the id and the geometry."""
    assert open_zones(fields(), id="field", columns=["*"]).carried.names == ["crop"]
    assert open_zones(fields(), columns=["*"]).carried.names == ["field", "crop"]
    assert open_zones(fields()).carried.names == []


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    """A missing file, a broken file and plain Parquet each give one sentence."""
    with pytest.raises(ZonesError, match="there is no file"):
        open_zones(tmp_path / "none.gpkg")
    (tmp_path / "bad.gpkg").write_bytes(b"nonsense")
    (tmp_path / "bad.parquet").write_bytes(b"nonsense")
    (tmp_path / "bad.zip").write_bytes(b"nonsense")
    for name in ("bad.gpkg", "bad.parquet", "bad.zip"):
        with pytest.raises(ZonesError, match="cannot be read"):
            open_zones(tmp_path / name)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "plain.parquet")
    with pytest.raises(ZonesError, match="GeoParquet"):
        open_zones(tmp_path / "plain.parquet")
    with pytest.raises(ZonesError, match="not a list"):
        open_zones([SQUARE])


# --- geometry ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", 2),
        ("MULTIPOLYGON (((0 0,2 0,2 2,0 2,0 0)), ((1 1,1 3,3 3,3 1,1 1)))", 6),
        ("MULTIPOLYGON (((0 0,4 0,4 4,0 4,0 0)), ((1 1,1 2,2 2,2 1,1 1)))", 15),
        ("POLYGON ((0 0,9 0,9 9,0 9,0 0), (2 2,4 2,4 4,2 4,2 2))", 77),
        ("POLYGON ((0 0,9 0,9 9,0 9,0 0), (2 2,6 2,6 6,2 6,2 2), (4 4,8 4,8 8,4 8,4 4))", 57),
        ("POLYGON Z ((0 0 1,2 0 1,2 2 1,0 2 5,0 0 1))", 4),
        ("GEOMETRYCOLLECTION (POINT (9 9), POLYGON ((0 0,1 0,1 1,0 1,0 0)))", 1),
        ("POLYGON ((0 0, 1 1, 0 0))", 0),
        ("POLYGON EMPTY", 0),
        (None, 0),
    ],
)
def test_geometry_is_repaired(text: str | None, area: float) -> None:
    """What rings enclose an odd number of times stays; valid 2-D polygons come out."""
    shape = None if text is None else shapely.from_wkt(text)
    (got,), _ = read(frame([shape]))
    assert got.is_valid
    assert not got.has_z
    assert got.geom_type in ("Polygon", "MultiPolygon")
    assert got.area == pytest.approx(area)


def test_rings_are_oriented() -> None:
    """Parts that were wound in opposite senses all come out counter-clockwise."""
    parts = shapely.MultiPolygon([SQUARE, shapely.reverse(shapely.box(5, 5, 6, 6))])
    (got,), reader = read(frame([parts]))
    assert all(part.exterior.is_ccw for part in got.geoms)
    assert reader.notes == ()


def test_empty_zones_stay_with_no_bounds_and_are_noted() -> None:
    """An empty, missing or infinite geometry keeps its row, with NaN bounds."""
    lost = shapely.Polygon([(0, 0), (math.inf, 0), (1, 1)])
    reader = open_zones(frame([SQUARE, None, shapely.Polygon(), lost]))
    got = next(reader.batches())
    assert np.isnan(got["left"]).tolist() == [False, True, True, True]
    assert shapely.is_empty(shapely.from_wkb(got["geometry"].to_numpy()))[1:].all()
    assert "1 geometry with coordinates that are not finite, taken as empty" in reader.notes
    assert "3 geometries empty, kept without cells" in reader.notes


@pytest.mark.parametrize("shape", [shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)])])
def test_points_and_lines_stay_what_they_are(shape: Any) -> None:
    """A zone may be a point or a line; beside them areas are what they were."""
    high = shapely.force_3d(shape)
    (square, got, bare), reader = read(frame([SQUARE, high, high.__class__()]))
    assert square.equals(SQUARE)
    assert shapely.equals_identical(got, shape)
    assert shapely.equals_identical(bare, shapely.Polygon())
    assert reader.notes == ("1 geometry empty, kept without cells",)


# --- hashes -----------------------------------------------------------------------------------


def test_hashes_belong_to_the_zone_alone() -> None:
    """Batches, order of rows and width of integers leave a zone's hash as it is."""
    zones = fields()
    one = table(zones, id="field", columns=["crop"])
    narrow = zones.astype({"field": np.int32})
    for other in (
        table(zones, 3, id="field", columns=["crop"]),
        table(zones[::-1], 7, id="field", columns=["crop"]).sort_by("zone_id"),
        table(narrow, id="field", columns=["crop"]),
    ):
        assert other["hash"].to_pylist() == one["hash"].to_pylist()
    assert len(set(one["hash"].to_pylist())) == 20


def test_hashes_see_every_difference() -> None:
    """Another id, shape, carried value, CRS or buffer is another zone."""
    options: dict[str, Any] = {"id": "field", "columns": ["crop"]}
    zones = fields(1)
    moved = zones.set_geometry(zones.translate(1e-9))
    seen = [
        table(zones, **options),
        table(zones.assign(field=7), **options),
        table(zones.assign(crop="x"), **options),
        table(zones.assign(crop=None), **options),
        table(moved, **options),
        table(zones, id="field"),
        table(zones, buffer=1, **options),
        table(zones.set_crs("EPSG:32634", allow_override=True), **options),
    ]
    assert len({each["hash"][0].as_py() for each in seen}) == len(seen)


def test_a_hash_is_a_known_constant() -> None:
    """Hashes outlive versions: an increment next year compares with this year's."""
    got = table(fields(1), id="field", columns=["crop"])["hash"][0].as_py().hex()
    assert got == "b41ad8ac05df47f88b7662dde74a5222"


def test_all_kinds_of_columns_can_be_carried() -> None:
    """Numbers, times, truth values, text and lists take part in the hash."""
    base = {"f": 0.5, "t": pd.Timestamp("2024-01-01", tz="UTC"), "b": True, "s": "x", "l": [1, 2]}
    other = {"f": 0.6, "t": pd.Timestamp("2024-01-02", tz="UTC"), "b": False, "s": None, "l": [1]}
    rows = [base, *({**base, name: value} for name, value in other.items())]
    zones = geopandas.GeoDataFrame(pd.DataFrame(rows), geometry=[SQUARE] * 6, crs=32633)
    zones["id"] = 1
    hashes = [table(zones.iloc[[i]], id="id", columns=["*"])["hash"][0].as_py() for i in range(6)]
    assert len(set(hashes)) == 6


def test_a_column_that_cannot_be_stored_is_in_the_way_only_if_carried() -> None:
    """A column of mixed objects does no harm until it is asked for."""
    zones = frame([SQUARE] * 2, odd=[1, "a"])
    assert len(table(zones)) == 2
    with pytest.raises(ZonesError, match="the GeoDataFrame cannot be read"):
        table(zones, columns=["odd"])


# --- longitudes -------------------------------------------------------------------------------


@pytest.mark.parametrize("clockwise", [False, True])
def test_a_zone_across_the_antimeridian_is_split(clockwise: bool) -> None:
    """An edge from 178 to -178 goes the short way round, whichever way the ring is wound."""
    ring = [(178, -20), (-178, -20), (-178, -15), (178, -15)]
    shape = shapely.Polygon(ring[::-1] if clockwise else ring)
    (got,), reader = read(frame([shape], "EPSG:4326"))
    halves = [shapely.box(178, -20, 180, -15), shapely.box(-180, -20, -178, -15)]
    assert got.equals(shapely.MultiPolygon(halves))
    assert reader.notes == ("1 geometry crossing the antimeridian, split there",)


@pytest.mark.parametrize(
    ("west", "east"), [(-133, 133), (-180, 5), (-10, 180), (-120, 100), (-135, 135)]
)
def test_a_wide_zone_is_as_wide_as_drawn(west: float, east: float) -> None:
    """An edge whose short way is no shorter than 90 degrees does not cross the antimeridian."""
    (got,), reader = read(frame([shapely.box(west, 0, east, 10)], "EPSG:4326"))
    assert got.equals(shapely.box(west, 0, east, 10))
    assert np.abs(np.diff(shapely.get_coordinates(got)[:, 0])).max() <= 90
    assert reader.notes == (
        "1 geometry with an edge of more than 180 degrees of longitude, taken as drawn",
    )


def test_a_triangle_at_the_equator_goes_around_no_pole() -> None:
    """What would be a cap near a pole is a triangle elsewhere."""
    triangle = shapely.Polygon([(-100, 0), (100, 0), (0, 50)])
    (got,), _ = read(frame([triangle], "EPSG:4326"))
    assert got.area == pytest.approx(triangle.area)


def test_each_part_of_a_zone_is_drawn_or_crosses_by_itself() -> None:
    """A part that crosses the antimeridian does not turn the others round."""
    parts = [
        shapely.box(-133, 0, 133, 10),
        shapely.box(-179, 20, 179, 25),
        shapely.box(0, 40, 1, 41),
    ]
    (got, other), reader = read(frame([shapely.MultiPolygon(parts), SQUARE], "EPSG:4326"))
    assert got.area == pytest.approx(266 * 10 + 2 * 5 + 1)
    assert other.equals(SQUARE)
    assert len(reader.notes) == 2


def test_a_country_that_crosses_is_wide_and_split() -> None:
    """What decides is the edge, not the width: unsplit, Russia is 163 degrees wide."""
    country = shapely.Polygon([(27, 50), (100, 45), (179, 60), (-170, 65), (179, 70), (27, 70)])
    (got,), reader = read(frame([country], "EPSG:4326"))
    turned = shapely.Polygon([(27, 50), (100, 45), (179, 60), (190, 65), (179, 70), (27, 70)])
    assert got.area == pytest.approx(turned.area)
    assert reader.notes == ("1 geometry crossing the antimeridian, split there",)


@pytest.mark.parametrize(
    ("box", "bounds", "area"),
    [
        ((190, 0, 200, 5), (-170, 0, -160, 5), 50),
        ((170, 0, 190, 5), (-180, 0, 180, 5), 100),
        ((180, 0, 190, 5), (-180, 0, -170, 5), 50),
        ((0, -90, 360, 90), (-180, -90, 180, 90), 64_800),
        ((-200, 0, -190, 5), (160, 0, 170, 5), 50),
    ],
)
def test_longitudes_beyond_180_are_brought_back(box: tuple, bounds: tuple, area: float) -> None:
    """0..360 becomes -180..180, split where it must be."""
    (got,), _ = read(frame([shapely.box(*box)], "EPSG:4326"))
    assert got.bounds == bounds
    assert got.area == pytest.approx(area)


def test_a_frame_at_180_is_no_crossing() -> None:
    """An edge of 360 degrees along the frame crosses nothing, nor does an edge at +-180."""
    world = shapely.box(-180, -90, 180, -60)
    (got,), reader = read(frame([world], "EPSG:4326"))
    assert got.area == pytest.approx(360 * 30)
    assert reader.notes == ()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("turn", [1, -1])
def test_a_cap_around_a_pole_is_the_small_one(sign: int, turn: int) -> None:
    """A ring around a pole encloses the pole it is near, whichever way it is wound."""
    ring = [(lon * turn, 80 * sign) for lon in (0, 90, 179, -90)]
    (got,), _ = read(frame([shapely.Polygon(ring)], "EPSG:4326"))
    assert got.area == pytest.approx(3600)
    assert got.intersects(shapely.Point(0, 90 * sign))


# --- buffers ----------------------------------------------------------------------------------


def test_buffers_are_metres_in_any_unit() -> None:
    """10 m is 10 m in metres, in feet and in degrees."""
    metric = frame([shapely.box(5e5, 5e6, 5.001e5, 5.0001e6)])
    (grown,), _ = read(metric, buffer=10)
    assert grown.bounds == (499_990, 4_999_990, 500_110, 5_000_110)
    (feet,), _ = read(frame([shapely.box(0, 0, 100, 100)], "EPSG:2263"), buffer=10)
    assert feet.bounds[0] == pytest.approx(-10 / 0.3048006096)
    (degrees,), _ = read(metric.to_crs("EPSG:4326"), buffer=10)
    back = geopandas.GeoSeries([degrees], crs="EPSG:4326").to_crs("EPSG:32633")
    assert back.area[0] == pytest.approx(grown.area, rel=1e-4)


def test_a_buffer_in_degrees_crosses_the_antimeridian() -> None:
    """A zone that ends at 180 grows into the other side; its two halves stay one zone."""
    halves = [shapely.box(179.99, 0, 180, 0.01), shapely.box(-180, 0, -179.99, 0.01)]
    (got,), _ = read(frame([shapely.MultiPolygon(halves)], "EPSG:4326"), buffer=100)
    assert got.bounds[0] == -180
    assert got.bounds[2] == 180
    metres = pyproj.Geod(ellps="WGS84").geometry_area_perimeter(got)[0]
    assert metres == pytest.approx((2226.4 + 200) * (1105.7 + 200), rel=0.01)


def test_a_negative_buffer_can_leave_nothing() -> None:
    """A field narrower than twice the shrinking is empty, and noted."""
    (got,), reader = read(frame([SQUARE]), buffer=-5)
    assert got.is_empty
    assert reader.notes == ("1 geometry of which the buffer left nothing, kept without cells",)
    with pytest.raises(ZonesError, match="number of metres"):
        open_zones(frame([SQUARE]), buffer=math.nan)


# --- real data --------------------------------------------------------------------------------


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
