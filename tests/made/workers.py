"""Workers and schedulers: processes by the commands that pods and machines elsewhere run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.made.commands import SCRIPT, environment

__all__ = ["Program", "program", "scheduler", "until", "worker"]

DASK = Path(sys.executable).with_name("dask")
PATIENCE = 60.0
"""Seconds in which what is waited for should be there."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process that runs, and what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it said so far."""
        return self.log.read_text()

    def ended(self, within: float = PATIENCE) -> int:
        """Its exit code, when it has ended."""
        return self.process.wait(within)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it and all that it started, as a machine that is taken away does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def program(log: Path, *words: object, more: Mapping[str, str] | None = None) -> Iterator[Program]:
    """A command in a group of processes of its own, which end with the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(word) for word in words],
            stdout=file, stderr=subprocess.STDOUT, env=environment() | dict(more or {}),
            start_new_session=True,
        )  # fmt: skip
    started = Program(process, log)
    try:
        yield started
    finally:
        try:
            started.kill()
        except ProcessLookupError:
            process.wait()


def scheduler(
    log: Path, port: int, more: Mapping[str, str] | None = None, *, protocol: str = "tcp"
) -> AbstractContextManager[Program]:
    """Dask's scheduler at a port of loopback."""
    return program(
        log, DASK, "scheduler", "--host", "127.0.0.1", "--port", port, "--protocol", protocol,
        "--no-dashboard", "--no-show", more=more,
    )  # fmt: skip


def worker(
    log: Path, address: str, *words: object, more: Mapping[str, str] | None = None
) -> AbstractContextManager[Program]:
    """`zonalbatch worker`, for a scheduler at an address."""
    return program(log, SCRIPT, "worker", address, "--memory-limit", "2GiB", *words, more=more)


def until(there: Callable[[], object], within: float = PATIENCE) -> None:
    """Wait for something.

    Raises:
        TimeoutError: it did not come.
    """
    end = time.monotonic() + within
    while not there():
        if time.monotonic() > end:
            raise TimeoutError("it did not come in time")
        time.sleep(0.05)
