"""Gateway: a cluster of a Dask Gateway (the extra ``clusters``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zonalbatch.clusters.scaling import scale
from zonalbatch.errors import ClusterError, InputError
from zonalbatch.job import GatewayCluster

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["opened"]


@contextmanager
def opened(cluster: GatewayCluster, memory: int, wait: float) -> Iterator[Client]:
    """A client of a named cluster, or of a new one that ends with the block.

    Raises:
        ClusterError: the gateway does not answer, or gives no such cluster.
        InputError: dask-gateway is not installed.
    """
    with _gateway(cluster) as gateway, _cluster(gateway, cluster) as found:
        scale(found, cluster.workers)
        with found.get_client() as client:
            yield client


def _gateway(cluster: GatewayCluster) -> Any:
    try:
        from dask_gateway import Gateway
    except ModuleNotFoundError as error:
        raise InputError(
            f"cluster.kind gateway needs {error.name}; install it with: "
            "pip install 'zonalbatch[clusters]'"
        ) from None
    try:
        return Gateway(cluster.address)
    except ValueError as error:
        raise InputError(f"cluster.address: {error}") from error


def _cluster(gateway: Any, cluster: GatewayCluster) -> Any:
    try:
        if cluster.name is not None:
            return gateway.connect(cluster.name, shutdown_on_close=False)
        return gateway.new_cluster(shutdown_on_close=True, **cluster.options)
    except Exception as error:  # of aiohttp, of the gateway, of its authentication
        what = f"cluster {cluster.name!r}" if cluster.name else "new cluster"
        raise ClusterError(
            f"the gateway at {gateway.address} gives no {what} ({error}); see that it runs and "
            "that you may use it"
        ) from error
