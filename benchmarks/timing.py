"""How long things take: alternating repetitions, medians, one core."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import numpy as np
from rich.console import Console

__all__ = ["Timing", "alternate", "apart", "peak_mib", "resident_mib"]

T = TypeVar("T")

AT_HAND = 512 * 2**20
"""Bytes that the machine is made to have at hand before each repetition."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Repetitions of one party."""

    seconds: tuple[float, ...]
    """Time of each repetition, by the clock of `alternate`."""
    factor: float = 1.0
    """What the party's work is multiplied by to be the whole (it did a share of it)."""

    @property
    def median(self) -> float:
        """Seconds for the whole work."""
        return self.factor * statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Largest over smallest repetition: how quiet the machine was."""
        return max(self.seconds) / min(self.seconds)


def alternate(
    parties: Mapping[str, Callable[[], object]],
    *,
    repeats: int,
    factors: Mapping[str, float] | None = None,
    warm: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time each party ``repeats`` times, taking turns, so that a drift of the machine hits all.

    Before each repetition memory is touched and let go: the host of a virtual machine gives pages
    only when they are first touched, and takes them back after a while. That costs up to 2 ms a
    MiB, 40 times as much as otherwise, and would hit some repetitions and not others.

    Args:
        parties: what to call, by name.
        repeats: number of rounds.
        factors: for parties that do a share of the work, what to multiply their time by.
        warm: call each party once before, untimed (compilation, files into the page cache).
        clock: gives seconds; ``time.process_time`` for what work costs, whoever else is there.
    """
    rounds: list[list[float]] = [[] for _ in parties]
    for turn in range(-1 if warm else 0, repeats):
        # Every other round runs backward: nobody always follows the same neighbour.
        order = list(enumerate(parties.values()))
        for i, party in order if turn % 2 else reversed(order):
            np.ones(AT_HAND, np.uint8)
            start = clock()
            party()
            if turn >= 0:
                rounds[i].append(clock() - start)
    factors = factors or {}
    return {
        name: Timing(tuple(seconds), factors.get(name, 1.0))
        for name, seconds in zip(parties, rounds, strict=True)
    }


def apart(function: Callable[..., T], *args: Any, core: int | None = None) -> T:
    """Call a function in a process of its own, pinned to one core if one is given.

    A fresh process is spawned, not forked, so that neither caches nor peak memory are inherited.

    Raises:
        RuntimeError: the function raised; its traceback is in the message.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(there, function, args, core))
    child.start()
    there.close()
    try:
        ok, answer = here.recv()
    except EOFError:
        child.join()
        raise RuntimeError(f"the benchmark's process ended with code {child.exitcode}") from None
    child.join()
    if not ok:
        raise RuntimeError(f"the benchmark failed:\n{answer}")
    return answer


def _answer(
    pipe: Connection, function: Callable[..., Any], args: tuple[Any, ...], core: int | None
) -> None:
    """Send (True, what the function returned) or (False, how it failed)."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        pipe.send((True, function(*args)))
    except Exception:
        Console(stderr=True).print_exception()
        pipe.send((False, traceback.format_exc()))


def peak_mib() -> float:
    """The largest resident memory this process ever had, MiB (Linux)."""
    # Not ru_maxrss: across fork and exec that one keeps the parent's peak.
    return _status_mib("VmHWM")


def resident_mib() -> float:
    """The resident memory that this process has now, MiB (Linux)."""
    return _status_mib("VmRSS")


def _status_mib(name: str) -> float:
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith(name))
    return int(line.split()[1]) / 1024
