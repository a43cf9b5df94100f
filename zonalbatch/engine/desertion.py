"""Desertion: no worker is there; what is told meanwhile, and how long that is borne."""

from __future__ import annotations

import time
from collections.abc import Callable

from zonalbatch.engine.limits import Limits
from zonalbatch.errors import ClusterError

__all__ = ["Desertion"]

LONELY = 60.0
"""The least seconds to wait for a first worker, or for one to come back."""

SOON, LATER = 60.0, 300.0
"""Seconds after which it is told again what is waited for: if it is another thing, or the same."""


class Desertion:
    """How long no worker has been there."""

    def __init__(self, limits: Limits, tell: Callable[[str], None]) -> None:
        self._limits, self._tell = limits, tell
        self._began = self._told = 0.0
        """When it was first seen, and last told, by this process's clock; 0 if it is not so."""
        self._hope = 0.0
        """When workers were last known to be on their way."""
        self._said = ""

    def ended(self) -> None:
        """A worker is there."""
        self._began = 0.0

    def goes_on(self, awaited: str) -> None:
        """No worker is there; what is known of those to come.

        Raises:
            ClusterError: there has been none for longer than is waited.
        """
        now = time.monotonic()
        if not self._began:
            self._began, self._said = now, ""
            self._say("waiting: no worker is there", now)
        if awaited and now - self._told > self._pause(awaited):
            self._said = awaited
            self._say(f"waiting: no worker is there, {awaited}", now)
        if awaited and not self._limits.wait:
            self._hope = now  # of a queue one waits for hours: only who says how long wants less
        if now - max(self._began, self._hope) > self._longest:
            raise ClusterError(
                f"no worker has been there for {now - self._began:.0f} s; start some and run "
                "again: what is done is kept"
            )

    @property
    def _longest(self) -> float:
        return max(self._limits.outage, self._limits.wait, LONELY)

    def _pause(self, awaited: str) -> float:
        """Seconds that pass until it is told again."""
        if not self._said:
            return 0.0
        return LATER if awaited == self._said else SOON

    def _say(self, text: str, now: float) -> None:
        self._told = now
        self._tell(text)
