"""Interruption: what Ctrl-C and SIGTERM do to a command."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interruptible"]

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 10.0
"""Seconds after a signal in which another one is the same wish: workers are being ended."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C or SIGTERM end the block in order, however often they come.

    Raises:
        SystemExit: with 130, after one sentence on stderr.
    """
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    except BaseException:
        # What comes up of a stopped command, be it a broken connection, is of the stopping.
        if not stop.asked:
            raise
    finally:
        for number, handler in before.items():
            # Python ends workers that are left when it ends itself, and is not to be disturbed.
            signal.signal(number, signal.SIG_IGN if stop.asked else handler)
    if stop.asked:
        told = "interrupted; run the same command again (a job goes on from what is done)"
        print(told, file=sys.stderr)
        sys.exit(INTERRUPTED)


class _Stop:
    """A handler that raises KeyboardInterrupt, but not into what follows from it."""

    def __init__(self) -> None:
        self._last = -PATIENCE

    @property
    def asked(self) -> bool:
        """True once there was a signal."""
        return self._last >= 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._last > PATIENCE:
            self._last = now
            logging.disable()  # of connections that break now nobody wants to hear
            raise KeyboardInterrupt
