"""One process that is fed thousands of hostile inputs; it must live, and open nothing but theirs.

    python -m tests.fuzz.worker KIND COUNT SEED FOLDER

It ends with 0 if each input gave a value or an error of ours in a few plain words; otherwise it
says which did not.
"""

from __future__ import annotations

import importlib
import logging
import os
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy

from zonalbatch import errors
from zonalbatch.errors import ZonalbatchError

SECRET = "S3CRET"
"""Stands in hostile inputs where passwords and signatures do."""
LONGEST = 20_000
"""Characters of a message."""


def watch(folder: Path) -> None:
    """End the process when Python opens a file outside of a folder, or a connection.

    What Python itself and its libraries are made of may be read, and so may settings of the system
    that libraries look for, under /proc and /sys.
    """
    own = [str(folder), sys.prefix, sys.base_prefix, "/proc/", "/sys/", "/dev/null"]
    own += ["/usr/share/zoneinfo/", str(Path(errors.__file__).parent.parent)]
    own += [str(Path(numpy.__file__).parent.parent), os.path.expanduser("~/.config/dask/")]

    def heard(event: str, args: tuple[Any, ...]) -> None:
        named = event == "open" and isinstance(args[0], str)
        parsed_and_run = event == "exec" and args[0].co_filename == "<unknown>"  # as ast calls it
        if named and not os.path.realpath(args[0]).startswith(tuple(own)):
            stop(f"opened {args[0]!r}")
        if parsed_and_run or event in (
            "socket.connect",
            "subprocess.Popen",
            "os.system",
            "os.exec",
        ):
            stop(f"{event} {args!r}")

    sys.addaudithook(heard)


def stop(said: str) -> None:
    """End at once, whatever would catch an exception."""
    sys.stderr.write(f"FORBIDDEN {said}\n")
    sys.stderr.flush()
    os._exit(3)


def refused(error: ZonalbatchError) -> None:
    """Look at an error of ours: no secret, no traceback, not endless."""
    told = str(error)
    assert told
    assert "Traceback" not in told, told
    assert len(told) < LONGEST, f"{len(told)} characters"
    assert SECRET not in told, told


def main(kind: str, count: str, seed: str, folder: str) -> int:
    """Try inputs of a kind; the number of those that failed, at most one."""
    made = importlib.import_module(f"tests.fuzz.{kind}")
    own = Path(folder).resolve()
    logging.disable()
    warnings.simplefilter("ignore")
    made.ready(own)
    watch(own)
    for i in range(int(count)):
        chance = random.Random(f"{seed}/{i}")
        case = made.case(chance)
        try:
            made.check(case)
        except ZonalbatchError as error:
            refused(error)
        except BaseException as error:
            sys.stderr.write(f"input {i} of seed {seed}: {str(case)[:2000]!r}\n")
            sys.stderr.write(f"{type(error).__name__}: {str(error)[:2000]}\n")
            if os.environ.get("FUZZ_TRACE"):
                raise
            return 1
    print(f"{count} inputs")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
