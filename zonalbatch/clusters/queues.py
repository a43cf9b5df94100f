"""Queues: workers that are jobs of Slurm, PBS and others (the extra ``clusters``)."""

from __future__ import annotations

import logging
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zonalbatch.clusters.jobs import Jobs
from zonalbatch.clusters.local import interrupts_held
from zonalbatch.clusters.scaling import scale
from zonalbatch.clusters.settings import ended_at, environment
from zonalbatch.clusters.walltime import lifetime
from zonalbatch.errors import ClusterError, InputError
from zonalbatch.job import QueueCluster, Range
from zonalbatch.prospects import expect

if TYPE_CHECKING:
    from dask_jobqueue.core import JobQueueCluster
    from distributed import Client

__all__ = ["CLASSES", "made", "opened"]

CLASSES = {
    "slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster", "lsf": "LSFCluster",
    "htcondor": "HTCondorCluster", "oar": "OARCluster", "moab": "MoabCluster",
}  # fmt: skip
LOGS = "zonalbatch-logs"
"""Folder for what workers print, unless the options or the site's configuration name one."""
DISK = "1GiB"
"""What HTCondor is asked for where nothing is said; workers leave next to nothing on a disk."""
OURS = {"n_workers": "workers", "job_cls": "kind", "asynchronous": "kind", "loop": "kind"}
"""Arguments of dask-jobqueue's clusters that are no options -> the key that stands for them."""


@contextmanager
def opened(cluster: QueueCluster, memory: int, wait: float) -> Iterator[Client]:
    """A client of workers in a queue, whose jobs end with the block.

    Raises:
        ClusterError: jobs cannot be submitted here.
        InputError: dask-jobqueue is not installed, or does not take the options.
    """
    import distributed

    options = _options(cluster, memory)
    jobs = Jobs(cluster.kind, wait, options.get("log_directory"))
    with interrupts_held():
        queue = made(cluster.kind, options, jobs)
    with queue:
        scale(queue, cluster.workers)
        # A number of workers is rounded up to whole jobs; one that follows the backlog is Dask's.
        adapts = isinstance(cluster.workers, Range)
        with (
            jobs.kept_up(queue, None if adapts else len(queue.worker_spec)),
            distributed.Client(queue) as client,
        ):
            expect(client, jobs.awaited)
            yield client


def made(kind: str, options: Mapping[str, Any], jobs: Jobs) -> JobQueueCluster:
    """Dask's cluster of a queue, without workers yet.

    Raises:
        ClusterError: jobs cannot be submitted here.
        InputError: dask-jobqueue does not take the options.
    """
    import dask_jobqueue

    of = getattr(dask_jobqueue, CLASSES[kind])
    _check_queue(kind, of.job_cls.submit_command)
    try:
        return of(job_cls=jobs.heard_by(of.job_cls), **options)
    except (TypeError, ValueError) as error:
        raise InputError(f"cluster.options: {_sentence(error)}; correct them") from error
    except (OSError, RuntimeError) as error:
        raise ClusterError(f"no scheduler could be started ({error})") from error


def _sentence(error: Exception) -> str:
    """What dask-jobqueue says about options, without what it says around it."""
    unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    return f"{unknown[1]!r} is none" if unknown else str(error).splitlines()[0].rstrip(",.:")


def _check_queue(kind: str, submit: str) -> None:
    """See that jobs can be submitted."""
    command = submit.split()[0]
    if shutil.which(command) is None:
        raise ClusterError(
            f"cluster.kind {kind} submits jobs by {command}, which is not found here; run where "
            "jobs are submitted"
        )


def _options(cluster: QueueCluster, memory: int) -> dict[str, Any]:
    """The job's options, and what it leaves out: a process of one thread for each core."""
    given = cluster.options
    options = _configured(cluster.kind) | given
    cores = _cores(given, options)
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment().items()]
    arguments = [str(one) for one in options.get("worker_extra_args", ())]
    leaves = [] if "--lifetime" in arguments else lifetime(cluster.kind, options.get("walltime"))
    return {
        "silence_logs": logging.CRITICAL,
        "log_directory": options.get("log_directory", str(Path.cwd() / LOGS)),
        **({"disk": options.get("disk", DISK)} if cluster.kind == "htcondor" else {}),
        **given,
        "cores": cores,
        "processes": cores,
        "memory": _memory(options, cores, memory),
        "job_script_prologue": [*exports, *options.get("job_script_prologue", ())],
        "worker_extra_args": [*arguments, *leaves],
        # Others who use the machine have dashboards, too.
        "scheduler_options": {"dashboard_address": ":0"} | options.get("scheduler_options", {}),
    }


def _configured(kind: str) -> dict[str, Any]:
    """What the site's or the user's configuration of dask-jobqueue says.

    Raises:
        InputError: dask-jobqueue is not installed.
    """
    import dask

    try:
        import dask_jobqueue  # noqa: F401 - its defaults are read with it
    except ModuleNotFoundError as error:
        raise InputError(
            f"cluster.kind {kind} needs {error.name}; install it with: "
            "pip install 'zonalbatch[clusters]'"
        ) from None
    configured = dask.config.get(f"jobqueue.{kind}", {})
    return {key.replace("-", "_"): value for key, value in configured.items() if value is not None}


def _cores(given: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    """Cores of a job, each of which has a process.

    Raises:
        InputError: there is no such number of them, or of processes.
    """
    for name, key in OURS.items():
        if name in given:
            raise InputError(f"cluster.options.{name} is not to be given; use cluster.{key}")
    cores = options.get("cores", 1)
    if not isinstance(cores, int) or isinstance(cores, bool) or cores < 1:
        raise InputError(f"cluster.options.cores is {cores!r}; write a number, 1 or more")
    if given.get("processes", cores) != cores:
        raise InputError(
            f"cluster.options.processes is {given['processes']!r} for {cores} cores; leave it "
            "out: each core has a process"
        )
    return cores


def _memory(options: Mapping[str, Any], cores: int, memory: int) -> str:
    """The memory of a job, which is enough for all of its processes.

    Raises:
        InputError: what is given is not.
    """
    from dask.utils import format_bytes, parse_bytes

    if "memory" not in options:
        return f"{cores * ended_at(memory)}B"
    try:
        there = parse_bytes(options["memory"])
    except (TypeError, ValueError):
        raise InputError(
            f"cluster.options.memory is {options['memory']!r}; write a size such as 16GB"
        ) from None
    if there < cores * memory:
        raise InputError(
            f"cluster.options.memory is {options['memory']} for {cores} "
            f"{'process' if cores == 1 else 'processes'}, each of which may take limits.memory "
            f"({format_bytes(memory)}); raise it, or lower limits.memory or cluster.options.cores"
        )
    return str(options["memory"])
