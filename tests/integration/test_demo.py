"""`zonalbatch demo`, as a new user types it."""

from __future__ import annotations

import os
import re
import shlex
import time
from dataclasses import dataclass
from pathlib import Path

import geopandas
import pytest

import zonalbatch as zb
from tests.made.commands import assert_one_sentence, typed

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Shown:
    """What the demo did."""

    folder: Path
    """Where it was typed."""
    out: str
    err: str
    seconds: float


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The demo, once."""
    folder = tmp_path_factory.mktemp("home")
    began = time.monotonic()
    done = typed(["zonalbatch", "demo"], folder)
    assert done.code == 0, done.err
    return Shown(folder, done.out, done.err, time.monotonic() - began)


def test_it_leaves_data_job_and_result(shown: Shown) -> None:
    """1,000 fields × 12 dates as COGs and items, job.yaml, and a row for each pair."""
    demo = shown.folder / "zonalbatch-demo"
    assert {"fields.parquet", "items.json", "job.yaml", "out", "scenes"} <= set(os.listdir(demo))
    assert len(list(demo.glob("scenes/*/*.tif"))) == 36
    results = zb.open_results(demo / "out")
    assert len(results.gdf) == 12_000
    assert set(results.gdf["status"]) == {"ok", "empty"}
    assert len(geopandas.read_parquet(demo / "out" / "results")) == 12_000
    assert results.failures.empty


def test_it_tells_what_it_did(shown: Shown) -> None:
    """Steps, rows, a field's year; no warning, no traceback."""
    assert re.search(r"12,000 rows", shown.out)
    assert "0 failures" in shown.out
    assert "ndvi_mean" in shown.out
    assert "winter wheat" in shown.out
    assert "Warning" not in shown.err
    assert "Traceback" not in shown.err


def test_the_year_is_believable(shown: Shown) -> None:
    """Winter wheat is green in May and not in September; maize the other way round."""
    rows = zb.open_results(shown.folder / "zonalbatch-demo" / "out").gdf
    means = rows.groupby(["crop", rows["datetime"].dt.month])["ndvi_mean"].mean()
    assert means["winter wheat", 5] > 0.7 > means["winter wheat", 8]
    assert means["maize", 8] > 0.7 > means["maize", 5]


def test_the_next_commands_work(shown: Shown) -> None:
    """Each can be typed as it is printed, and ends well."""
    lines = [line.strip() for line in shown.out.partition("Now try:")[2].splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines if line]
    assert len(commands) == 4
    for command in commands:
        done = typed(command, shown.folder)
        assert done.code == 0, (command, done.err)
        assert done.out


def test_it_takes_less_than_a_minute(shown: Shown) -> None:
    """On 2 cores, with everything installed, the demo takes less than a minute."""
    assert shown.seconds < 60


def test_a_second_time_computes_nothing(shown: Shown) -> None:
    """The landscape and the parts are there already; a part lost is a part computed."""
    results = zb.open_results(shown.folder / "zonalbatch-demo" / "out")
    digest, files = results.digest, results.files
    done = typed(["zonalbatch", "demo"], shown.folder)
    assert done.code == 0
    assert "there already" in done.out
    assert zb.open_results(results.path).digest == digest
    Path(files[0]).unlink()
    assert typed(["zonalbatch", "demo"], shown.folder).code == 0
    assert zb.open_results(results.path).digest == digest


def test_a_folder_of_choice(tmp_path: Path) -> None:
    """`--folder` says where; a place that cannot be written to is refused in one sentence."""
    (tmp_path / "taken").write_text("mine")
    done = typed(["zonalbatch", "demo", "--folder", "taken/demo"], tmp_path)
    assert done.code == 4
    assert_one_sentence(done.err, "cannot write")


def test_an_unfinished_landscape_is_made_again(tmp_path: Path) -> None:
    """A demo that was stopped while it made its data starts over where data are missing."""
    first = typed(["zonalbatch", "demo"], tmp_path)
    assert first.code == 0
    demo = tmp_path / "zonalbatch-demo"
    digest = zb.open_results(demo / "out").digest
    for name in ("fields.parquet", "items.json", "job.yaml"):
        (demo / name).unlink()
    again = typed(["zonalbatch", "demo"], tmp_path)
    assert again.code == 0, again.err
    assert zb.open_results(demo / "out").digest == digest
