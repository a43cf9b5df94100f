"""Commands as users type them, and what they tell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

SCRIPT = Path(sys.executable).with_name("zonalbatch")
"""The command line as it is installed beside this Python."""


class Told(NamedTuple):
    """What a command left behind in a terminal."""

    code: int
    """Exit code."""
    out: str
    err: str


Command = Callable[..., Told]
"""Runs the command line with some arguments."""


def environment() -> dict[str, str]:
    """The environment of a user: `zonalbatch` can be found, and warnings are no errors."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
    return kept | {"PATH": f"{SCRIPT.parent}{os.pathsep}{kept.get('PATH', os.defpath)}"}


def typed(words: Sequence[object], folder: Path | None = None) -> Told:
    """A command in a process of its own, typed in a folder."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True, text=True, env=environment(), cwd=folder, check=False,
    )  # fmt: skip
    return Told(done.returncode, done.stdout, done.stderr)


def command(*arguments: object, folder: Path | None = None) -> Told:
    """The command line in a process of its own."""
    return typed([SCRIPT, *arguments], folder)


PEAK = """
def peak() -> int:
    '''MiB that this process held at most (getrusage tells its parent's, if that was more).'''
    with open("/proc/self/status") as told:
        (line,) = (line for line in told if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
"""
"""Python by which a fresh interpreter tells its peak."""


def python(code: str) -> str:
    """What a fresh interpreter prints that ends well."""
    told = typed([sys.executable, "-c", code])
    assert told.code == 0, told.err
    return told.out


def assert_one_sentence(err: str, *words: str) -> None:
    """One line on stderr, which holds the words; no traceback."""
    assert err.count("\n") == 1, err
    assert err.startswith("error: ")
    for word in words:
        assert word in err, err
