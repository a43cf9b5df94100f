"""Workers that die or lack memory: their parts are done all the same, with the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.mortal import Fates
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares
from zonalbatch.engine import losses
from zonalbatch.errors import ClusterError, PermanentReadError

NINE = squares(3, side=320)
"""Zones that fill the rasters."""

YEARS = 4
"""Layers, each of them a part of nine rows."""


def job(folder: Path, out: str = "out", **keys: object) -> zb.Job:
    """A job of one part for each year."""
    files = [
        write_tif(folder / f"s_{year}.tif", noise(96, 96, seed=year))
        for year in range(2020, 2020 + YEARS)
    ]
    source = {"kind": "cog", "files": files, "datetime_pattern": "%Y"}
    return job_over(NINE, files, folder / out, source=source, **keys)


@pytest.fixture
def digest(tmp_path: Path, fates: Fates) -> str:
    """Of the rows that a run leaves to whom nothing happens."""
    zb.run(job(tmp_path, "sound"), fates.client)
    return zb.open_results(tmp_path / "sound").digest


def test_a_lost_worker_costs_a_retry(tmp_path: Path, fates: Fates, digest: str) -> None:
    """Whoever dies once, or twice, the run ends well and its plan stays."""
    fates.strike(times=2)
    report = zb.run(job(tmp_path), fates.client)
    assert (report.exit_code, report.parts, report.rows) == (0, YEARS, 9 * YEARS)
    assert len(fates.struck) == 2
    assert zb.open_results(report.output).digest == digest


def test_who_dies_after_writing_has_written(tmp_path: Path, fates: Fates, digest: str) -> None:
    """A part whose file is there with its receipt is done, though its worker never told."""
    fates.strike(times=1, moment="written")
    report = zb.run(job(tmp_path), fates.client)
    assert (report.exit_code, report.computed) == (0, YEARS)
    assert len({name for _, name, _ in fates.struck}) == len(fates.struck) == 1
    assert zb.open_results(report.output).digest == digest


@pytest.mark.parametrize("above", [4, 1])
def test_without_memory_parts_are_halved(
    tmp_path: Path, fates: Fates, digest: str, above: int
) -> None:
    """Parts that are too large are halved until they fit; no number changes, none is tried twice.

    Halves are of the plan from then on: status knows them, and a further run does nothing.
    """
    fates.strike("memory", above=above)
    report = zb.run(job(tmp_path), fates.client)
    assert (report.exit_code, report.rows) == (0, 9 * YEARS)
    assert report.parts > YEARS
    results = zb.open_results(report.output)
    assert results.digest == digest
    assert len({name for _, name, _ in fates.struck}) == len(fates.struck)
    stored = pq.read_table(next((tmp_path / "out" / "plan").glob("*/parts.parquet")))
    assert stored.num_rows == report.parts == len(results.files)
    again = zb.run(job(tmp_path), fates.client)
    assert (again.computed, again.parts, again.rows) == (0, report.parts, report.rows)


@pytest.mark.long
def test_what_kills_its_worker_alone_is_halved(
    tmp_path: Path, fates: Fates, digest: str, told: Any
) -> None:
    """Three deaths, the last alone, halve a part; a half that kills again is halved at once."""
    fates.strike(above=4)
    few = squares(3, side=320)
    files = [write_tif(tmp_path / "one.tif", noise(96, 96))]
    sound = zb.run(job_over(few.head(4), files, tmp_path / "four"), fates.client)
    assert sound.parts == 1
    report = zb.run(job_over(few, files, tmp_path / "nine"), fates.client, told)
    assert (report.exit_code, report.rows) == (0, 9)
    sizes = [pairs for _, _, pairs in fates.struck]
    assert sizes == [9, 9, 9, 5]
    assert report.parts == told.parts == 3
    assert sum(text.startswith("halved: ") for text in told.texts) == 2


def test_layers_are_halved_where_there_is_one_zone(tmp_path: Path, fates: Fates) -> None:
    """A part of one zone is halved by its layers, which keep their scenes."""
    files = [write_tif(tmp_path / f"{i}.tif", noise(96, 96, seed=i)) for i in range(5)]
    sound = zb.run(job_over(NINE.head(1), files, tmp_path / "sound"), fates.client)
    assert sound.parts == 1
    fates.strike("memory", above=1)
    report = zb.run(job_over(NINE.head(1), files, tmp_path / "out"), fates.client)
    assert (report.parts, report.rows) == (5, 5)
    digests = {zb.open_results(one.output).digest for one in (sound, report)}
    assert len(digests) == 1


def test_what_cannot_be_halved_is_recorded(tmp_path: Path, fates: Fates) -> None:
    """A zone and a layer that no worker can do make a failed row and a failure, for good."""
    files = [write_tif(tmp_path / "one.tif", noise(96, 96))]
    lists = ["mean", "unique"]
    fates.strike("memory")
    one = job_over(NINE.head(2), files, tmp_path / "out", statistics=lists)
    report = zb.run(one, fates.client)
    assert (report.exit_code, report.rows, report.parts) == (3, 2, 2)
    frame = zb.open_results(report.output).gdf
    assert set(frame["status"]) == {"failed"}
    assert frame["red_mean"].isna().all()
    assert frame["red_unique"].isna().all()
    failures = pd.read_parquet(tmp_path / "out" / "failures.parquet")
    assert failures["permanent"].all()
    assert failures["cause"].str.contains("limits.memory").all()
    fates.spare()
    assert zb.run(one, fates.client).computed == 0


def test_what_cannot_be_halved_ends_a_strict_run(tmp_path: Path, fates: Fates) -> None:
    """With `on_failure: raise` nothing is recorded in its place."""
    files = [write_tif(tmp_path / "one.tif", noise(96, 96))]
    fates.strike("memory")
    one = job_over(NINE.head(1), files, tmp_path / "out", on_failure="raise")
    with pytest.raises(PermanentReadError, match=r"limits\.memory"):
        zb.run(one, fates.client)


@pytest.mark.long
def test_who_loses_every_worker_ends(
    tmp_path: Path, fates: Fates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no part is done between so many losses, nothing is halved to the last zone."""
    monkeypatch.setattr(losses, "IN_VAIN", 4)
    fates.strike()
    with pytest.raises(ClusterError, match="4 workers were lost in a row"):
        zb.run(job(tmp_path), fates.client)
