"""Within: what a provider has to say in so many seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from zonalbatch.errors import PassingReadError

__all__ = ["within"]

T = TypeVar("T")


def within(seconds: float, provider: str, call: Callable[[], T]) -> T:
    """What a call gives, if it gives it in time.

    A request that hangs is tried again by whoever sends it, a minute each; nobody waits for that
    before anything has been read.

    Args:
        seconds: how long it may take.
        provider: who is asked, for the error.
        call: asks.

    Raises:
        PassingReadError: there was no answer in time. The call goes on, and nobody hears of it.
    """
    answer: Future[T] = Future()

    def ask() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:
            answer.set_exception(error)

    # A thread that nobody waits for, also at the end of the program.
    threading.Thread(target=ask, daemon=True, name="provider").start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        if answer.done():
            raise
        raise PassingReadError(
            f"{provider} did not answer in {seconds:g} s; try again later, or see that it is there"
        ) from None
