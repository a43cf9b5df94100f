"""Workers that die, or run out of memory, at parts that a test names."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Client, LocalCluster

from zonalbatch.clusters import SETTINGS
from zonalbatch.clusters.local import kept_up
from zonalbatch.engine import window
from zonalbatch.places import place_of
from zonalbatch.planning.files import load_part
from zonalbatch.receipts import Receipt
from zonalbatch.work.task import do_task

__all__ = ["Fates", "fated", "mortal_cluster"]


def fated(folder: str, asked_by: tuple[str, int], plan: str, part_id: str, *rest: Any) -> Receipt:
    """Do a part, and meet what a folder says."""
    pairs = load_part(place_of(plan), part_id).part.pairs
    _meet(Path(folder), "loaded", part_id, pairs)
    receipt = do_task(asked_by, plan, part_id, *rest)
    _meet(Path(folder), "written", part_id, pairs)
    return receipt


def _meet(folder: Path, moment: str, part_id: str, pairs: int) -> None:
    for how in _due(folder, moment, part_id, pairs):
        if how == "memory":
            raise MemoryError("no room")
        os.kill(os.getpid(), signal.SIGKILL)


def _due(folder: Path, moment: str, part_id: str, pairs: int) -> Iterator[str]:
    """What is to happen now; each of two workers at once takes a time of its own."""
    for file in sorted(folder.glob("fate-*.json")):
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fate: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
            if not fate or fate["moment"] != moment or pairs <= fate["above"]:
                continue
            if fate["times"] is not None:
                fate["times"] -= 1
                file.write_text(json.dumps(fate)) if fate["times"] else file.unlink()
            with (folder / "log").open("a") as log:
                log.write(f"{fate['how']} {part_id} {pairs}\n")
        yield fate["how"]


@dataclass
class Fates:
    """What is to happen to workers, told by files, as they do not outlive it."""

    folder: Path
    client: Client

    def strike(
        self, how: str = "kill", *, times: int | None = None, above: int = 0, moment: str = "loaded"
    ) -> None:
        """Have workers die (``kill``) or lack memory (``memory``) so often, or always.

        Args:
            how: in which way.
            times: how often; None always.
            above: only at parts of more pairs of zone and layer than these.
            moment: when a part is ``loaded``, or when it is ``written``.
        """
        fate: dict[str, Any] = {"how": how, "times": times, "above": above, "moment": moment}
        number = len(list(self.folder.glob("fate-*.json")))
        (self.folder / f"fate-{number}.json").write_text(json.dumps(fate))

    def spare(self) -> None:
        """Have nothing happen any more, and forget what has."""
        for file in (*self.folder.glob("fate-*.json"), *self.folder.glob("log")):
            file.unlink()

    @property
    def struck(self) -> list[tuple[str, str, int]]:
        """(how, part, its pairs) of what has happened, in order."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(how, name, int(pairs)) for how, name, pairs in map(str.split, lines)]


@contextmanager
def mortal_cluster(folder: Path) -> Iterator[Fates]:
    """Two worker processes that meet their fates; a scheduler that tells of each at once."""
    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
            silence_logs=50,
        ) as workers,
        kept_up(workers),
        Client(workers) as client,
        pytest.MonkeyPatch.context() as patched,
    ):  # fmt: skip
        patched.setattr(window, "do_task", partial(fated, str(folder)))
        yield Fates(folder, client)
