"""Queues: the script of a job, as dask-jobqueue makes it of our options for each queue."""

from __future__ import annotations

import gc
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from zonalbatch.clusters import queues
from zonalbatch.clusters.jobs import Jobs
from zonalbatch.clusters.settings import environment
from zonalbatch.errors import ClusterError, InputError
from zonalbatch.job import QueueCluster

MEMORY = 2 * 2**30
SUBMIT = {
    "slurm": "sbatch", "pbs": "qsub", "sge": "qsub", "lsf": "bsub", "htcondor": "condor_submit",
    "oar": "oarsub", "moab": "msub",
}  # fmt: skip
NEEDED = {"oar": {"memory_per_core_property_name": "not_applicable"}}
"""Options without which dask-jobqueue warns."""


def _options(kind: str, **given: Any) -> dict[str, Any]:
    keys: dict[str, Any] = {"kind": kind, "workers": 2, "options": NEEDED.get(kind, {}) | given}
    return queues._options(QueueCluster(**keys), MEMORY)


@pytest.fixture
def at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that submit jobs are found."""
    for name in SUBMIT.values():
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.chdir(tmp_path)


def _script(kind: str, **given: Any) -> str:
    """What is submitted."""
    options = _options(kind, **given)
    with queues.made(kind, options, Jobs(kind, 0.0, None)) as cluster:
        return cluster.job_script()


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize("kind", queues.CLASSES)
def test_the_script_of_a_job(kind: str) -> None:
    """A process of one thread for each core, with its memory; Dask's settings are exported."""
    script = _script(kind, cores=4)
    worker = next(line for line in script.splitlines() if "distributed.cli.dask_worker" in line)
    for words in ("--nthreads 1", "--nworkers 4", "--nanny", "--memory-limit 3.00GiB"):
        assert words in worker
    if kind != "htcondor":  # it has no walltime unless one is given
        assert "--lifetime 1530s --lifetime-stagger 90s" in worker
    for name, value in environment().items():
        assert f"export {name}={shlex.quote(value)}" in script.replace("''", "'").replace('""', '"')


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize("kind", sorted(queues.CLASSES.keys() - {"htcondor"}))
def test_what_a_shell_makes_of_it(kind: str) -> None:
    """What is exported is what Dask is to read."""
    lines = [line for line in _script(kind).splitlines() if line.startswith("export ")]
    script = "\n".join([*lines, "/usr/bin/env"])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert environment().items() <= told.items()


@pytest.mark.usefixtures("at_hand")
def test_options_of_slurm() -> None:
    """What a user gives is kept; what workers print goes to a folder."""
    script = _script(
        "slurm", queue="long", account="me", walltime="1-00:00:00", memory="16GB", cores=4,
        job_script_prologue=["module load gdal"], worker_extra_args=["--resources", "a=1"],
    )  # fmt: skip
    for line in ("-p long", "-A me", "-t 1-00:00:00", "--mem=15G", "--cpus-per-task=4"):
        assert f"#SBATCH {line}\n" in script
    assert f"#SBATCH -e {Path.cwd()}/zonalbatch-logs/dask-worker-%J.err\n" in script
    assert "\nmodule load gdal\n" in script
    assert script.rstrip().endswith("--resources a=1 --lifetime 86100s --lifetime-stagger 100s")


@pytest.mark.usefixtures("at_hand")
def test_a_lifetime_that_is_given() -> None:
    """Who says when workers leave is not contradicted."""
    script = _script("slurm", worker_extra_args=["--lifetime", "10m"])
    assert script.count("--lifetime") == 1


@pytest.mark.filterwarnings("ignore:unclosed cluster:ResourceWarning")
@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cores": 0}, "cluster.options.cores is 0"),
        ({"cores": 8, "processes": 2}, "cluster.options.processes is 2 for 8 cores"),
        ({"cores": 8, "memory": "4GB"}, "8 processes, each of which may take limits.memory"),
        ({"memory": "much"}, "cluster.options.memory is 'much'"),
        ({"n_workers": 3}, "use cluster.workers"),
        ({"colour": "red"}, "'colour' is none"),
    ],
)
def test_options_that_make_no_sense(given: dict[str, Any], said: str) -> None:
    """The key is named, and what to do."""
    with pytest.raises(InputError, match=said) as raised:
        _script("slurm", **given)
    assert "\n" not in str(raised.value)
    del raised
    gc.collect()  # Dask warns that a cluster which was never made was not closed


@pytest.mark.parametrize("kind", queues.CLASSES)
def test_a_machine_without_the_queue(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that is missing is named."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match=f"{kind} submits jobs by {SUBMIT[kind]}, which is not"):
        queues.made(kind, _options(kind), Jobs(kind, 0.0, None))
