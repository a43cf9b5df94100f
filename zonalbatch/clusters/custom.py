"""Custom: a cluster by a class of any package, or of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zonalbatch.clusters.causes import cause_of
from zonalbatch.clusters.scaling import scale
from zonalbatch.errors import ClusterError
from zonalbatch.job import CustomCluster

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["opened"]


@contextmanager
def opened(cluster: CustomCluster, memory: int, wait: float) -> Iterator[Client]:
    """A client of a cluster of the class, which ends with the block.

    Raises:
        ClusterError: it cannot be made.
    """
    import distributed

    with _made(cluster) as made:
        scale(made, cluster.workers)
        with distributed.Client(made) as client:
            yield client


def _made(cluster: CustomCluster) -> Any:
    name = cluster.cluster.__qualname__
    try:
        return cluster.cluster(**cluster.options)
    except Exception as error:  # of whatever the class does
        raise ClusterError(f"no {name} could be made: {cause_of(error)}") from error
