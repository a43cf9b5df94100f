"""Results in an object store: the same rows as in a folder, resumed, read, sealed."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

import zonalbatch as zb
from tests.made.commands import Command
from tests.made.runs import Runner, cut_small
from zonalbatch.errors import InputError
from zonalbatch.sinks.output import Output


@pytest.fixture
def keys(bucket: str) -> dict[str, Any]:
    """What differs from a run into a folder: workers need the environment, too."""
    return {
        "output": {"path": bucket},
        "cluster": {"kind": "local", "workers": 1},
        "temporal": {"every": "month", "statistics": ["mean"]},
    }


@pytest.mark.long
def test_a_run(
    runner: Runner, keys: dict[str, Any], here: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal to the run into a folder, in all that is read of it; a second one computes nothing.

    What is lost of it is done again, and no more.
    """
    cut_small(monkeypatch)
    zones = runner.half_outside()
    zones.to_parquet(runner.folder / "squares.parquet")
    keys["zones"] = {"path": str(runner.folder / "squares.parquet"), "id": "id"}
    out = keys["output"]["path"]
    local = runner.run(**keys | {"output": {}})
    told = zb.run(runner.job(**keys))
    assert (told.output, told.rows, told.parts) == (out, local.rows, local.parts)
    mine, other = zb.open_results(out), runner.results()
    assert mine.digest == other.digest
    pd.testing.assert_frame_equal(mine.gdf, other.gdf)
    pd.testing.assert_frame_equal(mine.temporal, other.temporal)
    pd.testing.assert_frame_equal(mine.failures, other.failures)
    pd.testing.assert_frame_equal(
        mine.rollup(every="month", stats=["mean"]), other.rollup(every="month", stats=["mean"])
    )
    status = json.loads(here("status", out, "--json", "--digest").out)
    assert (status["sealed"], status["digest"], status["bytes"]) == (True, mine.digest, told.bytes)
    output = Output.at(out)
    assert not (output.path / ".lock").exists()
    assert zb.run(runner.job(**keys)).computed == 0
    output.part_path(zb.plan(runner.job(**keys)).parts[0].id).remove()
    assert zb.run(runner.job(**keys)).computed == 1
    assert zb.open_results(out).digest == other.digest


def test_what_is_there_is_not_written_over(runner: Runner, keys: dict[str, Any]) -> None:
    """A place with objects of the user's is refused, and stays as it was."""
    output = Output.at(keys["output"]["path"])
    (output.path / "mine.csv").write_text("1,2")
    with pytest.raises(InputError, match=r"holds 'mine\.csv'"):
        zb.run(runner.job(**keys))
    assert output.path.files() == {"mine.csv": 3}
    assert output.path.folders() == set()
