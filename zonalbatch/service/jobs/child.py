"""Job child: the process that runs one job, in a group of its own.

It holds a lock from its birth to its death, whatever becomes of the service: so a job is never run
twice at once, and while the lock is held its number is that of no other process.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from zonalbatch.service.refusals import FAULT_TOLD

__all__ = ["JOB", "LOG_FILE", "OUT", "JobChild", "end_left_behind", "sentence_of"]

JOB, OUT, LOG_FILE, LOCK = "job.json", "out", "log", "run.lock"
"""In the folder of a job: its document, its output, what its last run said, and who runs it."""
GRACE = 45.0
"""Seconds that a run has to end in order; parts under way land in 10."""
LOOK = 0.2
"""Seconds between two looks at a lock."""
COMMAND = (sys.executable, "-P", "-c", "from zonalbatch.cli import main; main()", "run", "--quiet")


class JobChild:
    """A run under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def started(cls, folder: Path, environment: Mapping[str, str]) -> JobChild:
        """Begin, or go on with, the job in a folder.

        Raises:
            BlockingIOError: it is being run.
        """
        with _lock(folder) as lock, (folder / LOG_FILE).open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, str(folder / JOB), stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL, stderr=log, cwd=folder, env=dict(environment),
                start_new_session=True, pass_fds=[lock.fileno()],
            )  # fmt: skip
            lock.truncate(0)
            lock.write(f"{process.pid}")
        return cls(process)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        code = await self._process.wait()
        if code < 0:  # by a signal, so that it could not end its workers
            _send(self._process.pid, signal.SIGKILL, group=True)
        return code

    async def stop(self) -> int:
        """Have it end, so that it can go on another time; its exit code."""
        _send(self._process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            return await asyncio.wait_for(self.ended(), GRACE)
        _send(self._process.pid, signal.SIGKILL, group=True)
        return await self.ended()


async def end_left_behind(folder: Path) -> None:
    """End the run of a job that outlived the service which began it, if there is one.

    It is not waited for: its way into the web may have ended with that service.
    """
    number, waited = _left_behind(folder), 0.0
    if number:
        _send(number, signal.SIGTERM)
    while _left_behind(folder) is not None:
        await asyncio.sleep(LOOK)
        waited += LOOK
        if number and waited > GRACE:
            _send(number, signal.SIGKILL, group=True)


def sentence_of(folder: Path, code: int) -> str:
    """Why the last run of a job failed, in the words of its command."""
    with suppress(OSError):
        lines = (folder / LOG_FILE).read_text(errors="replace").splitlines()
        told = [line for line in lines if line.startswith("error: ")]
        if told:
            return told[-1].removeprefix("error: ")
    if code < 0:
        return f"the run was ended by signal {-code}; it may have wanted more memory than there is"
    return FAULT_TOLD


@contextmanager
def _lock(folder: Path) -> Iterator[IO[str]]:
    """The lock of a job, which whoever inherits the file holds on to."""
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield lock


def _left_behind(folder: Path) -> int | None:
    """Number of the process that holds a job's lock, 0 if it is not known; None if none does."""
    try:
        with _lock(folder):
            return None
    except BlockingIOError:
        text = (folder / LOCK).read_text()
        return int(text) if text.isdecimal() else 0


def _send(number: int, which: signal.Signals, *, group: bool = False) -> None:
    with suppress(ProcessLookupError, PermissionError):
        (os.killpg if group else os.kill)(number, which)
