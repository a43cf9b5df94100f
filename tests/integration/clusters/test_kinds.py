"""Kinds of clusters on this machine: ranges of workers, addresses that come up late, classes."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

import zonalbatch as zb
from tests.made.apis import free_port
from tests.made.commands import SCRIPT, assert_one_sentence, command
from tests.made.jobs import Bench, amend, many_parts
from tests.made.workers import program, scheduler, until, worker

pytestmark = pytest.mark.long

OWN = """
from distributed import LocalCluster

class Mine(LocalCluster):
    def __init__(self, mark):
        open(mark, "w").close()
        super().__init__(n_workers=0, threads_per_worker=1, dashboard_address=":0")

class Broken:
    def __init__(self):
        raise RuntimeError("the machine is out of order.")
"""


def test_workers_follow_what_waits(tmp_path: Path) -> None:
    """A range begins with its least and grows with the parts that wait, to its most."""
    job = amend(
        many_parts(tmp_path),
        cluster={"kind": "local", "workers": {"minimum": 0, "maximum": 2}},
    )
    most = 0
    with program(tmp_path / "run.log", SCRIPT, "run", job) as run:
        while run.process.poll() is None:
            most = max(most, _workers_of(run.process.pid))
            time.sleep(0.2)
        assert run.process.returncode == 0, run.said
    assert most == 2
    assert len(zb.open_results(tmp_path / "out").gdf) == 900 * 60


def _workers_of(run: int) -> int:
    """How many worker processes a run has: those that Python's multiprocessing spawned."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        found += parent == run and b"spawn_main" in words
    return found


def test_a_scheduler_that_comes_late(tmp_path: Path) -> None:
    """With --wait a run waits for a scheduler and for a first worker; without, it ends at once."""
    bench = Bench(tmp_path)
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    job = bench.write(bench.document() | {"cluster": {"kind": "address", "address": address}})
    told = command("run", job, "--quiet")
    assert told.code == 5
    assert_one_sentence(told.err, f"no Dask scheduler answers at {address}")
    with ExitStack() as stack:
        log = tmp_path / "run.log"
        run = stack.enter_context(program(log, SCRIPT, "run", job, "--wait", "2min"))
        time.sleep(3)
        stack.enter_context(scheduler(tmp_path / "scheduler.log", port))
        until(lambda: "no worker is there" in run.said)
        stack.enter_context(worker(tmp_path / "worker.log", address))
        assert run.ended() == 0, run.said
    assert len(zb.open_results(bench.out).gdf) == 8


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_another_run_is_waited_for(
    tmp_path: Path, where: str, request: pytest.FixtureRequest
) -> None:
    """With --wait a run waits until another one lets go of the output, and says so."""
    bench = Bench(tmp_path)
    out = str(bench.out) if where == "folder" else request.getfixturevalue("bucket")
    job = bench.write(
        bench.document() | {"output": {"path": out}, "cluster": {"kind": "local", "workers": 1}}
    )
    from zonalbatch.sinks.output import Output

    log = tmp_path / "run.log"
    with ExitStack() as stack:
        with Output.at(out).opened():
            told = command("run", job, "--quiet")
            assert told.code == 4
            run = stack.enter_context(program(log, SCRIPT, "run", job, "--wait", "2min"))
            until(lambda: "another run is writing to" in run.said)
            assert "waiting" in run.said
        assert run.ended() == 0, run.said
    assert len(zb.open_results(out).gdf) == 8


def test_patience_ends(tmp_path: Path) -> None:
    """A run that never gets its turn says who has it, once the time is over."""
    from zonalbatch.errors import BusyError
    from zonalbatch.sinks.output import Output

    released = threading.Event()
    output = Output.at(tmp_path / "out")
    with output.opened():
        began = time.monotonic()
        with (
            pytest.warns(match="another run is writing to .*; waiting") as told,
            pytest.raises(BusyError, match="another run is writing to"),
            output.opened(wait=2.5),
        ):
            released.set()
        assert time.monotonic() - began >= 2.5
    assert len(told) == 1  # however often it looks
    assert not released.is_set()


def test_a_class_of_ones_own(tmp_path: Path) -> None:
    """`class` names one beside the job, which is only run where code is allowed."""
    bench = Bench(tmp_path)
    (tmp_path / "mine.py").write_text(OWN)
    mark = tmp_path / "mark"
    options = {"mark": str(mark)}
    cluster = {"kind": "custom", "class": "mine.Mine", "workers": 1, "options": options}
    job = bench.write(bench.document() | {"cluster": cluster})
    told = command("run", job)
    assert told.code == 2
    assert_one_sentence(told.err, "cluster.class is 'mine.Mine': it names code", "--allow-code")
    assert not mark.exists()
    told = command("run", job, "--allow-code")
    assert told.code == 0, told.err
    assert mark.exists()
    assert len(zb.open_results(bench.out).gdf) == 8
    broken = amend(job, cluster={"kind": "custom", "class": "mine.Broken"},
                   output={"path": str(tmp_path / "other")})  # fmt: skip
    told = command("run", broken, "--allow-code", "--quiet")
    assert told.code == 5
    assert_one_sentence(told.err, "no Broken could be made: the machine is out of order")
    missing = amend(job, cluster={"kind": "custom", "class": "mine.Other"})
    told = command("run", missing, "--allow-code")
    assert told.code == 2
    assert_one_sentence(told.err, "module mine has no class 'Other'")
