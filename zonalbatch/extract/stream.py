"""Stream: windows in order, some of them read ahead."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray

from zonalbatch.extract.cells import Cells
from zonalbatch.extract.mosaic import Mosaic
from zonalbatch.lattice import Window
from zonalbatch.sources.protocol import is_remote

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["executor_of", "read_ahead", "streamed"]

K = TypeVar("K")
T = TypeVar("T")

REMOTE = 16
"""Reads that are waited for at once where files are far away."""


def streamed(cells: Cells, client: Client | None = None) -> Iterator[tuple[Window, NDArray[Any]]]:
    """All windows and their cells, in order; a few are under way at any time.

    Args:
        cells: to be read.
        client: of a Dask cluster whose workers read; None reads in threads.

    Raises:
        ReadError: a file cannot be read.
    """
    try:
        with executor_of(cells.mosaic, client) as (executor, most):
            calls = ((window, partial(cells.read, window)) for window in cells.windows())
            yield from read_ahead(calls, executor, most)
    finally:
        cells.mosaic.close()


def read_ahead(
    calls: Iterable[tuple[K, Callable[[], T]]], executor: Executor, most: int
) -> Iterator[tuple[K, T]]:
    """What calls give, in order; so many at most are under way beside the one waited for."""
    waiting: deque[tuple[K, Future[T]]] = deque()
    for key, call in calls:
        waiting.append((key, executor.submit(call)))
        if len(waiting) > most:
            first, future = waiting.popleft()
            yield first, future.result()
    for first, future in waiting:
        yield first, future.result()


@contextmanager
def executor_of(mosaic: Mosaic, client: Client | None = None) -> Iterator[tuple[Executor, int]]:
    """Who reads a mosaic's files, and how many calls are worth having under way."""
    if client is not None:
        with client.get_executor(pure=False) as executor:
            yield executor, 2 * sum(client.nthreads().values())
        return
    far = any(is_remote(piece.href) for piece in mosaic.pieces.files)
    threads = REMOTE if far else os.cpu_count() or 1
    with ThreadPoolExecutor(threads, thread_name_prefix="extract") as executor:
        try:
            yield executor, threads
        finally:
            executor.shutdown(cancel_futures=True)
