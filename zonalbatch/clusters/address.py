"""Address: a scheduler that runs already."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zonalbatch.clusters.security import security_of
from zonalbatch.errors import ClusterError
from zonalbatch.job import AddressCluster

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["opened"]

ANSWER = 15.0
"""Seconds that a scheduler has to answer."""
AGAIN = 2.0
"""Seconds between two tries."""


@contextmanager
def opened(cluster: AddressCluster, memory: int, wait: float) -> Iterator[Client]:
    """A client of the scheduler.

    Raises:
        ClusterError: it does not answer.
    """
    with _connected(cluster, time.monotonic() + wait) as client:
        yield client


def _connected(cluster: AddressCluster, until: float) -> Client:
    """Connect; of a scheduler that is being started neither name nor port is there at first."""
    import distributed

    security = security_of(cluster.tls)
    while True:
        try:
            return distributed.Client(cluster.address, timeout=ANSWER, security=security)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            if time.monotonic() >= until or isinstance(error, ValueError | TypeError):
                raise ClusterError(_sentence(cluster.address, error)) from error
        time.sleep(AGAIN)


def _sentence(address: str, error: Exception) -> str:
    said = f"no Dask scheduler answers at {address} ({error}); check the address, or start one"
    certified = address.startswith("tls://")
    return said + ", and see that all have certificates of one authority" * certified
