"""Limits: the bounds of a run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of a run."""

    memory: int
    """Bytes that a worker process may take."""
    requests: int
    """Reads that may be under way at once, of all workers together."""
    outage: float = 15 * 60.0
    """Seconds to wait for a host that is down; 0 waits for none."""
    wait: float = 0.0
    """Seconds to wait for a first worker, if that is more than there is patience anyway."""
    max_failures: int | float | None = None
    """Files that may fail before the run stops; below 1, their share of all files."""
    strict: bool = False
    """Stop at the first failure."""
