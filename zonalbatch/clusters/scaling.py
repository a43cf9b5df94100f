"""Scaling: a number of workers, or as many as parts wait for."""

from __future__ import annotations

from typing import Any

from zonalbatch.job import Range

__all__ = ["scale"]


def scale(cluster: Any, workers: int | Range | None) -> None:
    """Ask a cluster of Dask's form for workers; None leaves it as it is."""
    if isinstance(workers, Range):
        cluster.adapt(minimum=workers.minimum, maximum=workers.maximum)
    elif workers is not None:
        cluster.scale(workers)
