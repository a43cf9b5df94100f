"""Listen: a scheduler in this process, to which workers come (`zonalbatch worker`)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from zonalbatch.clusters.causes import cause_of
from zonalbatch.clusters.local import interrupts_held
from zonalbatch.clusters.security import security_of
from zonalbatch.clusters.worker import tell_ended
from zonalbatch.errors import ClusterError, ZonalbatchError, ZonalbatchWarning
from zonalbatch.job import ListenCluster

if TYPE_CHECKING:
    from distributed import Client, SpecCluster

__all__ = ["opened"]

PORT = 8786


@contextmanager
def opened(cluster: ListenCluster, memory: int, wait: float) -> Iterator[Client]:
    """A client of a scheduler that listens as long as the block lasts.

    Workers hear that the run has ended, if it has. Of one that was stopped, or has lost its
    cluster, they hear nothing, and wait for the next one.

    Raises:
        ClusterError: it cannot listen there.
    """
    import distributed

    with ExitStack() as stack:
        with interrupts_held():
            scheduler = stack.enter_context(_scheduler(cluster))
        client = stack.enter_context(distributed.Client(scheduler))
        come = f"zonalbatch worker {scheduler.scheduler_address}"
        warnings.warn(f"workers come by: {come}", ZonalbatchWarning, stacklevel=2)
        try:
            yield client
        except ClusterError:
            raise
        except ZonalbatchError:
            _say_goodbye(client)
            raise
        _say_goodbye(client)


def _say_goodbye(client: Client) -> None:
    with suppress(Exception):  # a worker that does not hear it ends by its own time limit
        client.run(tell_ended, nanny=True, on_error="ignore")


def _scheduler(cluster: ListenCluster) -> SpecCluster:
    import distributed

    try:
        return distributed.SpecCluster(
            scheduler={"cls": distributed.Scheduler, "options": _options(cluster)},
            workers={},
            security=security_of(cluster.tls),
            silence_logs=logging.CRITICAL,
        )
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise ClusterError(
            f"no scheduler can listen at {cluster.address}, with its dashboard at "
            f"{cluster.dashboard} ({cause_of(error)}); correct it, or give others"
        ) from error


def _options(cluster: ListenCluster) -> dict[str, Any]:
    place = urlsplit(cluster.address)
    return {
        "protocol": f"{place.scheme}://",
        "host": place.hostname,
        "port": PORT if place.port is None else place.port,
        "dashboard_address": cluster.dashboard,
        "security": security_of(cluster.tls),
    }
