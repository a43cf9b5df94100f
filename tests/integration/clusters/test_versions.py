"""Workers of another image: who is of another release than the run does nothing for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.made.apis import free_port
from tests.made.commands import SCRIPT, assert_one_sentence, command
from tests.made.jobs import amend, many_parts
from tests.made.workers import DASK, program, scheduler, until, worker

pytestmark = pytest.mark.long

ANOTHER = """
import importlib.abc, importlib.machinery, sys

class Loader(importlib.abc.Loader):
    def __init__(self, loader): self.loader = loader
    def create_module(self, spec): return self.loader.create_module(spec)
    def exec_module(self, module):
        self.loader.exec_module(module)
        {change}

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != {name!r}:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = Loader(spec.loader)
        return spec

sys.meta_path.insert(0, Finder())
"""
"""A sitecustomize by which a module of ours is another one in a process, and in all it starts."""

NOT_INSTALLED = """
import importlib.machinery

find = importlib.machinery.PathFinder.find_spec
def found(name, path=None, target=None):
    return None if name.partition(".")[0] == "zonalbatch" else find(name, path, target)
importlib.machinery.PathFinder.find_spec = found
"""
"""One by which the package is not installed."""


def environment_of(folder: Path, text: str) -> dict[str, str]:
    """One in which every Python begins with some text."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(text)
    return {"PYTHONPATH": str(folder)}


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Port of a scheduler on loopback."""
    found = free_port()
    with scheduler(tmp_path / "scheduler.log", found):
        yield found


def job_at(folder: Path, port: int) -> Path:
    """A job of many parts for a scheduler."""
    cluster = {"kind": "address", "address": f"tcp://127.0.0.1:{port}"}
    return amend(many_parts(folder), cluster=cluster)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("zonalbatch", 'module.__version__ = "0.0.9"', "is zonalbatch 0.0.9 (method"),
        ("zonalbatch.planning.identity", "module.METHOD = 1", "(method 1), and the run is"),
    ],
)
def test_a_worker_of_another_release(
    tmp_path: Path, port: int, name: str, change: str, said: str
) -> None:
    """By version or by method: one sentence names both, and no row was made."""
    more = environment_of(tmp_path / "other", ANOTHER.format(name=name, change=change))
    with worker(tmp_path / "worker.log", f"tcp://127.0.0.1:{port}", more=more):
        told = command("run", job_at(tmp_path, port), "--quiet")
    assert told.code == 5
    assert_one_sentence(told.err, "the worker on", said, "give all the same image")
    assert not list((tmp_path / "out" / "results").glob("part-*"))


def test_one_that_joins_late(tmp_path: Path, port: int) -> None:
    """A worker of another release that comes while a run goes on ends it, and nothing is lost:
    without it, the next run goes on from there."""
    address = f"tcp://127.0.0.1:{port}"
    job = job_at(tmp_path, port)
    results = tmp_path / "out" / "results"
    older = ANOTHER.format(name="zonalbatch", change='module.__version__ = "0.0.9"')
    more = environment_of(tmp_path / "other", older)
    with ExitStack() as stack:
        stack.enter_context(worker(tmp_path / "worker.log", address))
        run = stack.enter_context(program(tmp_path / "run.log", SCRIPT, "run", job))
        until(lambda: len(list(results.glob("part-*"))) >= 2)
        with worker(tmp_path / "late.log", address, more=more):
            assert run.ended() == 5, run.said
        assert "is zonalbatch 0.0.9" in run.said
        told = command("run", job)
        assert told.code == 0, told.err
        assert "of them there already" in told.err


def test_a_worker_without_zonalbatch(tmp_path: Path, port: int) -> None:
    """A plain worker of Dask in an environment without this package is named."""
    more = environment_of(tmp_path / "other", NOT_INSTALLED)
    words = ("worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-dashboard")
    with program(tmp_path / "worker.log", DASK, *words, more=more):
        told = command("run", job_at(tmp_path, port), "--quiet")
    assert told.code == 5
    assert_one_sentence(told.err, "the worker at", "has no zonalbatch", "give all the same image")
