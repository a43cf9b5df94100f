"""GeoParquet: which row groups are read, and what is refused of strangers' files."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS

from tests.made.features import answered, squares, written
from zonalbatch.errors import ReadError
from zonalbatch.service.desk import Desk
from zonalbatch.service.refusals import BAD, NO_RASTER, TOO_LARGE, UNFIT, Refusal
from zonalbatch.service.settings import Settings
from zonalbatch.service.vectors.boxes import Box
from zonalbatch.service.vectors.geoparquet import GeoParquet
from zonalbatch.sources.access import Grant
from zonalbatch.sources.ranged import RangedFile

ALL = shapely.box(4.9, 49.9, 5.2, 50.2)


def _groups(path: Path, *box: float, column: str | None = None) -> list[int]:
    """The row groups that can meet a box."""
    file = GeoParquet(RangedFile(Grant(str(path))), Settings())
    boxes = file.geometry(column).boxes
    return [i for i in range(file.metadata.num_row_groups) if boxes.may_meet(i, Box(*box))]


def _edited(path: Path, edit: Any) -> Path:
    """The file with other metadata of its geometries."""
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"geo"])
    edit(about)
    told = {**table.schema.metadata, b"geo": json.dumps(about).encode()}
    pq.write_table(table.replace_schema_metadata(told), path, row_group_size=10)
    return path


def _refusal(path: Path, *columns: str, **told: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        answered(path, ALL, *(columns or ("v",)), **told)
    return refused.value


@pytest.fixture
def tiled(tmp_path: Path) -> Path:
    """A hundred squares, each row of ten a row group."""
    return written(squares(), tmp_path / "squares.parquet")


def test_row_groups_are_told_by_declared_boxes(tiled: Path) -> None:
    """Those that touch the box are read, others not."""
    assert _groups(tiled, 5.02, 50.025, 5.03, 50.045) == [2, 3, 4]
    assert _groups(tiled, 5.02, 50.02, 5.03, 50.025) == [1, 2]
    assert _groups(tiled, 7, 50, 8, 51) == []


def test_boxes_that_are_not_declared_are_believed_in_degrees_alone(tiled: Path) -> None:
    """A column ``bbox`` of a projected file may well be in degrees."""
    path = _edited(tiled, lambda about: about["columns"]["geometry"].pop("covering"))
    assert _groups(path, 5.02, 50.025, 5.03, 50.035) == [2, 3]

    def project(about: dict[str, Any]) -> None:
        about["columns"]["geometry"]["crs"] = squares().to_crs(32631).crs.to_json_dict()

    assert _groups(_edited(path, project), 5.02, 50.025, 5.03, 50.035) == list(range(10))


def test_without_boxes_all_row_groups_are_read(tmp_path: Path) -> None:
    """Nothing is known of where they lie."""
    path = written(squares(), tmp_path / "plain.parquet", write_covering_bbox=False)
    assert _groups(path, 7, 50, 8, 51) == list(range(10))
    assert answered(path, shapely.box(7, 50, 8, 51), "v")["count"] == 0


class _Wkb(pa.ExtensionType):
    """What arrow writes as Parquet's own geometry type."""

    def __init__(self) -> None:
        super().__init__(pa.binary(), "geoarrow.wkb")

    def __arrow_ext_serialize__(self) -> bytes:
        return b"{}"


def test_row_groups_are_told_by_parquets_own_geometry_type(tmp_path: Path) -> None:
    """A file without boxes may have statistics of its geometries."""
    frame, path = squares(), tmp_path / "native.parquet"
    wkb = pa.array(shapely.to_wkb(frame.geometry), pa.binary())
    table = pa.table({"v": frame["v"], "geometry": pa.ExtensionArray.from_storage(_Wkb(), wkb)})
    about = {"version": "1.1.0", "primary_column": "geometry",
             "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}}}  # fmt: skip
    table = table.replace_schema_metadata({"geo": json.dumps(about)})
    pq.write_table(table, path, row_group_size=10)
    assert _groups(path, 5.02, 50.025, 5.03, 50.035) == [2, 3]
    assert answered(path, ALL, "v")["count"] == pytest.approx(100)


def test_boxes_of_float32_are_taken_a_little_wider(tmp_path: Path) -> None:
    """A feature that a rounded box leaves out is read."""
    frame = squares(side=1)
    path = written(frame, tmp_path / "single.parquet")
    table = pq.read_table(path)
    small = pa.struct([(side, pa.float32()) for side in ("xmin", "ymin", "xmax", "ymax")])
    index = table.schema.get_field_index("bbox")
    boxes = table.column("bbox").cast(small)
    pq.write_table(table.set_column(index, "bbox", boxes), path)
    assert _groups(path, 5.0100000001, 50, 5.02, 50.01) == [0]
    assert _groups(path, 5.0101, 50, 5.02, 50.01) == []


def test_a_box_across_the_antimeridian_rules_out_no_longitude(tmp_path: Path) -> None:
    """Its xmin is larger than its xmax (RFC 7946, section 5.2)."""
    across = shapely.MultiPolygon(
        [shapely.box(179, -18, 180, -17), shapely.box(-180, -18, -179, -17)]
    )
    frame = gpd.GeoDataFrame({"v": [1.0]}, geometry=[across], crs=4326)
    path = written(frame, tmp_path / "fiji.parquet")
    table = pq.read_table(path)
    box = pa.array([{"xmin": 179.0, "ymin": -18.0, "xmax": -179.0, "ymax": -17.0}])
    index = table.schema.get_field_index("bbox")
    pq.write_table(table.set_column(index, "bbox", box), path)
    assert _groups(path, 179.5, -17.5, 179.6, -17.4) == [0]
    assert _groups(path, 179.5, 17, 179.6, 18) == []


@pytest.mark.parametrize("content", [b"PK\x03\x04 a zip file", b"II*\0" + bytes(100), b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever else it is."""
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    assert _refusal(path).status == NO_RASTER


def test_an_empty_file_cannot_be_read(tmp_path: Path) -> None:
    """It has no first byte."""
    path = tmp_path / "a.parquet"
    path.touch()
    with pytest.raises(ReadError):
        answered(path, ALL, "v")


def test_a_file_that_is_cut_off_is_refused(tiled: Path) -> None:
    """It begins as Parquet."""
    tiled.write_bytes(tiled.read_bytes()[:-100])
    assert _refusal(tiled).status == BAD


def test_metadata_that_claim_too_much_are_refused(tiled: Path) -> None:
    """4 GB of metadata are not reserved."""
    tiled.write_bytes(tiled.read_bytes()[:-8] + struct.pack("<I", 2**32 - 1) + b"PAR1")
    assert _refusal(tiled).status == TOO_LARGE


@pytest.mark.parametrize("at", range(200, 5000, 400))
def test_a_damaged_file_is_refused_or_read(tiled: Path, at: int) -> None:
    """Bytes turned over anywhere are no fault of the service."""
    content = bytearray(tiled.read_bytes())
    at = len(content) * at // 5000
    content[at : at + 40] = bytes(255 - byte for byte in content[at : at + 40])
    tiled.write_bytes(content)
    with suppress(Refusal):
        answered(tiled, ALL, "v")


def test_names_are_refused_as_such(tiled: Path) -> None:
    """A column that is not there or is no number, a geometry that is none: 422, by name."""
    assert _refusal(tiled, "w").status == UNFIT
    assert "'w'" in _refusal(tiled, "w").detail
    assert _refusal(tiled, "geometry").status == UNFIT
    assert _refusal(tiled, "bbox").status == UNFIT
    assert "'v'" in _refusal(tiled, geometry_column="v").detail


def _shifted() -> dict[str, Any]:
    """A CRS by which PROJ would open a file of this machine."""
    told: dict[str, Any] = CRS(32631).to_json_dict()
    told["conversion"]["method"]["name"] = (
        "PROJ-based operation method: +proj=pipeline +step +proj=hgridshift +grids=/etc/passwd"
    )
    return told


@pytest.mark.parametrize(
    "edit",
    [
        lambda about: about.clear(),
        lambda about: about.update(columns=[]),
        lambda about: about["columns"]["geometry"].update(encoding="point"),
        lambda about: about["columns"]["geometry"].update(crs=None),
        lambda about: about["columns"]["geometry"].update(crs="+proj=longlat +nadgrids=/a"),
        lambda about: about["columns"]["geometry"].update(crs={"type": "BoundCRS"}),
        lambda about: about["columns"]["geometry"].update(crs={"type": "ProjectedCRS"}),
        lambda about: about["columns"]["geometry"].update(crs=_shifted()),
    ],
)
def test_metadata_of_geometries_that_cannot_be_used_are_refused(tiled: Path, edit: Any) -> None:
    """No GeoParquet, another encoding, no CRS, one that would have a file of grids opened."""
    assert _refusal(_edited(tiled, edit)).status == BAD


def test_what_geometries_declare_wrongly_is_not_believed(tiled: Path) -> None:
    """Boxes in columns that are none, or not of numbers, are passed over."""
    for box in ({"xmin": ["v"]}, {side: ["geometry"] for side in ("xmin", "ymin", "xmax", "ymax")}):
        path = _edited(
            tiled,
            lambda about, box=box: about["columns"]["geometry"].update(covering={"bbox": box}),
        )
        assert answered(path, ALL, "v")["count"] == pytest.approx(100)


def test_parquet_without_metadata_of_geometries_is_refused(tmp_path: Path) -> None:
    """A table of numbers is none of features."""
    path = tmp_path / "numbers.parquet"
    pq.write_table(pa.table({"v": [1.0]}), path)
    assert _refusal(path).status == BAD


def test_limits_hold_before_anything_is_read(tiled: Path) -> None:
    """Features, bytes, bytes of a row group: of what the area needs, not of the file."""
    assert _refusal(tiled, rows=99).status == TOO_LARGE
    assert _refusal(tiled, table=500).status == TOO_LARGE
    assert _refusal(tiled, memory=100).status == TOO_LARGE
    assert answered(tiled, shapely.box(5, 50, 5.1, 50.005), "v", rows=10)["count"] > 4


def _with_geometries(path: Path, wkb: Any) -> Path:
    """A table with these geometries in degrees, and a column ``v`` of ones."""
    about = {"version": "1.1.0", "primary_column": "geometry",
             "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}}}  # fmt: skip
    table = pa.table({"v": np.ones(len(wkb)), "geometry": wkb})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(about)}), path)
    return path


def test_one_large_geometry_many_times_is_refused(tmp_path: Path) -> None:
    """A hundred thousand times a megabyte, in a file of some kilobytes, is not unpacked."""
    ring = shapely.Point(5, 50).buffer(1, quad_segs=15_000)
    indices = pa.array(np.zeros(100_000, np.int32))
    wkb = pa.DictionaryArray.from_arrays(indices, pa.array([shapely.to_wkb(ring)], pa.binary()))
    path = _with_geometries(tmp_path / "bomb.parquet", wkb)
    assert path.stat().st_size < 5_000_000
    refused = _refusal(path)
    assert refused.status == TOO_LARGE
    assert "vertices" in refused.detail


def test_geometries_that_nest_without_end_are_refused(tmp_path: Path) -> None:
    """Reading them would end the process."""
    deep = b"\x01\x07\0\0\0\x01\0\0\0" * 100_000 + shapely.to_wkb(shapely.Point(5, 50))
    path = _with_geometries(tmp_path / "deep.parquet", pa.array([deep], pa.binary()))
    assert _refusal(path).status == BAD


@pytest.mark.parametrize("wkb", [b"", b"\x01", b"\x01\x03\0\0\0\xff\xff\xff\xff", b"nonsense"])
def test_geometries_that_are_none_are_refused(tmp_path: Path, wkb: bytes) -> None:
    """They may have been features of the area."""
    path = _with_geometries(tmp_path / "broken.parquet", pa.array([wkb], pa.binary()))
    assert _refusal(path).status == BAD


def test_missing_and_empty_geometries_are_passed_over(tmp_path: Path) -> None:
    """They lie nowhere."""
    shapes = [
        shapely.to_wkb(shapely.box(5, 50, 5.1, 50.1)),
        None,
        shapely.to_wkb(shapely.Polygon()),
    ]
    path = _with_geometries(tmp_path / "some.parquet", pa.array(shapes, pa.binary()))
    assert answered(path, ALL, "v")["count"] == pytest.approx(1)


def test_files_outside_of_the_root_are_not_read(tiled: Path, tmp_path: Path) -> None:
    """Nor are any where no root is set."""
    with pytest.raises(Refusal):
        Desk(Settings()).href(f"file://{tiled}")
    with pytest.raises(Refusal):
        Desk(Settings(root=tmp_path)).href("file:///../../etc/passwd")
