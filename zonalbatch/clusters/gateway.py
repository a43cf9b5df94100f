"""Gateway: a cluster of a Dask Gateway (the extra ``clusters``)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from zonalbatch.clusters.scaling import scale
from zonalbatch.errors import ClusterError, InputError
from zonalbatch.job import GatewayCluster

if TYPE_CHECKING:
    from dask_gateway import Gateway
    from distributed import Client

__all__ = ["opened"]

AGAIN = 2.0
"""Seconds between two tries to reach a gateway."""


@contextmanager
def opened(cluster: GatewayCluster, memory: int, wait: float) -> Iterator[Client]:
    """A client of a named cluster, or of a new one that ends with the block.

    Raises:
        ClusterError: the gateway does not answer, or gives no such cluster.
        InputError: dask-gateway is not installed, or the gateway does not take the options.
    """
    with _open(cluster) as gateway, _kept(_cluster(gateway, cluster, wait)) as found:
        try:
            scale(found, cluster.workers)
            client = found.get_client()
        except Exception as error:  # of aiohttp, of the gateway, of its proxy
            raise ClusterError(_sentence(gateway, "workers", error)) from error
        with client:
            yield client


@contextmanager
def _open(cluster: GatewayCluster) -> Iterator[Gateway]:
    gateway = _gateway(cluster)
    try:
        with gateway:
            yield gateway
    finally:
        _lay_to_rest(gateway)


@contextmanager
def _kept(cluster: Any) -> Iterator[Any]:
    try:
        with cluster:
            yield cluster
    finally:
        _lay_to_rest(cluster.gateway)


def _lay_to_rest(gateway: Gateway) -> None:
    """Have it not close itself once more: dask-gateway 2026.3 asks a loop that has ended to."""
    with suppress(AttributeError):
        del gateway._loop_runner


def _gateway(cluster: GatewayCluster) -> Gateway:
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


def _cluster(gateway: Gateway, cluster: GatewayCluster, wait: float) -> Any:
    """The cluster; a gateway that does not answer is asked again while there is time."""
    until = time.monotonic() + wait
    while True:
        try:
            if cluster.name is not None:
                return gateway.connect(cluster.name, shutdown_on_close=False)
            return gateway.new_cluster(shutdown_on_close=True, **cluster.options)
        except OSError as error:  # aiohttp's are of it, too
            if time.monotonic() >= until:
                raise ClusterError(_sentence(gateway, _wanted(cluster), error)) from error
        except ValueError as error:
            if cluster.name is None:  # it answered that it does not take the options
                raise InputError(f"cluster.options: the gateway says: {error}") from error
            raise ClusterError(_sentence(gateway, _wanted(cluster), error)) from error
        except Exception as error:  # of the gateway, of its authentication
            raise ClusterError(_sentence(gateway, _wanted(cluster), error)) from error
        time.sleep(AGAIN)


def _wanted(cluster: GatewayCluster) -> str:
    return f"cluster {cluster.name!r}" if cluster.name else "new cluster"


def _sentence(gateway: Gateway, what: str, error: Exception) -> str:
    cause = " ".join(str(error).split()) or type(error).__name__
    return (
        f"the gateway at {gateway.address} gives no {what} ({cause}); see that it runs and that "
        "you may use it"
    )
