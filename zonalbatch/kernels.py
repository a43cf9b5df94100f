"""Kernels: loops over arrays, compiled when they are first called, and kept for all processes.

numba keeps compiled code in numbered files, of which an index tells. Two processes that compile at
once may both take the next number: then one of them, and all later ones, find the other's code
under their own types, which reads memory as what it is not. Workers that start together do just
that. So one process writes at a time, and code of other types is compiled anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache

__all__ = ["kernel"]


class _OneAtATime(FunctionCache):  # type: ignore[misc]
    """What was compiled of one function, in files that processes share."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for some types, if there is any that is really for them."""
        found = super().load_overload(sig, target_context)
        return found if found is None or tuple(found.signature.args) == tuple(sig) else None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for some types; not where a folder cannot be locked (some network ones)."""
        try:
            lock = os.open(self.cache_path, os.O_RDONLY)
        except OSError:
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            super().save_overload(sig, data)
        except OSError:
            return
        finally:
            os.close(lock)


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that has numba compile a function, which lets go of the interpreter's lock.

    Args:
        options: of `numba.njit`.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        dispatcher = njit(nogil=True, **options)(function)
        with suppress(RuntimeError):  # no folder can be written: compiled in each process
            dispatcher._cache = _OneAtATime(function)  # as its enable_caching() does
        return dispatcher

    return compiled
