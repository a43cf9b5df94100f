"""Functions as statistics of jobs: on workers, from job files, and when a run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

import zonalbatch as zb
from tests.made.places import LEFT, TOP
from tests.made.rasters import noise, write_tif
from tests.made.zones import frame
from zonalbatch.errors import JobError, SchemaError, StatisticError
from zonalbatch.job import Job

if TYPE_CHECKING:
    from distributed import Client

CODE = '''
def spread(values, fractions):
    """Half of the range, by a function beside it."""
    return half(values.max() - values.min())


def half(value):
    return value / 2


spread.version = "1"
'''

JOB = """
zones: {path: zones.parquet, id: field}
source: {kind: cog, files: [r.tif]}
bands: {red: 1}
statistics: [range, "spreads:spread"]
output: {path: out}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A raster, three zones, a module and a job."""
    write_tif(tmp_path / "r.tif", noise(40, 40), nodata=0)
    shapes = [shapely.box(LEFT + i, TOP - i - 95, LEFT + i + 95, TOP - i) for i in (0, 50, 100)]
    frame(*shapes, field=["a", "b", "c"]).to_parquet(tmp_path / "zones.parquet")
    (tmp_path / "spreads.py").write_text(CODE)
    (tmp_path / "job.yaml").write_text(JOB)
    return tmp_path


def job(folder: Path, *statistics: Any, out: str = "out") -> Job:
    """A job with functions, from Python."""
    return Job(
        zones={"path": str(folder / "zones.parquet"), "id": "field"},
        source={"kind": "cog", "files": [str(folder / "r.tif")]},
        bands={"red": 1}, statistics=statistics, output={"path": str(folder / out)},
    )  # fmt: skip


def adding(what: float, version: str | None = None) -> Callable[..., float]:
    """A function that no module has."""

    def added(values: Any, fractions: Any) -> float:
        return float(np.sum(values)) + what

    if version is not None:
        added.version = version  # type: ignore[attr-defined]
    return added


class TestRoom:
    """Cells wait for functions until their zones are whole."""

    def test_a_job_without_room(self, folder: Path, cluster: Client) -> None:
        """It ends with the zone, the cells and what to do, before a pixel is read; no row is null.

        With more memory it goes on where it was.
        """
        document = dict(job(folder, "mean", adding(1.0, "1")))
        small = Job(**document | {"limits": {"memory": "20kB"}})
        said = "on zone '[abc]' 100 cells would be kept, in 0.0162 MiB.* raise limits.memory"
        with pytest.raises(StatisticError, match=said):
            zb.run(small, cluster)
        assert not list((folder / "out" / "results").glob("part-*.parquet"))
        zb.run(Job(**document | {"limits": {"memory": "500kB"}}), cluster)
        rows = zb.open_results(folder / "out").gdf
        assert rows["red_added"].notna().all()


class TestJobFiles:
    """module:function."""

    def test_runs_where_code_is_allowed(self, folder: Path, cluster: Client) -> None:
        """A module beside the job travels to the workers."""
        report = zb.run(Job.from_file(folder / "job.yaml", allow_code=True), cluster)
        assert report.exit_code == 0
        found = zb.open_results(folder / "out").gdf
        assert np.array_equal(found["red_spread"], found["red_range"] / 2)
        assert "spreads:spread" in (folder / "out" / "job.yaml").read_text()

    def test_refused_elsewhere(self, folder: Path) -> None:
        """Code of a file is not run unless the user says so."""
        with pytest.raises(JobError, match="--allow-code"):
            Job.from_file(folder / "job.yaml")

    @pytest.mark.parametrize(
        ("name", "problem"), [("spreads:wide", "has no function"), ("nowhere:f", "cannot be imp")]
    )
    def test_not_there(self, folder: Path, name: str, problem: str) -> None:
        """The problem names the module."""
        (folder / "job.yaml").write_text(JOB.replace("spreads:spread", name))
        with pytest.raises(JobError, match=problem):
            Job.from_file(folder / "job.yaml", allow_code=True)


class TestAgain:
    """A second run into the same output."""

    def test_a_version_is_reused(self, folder: Path, cluster: Client) -> None:
        """The same name, place and version stand for the same results."""
        zb.run(job(folder, adding(1, "1")), cluster)
        again = zb.run(job(folder, adding(1, "1")), cluster)
        assert again.computed == 0

    def test_another_version_is_another_job(self, folder: Path, cluster: Client) -> None:
        """Results of one version are not those of another."""
        zb.run(job(folder, adding(1, "1")), cluster)
        with pytest.raises(SchemaError, match=r"another job \(statistics differs\)"):
            zb.run(job(folder, adding(2, "2")), cluster)

    def test_without_a_version_nothing_is_reused(self, folder: Path, cluster: Client) -> None:
        """Nobody knows whether it is the same function."""
        told = zb.run(job(folder, adding(1)), cluster).notes
        assert told == (
            'added has no version, so that no run can go on; write added.version = "1"',
        )
        with pytest.raises(SchemaError, match="added has no version"):
            zb.run(job(folder, adding(1)), cluster)


class TestWorkers:
    """What goes wrong on the way to a worker, or there."""

    def test_closures_travel(self, folder: Path, cluster: Client) -> None:
        """A function of a function goes with what it holds."""
        zb.run(job(folder, "sum", adding(5)), cluster)
        found = zb.open_results(folder / "out").gdf
        counted = zb.zonal_stats(str(folder / "zones.parquet"), str(folder / "r.tif"), adding(5))
        assert np.array_equal(found["red_added"], counted["added"])

    def test_what_cannot_travel(self, folder: Path, cluster: Client) -> None:
        """It is refused before anything is computed."""
        lock = threading.Lock()

        def locked(values: Any, fractions: Any) -> float:
            with lock:
                return 1.0

        with pytest.raises(StatisticError, match="locked cannot be sent to workers"):
            zb.run(job(folder, locked), cluster)

    def test_a_failure_names_the_zone(self, folder: Path, cluster: Client) -> None:
        """An error on a worker comes back with the zone's id."""

        def fails(values: Any, fractions: Any) -> float:
            raise ValueError("no idea")

        with pytest.raises(StatisticError, match=r"fails failed .*no idea\) on zone '[abc]'"):
            zb.run(job(folder, fails), cluster)
