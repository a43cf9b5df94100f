"""Jobs: those that a queue has for workers, and what becomes of them.

dask-jobqueue submits them, and only logs that a queue refuses one; of a job that has ended, at its
walltime or before its worker could start, it hears nothing. So they are looked after here: refused
and ended ones are submitted anew, and if none comes to anything, it is known why.
"""

from __future__ import annotations

import asyncio
import getpass
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zonalbatch.errors import ClusterError

if TYPE_CHECKING:
    from dask_jobqueue.core import Job, JobQueueCluster

__all__ = ["Jobs"]

KEPT = 5.0
"""Seconds between two looks at whose workers are there."""
ASKED = 30.0
"""Seconds between two questions to the queue, and until one that it refused is submitted again."""
LOST = 30.0
"""Seconds that a job's workers may be gone until another takes its place."""
VAIN = 3
"""Jobs that ended before their worker came, one after the other, until there is no hope."""
LISTING = ("squeue", "--noheader", "--format=%i %T %r")
"""How Slurm tells id, state and reason of jobs; of other queues nothing is asked."""
SAID = 200
"""The most characters of a log that are told."""
GONE = {"COMPLETING", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
"""States of jobs whose worker has ended, or never was."""


class Jobs:
    """What is known of the jobs of a cluster in a queue."""

    def __init__(self, queue: str, patience: float, logs: str | None) -> None:
        """Nothing is known yet.

        Args:
            queue: kind of the queue.
            patience: seconds in which a queue may refuse.
            logs: folder of what workers print.
        """
        self._queue, self._logs = queue, logs
        self._until = time.monotonic() + patience
        self._accepted = self._vain = 0
        self._refusal = ""
        self._since: dict[str, float] = {}
        """Name of a job -> when it was submitted, or refused, or its workers were last there."""
        self._came: set[str] = set()
        """Names of jobs whose worker has come."""
        self._states: dict[str, tuple[str, str]] | None = None
        """Id of a job -> its state and reason, as the queue last said; None if it says nothing."""
        self._asked = 0.0
        self._waiting = 0

    # --- what is told ---------------------------------------------------------------------------

    def awaited(self) -> str:
        """What is waited for; empty if the queue has no job for us.

        Raises:
            ClusterError: no worker will come.
        """
        if self._refusal and not self._accepted and time.monotonic() >= self._until:
            raise ClusterError(
                f"{self._queue} refuses the jobs of workers: {self._refusal}; correct "
                "cluster.options, such as queue, account, memory and walltime"
            )
        if self._vain >= VAIN:
            raise ClusterError(
                f"{self._vain} jobs of {self._queue} ended before a worker came of them"
                f"{self._last_words()}; see that nodes have this environment and reach this "
                "machine (cluster.options.interface)"
            )
        return self._told()

    def _told(self) -> str:
        if not self._waiting:
            return ""
        several = "s" * (self._waiting != 1)
        if not self._states:
            return f"{self._waiting} job{several} submitted to {self._queue}"
        kinds = Counter(
            f"{state.lower()} ({reason})" if state == "PENDING" else state.lower()
            for state, reason in self._states.values()
        )
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        return f"{self._waiting} job{several} of {self._queue}: {told}"

    def _last_words(self) -> str:
        """Where to read on, and what the youngest log says at its end."""
        if self._logs is None:
            return ""
        said = _last_line(Path(self._logs))
        return f", logs are in {self._logs}" + (f" (the last line: {said})" if said else "")

    # --- what is heard --------------------------------------------------------------------------

    def heard_by(self, kind: type[Job]) -> type[Job]:
        """The class of jobs, such that we hear what the queue says to each."""
        from distributed.core import Status

        jobs = self

        class Heard(kind):  # type: ignore[misc, valid-type]
            """A job of which we hear."""

            async def start(self) -> None:
                try:
                    await super().start()
                except (OSError, RuntimeError, ValueError) as error:
                    jobs._refused(error)
                    self.status = Status.running  # else it is only logged that it is not
                else:
                    jobs._accepted += 1
                jobs._since[self.name] = time.monotonic()
                jobs._came.discard(self.name)

            async def close(self) -> None:
                await super().close()
                self.status = Status.closed

        return Heard

    def _refused(self, error: Exception) -> None:
        """Take in what the queue's own words were, of all that is said around them."""
        said = str(error).partition("stderr:\n")[2] or str(error)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        self._refusal = lines[-1].rpartition("error: ")[2].rstrip(".") if lines else repr(error)

    # --- what is done ---------------------------------------------------------------------------

    @contextmanager
    def kept_up(self, cluster: JobQueueCluster, number: int | None) -> Iterator[None]:
        """Look after a cluster's jobs while the block lasts.

        Args:
            cluster: whose jobs are heard.
            number: jobs that there are to be; None leaves it to the cluster.
        """
        task = cluster.sync(self._begun, cluster, number)
        try:
            yield
        finally:
            cluster.sync(_end, task)

    async def _begun(self, cluster: JobQueueCluster, number: int | None) -> asyncio.Task[None]:
        return asyncio.create_task(self._keep(cluster, number))

    async def _keep(self, cluster: JobQueueCluster, number: int | None) -> None:
        while True:
            await asyncio.sleep(KEPT)
            with suppress(OSError, RuntimeError):
                await self._look(cluster)
                if number is not None:
                    cluster.scale(jobs=number)

    async def _look(self, cluster: JobQueueCluster) -> None:
        """See whose workers are there; let go of jobs that have ended."""
        here = {str(worker.name) for worker in cluster.scheduler.workers.values()}
        jobs = {name: job for name, job in cluster.workers.items() if name in self._since}
        absent = {name: job for name, job in jobs.items() if not here & _names(cluster, name)}
        for name in jobs.keys() - absent.keys():
            self._came.add(name)
            self._since[name], self._vain = time.monotonic(), 0
        if absent:
            await self._ask(cluster)
        ended = {name: job for name, job in absent.items() if self._ended(name, job)}
        self._waiting = sum(job.job_id is not None for job in absent.values()) - len(ended)
        for name, job in ended.items():
            self._vain += job.job_id is not None and name not in self._came
            cluster.workers.pop(name, None)
            await job.close()

    async def _ask(self, cluster: JobQueueCluster) -> None:
        """Have the queue tell of jobs, if it is time to."""
        from dask_jobqueue.core import Job

        if self._queue != "slurm" or time.monotonic() - self._asked < ASKED:
            return
        self._asked, self._states = time.monotonic(), None
        ask = [*LISTING, f"--user={getpass.getuser()}"]
        ours = {job.job_id for job in cluster.workers.values()}
        self._states = {
            one: (state, reason)
            for one, state, reason in map(_fields, (await Job._call(ask)).splitlines())
            if one in ours and state not in GONE
        }

    def _ended(self, name: str, job: Job) -> bool:
        """True if no worker will come of a job any more."""
        ago = time.monotonic() - self._since[name]
        if job.job_id is None:  # refused
            return ago > ASKED
        if name in self._came:
            return ago > LOST
        known = self._states is not None and self._since[name] < self._asked
        return known and job.job_id not in (self._states or {})


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()


def _fields(line: str) -> tuple[str, str, str]:
    """Id, state and reason of a job, as `LISTING` has them."""
    one, state, reason = (*line.split(maxsplit=2), "", "")[:3]
    return one, state, reason


def _last_line(folder: Path) -> str:
    """What the log that was written last says at its end."""
    try:
        files = [file for file in folder.iterdir() if file.is_file() and file.stat().st_size]
        last = max(files, key=lambda file: file.stat().st_mtime)
        return last.read_text("utf-8", "replace").strip().splitlines()[-1][:SAID]
    except (OSError, ValueError, IndexError):
        return ""


def _names(cluster: Any, name: str) -> set[str]:
    """What the workers of a job are called."""
    suffixes = cluster.worker_spec.get(name, {}).get("group", [""])
    return {f"{name}{suffix}" for suffix in suffixes}
