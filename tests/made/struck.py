"""Runs that are killed at a step of their life, in processes that are forked from a warm one.

A step is what is done to a file (it is written, it lands under its name, it is removed) and which
file that is: before, while or after it is done, the process ends as by a power failure.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

__all__ = ["EXPIRES", "Step", "run_struck", "warm"]

EXPIRES = 1.5
"""Seconds after which the lease of a run that was killed is anybody's."""


@dataclass(frozen=True)
class Step:
    """A moment of a run."""

    verb: Literal["write", "land", "remove", "adopt"]
    file: str
    """Pattern of its path in the output."""
    after: bool = False
    time: int = 1
    """The first time that it comes to it, or a later one."""

    def __str__(self) -> str:
        """As tests are named."""
        return f"{'after' if self.after else 'before'}-{self.verb}-{self.file}"


def warm() -> multiprocessing.context.ForkServerContext:
    """What starts processes that have everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "tests.made.preloaded"])
    return context


def run_struck(
    context: multiprocessing.context.ForkServerContext,
    job: Path,
    step: Step | None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run a job in a process of its own that is killed at a step; how it ended (-9 if it was)."""
    process = context.Process(target=_run, args=(str(job), step, dict(environment or {})))
    process.start()
    process.join(120)
    code = process.exitcode
    if code is None:
        process.kill()
        raise TimeoutError(f"{step}: the run has not ended")
    return code


def _run(job: str, step: Step | None, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    import dask
    from distributed import Client, LocalCluster

    import zonalbatch as zb
    from zonalbatch.clusters import SETTINGS
    from zonalbatch.engine import pending
    from zonalbatch.places import lease
    from zonalbatch.planning import partition

    lease.RENEWED, lease.EXPIRES = EXPIRES / 5, EXPIRES
    pending.FLUSH = 0.0
    partition.ROWS = 24
    if step is not None:
        _arm(step)
    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None,
            silence_logs=50, memory_limit=0,
        ) as workers,
        Client(workers) as client,
    ):  # fmt: skip
        zb.run(job, client)


def _arm(step: Step) -> None:
    """Have the step be the last one."""
    from zonalbatch.places import files, folder
    from zonalbatch.places.bucket import Bucket
    from zonalbatch.places.objects import Object

    left = step.time

    def dying(function: Callable[..., Any], path: Callable[..., object]) -> Callable[..., Any]:
        def struck(*args: Any, **keys: Any) -> Any:
            nonlocal left
            meant = re.search(step.file, str(path(*args))) is not None
            left -= meant
            if meant and not left and not step.after:
                os.kill(os.getpid(), signal.SIGKILL)
            found = function(*args, **keys)
            if meant and not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return struck

    if step.verb == "land":
        files.os.replace = dying(os.replace, lambda source, target: target)  # type: ignore[assignment]
        for name in ("put", "create", "swap"):
            setattr(Object, name, dying(getattr(Object, name), lambda one, *_: one.key))
    elif step.verb == "remove":
        folder.Folder.remove = dying(folder.Folder.remove, lambda one: one)  # type: ignore[method-assign]
        folder.Folder.clear = dying(folder.Folder.clear, lambda one: one)  # type: ignore[method-assign]
        Object.delete = dying(Object.delete, lambda one: one.key)  # type: ignore[method-assign]
    elif step.verb == "adopt":
        for kind in (folder.Folder, Bucket):
            kind.adopt = dying(kind.adopt, lambda one, *_: one)  # type: ignore[method-assign]
    else:
        for kind in (folder.Folder, Bucket):
            kind.replacing = _half_written(kind.replacing, step)  # type: ignore[method-assign]


def _half_written(replacing: Callable[..., Any], step: Step) -> Callable[..., Any]:
    """Kill when the second piece of a file is written."""

    @contextmanager
    def struck(place: Any) -> Iterator[Any]:
        with replacing(place) as file:
            yield _Half(file) if re.search(step.file, str(place)) else file

    return struck


class _Half:
    """A file that kills who writes to it a second time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._count = file, 0

    def write(self, data: Any) -> int:
        """Write some bytes."""
        self._count += 1
        if self._count == 2:
            self._file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the file's."""
        return getattr(self._file, name)
