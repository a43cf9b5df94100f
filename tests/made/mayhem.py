"""Mayhem: a scheduler, workers and a client, each a process of its own, that are killed at random.

`python -m tests.made.mayhem` does it for minutes and says how it ended; see `make chaos`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zonalbatch as zb
from tests.made.commands import SCRIPT, environment
from tests.made.jobs import amend, write_job
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares
from zonalbatch.errors import OutputError
from zonalbatch.planning.files import read_parts
from zonalbatch.sinks.output import Output

__all__ = ["Mayhem"]

WORKERS = 2
VICTIMS = ("worker",) * 5 + ("nanny",) * 2 + ("client",) * 3 + ("scheduler",)
"""Who is struck, by how often."""
PAUSE = (0.4, 2.5)
"""Seconds between two kills."""
PATIENCE = 300.0
"""Seconds that a run may take when nobody disturbs it any more."""


@dataclass
class Mayhem:
    """A job, its processes, and what has been done to them."""

    folder: Path
    rng: random.Random
    years: int = 60
    kills: Counter[str] = field(default_factory=Counter)
    """Who was killed while parts were unfinished, how often."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    """How clients ended that did not do all of the job."""

    def make(self) -> Path:
        """Write the job, which takes about a minute."""
        first = write_tif(
            self.folder / "a_19500601.tif", noise(400, 400, seed=1), tiled=True, compress="deflate"
        )
        for year in range(1951, 1950 + self.years):
            shutil.copy(first, self.folder / f"a_{year}0601.tif")
        squares(36, side=108).to_parquet(self.folder / "zones.parquet")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        document: dict[str, Any] = {
            "zones": {"path": "zones.parquet", "id": "id"},
            "source": {"kind": "cog", "pattern": "a_{date:%Y%m%d}.tif"},
            "bands": {"red": 1},
            "measurements": {f"m{i}": f"red * {i} + sqrt(red)" for i in range(1, 7)},
            "statistics": ["count", "mean", "median", "mode", "variety"],
            "output": {"path": "out"},
            "cluster": {"kind": "address", "address": f"tcp://127.0.0.1:{self.port}"},
        }
        return write_job(self.folder, document)

    def ends(self, job: Path, seconds: float, kills: int | None = None) -> str:
        """Kill for so long, or so often; then let the job end. Its digest.

        Raises:
            TimeoutError: it did not end.
        """
        end = time.monotonic() + seconds
        try:
            while not self._sealed():
                struck = time.monotonic() < end and (kills is None or self.kills.total() < kills)
                self._supervise(job)
                time.sleep(self.rng.uniform(*PAUSE) if struck else 0.3)
                if struck:
                    self._strike()
                elif time.monotonic() > end + PATIENCE:
                    raise TimeoutError(f"the run has not ended: {self._told()}")
            client = self.running.get("client")
            if client is not None:
                client.wait(60)
        finally:
            self.stop()
        return zb.open_results(self.folder / "out").digest

    def quiet(self, job: Path) -> str:
        """The digest of a run that nobody disturbs."""
        other = amend(job, "quiet.yaml", output={"path": "quiet"}, cluster={"kind": "local"})
        zb.run(str(other))
        return zb.open_results(self.folder / "quiet").digest

    def stop(self) -> None:
        """End all that is left."""
        for process in self.running.values():
            _kill_tree(process.pid)
            process.wait(10)
        self.running.clear()

    # --- processes ------------------------------------------------------------------------------

    def _supervise(self, job: Path) -> None:
        """Start again what has ended, as an operator or a user does."""
        self._keep("scheduler", ["scheduler", "--host", "127.0.0.1", "--port", str(self.port)])
        address = f"tcp://127.0.0.1:{self.port}"
        for number in range(WORKERS):
            wanted = ["worker", address, "--nthreads", "1", "--memory-limit", "0"]
            self._keep(f"nanny{number}", [*wanted, "--death-timeout", "20"])
        if self._gone("client"):
            if "client" in self.running:
                self.codes.append(self.running["client"].returncode)
            self._start("client", [str(SCRIPT), "run", str(job), "--quiet"])

    def _keep(self, name: str, arguments: list[str]) -> None:
        if self._gone(name):
            dask = str(Path(sys.executable).with_name("dask"))
            self._start(name, [dask, *arguments, "--dashboard-address", ":0"])

    def _gone(self, name: str) -> bool:
        return name not in self.running or self.running[name].poll() is not None

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder,
                env=environment() | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"},
            )  # fmt: skip

    def _strike(self) -> None:
        """Kill one of them, and count it if there was something left to do."""
        kind = self.rng.choice(VICTIMS)
        number = self.rng.randrange(WORKERS)
        process = self.running.get(f"nanny{number}" if kind in ("nanny", "worker") else kind)
        if process is None or process.poll() is not None:
            return
        below = _children(process.pid)
        target = self.rng.choice(below) if kind == "worker" and below else process.pid
        unfinished = self._unfinished()
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:
            return
        for left in below if kind == "nanny" else ():  # which would go on without it for a while
            _kill_tree(left)
        self.kills[kind] += unfinished

    # --- the output -----------------------------------------------------------------------------

    def _unfinished(self) -> bool:
        """True if a run has begun and parts of it are not there yet."""
        output = Output.at(self.folder / "out")
        plans = output.plans.folders()
        if not plans:
            return False
        parts = read_parts(output.plans / min(plans))
        return len(output.part_sizes()) < len(parts)

    def _sealed(self) -> bool:
        try:
            return Output.at(self.folder / "out").sealed() is not None
        except OutputError:  # it is just being made
            return False

    def _told(self) -> str:
        return "; ".join(f"{n} {p.poll()}" for n, p in self.running.items())


def _children(pid: int) -> list[int]:
    """The processes below one, of all depths."""
    below: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in map(int, task.read_text().split()):
                below += [child, *_children(child)]
        except (OSError, ValueError):
            continue
    return below


def _kill_tree(pid: int) -> None:
    for one in (pid, *_children(pid)):
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            continue


def main() -> None:
    """Kill for some minutes, round after round, and hold each against a quiet run."""
    asked = argparse.ArgumentParser(description=main.__doc__)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    end, rng = time.monotonic() + 60 * given.minutes, random.Random(given.seed)
    rounds: list[Counter[str]] = []
    while time.monotonic() < end:
        rounds.append(_round(rng, end))
        told = ", ".join(f"{count} × {kind}" for kind, count in rounds[-1].items())
        print(f"round {len(rounds)}: {told}; the digest is that of a quiet run", flush=True)
    total = sum(rounds, Counter[str]())
    print(f"{total.total()} kills while parts were unfinished: {dict(total)}")
    if total.total() < 30:
        raise SystemExit("fewer than 30 kills landed: give it more --minutes")


def _round(rng: random.Random, end: float) -> Counter[str]:
    """One job until it is done; the kills that landed."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        mayhem = Mayhem(Path(name), rng)
        job = mayhem.make()
        expected = mayhem.quiet(job)
        found = mayhem.ends(job, end - time.monotonic())
        if found != expected:
            raise SystemExit(f"the digest is {found}, and not {expected}")
        return mayhem.kills


if __name__ == "__main__":
    main()
