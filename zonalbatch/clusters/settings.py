"""Settings: what runs rely on of Dask's scheduler and workers, wherever they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["SETTINGS", "ended_at", "environment"]

SETTINGS: Mapping[str, Any] = {
    # A worker takes the next part when it has done one: parts are large and wait better unassigned.
    "distributed.scheduler.worker-saturation": 1.0,
    # Of the first worker that a part loses the engine hears, and does what it does then.
    "distributed.scheduler.allowed-failures": 0,
    # Until parts have been timed, one worker is wanted for every few that wait; by Dask's half of a
    # second a cluster that grows with its backlog would hardly begin to.
    "distributed.scheduler.default-task-durations": {"part": "60s"},
    # Parts keep to their memory limit themselves; a paused worker may never wake again.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    # What takes far more than it may is ended, before the machine ends something else.
    "distributed.worker.memory.terminate": 1.0,
}

SPARE = 2**30
"""The least bytes between what a part may take and where its worker is ended."""


def ended_at(memory: int) -> int:
    """Bytes at which a worker is ended whose parts may take so many: a GiB or a quarter more.

    Parts are cut to the limit by an estimate, and none is to be lost to its error.
    """
    return memory + max(SPARE, memory // 4)


def environment() -> dict[str, str]:
    """The settings as the environment variables by which Dask takes them."""
    return {
        "DASK_" + name.replace(".", "__").replace("-", "_").upper(): repr(value)
        for name, value in SETTINGS.items()
    }
