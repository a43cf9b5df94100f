"""Retries: a read that failed in a passing way is tried again, after waits that grow.

So is one of a remote file that gave nonsense, as an answer that was cut short on its way does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_exponential,
    wait_random,
)

from zonalbatch.errors import DoubtfulReadError, PassingReadError, ReadError

__all__ = ["RETRYING", "TRIES", "tried"]

T = TypeVar("T")

TRIES, TRIES_OF_NONSENSE = 4, 6
"""How many tries there are before a passing failure is believed, and before nonsense is."""

SOON = 0.2
"""Seconds before nonsense is asked for again."""

_growing = wait_exponential(multiplier=0.5, exp_base=4, max=8) + wait_random(0, 0.5)
"""Waits of about 0.5, 2 and 8 s, not the same for all who wait."""


def tried(read: Callable[[], T]) -> T | ReadError:
    """What a read gives, or the error it ends with; passing failures are tried again."""
    try:
        return RETRYING(read)
    except ReadError as error:
        return error


def _wait(state: RetryCallState) -> float:
    """Seconds until the next try: they grow, and are no fewer than the server asks for."""
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, PassingReadError):
        return SOON  # a file that is broken answers at once, and there may be many such blocks
    return max(_growing(state), error.after)


def _stop(state: RetryCallState) -> bool:
    """True if what it ended with is believed."""
    error = state.outcome.exception() if state.outcome else None
    passing = isinstance(error, PassingReadError)
    return state.attempt_number >= (TRIES if passing else TRIES_OF_NONSENSE)


RETRYING = Retrying(
    stop=_stop,
    wait=_wait,
    retry=retry_if_exception_type((PassingReadError, DoubtfulReadError)),
    retry_error_callback=lambda state: state.outcome and state.outcome.exception(),
)
"""How reads are tried again; threads may share it."""
