"""Walltime: how long a queue lets a job be, and when its workers leave before that.

A worker that leaves by itself hands its part to another, which is then no loss; one that the queue
ends takes it along. They do not leave all at once, so that new jobs do not wait all at once.
"""

from __future__ import annotations

import re

__all__ = ["lifetime", "seconds_of"]

MARGIN = 300.0
"""The most seconds before its end that a job is left."""
SHARE = 0.15
"""Of a short walltime, the share that is left."""
FULL = (1, 60, 3600, 86400)
"""Seconds of each field from the last, as most queues have them."""


def lifetime(kind: str, walltime: object) -> list[str]:
    """Arguments by which Dask's workers leave in time; none if nothing ends them."""
    seconds = seconds_of(kind, walltime)
    if not seconds:
        return []
    margin = min(MARGIN, SHARE * seconds)
    stagger = margin / 3
    return ["--lifetime", f"{seconds - margin:.0f}s", "--lifetime-stagger", f"{stagger:.0f}s"]


def seconds_of(kind: str, walltime: object) -> float | None:
    """Seconds of a walltime as a queue writes it; None if it is of another form."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+(?::\d+){0,3})", str(walltime).strip())
    if found is None:
        return None
    days, fields = found[1], [int(one) for one in found[2].split(":")]
    return float(86400 * int(days or 0) + _seconds(kind, fields, days is not None))


def _seconds(kind: str, fields: list[int], after_days: bool) -> int:
    if after_days:  # Slurm's D-H, D-H:M, D-H:M:S
        return sum(n * unit for n, unit in zip(fields, (3600, 60, 1), strict=False))
    if kind == "lsf":  # H:M
        return sum(n * unit for n, unit in zip(reversed(fields), (60, 3600), strict=False))
    if kind == "slurm" and len(fields) == 1:  # M
        return 60 * fields[0]
    return sum(n * unit for n, unit in zip(reversed(fields), FULL, strict=False))
