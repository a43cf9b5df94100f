"""The event loop of this process: requests live in one thread; who wants them waits in others."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["Waits", "begun", "waits"]

T = TypeVar("T")

_ONE = threading.Lock()
"""Many threads may ask for the first time."""


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_unheard)
    threading.Thread(target=loop.run_forever, name="requests", daemon=True).start()
    return loop


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of what failed when nobody waited for it any more: it may name a signature."""
    if "never retrieved" not in context["message"]:
        loop.default_exception_handler(context)


class Waits:
    """What a thread began and waits for, so that another may give it up."""

    def __init__(self) -> None:
        self._begun: set[Future[Any]] = set()
        self._given_up = False
        self._lock = threading.Lock()

    def add(self, future: Future[Any]) -> None:
        """Wait for this, too; nothing that is begun later is done."""
        with self._lock:
            self._begun.add(future)
            late = self._given_up
        future.add_done_callback(self._begun.discard)
        if late:
            future.cancel()

    def give_up(self) -> None:
        """End what is under way; who waits for it hears a CancelledError."""
        with self._lock:
            self._given_up = True
            left = list(self._begun)
        for future in left:
            future.cancel()


waits: ContextVar[Waits | None] = ContextVar("waits", default=None)
"""Of the work that a thread does; none if nobody will give it up."""


def begun(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Work on requests that is under way; its result may be waited for in any other thread."""
    with _ONE:
        loop = _loop()
    future, mine = asyncio.run_coroutine_threadsafe(work, loop), waits.get()
    if mine is not None:
        mine.add(future)
    return future
