"""Summarise: cover -> read -> gather -> measure -> reduce -> finalize, for some zones and layers.

This is the engine's inner pipeline, the same in a worker and in `zonal_stats`. The cells that zones
cover are found once for each lattice and serve all layers on it; layers are reduced one after the
other while the reads of the next ones go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from typing import Any

from zonalbatch.errors import ReadError
from zonalbatch.hosts import Hosts
from zonalbatch.layers import Layer
from zonalbatch.recipe import Recipe, pieces_of, wanted
from zonalbatch.sources import limit_requests
from zonalbatch.sources.protocol import Header, Pixels, is_remote
from zonalbatch.work.answer import answered
from zonalbatch.work.clear import filtered
from zonalbatch.work.ground import Ground, Shapes
from zonalbatch.work.layer_work import LayerSummary, LayerWork, sheets_of, work_on
from zonalbatch.work.reading import Handles, processors, read_ahead
from zonalbatch.work.schedule import Sheet, Step
from zonalbatch.work.weights import Weights

__all__ = ["summarise"]

THREADS = 128
"""Reads that are waited for at once, at most."""


def summarise(
    shapes: Shapes,
    layers: Sequence[Layer],
    recipe: Recipe,
    *,
    open_pixels: Callable[[str], Pixels],
    memory: int,
    requests: int = 64,
    room: int | None = None,
    hosts: Hosts | None = None,
    pool: ThreadPoolExecutor | None = None,
) -> Iterator[LayerSummary]:
    """The statistics of every layer, in order.

    Args:
        shapes: the zones.
        layers: on unified lattices; each has at least one asset.
        recipe: what to compute.
        open_pixels: opens a file.
        memory: bytes that buffers may take, beside coverage and results.
        requests: how many reads may go on at once.
        room: bytes for cells that are kept until functions can be called; None for any number.
        hosts: where it is noted how reads go.
        pool: where reads run; None starts threads, and ends them.

    Raises:
        GridMismatch: a file's grid is not that of its asset.
        StatisticError: a function failed, or there is no room for the cells that it needs.
    """
    layers = [wanted(layer, recipe) for layer in layers]
    remote = any(is_remote(a.href) for layer in layers for a in layer.assets)
    remote = remote or (recipe.weights is not None and is_remote(recipe.weights.href))
    if remote:
        limit_requests(requests)
    # Whoever waits for an answer takes a thread, whatever is under way in it.
    threads = max(min(requests, THREADS) if remote else 1, processors())
    handles = Handles(open_pixels, hosts)
    with ExitStack() as stack:
        if pool is None:
            pool = stack.enter_context(ThreadPoolExecutor(threads, thread_name_prefix="read"))
        weights = None
        if recipe.weights is not None:
            weights = Weights(recipe.weights, handles, pool, ahead=memory // 16, room=memory // 8)
        pieces = [pieces_of(layer, recipe) for layer in layers]
        every = [piece for some in pieces for piece in some]
        ground = Ground.of(shapes, every, recipe, max(1, memory // 512), weights, room)
        # A thread that opens its first file pays for PROJ's tables, more than a local file costs.
        submit = pool.submit if remote else _at_once
        works = _opened(ground, every, recipe, handles, submit, ahead=2 * threads)
        steps = read_ahead(_steps(works), pool, memory // 8)
        summaries = _reduced(steps, handles)
        for layer, some in zip(layers, pieces, strict=True):
            found = answered(layer, shapes, some, list(islice(summaries, len(some))))
            yield filtered(found, recipe.min_clear)
    handles.close()


def _reduced(
    steps: Iterator[tuple[tuple[LayerWork, Step | None], list[Any]]], handles: Handles
) -> Iterator[LayerSummary]:
    """The summary of each piece of each layer, in order."""
    for (work, step), rects in steps:
        if step is not None:
            work.reduce(step, rects)
        if step is None or step.index == work.steps[-1].index:
            yield work.finish()
            for reader in work.readers:
                handles.close(reader.sheet.href)


def _at_once(function: Callable[..., Any], *args: Any) -> Future[Any]:
    """A future that is done already: the call is made here and now."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*args))
    except Exception as error:
        future.set_exception(error)
    return future


def _opened(
    ground: Ground,
    layers: Sequence[Layer],
    recipe: Recipe,
    handles: Handles,
    submit: Callable[..., Future[Any]],
    ahead: int,
) -> Iterator[LayerWork]:
    """Each layer with its files' headers, some layers ahead of their use."""
    waiting: deque[tuple[Layer, list[Sheet], list[Future[Header | ReadError]]]] = deque()
    for layer in layers:
        sheets = sheets_of(layer, recipe)
        headers = [submit(handles.header, s.href) for s in sheets if s.href]
        waiting.append((layer, sheets, headers))
        if len(waiting) > ahead:
            yield work_on(ground, recipe, handles, *waiting.popleft())
    while waiting:
        yield work_on(ground, recipe, handles, *waiting.popleft())


def _steps(
    works: Iterator[LayerWork],
) -> Iterator[tuple[tuple[LayerWork, Step | None], list[Callable[[], Any]], int]]:
    """All steps of all layers in order; a layer that no zone meets has one empty step."""
    for work in works:
        if not work.steps:
            yield (work, None), [], 0
        for step in work.steps:
            reads, size = work.reads(step)
            yield (work, step), reads, size
