"""Layers of several scenes, in whole runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.merge
import shapely

import zonalbatch as zb
from tests.made.places import CELL, LEFT, TOP
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.runs import Runner, cut_small
from tests.made.scenes import asset, item, write_items
from tests.made.zones import squares
from zonalbatch.errors import SchemaError

NUMBERS = ["red_count", "red_mean", "red_min", "red_max", "red_n_nodata"]


def tiles(folder: Path, day: int) -> list[dict[str, Any]]:
    """Items of three overlapping rasters of one day, each with gaps, on one lattice."""
    items = []
    for number, (row, col) in enumerate(((0, 0), (7, 180), (150, 90))):
        values = noise(200, 200, seed=10 * day + number)
        values[np.random.default_rng(number).random(values.shape) < 0.2] = 0
        left, top = LEFT + CELL * col, TOP - CELL * row
        path = folder / f"t{number}_{day}.tif"
        href = write_tif(path, values, left=left, top=top, nodata=0, **BLOCKS)
        told = asset(href, values.shape, left=left, top=top, nodata=0, data_type="uint16")
        items.append(item(f"t{number}_{day}", date=f"2024-05-{day:02d}", red=told))
    return items


def job(runner: Runner, items: str, **keys: Any) -> dict[str, Any]:
    """A job of one band of some items, a layer for each day by default."""
    usual: dict[str, Any] = {
        "zones": {"path": squares(12, side=300.0), "id": "id"},
        "source": {"kind": "stac", "items": items},
        "bands": {"red": "red"},
        "measurements": None,
        "mask": None,
        "statistics": ["count", "mean", "min", "max", "n_nodata"],
        "group_by": None,
    }
    return usual | keys


def test_a_day_is_a_mosaic(runner: Runner) -> None:
    """As rasterio merges the files of a day, first valid value first, in the order of ids."""
    every = [one for day in (1, 2) for one in tiles(runner.folder, day)]
    items = write_items(runner.folder / "items.json", every[::-1])
    runner.run(**job(runner, items))
    rows = runner.results().table.to_pandas()
    rows = rows[rows["layer"].notna()]
    assert set(rows["layer"]) == {"2024-05-01", "2024-05-02"}
    assert not rows.duplicated(["zone_id", "layer"]).any()
    zones = squares(12, side=300.0)
    for day in (1, 2):
        hrefs = [one["assets"]["red"]["href"] for one in every if one["id"].endswith(f"_{day}")]
        merged = runner.folder / f"merged{day}.tif"
        rasterio.merge.merge(hrefs, method="first", nodata=0, dst_path=merged)
        wanted = zb.zonal_stats(zones, merged, stats=["count", "mean", "min", "max"], id="id")
        found = rows[rows["layer"] == f"2024-05-{day:02d}"].set_index("zone_id")
        there = wanted.loc[found.index]
        assert 100 < len(found) < 144  # some lie in the gaps between the tiles
        for name in ("count", "mean", "min", "max"):
            np.testing.assert_allclose(found[f"red_{name}"], there[name], rtol=1e-12)


def test_cutting_changes_no_bit(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that read only the scenes near their zones give what one part of all gives."""
    items = write_items(runner.folder / "items.json", tiles(runner.folder, 1))
    whole = runner.digest("whole", **job(runner, items))
    cut_small(monkeypatch)
    report = runner.run("cut", **job(runner, items))
    assert report.parts > 1
    assert runner.results("cut").digest == whole


def test_layers_say_what_each_was_read_from(runner: Runner) -> None:
    """A row for each band of each scene, and the items that were left aside for another."""
    one, *rest = tiles(runner.folder, 1)
    named = {"platform": "sentinel-2a", "s2:mgrs_tile": "31UES"}
    old = {**one, "id": "old", "properties": one["properties"] | named}
    new = {**one, "properties": {**old["properties"], "s2:processing_baseline": "05.00"}}
    items = write_items(runner.folder / "items.json", [old, new, *rest])
    report = runner.run(**job(runner, items))
    layers = pd.read_parquet(runner.folder / "out/layers.parquet")
    assert [list(items) for items in layers["items"]] == [["t0_1"], ["t1_1"], ["t2_1"]]
    assert [list(some) for some in layers["superseded"]] == [["old"], [], []]
    assert [note for note in report.notes if "later processing" in note]


def test_a_missing_file_of_a_day_loses_the_zones_that_need_it(runner: Runner) -> None:
    """Those that it reaches have no number; the failure names the file; all others have one."""
    items = tiles(runner.folder, 1)
    lost = Path(items[0]["assets"]["red"]["href"])
    path = write_items(runner.folder / "items.json", items)
    runner.run("whole", **job(runner, path))
    lost.unlink()
    report = runner.run("lost", **job(runner, path))
    whole = runner.results("whole").table.to_pandas().set_index("zone_id")
    found = runner.results("lost").table.to_pandas().set_index("zone_id")
    assert report.exit_code == 3
    failed = found["status"] == "failed"
    zones = squares(12, side=300.0).set_index("id")
    reached = zones.intersects(zones.geometry.union_all().envelope) & (
        (zones.bounds["minx"] < LEFT + 200 * CELL) & (zones.bounds["maxy"] > TOP - 200 * CELL)
    )
    assert failed.equals(reached.reindex(failed.index))
    assert found.loc[failed, NUMBERS[1:4]].isna().all(axis=None)
    pd.testing.assert_frame_equal(found.loc[~failed, NUMBERS], whole.loc[~failed, NUMBERS])
    failures = pd.read_parquet(runner.folder / "lost/failures.parquet")
    assert [Path(href).name for href in failures["href"].unique()] == [lost.name]


def test_same_day_pairs_that_share_no_lattice(runner: Runner, data_dir: Path) -> None:
    """Of Landsat's two rows of one day, each district is answered by the scene that holds most."""
    folder = data_dir / "timeseries/gdalcubes_L8NY18"
    items = geopandas.read_file(folder / "items.generated.json")
    source = {"kind": "stac", "items": str(folder / "items.generated.json")}
    districts = geopandas.read_file(folder / "nycd.gpkg")
    keys = {
        "zones": {"path": str(folder / "nycd.gpkg"), "densify": "none"},
        "bands": {"red": {"asset": "B5", "nodata": 0}},
        "source": source,
    }
    runner.run("items", **job(runner, "", **keys, group_by="item"))
    report = runner.run("days", **job(runner, "", **keys))
    alone = runner.results("items").table.to_pandas()
    found = runner.results("days").table.to_pandas()
    assert report.failures == 0
    assert not found.duplicated(["zone_id", "layer"]).any()
    alone["day"] = alone["datetime"].dt.date.astype(str)  # 15:40 UTC, five hours behind
    wanted = alone.loc[_answering(alone, districts, items)].set_index(["zone_id", "day"])
    found = found.set_index(["zone_id", "layer"])
    wanted.index.names = found.index.names
    assert sorted(found.index) == sorted(wanted.index)
    assert len(alone) > len(found)
    pd.testing.assert_frame_equal(found[NUMBERS], wanted.loc[found.index, NUMBERS])


def _answering(
    rows: pd.DataFrame, zones: geopandas.GeoDataFrame, items: geopandas.GeoDataFrame
) -> pd.Index[Any]:
    """Which row of each zone and day answers: by the largest share, ties by the least id."""
    zone = zones.geometry.to_crs(4326).make_valid().loc[rows["zone_id"]].to_numpy()
    scene = items.set_index("id").geometry.loc[rows["layer"]].to_numpy()
    within = shapely.area(shapely.intersection(zone, scene)) / shapely.area(zone)
    ranked = rows.assign(share=np.round(-within, 9)).sort_values(["share", "layer"])
    return ranked.drop_duplicates(["zone_id", "day"]).index


def test_layers_of_another_making_do_not_join_a_result(runner: Runner) -> None:
    """Days and items are not the same rows: the output says by what its layers were made."""
    items = write_items(runner.folder / "items.json", tiles(runner.folder, 1))
    runner.run(**job(runner, items))
    with pytest.raises(SchemaError, match="group_by: solar_day"):
        runner.run(**job(runner, items, group_by="item"))
