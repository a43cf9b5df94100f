"""Interruption: what Ctrl-C and SIGTERM do to a command.

It is there before anything else is imported, and so imports next to nothing itself.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Interruption", "interruptible"]

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SOON = 0.05
"""Seconds after which an interruption that was lost is raised again."""
PATIENCE = 20.0
"""Seconds after a signal in which another one is the same wish: parts land, workers are ended."""


class Interruption:
    """A handler that raises KeyboardInterrupt, but not into what follows from it."""

    def __init__(self) -> None:
        self.advice = "run the same command again (a job goes on from what is done)"
        """What to do then; a command that knows better says so."""
        self.asked = False
        """True once there was a signal."""
        self._last = -PATIENCE
        self._unraised = sys.unraisablehook

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        now = time.monotonic()
        if now - self._last > PATIENCE:
            self._last, self.asked = now, True
            _silence_logs()  # of connections that break now nobody wants to hear
            raise KeyboardInterrupt

    def lost(self, fault: Any) -> None:
        """Hear of what Python cannot raise; if it is the interruption, it is raised again.

        A signal may come while an object is being taken away, and from there nothing is raised.
        """
        if fault.exc_type is not KeyboardInterrupt:
            self._unraised(fault)
            return
        self._last = -PATIENCE
        threading.Timer(SOON, _thread.interrupt_main, [signal.SIGINT]).start()


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Let Ctrl-C or SIGTERM end the block in order, however often they come.

    Raises:
        SystemExit: with 130, after one sentence on stderr.
    """
    interruption = Interruption()
    before = {number: signal.signal(number, interruption) for number in SIGNALS}
    sys.unraisablehook = interruption.lost
    try:
        yield interruption
    except BaseException:
        # What comes up of a stopped command, be it a broken connection, is of the stopping.
        if not interruption.asked:
            raise
    finally:
        for number, handler in before.items():
            # Python ends workers that are left when it ends itself, and is not to be disturbed.
            signal.signal(number, signal.SIG_IGN if interruption.asked else handler)
    if interruption.asked:
        print(f"interrupted; {interruption.advice}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _silence_logs() -> None:
    import logging  # here, as it would make half of the time until signals are heard

    logging.disable()
