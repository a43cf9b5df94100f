"""A run whose every read hangs, and that is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import zonalbatch as zb
from tests.made.commands import SCRIPT, environment
from tests.made.jobs import amend, write_job
from tests.made.mortal import Fates
from tests.made.rasters import noise, write_tif
from tests.made.scenes import asset, item, write_items
from tests.made.silence import silent
from tests.made.zones import squares

GONE = 20.0
"""Seconds after a signal in which a run is gone, whatever its workers wait for."""


def job(folder: Path, start: str) -> Path:
    """A job over items whose files are said to lie somewhere; no header is read to plan it."""
    names = [f"a_{i}.tif" for i in range(4)]
    items = [item(name, red=asset(f"{start}/{name}", (96, 96))) for name in names]
    write_items(folder / "items.json", items)
    squares(3, side=320).to_parquet(folder / "zones.parquet")
    document = {
        "zones": {"path": "zones.parquet", "id": "id"},
        "source": {"kind": "stac", "items": "items.json"},
        "bands": {"red": "red"},
        "group_by": "item",
        "statistics": ["mean"],
        "output": {"path": "out"},
        "cluster": {"kind": "local", "workers": 2},
    }
    return write_job(folder, document)


def in_session(session: int) -> list[int]:
    """Processes that are left of a session."""
    told = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    lines = [line.split() for line in told.stdout.splitlines()]
    return [int(pid) for pid, state in lines if not state.startswith("Z")]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_hangs_is_gone_in_time(
    tmp_path: Path, fates: Fates, number: signal.Signals
) -> None:
    """It ends within 20 s, with 130 and all its processes; a next run does the job."""
    with silent() as server:
        path = job(tmp_path, f"http://127.0.0.1:{server.port}")
        run = subprocess.Popen(
            [SCRIPT, "run", path], stderr=subprocess.PIPE, text=True, env=environment(),
            start_new_session=True,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 120
            while not server.calls:
                assert run.poll() is None, run.communicate()[1]
                assert time.monotonic() < deadline, "no worker has called"
                time.sleep(0.1)
            began = time.monotonic()
            (os.killpg if number is signal.SIGINT else os.kill)(run.pid, number)
            _, told = run.communicate(timeout=60)
            took = time.monotonic() - began
            left = in_session(run.pid)
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()
    assert run.returncode == 130, told
    assert took < GONE
    assert left == []
    assert told.splitlines()[-1].startswith("interrupted; run the same command again")
    for i in range(4):
        write_tif(tmp_path / f"a_{i}.tif", noise(96, 96, seed=i))
    job(tmp_path, str(tmp_path))
    report = zb.run(zb.Job.from_file(amend(path)), fates.client)
    assert (report.exit_code, report.rows) == (0, 36)
