"""Local: worker processes on this machine."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from types import FrameType
from typing import TYPE_CHECKING

from zonalbatch.clusters.causes import cause_of
from zonalbatch.clusters.scaling import scale
from zonalbatch.clusters.settings import ended_at
from zonalbatch.errors import ClusterError
from zonalbatch.job import LocalCluster, Range
from zonalbatch.work.reading import processors

if TYPE_CHECKING:
    import distributed
    from distributed import Client

__all__ = ["interrupts_held", "kept_up", "leave_if_imported", "opened"]

KEPT = 5.0
"""Seconds between two looks at whether all workers of a local cluster are there."""

GUARD = "put what calls zonalbatch below `if __name__ == '__main__':`"


def leave_if_imported() -> None:
    """End a worker process that runs a job because it imports the script that started it.

    Raises:
        SystemExit: with what to do, as the process is being started by multiprocessing.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(f"error: a worker process imports your script, which runs a job: {GUARD}")


@contextmanager
def opened(cluster: LocalCluster, memory: int, wait: float) -> Iterator[Client]:
    """A client of worker processes that end with the block.

    Raises:
        ClusterError: they cannot be started.
    """
    import distributed

    with ExitStack() as opened:
        with interrupts_held():  # what was held back ends the block, and with it the workers
            workers = opened.enter_context(_workers(cluster, memory))
            if isinstance(cluster.workers, Range):
                scale(workers, cluster.workers)
            else:
                opened.enter_context(kept_up(workers))
        yield opened.enter_context(distributed.Client(workers))


def _workers(cluster: LocalCluster, memory: int) -> distributed.LocalCluster:
    import distributed

    try:
        return distributed.LocalCluster(
            n_workers=_count(cluster),
            threads_per_worker=cluster.threads,
            processes=True,
            memory_limit=ended_at(memory),
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,  # what matters is raised; a stopped run breaks much
        )
    except (OSError, RuntimeError, TimeoutError) as error:
        raise ClusterError(
            f"no local cluster could be started: {cause_of(error)}; in a script, {GUARD}"
        ) from error


def _count(cluster: LocalCluster) -> int:
    """Workers to begin with."""
    if isinstance(cluster.workers, Range):
        return cluster.workers.minimum
    return cluster.workers or processors()


@contextmanager
def kept_up(workers: distributed.LocalCluster) -> Iterator[None]:
    """Start anew, while the block lasts, what stopped looking after a worker process.

    A nanny whose worker dies while it is being started closes, and none takes its place by itself.
    """
    count, ended = len(workers.worker_spec), threading.Event()

    def keep() -> None:
        while not ended.wait(KEPT):
            workers.scale(count)

    thread = threading.Thread(target=keep, name="workers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block has ended; what it starts is deaf to Ctrl-C.

    Processes inherit which signals are blocked, through the threads that start them, and those
    that take the place of one that died do so too. It is for this process to end them: by SIGTERM,
    which so must not be blocked.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    resource_tracker.ensure_running()  # what starts it by itself unblocks signals thereafter
    before = {number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM)}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
        if heard:
            signal.raise_signal(heard[0])
