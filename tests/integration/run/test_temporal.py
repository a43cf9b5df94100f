"""Reductions over time, written when a run is sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.commands import Command
from tests.made.jobs import job_over
from tests.made.places import CELL, LEFT, TOP
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.runs import Runner, cut_small
from tests.made.zones import frame, squares
from tests.oracles import areas
from zonalbatch import api
from zonalbatch.errors import InputError, SchemaError, StatisticError
from zonalbatch.lattice import Lattice, Window
from zonalbatch.temporal import stretches

DATES = ("20231229", "20231231", "20240101", "20240131", "20240201")
SIZE = 120
MOMENTS = ["mean", "std", "min", "max", "count", "sum", "n_total", "n_nodata"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NDArray[np.uint16]]:
    """Path -> values of five dates around the turn of a year, 0 where there are no data."""
    folder = tmp_path_factory.mktemp("scenes")
    made = {}
    for seed, date in enumerate(DATES):
        values = (noise(SIZE, SIZE, seed=seed) // 50).astype("uint16")
        values[seed::9] = 0
        if seed == 4:
            values[:40] = 0
        made[write_tif(folder / f"a_{date}.tif", values, nodata=0, tiled=True)] = values
    return made


@pytest.fixture(scope="module")
def zones() -> geopandas.GeoDataFrame:
    """Nine squares on odd edges, and one that no scene shows."""
    far = frame(shapely.box(9e5, 9e5, 9e5 + 50, 9e5 + 50), id=[99], crop=["none"])
    return pd.concat([squares(3, side=303.7), far], ignore_index=True)


class Yearly:
    """Runs of one job that tells of time."""

    def __init__(self, runner: Runner, zones: Any, scenes: dict[str, Any]) -> None:
        self.runner, self.zones, self.scenes = runner, zones, scenes

    def job(self, out: str = "out", **changes: Any) -> zb.Job:
        """The job, with changes."""
        files = list(self.scenes)
        source = {"kind": "cog", "files": files, "datetime_pattern": "a_%Y%m%d"}
        temporal = {"every": "month", "statistics": MOMENTS}
        keys = {"source": source, "statistics": ["mean"], "temporal": temporal} | changes
        return job_over(self.zones, files, self.runner.folder / out, **keys)

    def run(self, out: str = "out", **changes: Any) -> zb.Results:
        """The result of the job."""
        zb.run(self.job(out, **changes), self.runner.client)
        return zb.open_results(self.runner.folder / out)


@pytest.fixture
def yearly(runner: Runner, zones: Any, scenes: dict[str, Any]) -> Yearly:
    """The job, not yet run."""
    return Yearly(runner, zones, scenes)


def cells_of(
    shape: shapely.Geometry, values: list[NDArray[np.uint16]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and shares of all valid cells of several dates, by shapely."""
    lattice = Lattice("EPSG:32631", CELL, CELL, LEFT, TOP)
    share = areas(shape, lattice, Window(0, 0, SIZE, SIZE))
    some = [(one[one > 0], share[one > 0]) for one in values]
    value, weight = (np.concatenate(parts) for parts in zip(*some, strict=True))
    return value.astype(float)[weight > 1e-9], weight[weight > 1e-9]


def by_hand(value: NDArray[np.float64], weight: NDArray[np.float64]) -> dict[str, float | None]:
    """Statistics of weighted values, two passes."""
    if not len(value):
        return dict.fromkeys(("mean", "std", "skew", "min", "max", "sum")) | {"count": 0.0}
    mean = np.average(value, weights=weight)
    std = np.sqrt(np.average((value - mean) ** 2, weights=weight))
    skew = np.average(((value - mean) / std) ** 3, weights=weight)
    return {
        "mean": mean, "std": std, "skew": skew, "min": value.min(), "max": value.max(),
        "count": weight.sum(), "sum": (value * weight).sum(),
    }  # fmt: skip


def told(found: pd.DataFrame) -> Any:
    """Rows over time by zone and month."""
    month = found["datetime"].dt.strftime("%Y-%m")
    return found.assign(month=month).set_index(["zone_id", "month"])


def times(results: zb.Results) -> dict[Path, int]:
    """When each file over time was written."""
    return {
        f: f.stat().st_mtime_ns for f in (Path(results.path) / "temporal").glob("part-*.parquet")
    }


class TestNumbers:
    """What is told of the dates of a period."""

    def test_all_cells_of_all_dates(self, yearly: Yearly) -> None:
        """Moments and extremes are those of all valid cells of a month's dates together."""
        temporal = {"every": "month", "statistics": [*MOMENTS, "skew"]}
        rows = told(yearly.run(temporal=temporal).temporal).to_dict("index")
        months: dict[str, list[NDArray[np.uint16]]] = {}
        for path, values in yearly.scenes.items():
            months.setdefault(f"{path[-12:-8]}-{path[-8:-6]}", []).append(values)
        assert sorted(months) == ["2023-12", "2024-01", "2024-02"]
        for zone, shape in enumerate(yearly.zones.geometry[:9]):
            for month, values in months.items():
                row = rows[zone, month]
                assert row["n_layers"] == len(values)
                for name, expected in by_hand(*cells_of(shape, values)).items():
                    said = row[f"red_{name}"]
                    if expected is None:
                        assert np.isnan(said), name
                    else:
                        assert said == pytest.approx(expected, rel=1e-9, abs=1e-9), name
                area = shape.area / CELL**2 * len(values)
                assert row["red_n_total"] == pytest.approx(area, rel=1e-9)
                assert row["status"] == ("ok" if row["red_count"] else "empty")

    def test_which_rows_there_are(self, yearly: Yearly) -> None:
        """A row for each zone and period with a layer; one without a time where there is none."""
        results = yearly.run()
        found = results.temporal
        names = [f"red_{name}" for name in MOMENTS]
        assert list(found) == [
            "zone_id", "crop", "datetime", "datetime_end", "n_layers", *names, "status", "geometry",
        ]  # fmt: skip
        assert found["zone_id"].tolist() == [*np.repeat(np.arange(9), 3), 99]
        far = found.iloc[-1]
        assert far["status"] == "empty"
        assert far[["datetime", "datetime_end", "n_layers", "red_mean"]].isna().all()
        starts = found["datetime"].dt.strftime("%Y-%m-%d").iloc[:3].tolist()
        ends = found["datetime_end"].dt.strftime("%Y-%m-%d").iloc[:3].tolist()
        assert starts == ["2023-12-01", "2024-01-01", "2024-02-01"]
        assert ends == ["2024-01-01", "2024-02-01", "2024-03-01"]
        assert found.geometry.iloc[0].equals(yearly.zones.geometry[0])
        assert results.table.column_names == [
            "zone_id", "crop", "datetime", "layer", "red_mean", "status", "geometry", "bbox",
        ]  # fmt: skip
        read = geopandas.read_parquet(Path(results.path) / "temporal")
        assert (len(read), read.crs) == (28, found.crs)

    def test_quantiles_and_classes(self, yearly: Yearly) -> None:
        """Quantiles lie within a sketch's error of the values'; classes and areas are exact."""
        temporal = {"every": "year", "statistics": ["median", "variety", "class_area", "frac"]}
        found = yearly.run(
            temporal=temporal, classes=[7, 8], statistics=["frac"]
        ).temporal.set_index(["zone_id", "datetime"])
        values = list(yearly.scenes.values())
        for zone, shape in enumerate(yearly.zones.geometry[:9]):
            for row, some in zip(
                found.loc[zone].itertuples(), (values[:2], values[2:]), strict=True
            ):
                value, weight = cells_of(shape, some)
                order = np.argsort(value)
                half = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
                assert row.red_median == pytest.approx(value[order][half], rel=2**-8)
                assert row.red_variety == len(np.unique(value))
                share = weight[value == 7].sum() / weight.sum()
                assert row.red_frac_7 == pytest.approx(share, abs=1e-6)
                cells = shape.area / CELL**2 * len(some)
                area = row.red_class_area_7 / (weight[value == 7].sum() / cells)
                assert area == pytest.approx(shape.area, rel=2e-3)  # on the ellipsoid
                assert row.approximate

    def test_what_could_not_be_read(self, yearly: Yearly, tmp_path: Path) -> None:
        """A period with a cell that could not be read has no number, as a row has none."""
        files = [
            write_tif(tmp_path / f"a_{date}.tif", noise(64, 64), **BLOCKS)
            for date in ("20240105", "20240205")
        ]
        spoil(files[1], (1, 1))
        yearly.zones = squares(2, side=320.0)
        yearly.scenes = dict.fromkeys(files)
        found = told(yearly.run(temporal="month").temporal)
        assert found["status"].tolist() == ["ok"] * 7 + ["failed"]
        assert found["red_mean"].isna().tolist() == [False] * 7 + [True]
        assert "red_std" not in found

    def test_layers_of_several_scenes(self, yearly: Yearly, tmp_path: Path) -> None:
        """Scenes of one time are one layer of a period, with the cells of all of them."""
        west, east = noise(SIZE, SIZE // 2), noise(SIZE, SIZE // 2, seed=1)
        files = [
            write_tif(tmp_path / f"{name}_20240131.tif", values, left=left)
            for name, values, left in (
                ("w", west, LEFT),
                ("e", east, LEFT + CELL * SIZE / 2),
            )
        ]
        source = {"kind": "cog", "files": files, "datetime_pattern": "%Y%m%d"}
        found = yearly.run(source=source, group_by="datetime").temporal
        assert found["n_layers"].dropna().tolist() == [1] * 9
        both = np.column_stack([west, east])
        for row, shape in zip(found.itertuples(), yearly.zones.geometry[:9], strict=False):
            expected = by_hand(*cells_of(shape, [both]))
            assert row.red_mean == pytest.approx(expected["mean"], rel=1e-9)

    def test_roll_up_of_the_same_states(self, yearly: Yearly) -> None:
        """What rows keep for one period can be rolled up to any other; the table is the roll-up."""
        results = yearly.run()
        found = results.rollup(every="month", stats=MOMENTS)
        own = results.temporal
        for name in MOMENTS:
            np.testing.assert_array_equal(found[f"red_{name}"], own[f"red_{name}"])
        assert results.rollup(every="10d", stats="max")["red_max"].notna().sum() > 9


class TestAgain:
    """Second runs, and runs that were stopped."""

    def test_nothing_is_done_twice(self, yearly: Yearly, tmp_path: Path) -> None:
        """A second run writes nothing anew; one with a part less does that part and its zones."""
        values = noise(400, 400).astype("uint16")
        dates = ("20230601", "20240601")
        yearly.scenes = {write_tif(tmp_path / f"a_{d}.tif", values): values for d in dates}
        yearly.zones = squares(8, side=500.0)  # on several cells of the partition
        results = yearly.run()
        first, files = results.temporal, times(results)
        assert len(files) > 1
        assert zb.run(yearly.job(), yearly.runner.client).computed == 0
        assert times(results) == files
        Path(results.files[0]).unlink()
        assert zb.run(yearly.job(), yearly.runner.client).computed == 1
        kept = files.items() & times(results).items()
        assert (len(kept), len(times(results))) == (len(files) - 1, len(files))
        pd.testing.assert_frame_equal(zb.open_results(results.path).temporal, first)

    def test_stopped_before_the_seal(self, yearly: Yearly, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run that ends before its seal has no table; the next makes it without a pixel."""

        def stop(*_: Any) -> Iterator[None]:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(api, "seal", stop)
            with pytest.raises(KeyboardInterrupt):
                yearly.run()
        report = zb.run(yearly.job(), yearly.runner.client)
        assert report.computed == 0
        found = zb.open_results(report.output).temporal
        pd.testing.assert_frame_equal(found, yearly.run("whole").temporal)

    def test_however_it_is_cut(self, yearly: Yearly, monkeypatch: pytest.MonkeyPatch) -> None:
        """Small parts, few rows at once, zones by turns: the same bits."""
        keys: dict[str, Any] = {
            "temporal": {"every": "quarter", "statistics": ["mean", "std", "p90"]}
        }
        whole = yearly.run(**keys).temporal
        cut_small(monkeypatch, 12)
        monkeypatch.setattr(stretches, "AT_ONCE", 5)
        monkeypatch.setattr(stretches, "MEMORY", 10_000)
        pd.testing.assert_frame_equal(yearly.run("cut", **keys).temporal, whole, check_exact=True)

    def test_other_times_of_the_same_rows(self, yearly: Yearly) -> None:
        """Another period, or statistics of the same states, need no pixel; others are refused."""
        yearly.run()
        season = {"every": "season", "statistics": ["max"]}
        report = zb.run(yearly.job(temporal=season), yearly.runner.client)
        assert report.computed == 0
        found = zb.open_results(report.output).temporal
        assert found["datetime"].dropna().dt.strftime("%Y-%m").unique().tolist() == ["2023-12"]
        median = {"every": "month", "statistics": ["median"]}
        with pytest.raises(SchemaError, match=r"another job \(temporal differs\)"):
            yearly.run(temporal=median)

    def test_rows_are_those_without(self, yearly: Yearly) -> None:
        """A job's rows are the same, whether it tells of time or not; states are hidden."""
        there, without = yearly.run().table, yearly.run("without", temporal=None)
        order = [("zone_id", "ascending"), ("layer", "ascending")]
        assert there.sort_by(order).equals(without.table.sort_by(order))
        with pytest.raises(InputError, match="tells nothing over time; write temporal"):
            _ = without.temporal
        assert not (Path(without.path) / "temporal").exists()

    def test_no_longer_asked_for(self, yearly: Yearly) -> None:
        """A table that a job with its states kept no longer asks for goes away."""
        results = yearly.run(sketch=True)
        assert (Path(results.path) / "temporal").exists()
        report = zb.run(yearly.job(sketch=True, temporal=None), yearly.runner.client)
        assert report.computed == 0
        assert not (Path(results.path) / "temporal").exists()


class TestRefusal:
    """What cannot be told over time is refused before a pixel is read."""

    def test_undated(self, yearly: Yearly) -> None:
        """Layers without a time belong to no month."""
        source = {"kind": "cog", "files": list(yearly.scenes)}
        with pytest.raises(InputError, match=r"layer 'a_20231229' and 4 more has no time; give"):
            yearly.run(source=source)
        assert not (yearly.runner.folder / "out").exists()

    @pytest.mark.parametrize(
        ("changes", "error", "match"),
        [
            ({"temporal": {"every": "month", "statistics": ["min_x"]}}, StatisticError,
             r"'min_x' cannot be rolled up.*by temporal.statistics: count"),
            ({"temporal": "month", "statistics": ["min_x"]}, StatisticError, "'min_x' cannot be"),
            ({"output": {"path": "long", "layout": "long"}}, SchemaError, "temporal keeps states"),
            ({"weight_by": "area"}, InputError, "temporal keeps states of plain shares"),
        ],
    )  # fmt: skip
    def test_reasons(
        self, yearly: Yearly, changes: Any, error: type[Exception], match: str
    ) -> None:
        """Statistics that cannot be put together, long rows, averages by area."""
        with pytest.raises(error, match=match):
            yearly.run(**changes)

    def test_names(self, yearly: Yearly) -> None:
        """A zones' column may not have the name of a column over time."""
        yearly.zones = yearly.zones.assign(n_layers=1)
        with pytest.raises(SchemaError, match="two result columns would be named 'n_layers'"):
            yearly.run()


def test_status(yearly: Yearly, here: Command) -> None:
    """status and the manifest say how many rows there are over time."""
    results = yearly.run()
    code, text, _ = here("status", results.path)
    assert code == 0
    assert "  temporal  28 rows over time\n" in text
    manifest = json.loads((Path(results.path) / "manifest.json").read_text())
    assert manifest["sealed"]["temporal"] == {"every": "month", "statistics": MOMENTS, "rows": 28}
    geo = [pq.read_metadata(f).metadata for f in (Path(results.path) / "temporal").glob("part-*")]
    assert all(b"geo" in metadata for metadata in geo)
