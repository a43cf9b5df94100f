"""Clusters: where workers come from."""

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

from zonalbatch.errors import ClusterError
from zonalbatch.job import AddressCluster, LocalCluster
from zonalbatch.work.reading import processors

if TYPE_CHECKING:
    import distributed
    from distributed import Client

__all__ = ["kept_up", "leave_if_imported", "open_client"]

SETTINGS = {
    # A worker takes the next part when it has done one: parts are large and wait better unassigned.
    "distributed.scheduler.worker-saturation": 1.0,
    # Of the first worker that a part loses the engine hears, and does what it does then.
    "distributed.scheduler.allowed-failures": 0,
    # Parts keep to their memory limit themselves; a paused worker may never wake again.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    # What takes far more than it may is ended, before the machine ends something else.
    "distributed.worker.memory.terminate": 1.0,
}

SPARE = 2**30
"""Bytes above ``limits.memory`` at which a local worker is ended, or a quarter of it if that is
more: parts are cut to the limit by an estimate, and none is to be lost to its error."""


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
def open_client(cluster: LocalCluster | AddressCluster, memory: int) -> Iterator[Client]:
    """A client of the cluster that a job asks for; a local one ends with the block.

    Args:
        cluster: which.
        memory: bytes that a worker process may take.

    Raises:
        ClusterError: no scheduler answers.
    """
    import dask
    import distributed  # noqa: F401 - its defaults must stand before: else they end with the block

    with dask.config.set(SETTINGS):
        if isinstance(cluster, AddressCluster):
            with _connected(cluster.address) as client:
                yield client
        else:
            with _started(cluster, memory) as client:
                yield client


@contextmanager
def _started(cluster: LocalCluster, memory: int) -> Iterator[Client]:
    import distributed

    with ExitStack() as opened:
        with _interrupts_held():  # what was held back ends the block, and with it the workers
            workers = opened.enter_context(_workers(cluster, memory))
            opened.enter_context(kept_up(workers))
        yield opened.enter_context(distributed.Client(workers))


def _workers(cluster: LocalCluster, memory: int) -> distributed.LocalCluster:
    import distributed

    try:
        return distributed.LocalCluster(
            n_workers=cluster.workers or processors(),
            threads_per_worker=cluster.threads,
            processes=True,
            memory_limit=memory + max(SPARE, memory // 4),
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,  # what matters is raised; a stopped run breaks much
        )
    except (OSError, RuntimeError, TimeoutError) as error:
        raise ClusterError(
            f"no local cluster could be started: {str(error).rstrip('.')}; in a script, {GUARD}"
        ) from error


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
def _interrupts_held() -> Iterator[None]:
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


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    import distributed

    try:
        client = distributed.Client(address, timeout="15s")
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address} ({error}); check the address, or start one"
        ) from error
    with client:
        yield client
