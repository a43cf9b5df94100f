"""Worker: one that comes to a scheduler, and to the next one if that goes.

A scheduler in the process of a run goes with it: when all is done, but also when the run is moved
to another machine, and then the next one wants its workers. Dask's own worker ends in both cases,
and the same way when it is told to go itself. A job of Kubernetes that restarts workers which
failed would never restart one.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zonalbatch.clusters.causes import cause_of
from zonalbatch.clusters.settings import SETTINGS
from zonalbatch.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Nanny

__all__ = ["Stopped", "attend", "tell_ended"]

logger = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds before a scheduler that went is looked for again. One that is there still has let the
worker go, to have its machine taken away: a part that it came back for would be lost."""
CLOSING = 10.0
"""Seconds that a worker has to take leave of its scheduler."""


class Stopped(Exception):  # noqa: N818 (it is a wish, not an error)
    """A signal asked the worker to go."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True)
class _Visit:
    """What came of looking for a scheduler."""

    met: bool
    """True if there was one."""
    ended: bool
    """True if it said that all is done."""
    cause: str = ""
    """Why there was none."""


def tell_ended(dask_worker: Nanny) -> None:
    """Have a worker know, by its nanny, that the run has ended; run there by a client."""
    dask_worker._zonalbatch_ended = True  # type: ignore[attr-defined]


def attend(address: str, patience: float, **options: Any) -> None:
    """Work for the scheduler at an address, and for those that follow it there.

    Args:
        address: of the scheduler.
        patience: seconds to wait for a scheduler, at first and when one has gone.
        options: of Dask's nanny: name, memory_limit, local_directory.

    Raises:
        ClusterError: no scheduler was ever there.
        Stopped: a signal asked it to go.
    """
    import dask
    import distributed  # noqa: F401 - its defaults must stand before

    with dask.config.set(SETTINGS):
        asyncio.run(_attend(address, patience, options))


async def _attend(address: str, patience: float, options: dict[str, Any]) -> None:
    asked = _signals()  # heard between two schedulers, too
    met, gone, cause = False, time.monotonic(), ""
    while (left := gone + patience - time.monotonic()) > 0:
        visit = await _visit(address, left, asked, options)
        if visit.ended:
            return
        if not visit.met and visit.cause != cause:
            logger.warning("no scheduler at %s yet: %s", address, visit.cause)
        met, cause = met or visit.met, visit.cause or cause
        gone = time.monotonic() if visit.met else gone
        await asyncio.wait({asked}, timeout=AGAIN)
        if asked.done():
            raise Stopped(asked.result())
    if not met:
        raise ClusterError(
            f"no scheduler was at {address} for {patience:.0f} s ({cause}); see that one runs"
        )


async def _visit(
    address: str, patience: float, asked: asyncio.Future[int], options: dict[str, Any]
) -> _Visit:
    """Work for one scheduler until it goes, or a signal has come."""
    from distributed import Nanny

    nanny = Nanny(address, nthreads=1, death_timeout=patience, **options)
    coming = asyncio.ensure_future(_come(nanny))
    try:
        both: set[asyncio.Future[Any]] = {coming, asked}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            raise Stopped(asked.result())
        return coming.result()
    finally:
        coming.cancel()
        with suppress(Exception):
            await nanny.close(timeout=CLOSING, reason="worker-leaves")


async def _come(nanny: Nanny) -> _Visit:
    try:
        await nanny
    except Exception as error:  # nobody there in time, or it went while the worker was started
        return _Visit(met=False, ended=False, cause=cause_of(error))
    await nanny.finished()
    return _Visit(met=True, ended=getattr(nanny, "_zonalbatch_ended", False))


def _signals() -> asyncio.Future[int]:
    """What is done once a signal has come, with its number."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[int] = loop.create_future()

    def heard(number: int) -> None:
        if not asked.done():
            asked.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heard, number)
    return asked
