"""Hosts: how the last reads of each went, where they are made and for a whole run."""

from __future__ import annotations

import threading
from collections.abc import Mapping

__all__ = ["ANSWERED", "FAILED", "Hosts", "failing"]

ANSWERED, FAILED = ".x"
"""Marks of a read: the host answered it, if only that there is no such file; or it failed in a way
that passes."""

KNOWN = 100
"""Reads of a host that are remembered."""

ENOUGH = 20
"""Reads that must be known before a host is judged."""


class Hosts:
    """How the last reads of each host went; many threads may add to it."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, host: str, marks: str) -> None:
        """Note how further reads went, the oldest first."""
        with self._lock:
            self._marks[host] = (self._marks.get(host, "") + marks)[-KNOWN:]

    def down(self, host: str) -> bool:
        """True if enough reads are known and half of them, or more, failed."""
        marks = self._marks.get(host, "")
        return len(marks) >= ENOUGH and failing(marks)

    def forget(self, host: str) -> None:
        """Judge a host anew."""
        with self._lock:
            self._marks.pop(host, None)

    @property
    def told(self) -> Mapping[str, str]:
        """Host -> marks of its last reads, the oldest first."""
        return dict(self._marks)


def failing(marks: str) -> bool:
    """True if half of some reads, or more, failed."""
    return 2 * marks.count(FAILED) >= len(marks)
