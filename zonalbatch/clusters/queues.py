"""Queues: workers that are jobs of Slurm, PBS and others (the extra ``clusters``)."""

from __future__ import annotations

import logging
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zonalbatch.clusters.scaling import scale
from zonalbatch.clusters.settings import SPARE, environment
from zonalbatch.errors import ClusterError, InputError
from zonalbatch.job import QueueCluster

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["opened"]

CLASSES = {
    "slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster", "lsf": "LSFCluster",
    "htcondor": "HTCondorCluster", "oar": "OARCluster", "moab": "MoabCluster",
}  # fmt: skip


@contextmanager
def opened(cluster: QueueCluster, memory: int, wait: float) -> Iterator[Client]:
    """A client of workers in a queue, whose jobs end with the block.

    Raises:
        ClusterError: jobs cannot be submitted here.
        InputError: dask-jobqueue is not installed, or does not take the options.
    """
    import distributed

    with _cluster(cluster, memory) as jobs:
        scale(jobs, cluster.workers)
        with distributed.Client(jobs) as client:
            yield client


def _cluster(cluster: QueueCluster, memory: int) -> Any:
    try:
        import dask_jobqueue
    except ModuleNotFoundError as error:
        raise InputError(
            f"cluster.kind {cluster.kind} needs {error.name}; install it with: "
            "pip install 'zonalbatch[clusters]'"
        ) from None
    kind = getattr(dask_jobqueue, CLASSES[cluster.kind])
    _check_queue(cluster.kind, kind.job_cls.submit_command)
    options = _options(cluster, memory)
    try:
        return kind(silence_logs=logging.CRITICAL, **options)
    except (TypeError, ValueError) as error:
        raise InputError(f"cluster.options: {error}; correct them") from error
    except (OSError, RuntimeError) as error:
        raise ClusterError(f"no scheduler could be started ({error})") from error


def _check_queue(kind: str, submit: str) -> None:
    """See that jobs can be submitted: dask-jobqueue only logs that they were not."""
    command = submit.split()[0]
    if shutil.which(command) is None:
        raise ClusterError(
            f"cluster.kind {kind} submits jobs by {command}, which is not found here; run where "
            "jobs are submitted"
        )


def _options(cluster: QueueCluster, memory: int) -> dict[str, Any]:
    """The job's options, and what it leaves out: a process of one thread for each core."""
    import dask

    configured = dask.config.get(f"jobqueue.{cluster.kind}", {})
    options = {key: value for key, value in configured.items() if value is not None}
    options |= cluster.options
    cores = options.get("cores", 1)
    processes = options.get("processes", cores)
    needed = f"{processes * (memory + max(SPARE, memory // 4))}B"
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment().items()]
    return {
        **cluster.options,
        "cores": cores,
        "processes": processes,
        "memory": options.get("memory", needed),
        "job_script_prologue": [*exports, *options.get("job_script_prologue", ())],
    }
