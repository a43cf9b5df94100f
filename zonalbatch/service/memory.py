"""Memory: a process that answers for days holds no more of it than it needs."""

from __future__ import annotations

import ctypes
import gc

__all__ = ["hold_little"]

ARENAS = -8, 2
"""M_ARENA_MAX: heaps. Each thread that reads may have one, and keep what is free in it."""
LARGE = -3, 1024**2
"""M_MMAP_THRESHOLD: bytes from which on memory is given back when it is freed. Where it is not set,
it grows with what is freed, and blocks of rasters leave holes in the heap that nothing fits."""
SPARE = -1, 1024**2
"""M_TRIM_THRESHOLD: bytes that are kept at the end of a heap."""


def hold_little() -> None:
    """Leave to others what is shared with them, and give back what is free.

    It is called first in a process that was forked. The settings are those of mallopt(3); other
    libraries than glibc have none.
    """
    # A collection writes to what it looks at, so that each process would have a copy of it all.
    gc.freeze()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for setting in (ARENAS, LARGE, SPARE):
            mallopt(*setting)
