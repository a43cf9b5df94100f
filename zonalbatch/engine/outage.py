"""Outage: while a host is down nothing is submitted but now and then a part to try it by."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from zonalbatch.errors import PassingReadError
from zonalbatch.hosts import Hosts, failing

__all__ = ["Outage"]

FIRST, LONGEST = 15.0, 120.0
"""Seconds until a host that is down is tried again; twice as many each time, up to these."""


class Outage:
    """Whether a host is down, and when it is tried again."""

    def __init__(self, limit: float, tell: Callable[[str], None]) -> None:
        self.host = ""
        """The one that is down; empty if none is."""
        self._limit = limit
        self._tell = tell
        self._hosts = Hosts()
        self._began = self._next = self._wait = 0.0
        self._trying = False

    @property
    def seconds(self) -> float:
        """Until the host is to be tried again; 0 if that is now."""
        return max(0.0, self._next - time.monotonic())

    def trying(self) -> None:
        """A part is under way, by itself, that tells whether the host is well."""
        self._trying = True

    def hear(self, reads: Mapping[str, str]) -> None:
        """Take in how reads of a part went.

        Raises:
            PassingReadError: a host is down for longer than a run waits.
        """
        for host, marks in reads.items():
            self._hosts.add(host, marks)
        if self.host:
            self._judge(reads)
        elif down := next((host for host in reads if self._hosts.down(host)), ""):
            self.host, self._began, self._wait = down, time.monotonic(), FIRST
            self._pause()

    def _judge(self, reads: Mapping[str, str]) -> None:
        """See what the part that the host was tried by says of it; others are of before."""
        if not self._trying:
            return
        self._trying = False
        marks = reads.get(self.host, "")
        if marks and failing(marks):
            self._wait = min(2 * self._wait, LONGEST)
            self._pause()
            return
        self._tell(f"going on: {self.host} answers again")
        self._hosts.forget(self.host)
        self.host = ""

    def _pause(self) -> None:
        now = time.monotonic()
        left = self._began + self._limit - now
        if left <= 0:
            raise PassingReadError(
                f"half of the reads of {self.host} fail, for {now - self._began:.0f} s now; run "
                "again when it is well (what is done is kept), or raise limits.outage "
                f"({self._limit:.0f} s)"
            )
        wait = min(self._wait, left)
        self._next = now + wait
        self._tell(f"paused: {self.host} fails half of its reads; trying again in {wait:.0f} s")
