"""Clusters: where workers come from.

settings     Dask's settings that runs rely on
scaling      a number of workers, or as many as parts wait for
causes       what lies behind an error of Dask
security     certificates of client, scheduler and workers
local        worker processes on this machine
address      a scheduler that runs already
listen       a scheduler in this process, to which workers come
gateway      a cluster of a Dask Gateway
queues       workers that are jobs of Slurm, PBS and other queues
jobs         what becomes of those jobs
walltime     how long a queue lets them be
custom       a cluster by a class of any package
worker       one that comes to a scheduler, and to the next one if that goes

A kind is a file with a function that gives a client, its keys (`zonalbatch.job.clusters`), and a
line of `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from zonalbatch.clusters import address, custom, gateway, listen, local, queues
from zonalbatch.clusters.local import leave_if_imported
from zonalbatch.clusters.settings import SETTINGS
from zonalbatch.job import (
    AddressCluster,
    ClusterKeys,
    CustomCluster,
    GatewayCluster,
    ListenCluster,
    LocalCluster,
    QueueCluster,
)

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["KINDS", "SETTINGS", "leave_if_imported", "open_client"]

Opener = Callable[[Any, int, float], "AbstractContextManager[Client]"]

KINDS: Mapping[type, Opener] = {
    LocalCluster: local.opened,
    AddressCluster: address.opened,
    ListenCluster: listen.opened,
    GatewayCluster: gateway.opened,
    QueueCluster: queues.opened,
    CustomCluster: custom.opened,
}
"""How each kind gives a client: by its keys, the memory of a worker, and the time to wait."""


@contextmanager
def open_client(cluster: ClusterKeys, memory: int, wait: float = 0.0) -> Iterator[Client]:
    """A client of the cluster that a job asks for; what was started for it ends with the block.

    Args:
        cluster: which.
        memory: bytes that a worker process may take.
        wait: seconds to wait for a scheduler that does not answer yet.

    Raises:
        ClusterError: no scheduler answers, or none can be started.
        InputError: a package that the cluster needs is not installed.
    """
    import dask
    import distributed  # noqa: F401 - its defaults must stand before: else they end with the block

    with dask.config.set(SETTINGS), KINDS[type(cluster)](cluster, memory, wait) as client:
        yield client
