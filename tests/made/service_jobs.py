"""Jobs of the HTTP service: documents, a service in a process of its own, and how a job goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.made.commands import SCRIPT, environment
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares
from zonalbatch.service.settings import Settings

__all__ = [
    "JOBS", "Apart", "apart", "document", "ended", "features", "many_files", "settings_of",
    "settled", "under_way",
]  # fmt: skip

JOBS = "/api/v1/jobs"
ENDED = ("done", "failures", "failed", "cancelled")


def features(side: float = 320.0) -> dict[str, Any]:
    """Four zones as GeoJSON has them."""
    found: dict[str, Any] = json.loads(squares(2, side=side).to_crs(4326).to_json(drop_id=True))
    found.pop("crs", None)
    return found


def document(root: Path, **keys: Any) -> dict[str, Any]:
    """A job of two dates of one band and the zones of a file, all below a folder."""
    if not (root / "zones.parquet").exists():
        squares(2, side=320.0).to_parquet(root / "zones.parquet")
        for seed, date in enumerate(("20240601", "20240701")):
            write_tif(root / f"a_{date}.tif", noise(64, 64, seed=seed))
    return {
        "zones": {"path": "file:///zones.parquet", "id": "id"},
        "source": {"kind": "cog", "pattern": "file:///a_{date:%Y%m%d}.tif"},
        "bands": {"red": 1},
        "statistics": ["count", "mean", "p90"],
    } | keys


def many_files(root: Path) -> dict[str, Any]:
    """A job of many small parts, which takes some seconds."""
    folder = root / "many"
    if not folder.exists():
        first = write_tif(folder / "b_19500601.tif", noise(400, 400, seed=1), tiled=True)
        for year in range(1951, 2046):
            shutil.copy(first, folder / f"b_{year}0601.tif")
        squares(30, side=130).to_parquet(folder / "zones.parquet")
    return {
        "zones": {"path": "file:///many/zones.parquet", "id": "id"},
        "source": {"kind": "cog", "pattern": "file:///many/b_{date:%Y%m%d}.tif"},
        "bands": {"red": 1},
        "statistics": ["count", "mean", "median", "p10", "p90"],
    }


def settled(client: httpx.Client, job: str, *states: str, seconds: float = 120) -> dict[str, Any]:
    """A job once it is in one of some states."""
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = client.get(f"{JOBS}/{job}").json()
        if found["state"] in states:
            return found
        assert found["state"] not in ENDED, found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def ended(client: httpx.Client, job: str) -> dict[str, Any]:
    """A job once it has ended."""
    return settled(client, job, *ENDED)


def under_way(client: httpx.Client, job: str, parts: int = 1) -> dict[str, Any]:
    """A job once some of its parts are done, and not all."""
    deadline = time.monotonic() + 120
    while True:
        found: dict[str, Any] = client.get(f"{JOBS}/{job}").json()
        told = found["parts"]
        if told and told["done"] >= parts:
            assert told["done"] < told["of"], "it was done before it could be stopped"
            return found
        assert found["state"] in ("queued", "running", "interrupted"), found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


@dataclass
class Apart:
    """A service in a process of its own."""

    process: subprocess.Popen[bytes]
    client: httpx.Client

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and wait until it has ended."""
        self.process.send_signal(number)
        return self.process.wait(90)


@contextmanager
def apart(root: Path, jobs: Path, **settings: Any) -> Iterator[Apart]:
    """A service as users start it, which ends with the block at the latest."""
    told: Mapping[str, Any] = {"workers": 1, "rate": 0, **settings, "root": root, "jobs": jobs}
    told = {**told, "cluster": '{"kind": "local", "workers": 1}'}
    variables = {f"ZONALBATCH_SERVICE_{key.upper()}": str(value) for key, value in told.items()}
    log = jobs.parent / f"service-{uuid.uuid4()}.log"
    with log.open("w") as told_there:
        process = subprocess.Popen(
            [SCRIPT, "serve", "--port", "0"], stderr=told_there, env=environment() | variables
        )
    try:
        url = _address(process, log)
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield Apart(process, client)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        _end_runs(jobs)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while True:
        ended = process.poll() is not None
        text = log.read_text()
        if found := re.search(r"http://[\d.]+:\d+", text):
            return found[0]
        assert not ended, text
        time.sleep(0.05)


def _end_runs(jobs: Path) -> None:
    """End what outlived the service: the numbers are those of groups that this one began."""
    for lock in jobs.glob("*/run.lock"):
        with suppress(ProcessLookupError, FileNotFoundError, ValueError):
            number = int(lock.read_text())
            if str(lock.parent) in Path(f"/proc/{number}/cmdline").read_text():
                os.killpg(number, signal.SIGKILL)
        with suppress(FileNotFoundError):
            lock.unlink()


def settings_of(root: Path, jobs: Path, **settings: Any) -> Settings:
    """Settings of a service that runs jobs on one worker."""
    usual: dict[str, Any] = {"workers": 1, "rate": 0, "cluster": {"kind": "local", "workers": 1}}
    return Settings(root=root, jobs=jobs, **usual | settings)
