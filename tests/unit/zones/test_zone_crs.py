"""The CRS of zones: known, one for all, and honest about degrees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyproj
import pytest
import shapely

from tests.made.read_zones import fields, frame_of, table
from zonalbatch.errors import ZonesError
from zonalbatch.zones import open_zones


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
        table(frame_of([shapely.box(4e5, 5e6, 5e5, 6e6)], "EPSG:4326"))
