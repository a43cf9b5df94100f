"""Folders that a result must not be written into, and those that it may."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import distributed
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zonalbatch as zb
from tests.made.commands import Command, assert_one_sentence
from tests.made.jobs import NOWHERE, Bench
from zonalbatch.errors import ClusterError, InputError, JobError, OutputError
from zonalbatch.sinks.output import Output


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_a_folder_of_the_user(bench: Bench, here: Command, verb: str) -> None:
    """A folder with zones, rasters and the job itself is refused, and nothing in it changes."""
    job = bench.write(bench.document() | {"output": {"path": "."}})
    before = contents(bench.folder)
    code, out, err = here(verb, job)
    assert (code, out) == (2, "")
    assert_one_sentence(err, str(bench.folder), "choose an empty or new folder")
    assert contents(bench.folder) == before
    assert not list(bench.folder.glob("*/"))


@pytest.mark.parametrize("name", ["job.yaml", "zones.parquet", "results", "manifest.json"])
def test_files_that_are_called_like_ours(tmp_path: Path, name: str) -> None:
    """A name proves nothing: without the signs of a run it is the user's."""
    (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=name), Output.at(tmp_path).opened():
        pass
    assert contents(tmp_path) == {name: b"{}"}


@pytest.mark.parametrize("name", ["job.yaml", "notes.txt"])
def test_the_user_s_files_beside_a_plan(tmp_path: Path, name: str) -> None:
    """What was put into a folder that no run has claimed is the user's."""
    with Output.at(tmp_path).opened():
        pass
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=name), Output.at(tmp_path).opened():
        pass


@pytest.mark.parametrize("hidden", [(), (".gitkeep", ".DS_Store")])
def test_a_folder_without_files(tmp_path: Path, hidden: tuple[str, ...]) -> None:
    """An empty folder will do, also for the second time; hidden files are none of a run."""
    for name in hidden:
        (tmp_path / name).touch()
    for _ in range(2):
        with Output.at(tmp_path).opened():
            pass


def test_what_a_plan_left(bench: Bench, here: Command) -> None:
    """A folder that holds plans, of this job and of others, is taken by the next."""
    document = bench.document()
    for statistics in (["mean"], ["max"], ["max"]):
        assert here("plan", bench.write(document | {"statistics": statistics})).code == 0


def test_what_a_run_without_cluster_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ended before its first part is gone on with."""
    job = zb.Job.from_file(bench.write(bench.document() | {"cluster": NOWHERE}))

    def nobody(*_: Any, **__: Any) -> None:
        raise TimeoutError("nobody answers")

    monkeypatch.setattr(distributed, "Client", nobody)
    for _ in range(2):
        with pytest.raises(ClusterError):
            zb.run(job)


@pytest.mark.parametrize("path", ["https://a.b/c", "/vsis3/b/o", "ftp://a/b"])
def test_links_that_nothing_is_written_to(bench: Bench, here: Command, path: str) -> None:
    """An output that is no folder and no bucket is refused, and no folder is made."""
    job = bench.write(bench.document() | {"output": {"path": path}})
    before = contents(bench.folder)
    for verb in ("validate", "run"):
        code, out, err = here(verb, job)
        assert (code, out) == (2, "")
        assert "output.path" in err
        assert "a link into an object store: s3://, gs:// or az://" in err
    assert contents(bench.folder) == before


def test_a_file_url_is_no_folder(bench: Bench) -> None:
    """From Python too; sources may be URLs still."""
    document = bench.document()
    with pytest.raises(JobError, match="give a folder, or a link into"):
        zb.Job(**document | {"output": {"path": "file:///tmp/out"}})
    zb.Job(**document | {"source": {"kind": "cog", "files": ["s3://bucket/a.tif"]}})


def test_results_of_a_run_that_has_not_ended(tmp_path: Path) -> None:
    """What is written at the end is said to be missing, and what to do."""
    with Output.at(tmp_path).opened():
        Output.at(tmp_path).make_folders()
        pq.write_table(pa.table({"zone_id": ["a"]}), tmp_path / "results/part-a.parquet")
    results = zb.open_results(tmp_path)
    for name in ("gdf", "failures"):
        with pytest.raises(OutputError, match=r"has not ended: .*run the job again"):
            getattr(results, name)


def test_status_of_a_plan(bench: Bench, here: Command) -> None:
    """A folder that holds a plan, or where a run makes one, is not said to be none of a run."""
    here("plan", bench.write(bench.document()))
    code, out, err = here("status", bench.out)
    assert (code, out) == (2, "")
    assert_one_sentence(err, str(bench.out), "holds a plan and no rows; run the job")
    shutil.rmtree(bench.out / "plan")
    assert_one_sentence(here("status", bench.out).err, str(bench.out), "still making its plan")
