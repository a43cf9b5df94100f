"""Workers: processes that answer questions, each within a time limit.

A question is about files and shapes of strangers. Its process can be ended, whatever it hangs in,
and takes nobody along where a library ends it; another one takes its place.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from zonalbatch.service.egress.way_out import leave_by
from zonalbatch.service.memory import hold_little
from zonalbatch.service.refusals import BUSY, FAULT, Refusal, too_late
from zonalbatch.service.said import Said, said_by
from zonalbatch.service.settings import Settings

__all__ = ["Workers"]

T = TypeVar("T")

ANSWERS = 20_000
"""Of a process, before a fresh one takes its place."""
PRELOADED = [
    f"zonalbatch.service.{name}"
    for name in (
        "rasters.rows",
        "rasters.together",
        "vectors.measuring",
        "pictures.drawing",
        "warming",
    )
]
"""What answers need, imported once for all processes."""


class Workers:
    """As many processes as the settings say."""

    def __init__(self, settings: Settings, way_out: str = "") -> None:
        """Make them, without waiting.

        Args:
            settings: what the service allows.
            way_out: `Egress.url`; empty lets them reach any host.
        """
        self._settings = settings
        self._pool = ProcessPool(
            max_workers=settings.workers,
            max_tasks=ANSWERS,
            initializer=_begin,
            initargs=(settings, way_out),
            context=_context(),
        )
        self.waiting = 0
        """Questions that are not answered yet."""

    async def __aenter__(self) -> Workers:
        """Wait until one is ready to answer; the others are so at about the same time."""
        await asyncio.wrap_future(self._pool.schedule(_ready))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End them; questions under way get no answer."""
        self._pool.stop()
        await asyncio.to_thread(self._pool.join)

    async def asked(self, function: Callable[..., T], *args: Any) -> T:
        """What a function of a module returns in one of the processes.

        Args:
            function: is given the process's `Desk`, and what follows.
            args: of it.

        Raises:
            Refusal: there are too many questions, no answer in time, or the engine refused.
        """
        with self.counted():
            found: T = (await self.said(function, *args)).told()
            return found

    @contextmanager
    def counted(self) -> Iterator[float]:
        """A question that waits for its answer, and the seconds that it may do so.

        Raises:
            Refusal: there are too many already.
        """
        if self.waiting >= self._settings.at_once:
            raise Refusal(BUSY, "there are too many questions at once; ask again in a moment")
        self.waiting += 1
        try:
            yield self._settings.seconds
        finally:
            self.waiting -= 1

    async def said(self, function: Callable[..., Any], *args: Any) -> Said:
        """What becomes of a call in one of the processes.

        Raises:
            Refusal: there was no answer in time, or the process ended.
        """
        seconds = self._settings.seconds
        # It ends the process of an answer that takes longer, once that was begun.
        future = self._pool.schedule(_answered, args=(function, *args), timeout=seconds)
        asked = asyncio.wrap_future(future)
        asked.add_done_callback(_heard)
        try:
            # To cancel what was begun would end its process, which may just be starting.
            return await asyncio.wait_for(asyncio.shield(asked), seconds)
        except TimeoutError:
            if not future.running():
                future.cancel()
            raise too_late(seconds) from None
        except ProcessExpired:
            raise Refusal(
                FAULT, "the process that measured ended before its answer; ask for less at once"
            ) from None


def _heard(future: asyncio.Future[Said]) -> None:
    """Take note of what nobody waits for any more."""
    if not future.cancelled():
        future.exception()


def _context() -> Any:
    """Processes that are forked off one which has imported what they need, and done no more."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _answered(function: Callable[..., Any], *args: Any) -> Said:
    (desk,) = _DESKS
    return said_by(partial(function, desk, *args), desk.settings.root)


_DESKS: list[Any] = []
"""The desk of this process, if it is one that answers."""


def _begin(settings: Settings, way_out: str) -> None:
    """Prepare a process: it ends by its parent alone, and knows the way out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hold_little()
    if way_out:
        leave_by(way_out)
    from zonalbatch.service.desk import Desk
    from zonalbatch.service.warming import warm

    warm()
    _DESKS.append(Desk(settings))


def _ready() -> None:
    """Nothing: a process that did it is ready."""
