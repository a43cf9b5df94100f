"""STAC items as stac-geoparquet."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.apis import many_scenes, scene
from zonalbatch.errors import InputError, SourceError
from zonalbatch.sources import Band, item_table, stac_layers
from zonalbatch.sources.item_table import is_item_table, read_item_table, write_item_table


def test_items_come_back_as_they_were(tmp_path: Path) -> None:
    """Items are what they were, each with its own assets and properties; times are in full."""
    items = many_scenes()[:50]
    items[3]["assets"]["nir"] = {
        "href": "https://example.com/nir.tif",
        "raster:bands": [{"scale": 2}],
    }
    items[5]["properties"]["created"] = "2024-06-05"
    items[4]["properties"] |= {"proj:code": "EPSG:32631", "proj:shape": [10, 20]}
    del items[6]["bbox"]
    write_item_table(items, tmp_path / "items.parquet")
    items[6]["bbox"] = scene("", 4.2, 50)["bbox"]
    items[5]["properties"]["created"] = "2024-06-05T00:00:00.000000Z"
    for item in items:
        item["properties"]["datetime"] = item["properties"]["datetime"].replace("Z", ".000000Z")
    assert read_item_table(str(tmp_path / "items.parquet")) == items


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("planetarycomputer/landsat-8-c2-l2/LC08_L2SP_196023_20220317_02_T2", "SR_B4"),
        ("planetarycomputer/landsat-c2-l2/LC09_L2SR_084073_20250722_02_T1", "red"),
        ("earth-search/sentinel-2-l2a/S2A_13TDE_20231008_0_L2A", "red"),
        ("odc-stac/S2A_28QCH_20200714_0_L2A", "B04"),
    ],
)
def test_real_items_make_the_same_layers(
    data_dir: Path, tmp_path: Path, name: str, band: str
) -> None:
    """Of real catalogs, some without bounds or with dates for times: the same assets and grids."""
    path = data_dir / "stac_items" / f"{name}.json"
    write_item_table([json.loads(path.read_text())], tmp_path / "items.parquet")
    bands = {"x": Band(asset=band)}
    (told,) = stac_layers(path, bands=bands).layers
    (read,) = stac_layers(tmp_path / "items.parquet", bands=bands).layers
    assert (read.id, read.datetime, read.assets) == (told.id, told.datetime, told.assets)


def test_items_that_make_no_table_are_refused(tmp_path: Path) -> None:
    """One sentence with the cause, and what to do."""
    one, other = scene("a", 0, 0), scene("b", 0, 0)
    one["properties"]["thing"], other["properties"]["thing"] = 5, {"a": 1}
    with pytest.raises(InputError, match=r"do not make a table .*write them as \.json"):
        write_item_table([one, other], tmp_path / "items.parquet")


def test_what_is_no_item_table_is_refused(tmp_path: Path) -> None:
    """A table of something else, no table at all, no file."""
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"id": [1]}), path)
    assert not is_item_table(str(path))
    with pytest.raises(SourceError, match="no column 'assets'"):
        read_item_table(str(path))
    path.write_text("no table")
    assert not is_item_table(str(path))
    with pytest.raises(SourceError, match="is no Parquet file"):
        read_item_table(str(path))
    with pytest.raises(SourceError, match="does not exist"):
        read_item_table(str(tmp_path / "none.parquet"))


def test_the_library_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence with what to install."""
    monkeypatch.setattr(item_table, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install stac-geoparquet"):
        read_item_table(str(tmp_path / "items.parquet"))
