"""What a run wrote, as selections, series and cubes; the rows themselves say what is right."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xvec  # noqa: F401

import zonalbatch as zb
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.series import BLOCK, SIDE, series
from zonalbatch.errors import InputError, OutputError

DATES = 5
CELLS = SIDE * BLOCK


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of five months over sixteen zones: wide, long, and of a raster without a date."""
    made = tmp_path_factory.mktemp("months")
    with series(made) as months:
        dates = [months.date(number) for number in range(DATES)]
        zones = months.zones()
        asked: dict[str, Any] = {
            "measurements": {"red": "red", "twice": "red * 2"},
            "statistics": ["count", "n_total", "mean", "p90", "frac"],
        }
        months.run(zones, dates, **asked, output={"path": str(made / "wide")})
        asked["statistics"].remove("frac")  # lists are no numbers of long rows
        months.run(zones, dates, **asked, output={"path": str(made / "long"), "layout": "long"})
        cells = noise(CELLS, CELLS, seed=7)
        cells[:BLOCK] = 0
        write_tif(made / "still.tif", cells, nodata=0, **BLOCKS)
        still = {"kind": "cog", "files": [str(made / "still.tif")]}
        months.run(zones, [], source=still, output={"path": str(made / "still")})
    return made


@pytest.fixture(params=["wide", "long"])
def results(folder: Path, request: pytest.FixtureRequest) -> zb.Results:
    """The same numbers in both layouts."""
    return zb.open_results(folder / request.param)


def told(folder: Path, column: str) -> pd.DataFrame:
    """A column over time and zones, by pandas, of the wide rows."""
    rows = zb.open_results(folder / "wide").gdf
    times = rows["datetime"].dt.tz_localize(None)
    return rows.assign(datetime=times).pivot(index="datetime", columns="zone_id", values=column)


def test_columns(results: zb.Results) -> None:
    """What was measured, and which of it are numbers."""
    found = {(one.name, one.measurement, one.statistic) for one in results.columns if one.number}
    assert found == {
        (f"{m}_{s}", m, s) for m in ("red", "twice") for s in ("count", "n_total", "mean", "p90")
    }


def test_series(results: zb.Results, folder: Path) -> None:
    """A row for each date and a column for each zone, in order."""
    for column in ("red_mean", "twice_p90"):
        pd.testing.assert_frame_equal(
            results.pivot(column), told(folder, column), check_names=True, check_freq=False,
            check_index_type=False, check_column_type=False,
        )  # fmt: skip
    one = results.series(3, "red_mean")
    assert one.column == "red_mean"
    assert list(one.frame) == [3]
    assert np.array_equal(one.frame[3], told(folder, "red_mean")[3])
    share = told(folder, "red_count") / told(folder, "red_n_total")
    assert np.array_equal(results.series(column="red_mean").seen, share)
    assert list(results.series([5, 2], "red_mean").frame) == [2, 5]
    assert list(results.select(zones=[5]).series("5", "red_mean").frame) == [5]
    assert list(results.to_xarray("red_mean")) == ["red_mean", "status"]
    assert results.smooth("red_mean", "median").frame.shape == (DATES, SIDE**2)


def test_selections(results: zb.Results, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of some zones, times and measurements; columns that are not asked for are not read."""
    some = results.select(zones=[1, 4], time="2020-02/2020-04", measurements="twice")
    assert repr(some) == (f"Selection of {results.path}: 2 zones, 2020-02-01 to 2020-04-30, twice")
    for day in (dt.date(2020, 2, 1), np.datetime64("2020-02-01"), pd.Timestamp("2020-02-01")):
        assert len(results.select(zones=1, time=day).pivot("red_mean")) == 1
    assert set(some.gdf["zone_id"]) == {1, 4}
    assert set(some.gdf["datetime"].dt.month) == {2, 3, 4}
    assert {one.measurement for one in some.columns} == {"twice"}
    assert some.zones["zone_id"].tolist() == [1, 4]
    expected = told(folder, "twice_mean").loc["2020-02":"2020-04", [1, 4]]  # type: ignore[misc]
    assert np.array_equal(some.pivot("twice_mean"), expected)
    assert list(some.series(4, "twice_mean").frame) == [4]
    with pytest.raises(InputError, match="zone 2 was not selected"):
        some.series(2, "twice_mean")
    with pytest.raises(InputError, match="'red_mean'"):
        some.pivot("red_mean")
    asked = list[Any]()
    whole = pq.read_table

    def noted(*place: Any, **how: Any) -> Any:
        asked.append(how["columns"])
        return whole(*place, **how)

    monkeypatch.setattr(pq, "read_table", noted)
    zb.open_results(folder / "wide").select(zones=1).pivot("red_mean")
    read = set().union(*filter(None, asked))
    assert read - {"id"} == {
        "zone_id", "geometry", "datetime", "layer", "status", "red_mean", "red_count", "red_n_total"
    }  # fmt: skip


def test_cubes(results: zb.Results, folder: Path) -> None:
    """By zone and time, found by id and by place."""
    cube = results.to_xarray(["red_mean", "twice_p90"])
    assert dict(cube.sizes) == {"geometry": SIDE**2, "time": DATES}
    assert np.array_equal(cube["red_mean"].T, told(folder, "red_mean"))
    assert np.array_equal(cube["twice_p90"].T, told(folder, "twice_p90"))
    assert (cube["status"] == "ok").all()
    shapes = results.zones
    inside = shapes.geometry[shapes["zone_id"] == 6].iloc[0].centroid
    there = cube.xvec.query("geometry", inside)
    assert there["zone_id"].to_numpy().tolist() == [6]
    assert np.array_equal(cube["red_mean"].sel(zone_id=6), told(folder, "red_mean")[6])
    assert cube.xindexes["geometry"].crs == shapes.crs  # type: ignore[attr-defined]
    every = results.to_xarray()
    assert set(every) == {"status", *(one.name for one in results.columns if one.number)}


def test_what_has_no_dates(folder: Path) -> None:
    """Its cube is by layer, and it has no series; the mean is the column that is meant."""
    still = zb.open_results(folder / "still")
    cube = still.to_xarray()
    assert dict(cube.sizes) == {"geometry": SIDE**2, "layer": 1}
    assert cube["status"][:SIDE, 0].to_numpy().tolist() == ["empty"] * SIDE
    assert cube["red_mean"][:SIDE].isnull().all()
    rows = still.gdf.set_index("zone_id")["red_mean"]
    assert np.array_equal(cube["red_mean"][:, 0], rows, equal_nan=True)
    with pytest.raises(InputError, match="red_mean has no dates"):
        still.series()


EAST, WEST = slice(CELLS // 2, None), slice(0, CELLS // 2 + 8)
"""Columns of two tiles that overlap."""


def tiles(folder: Path, columns: dict[str, slice]) -> dict[str, Any]:
    """A source of tiles by name, each of which has values in some columns."""
    for seed, (name, there) in enumerate(columns.items()):
        cells = np.zeros((CELLS, CELLS), "uint16")
        cells[:, there] = noise(CELLS, CELLS, seed=seed)[:, there]
        write_tif(folder / f"{name}.tif", cells, nodata=0, **BLOCKS)
    files = [str(folder / f"{name}.tif") for name in columns]
    return {"kind": "cog", "files": files, "datetime_pattern": "%Y%m%d"}


def test_of_layers_of_one_time_the_one_that_saw_most(tmp_path: Path) -> None:
    """Two tiles of a day: each zone's value is that of the tile that shows more of it."""
    with series(tmp_path) as months:
        source = tiles(tmp_path, {"a_20200101": EAST, "b_20200101": WEST})
        months.run(
            months.zones(), [], source=source, group_by="item",
            statistics=["mean", "count", "n_total"], output={"path": str(tmp_path / "out")},
        )  # fmt: skip
    results = zb.open_results(tmp_path / "out")
    best = results.gdf.sort_values("red_count").groupby("zone_id").tail(1).set_index("zone_id")
    found = results.pivot()
    assert len(results.gdf) == 2 * SIDE**2
    assert len(found) == 1
    assert np.array_equal(found.iloc[0], best["red_mean"].sort_index())


def test_what_was_seen_is_told_by_either_statistic(tmp_path: Path) -> None:
    """By valid_fraction as by count and n_total; nothing of an empty row; the best of two tiles."""
    with series(tmp_path) as months:
        source = tiles(tmp_path, {"a_20200101": EAST, "b_20200101": WEST, "c_20200201": WEST})
        for out, statistics in (("x", ["valid_fraction"]), ("y", ["count", "n_total"])):
            months.run(
                months.zones(), [], source=source, group_by="item",
                statistics=["mean", *statistics], output={"path": str(tmp_path / out)},
            )  # fmt: skip
    x, y = (zb.open_results(tmp_path / out).series(column="red_mean") for out in ("x", "y"))
    np.testing.assert_allclose(x.seen, y.seen, atol=1e-12)
    assert x.frame.equals(y.frame)
    assert sorted(set(x.seen.iloc[1].round(6))) == [0, 0.1875, 1]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda r: r.to_xarray("n"), "no column of numbers 'n'"),
        (lambda r: r.to_xarray(3), "no column of numbers 3"),
        (lambda r: r.select(measurements=3), "are no names"),
        (lambda r: r.select(time=3.5), "is not understood"),
        (lambda r: r.read(["nope"]), "nope"),
        (lambda r: zb.open_results(None), "is no output of a run"),  # type: ignore[arg-type]
        (lambda r: r.phenology("red_mean", threshold="0.5"), "between 0 and 1"),
        (lambda r: r.smooth("red_mean", ["savgol"]), "use whittaker, savgol, median"),
        (lambda r: r.smooth("red_mean", order=0.5), "give 1, 2 or 3"),
        (lambda r: r.anomaly("red_mean", by=["month"]), "use month, week, season"),
        (lambda r: r.pivot(), "say which column, such as red_mean, twice_mean"),
        (lambda r: r.pivot("red_men"), "did you mean 'red_mean'"),
        (lambda r: r.pivot("red"), "no column of numbers 'red'"),
        (lambda r: r.series(99, "red_mean"), "no zone 99 in the result, which has"),
        (lambda r: r.series("x", "red_mean"), "no ids of zones"),
        (lambda r: r.select(measurements="rd"), "did you mean 'red'"),
        (lambda r: r.select(time="someday"), "is not understood"),
        (lambda r: r.select(zones=[1, 77]), "no zone 77"),
        (lambda r: r.anomaly("red_mean"), "take more dates"),
    ],
)
def test_what_makes_no_sense(results: zb.Results, ask: Any, said: str) -> None:
    """One sentence that says what there is."""
    with pytest.raises(InputError, match=said):
        ask(results)


def test_a_run_that_has_not_ended(folder: Path, tmp_path: Path) -> None:
    """Its zones are written at the end."""
    with series(tmp_path) as months:
        zones: geopandas.GeoDataFrame = months.zones()
        months.run(zones, [months.date(0)], output={"path": str(tmp_path / "out")})
    (tmp_path / "out" / "zones.parquet").unlink()
    with pytest.raises(OutputError, match="has not ended"):
        zb.open_results(tmp_path / "out").pivot()
