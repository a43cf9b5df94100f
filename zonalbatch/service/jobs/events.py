"""Job events: a job each time that it changes, as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from zonalbatch.service.jobs.store import ENDED
from zonalbatch.service.jobs.views import JobView

__all__ = ["LAST", "events"]

LAST = "last"
"""Id of the event that nothing follows."""
LOOK, BEAT = 0.5, 15.0
"""Seconds between two looks, and between two lines where nothing changes."""


async def events(told: Callable[[], JobView], leaving: Callable[[], bool]) -> AsyncIterator[str]:
    """What a job is, and each time what it has become, until it has ended.

    The first event tells all, so that whoever comes again has missed nothing.

    Args:
        told: gives the job as it is now.
        leaving: true once the service stops; whoever watches comes again then.
    """
    count, before, spoken = 0, "", time.monotonic()
    while not leaving():
        now = await asyncio.to_thread(told)
        text, has_ended = now.model_dump_json(), now.state in ENDED
        if text != before:
            name, number = ("ended", LAST) if has_ended else ("progress", str(count))
            yield f"id: {number}\nevent: {name}\ndata: {text}\n\n"
            count, before, spoken = count + 1, text, time.monotonic()
        elif time.monotonic() - spoken > BEAT:
            yield ": it goes on\n\n"
            spoken = time.monotonic()
        if has_ended:
            return
        await asyncio.sleep(LOOK)
