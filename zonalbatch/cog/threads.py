"""Threads: where an open COG waits for its bytes and decodes them, beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from zonalbatch.sources.async_cog.loop import Waits, waits

__all__ = ["in_thread"]

T = TypeVar("T")

THREADS = 32
"""Each waits for the answers to one call; asyncio's own pool has a few more than there are cores,
and a loop that ends waits for it."""

_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="cogs")


async def in_thread(act: Callable[..., T], *args: Any) -> T:
    """What a function gives, in a thread; if it is given up, so are the requests it waits for."""
    mine, context = Waits(), copy_context()
    context.run(waits.set, mine)
    work = partial(context.run, act, *args)
    try:
        return await asyncio.get_running_loop().run_in_executor(_POOL, work)
    except asyncio.CancelledError:
        mine.give_up()
        raise
