"""Ctrl-C is not lost, whatever the interpreter does when it comes."""

from __future__ import annotations

import subprocess
import sys

DROPPED = """
import signal, time
from zonalbatch.cli.interruption import interruptible

class Dropped:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

with interruptible():
    thing = Dropped()
    del thing
    for _ in range(600):
        time.sleep(0.1)
"""


def test_a_signal_while_an_object_is_taken_away() -> None:
    """Nothing is raised from there; it is raised again, and the command ends as ever."""
    told = subprocess.run(
        [sys.executable, "-c", DROPPED], capture_output=True, text=True, timeout=50, check=False
    )
    assert told.returncode == 130
    assert told.stderr == (
        "interrupted; run the same command again (a job goes on from what is done)\n"
    )
