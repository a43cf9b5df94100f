"""The event loop of this process: requests live in one thread; who wants them waits in others."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["begun"]

T = TypeVar("T")

_ONE = threading.Lock()
"""Many threads may ask for the first time."""


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="requests", daemon=True).start()
    return loop


def begun(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Work on requests that is under way; its result may be waited for in any other thread."""
    with _ONE:
        loop = _loop()
    return asyncio.run_coroutine_threadsafe(work, loop)
