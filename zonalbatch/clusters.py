"""Clusters: where workers come from."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zonalbatch.errors import ClusterError
from zonalbatch.job import AddressCluster, LocalCluster
from zonalbatch.work.reading import processors

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["leave_if_imported", "open_client"]

SETTINGS = {
    # A worker takes the next part when it has done one: parts are large and wait better unassigned.
    "distributed.scheduler.worker-saturation": 1.0,
    # Parts keep to their memory limit themselves; a paused worker may never wake again.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
}


GUARD = "put what calls zonalbatch below `if __name__ == '__main__':`"


def leave_if_imported() -> None:
    """End a worker process that runs a job because it imports the script that started it.

    Raises:
        SystemExit: with what to do, as the process is being started by multiprocessing.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(f"error: a worker process imports your script, which runs a job: {GUARD}")


@contextmanager
def open_client(cluster: LocalCluster | AddressCluster) -> Iterator[Client]:
    """A client of the cluster that a job asks for; a local one ends with the block.

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
            with _started(cluster) as client:
                yield client


@contextmanager
def _started(cluster: LocalCluster) -> Iterator[Client]:
    import distributed

    try:
        with _deaf_to_interrupts():
            workers = distributed.LocalCluster(
                n_workers=cluster.workers or processors(),
                threads_per_worker=cluster.threads,
                processes=True,
                memory_limit=0,
                dashboard_address=":0",
                silence_logs=logging.ERROR,
            )
    except (OSError, RuntimeError, TimeoutError) as error:
        raise ClusterError(
            f"no local cluster could be started: {str(error).rstrip('.')}; in a script, {GUARD}"
        ) from error
    with workers, distributed.Client(workers) as client:
        yield client


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that are started here ignore Ctrl-C: it is for this process to end them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
