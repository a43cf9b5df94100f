"""Workers that die, or run out of memory, at parts that a test names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Fates", "mortal_cluster"]

PRELOAD = """
import json, os, signal
from pathlib import Path

from zonalbatch.work import part

LOAD, WRITTEN = part.load_part, part._written
FOLDER = Path({folder!r})


def struck(fate, given):
    log = FOLDER / "log"
    with log.open("a") as file:
        file.write(f"{{fate['how']}} {{given.part.id}} {{given.part.pairs}}\\n")
    if fate["how"] == "memory":
        raise MemoryError("no room")
    os.kill(os.getpid(), signal.SIGKILL)


def meet(moment, given):
    for file in sorted(FOLDER.glob("fate-*.json")):
        fate = json.loads(file.read_text())
        if fate["moment"] != moment or given.part.pairs <= fate["above"]:
            continue
        if fate["times"] is not None:
            fate["times"] -= 1
            file.unlink() if fate["times"] <= 0 else file.write_text(json.dumps(fate))
        struck(fate, given)


def load_part(folder, part_id):
    given = LOAD(folder, part_id)
    meet("loaded", given)
    return given


def _written(folder, given, *rest):
    receipt = WRITTEN(folder, given, *rest)
    meet("written", given)
    return receipt


part.load_part, part._written = load_part, _written
"""
"""What each worker runs before its first part, also one that takes the place of a dead one."""


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
    import dask
    from distributed import Client, LocalCluster

    from zonalbatch.clusters import SETTINGS

    script = folder / "fates.py"
    script.write_text(PRELOAD.format(folder=str(folder)))
    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
            preload=[str(script)], silence_logs=50,
        ) as workers,
        Client(workers) as client,
    ):  # fmt: skip
        yield Fates(folder, client)
