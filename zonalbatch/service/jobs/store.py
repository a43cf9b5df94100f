"""Job store: which jobs there are, and what their folders cannot say of them.

A row is copied beside its job, into `ticket.json`, so that a database that was lost or damaged is
made again from the folders.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from zonalbatch.errors import OutputError
from zonalbatch.places.files import locked, make_folder, write_text
from zonalbatch.service.telemetry import LOG

__all__ = ["ENDED", "JobStore", "State", "Ticket"]

State = Literal["queued", "running", "done", "failures", "failed", "cancelled", "interrupted"]
ENDED: frozenset[State] = frozenset({"done", "failures", "failed", "cancelled"})
"""States that nothing follows."""
DATABASE, TICKET = "jobs.sqlite", "ticket.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One job, as the service knows it."""

    id: str
    owner: str
    """Digest of the key it was sent with; empty where the service has no keys."""
    queued: float
    """When it was taken, seconds since 1970, as the others."""
    began: float | None = None
    """When its first run began."""
    ended: float | None = None
    cancelled: bool = False
    """True if somebody wished it to end."""
    state: State = "queued"
    code: int | None = None
    """Exit code of its last run; less than 0 is the signal that ended it."""
    error: str = ""
    """Why it failed."""


_NAMES = tuple(field.name for field in fields(Ticket))


class JobStore:
    """The jobs in a folder, each in a folder below it that has its id for a name."""

    def __init__(self, folder: Path) -> None:
        """Open it, for this process alone.

        Args:
            folder: is made if it is not there.

        Raises:
            OutputError: it cannot be written to, or another service has it open.
        """
        self.folder = make_folder(folder)
        self._guard = threading.RLock()
        self._held = ExitStack()
        try:
            self._held.enter_context(locked(folder / ".lock"))
        except OutputError:
            raise OutputError(
                f"another service runs the jobs in {folder}; give each a folder of its own"
            ) from None
        try:
            self._database = self._opened()
            self._take_in()
        except BaseException:
            self._held.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        self._database.close()
        self._held.close()

    def folder_of(self, job: str) -> Path:
        """The folder of a job that is known."""
        return self.folder / job

    def add(self, ticket: Ticket) -> None:
        """Take a job whose folder is there."""
        self._keep(ticket)

    def change(self, job: str, **values: Any) -> Ticket:
        """A job with other values, which are kept."""
        with self._guard:
            found = self.find(job)
            if found is None:
                raise KeyError(job)
            changed = replace(found, **values)
            self._keep(changed)
        return changed

    def find(self, job: str) -> Ticket | None:
        """The job of an id."""
        return next(iter(self._found("id = ?", job)), None)

    def of(self, owner: str, most: int) -> list[Ticket]:
        """Somebody's jobs, the latest first."""
        return self._found("owner = ? ORDER BY queued DESC, id LIMIT ?", owner, most)

    def unended(self) -> list[Ticket]:
        """Jobs that are not ended: those that have begun first, then by when they were taken."""
        return self._found("ended IS NULL ORDER BY began IS NULL, queued, id")

    def _found(self, where: str, *values: Any) -> list[Ticket]:
        with self._guard:
            rows = self._database.execute(
                f"SELECT {', '.join(_NAMES)} FROM jobs WHERE {where}", values
            ).fetchall()
        return [_ticket(dict(zip(_NAMES, row, strict=True))) for row in rows]

    def _keep(self, ticket: Ticket) -> None:
        row = asdict(ticket)
        write_text(self.folder_of(ticket.id) / TICKET, json.dumps(row))
        self._insert(row)

    def _insert(self, row: Mapping[str, Any]) -> None:
        marks = ", ".join("?" * len(_NAMES))
        with self._guard, self._database:
            self._database.execute(
                f"INSERT OR REPLACE INTO jobs ({', '.join(_NAMES)}) VALUES ({marks})",
                [row[name] for name in _NAMES],
            )

    def _opened(self) -> sqlite3.Connection:
        """The database; one that is damaged is put aside, and another begun."""
        path = self.folder / DATABASE
        try:
            return _connected(path)
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{DATABASE}.damaged-{time.time_ns()}")
            LOG.error("%s is damaged (%s): it is now %s, and made again", path, error, aside.name)
            path.replace(aside)
            for ending in ("-wal", "-shm"):
                path.with_name(DATABASE + ending).unlink(missing_ok=True)
            return _connected(path)

    def _take_in(self) -> None:
        """Know the jobs whose folders are there and whose rows are not."""
        known = {row[0] for row in self._database.execute("SELECT id FROM jobs")}
        for file in sorted(self.folder.glob(f"*/{TICKET}")):
            if file.parent.name in known:
                continue
            with suppress(OSError, ValueError, TypeError, KeyError):
                ticket = _ticket(json.loads(file.read_text()))
                if ticket.id == file.parent.name:
                    self._insert(asdict(ticket))


def _ticket(row: Mapping[str, Any]) -> Ticket:
    return Ticket(**{**row, "cancelled": bool(row["cancelled"])})


def _connected(path: Path) -> sqlite3.Connection:
    """A database that is whole.

    Raises:
        sqlite3.DatabaseError: it is not.
    """
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        (told,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if told != "ok":
            raise sqlite3.DatabaseError(told)
        database.execute("PRAGMA journal_mode = WAL")
        # What a loss of power takes, the folders still say.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, owner TEXT, queued REAL, "
            "began REAL, ended REAL, cancelled INTEGER, state TEXT, code INTEGER, error TEXT)"
        )
        database.execute(f"SELECT {', '.join(_NAMES)} FROM jobs LIMIT 1")
        return database
    except sqlite3.DatabaseError:
        database.close()
        raise
