"""Workers: processes that answer questions, each within a time limit.

A question is about files and shapes of strangers. Its process can be ended, whatever it hangs in,
and takes nobody along where a library ends it; another one takes its place.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from zonalbatch.errors import ZonalbatchError
from zonalbatch.service.egress.way_out import leave_by, refusals_told
from zonalbatch.service.refusals import BUSY, FAULT, TOO_LARGE, TOO_LATE, Refusal, refusal_of
from zonalbatch.service.settings import Settings
from zonalbatch.service.telemetry import LOG

__all__ = ["Workers"]

T = TypeVar("T")

ANSWERS = 20_000
"""Of a process, before a fresh one takes its place."""
PRELOADED = [
    f"zonalbatch.service.{name}"
    for name in ("rasters.rows", "vectors.measuring", "pictures.drawing", "warming")
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
        """Wait until each is ready to answer."""
        ready = [self._pool.schedule(_warm) for _ in range(self._settings.workers)]
        await asyncio.gather(*map(asyncio.wrap_future, ready))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
        if self.waiting >= self._settings.at_once:
            raise Refusal(BUSY, "there are too many questions at once; ask again in a moment")
        self.waiting += 1
        try:
            # It ends the process of an answer that takes longer, once that was begun.
            seconds = self._settings.seconds
            future = self._pool.schedule(_answered, args=(function, *args), timeout=seconds)
            found: T = await self._in_time(future)
            return found
        finally:
            self.waiting -= 1

    async def _in_time(self, future: Future[_Said]) -> Any:
        seconds = self._settings.seconds
        asked = asyncio.wrap_future(future)
        asked.add_done_callback(_heard)
        try:
            # To cancel what was begun would end its process, which may just be starting.
            said = await asyncio.wait_for(asyncio.shield(asked), seconds)
        except TimeoutError:
            if not future.running():
                future.cancel()
            raise Refusal(
                TOO_LATE, f"there was no answer in {seconds:g} s; ask for less, or approx_stats"
            ) from None
        except ProcessExpired:
            raise Refusal(
                FAULT, "the process that measured ended before its answer; ask for less at once"
            ) from None
        if said.trace:
            LOG.error("fault", extra={"told": {"trace": said.trace}})
        if said.status:
            raise Refusal(said.status, said.detail)
        return said.answer


def _heard(future: asyncio.Future[_Said]) -> None:
    """Take note of what nobody waits for any more."""
    if not future.cancelled():
        future.exception()


def _context() -> Any:
    """Processes that are forked off one which has imported what they need, and done no more."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@dataclass(frozen=True, slots=True)
class _Said:
    """What comes back from a process: plain things, as not every error can be sent."""

    answer: Any = None
    status: int = 0
    detail: str = ""
    trace: str = ""
    """Of a fault, for the log."""


def _answered(function: Callable[..., Any], *args: Any) -> _Said:
    (desk,) = _DESKS
    try:
        return _Said(refusals_told(lambda: function(desk, *args)))
    except Refusal as refusal:
        return _Said(status=refusal.status, detail=refusal.detail)
    except ZonalbatchError as error:
        told = refusal_of(error, desk.settings.root)
        return _Said(status=told.status, detail=told.detail)
    except MemoryError:
        detail = "that takes more memory than there is; ask for less, or approx_stats"
        return _Said(status=TOO_LARGE, detail=detail)
    except Exception:
        detail = "a fault of the service; its log tells more"
        return _Said(status=FAULT, detail=detail, trace=traceback.format_exc())


_DESKS: list[Any] = []
"""The desk of this process, if it is one that answers."""


def _begin(settings: Settings, way_out: str) -> None:
    """Prepare a process: it ends by its parent alone, and knows the way out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if way_out:
        leave_by(way_out)
    from zonalbatch.service.desk import Desk
    from zonalbatch.service.warming import warm

    warm()
    _DESKS.append(Desk(settings))


def _warm() -> None:
    """Nothing: a process that did it is ready."""
