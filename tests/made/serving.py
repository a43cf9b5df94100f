"""The service in a process of its own, as `zonalbatch serve` starts it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.made.commands import SCRIPT, environment

PATIENCE = 120.0
"""Seconds that it may take to be ready."""


@contextmanager
def command_serving(log: Path, **settings: object) -> Iterator[str]:
    """The address of a service that is ended with the block.

    Args:
        log: where its log goes.
        settings: as ``ZONALBATCH_SERVICE_…`` has them.
    """
    names = {f"ZONALBATCH_SERVICE_{name.upper()}": str(value) for name, value in settings.items()}
    with (
        open(log, "wb") as told,
        subprocess.Popen(
            [SCRIPT, "serve", "--port", "0"], stderr=told, env=environment() | names
        ) as server,
    ):
        try:
            yield _address(log, server)
        finally:
            server.terminate()


def _address(log: Path, server: subprocess.Popen[bytes]) -> str:
    """Where it listens, as its log says once it does."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and server.poll() is None:
        for line in log.read_text().splitlines():
            told = json.loads(line) if line.endswith("}") else {}
            if told.get("message") == "listening":
                return str(told["address"])
        time.sleep(0.1)
    raise RuntimeError(f"the service does not listen:\n{log.read_text()}")
