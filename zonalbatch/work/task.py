"""Task: what is asked of a worker, and by which zonalbatch.

A worker may be of another image than the run, and may come late. Numbers of two methods do not go
together in one result, so who asks is looked at before anything else.
"""

from __future__ import annotations

import socket
from dataclasses import astuple, dataclass

import zonalbatch
from zonalbatch.errors import ClusterError
from zonalbatch.planning.identity import METHOD
from zonalbatch.receipts import Receipt
from zonalbatch.work.part import run_part

__all__ = ["Release", "do_task"]


@dataclass(frozen=True, slots=True)
class Release:
    """Which zonalbatch it is."""

    version: str
    method: int
    """`METHOD`, by which numbers may differ."""

    @classmethod
    def here(cls) -> Release:
        """That of this process."""
        return cls(zonalbatch.__version__, METHOD)

    def __str__(self) -> str:
        """Version and method for people."""
        return f"{self.version} (method {self.method})"


def do_task(asked_by: tuple[str, int], plan: str, *task: object) -> Receipt:
    """Do a part, if this worker is of the release that asks.

    Args:
        asked_by: version and method of the run. What follows may differ between releases.
        plan: folder of the plan.
        task: as `run_part` takes it.

    Raises:
        ClusterError: this worker is of another release.
        ZonalbatchError: the part raised it.
    """
    here = Release.here()
    if astuple(here) != tuple(asked_by):
        version, method = asked_by
        raise ClusterError(
            f"the worker on {socket.gethostname()} is zonalbatch {here}, and the run is "
            f"{version} (method {method}); give all the same image or environment, then run "
            "again: what is done is kept"
        )
    return run_part(plan, *task)  # type: ignore[arg-type]
