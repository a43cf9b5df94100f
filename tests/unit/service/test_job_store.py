"""What the service keeps of jobs, beside what their folders say."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zonalbatch.errors import OutputError
from zonalbatch.service.jobs.store import DATABASE, TICKET, JobStore, Ticket

Opened = Callable[[], JobStore]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens the store of a folder; what is open is closed first."""
    stores: list[JobStore] = []

    def again() -> JobStore:
        for store in stores:
            store.close()
        stores[:] = [JobStore(tmp_path / "jobs")]
        return stores[0]

    yield again
    for store in stores:
        store.close()


def added(store: JobStore, name: str, **values: object) -> Ticket:
    """A job whose folder is there."""
    store.folder_of(name).mkdir()
    ticket = Ticket(id=name, **{"owner": "one", "queued": 1.5, **values})  # type: ignore[arg-type]
    store.add(ticket)
    return ticket


def test_what_is_kept_is_found(opened: Opened) -> None:
    """By another process, too: all of it."""
    ticket = added(opened(), "a")
    store = opened()
    assert store.find("a") == ticket
    changed = store.change("a", state="failed", ended=2.5, code=-9, error="é", cancelled=True)
    assert (changed.state, changed.code, changed.owner) == ("failed", -9, "one")
    assert opened().find("a") == changed
    assert opened().find("b") is None


def test_whose_jobs(opened: Opened) -> None:
    """Those of one owner, the latest first, and no more than are asked for."""
    store = opened()
    for number in range(4):
        added(store, f"a{number}", queued=float(number))
    added(store, "b", owner="other")
    assert [one.id for one in store.of("one", 3)] == ["a3", "a2", "a1"]
    assert [one.id for one in store.of("other", 3)] == ["b"]
    assert store.of("' OR 1 = 1 --", 3) == []


def test_what_is_left_to_do(opened: Opened) -> None:
    """What has begun comes first, then what waits, by when it came."""
    store = opened()
    added(store, "late", queued=3.0)
    added(store, "early", queued=2.0)
    added(store, "begun", queued=4.0, began=5.0, state="running")
    added(store, "over", queued=1.0, ended=6.0, state="done")
    assert [one.id for one in store.unended()] == ["begun", "early", "late"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b"SQLite format 3\0" + b"\xff" * 9000),
        lambda file: file.write_bytes(b"no database"),
        lambda file: file.write_bytes(file.read_bytes()[:6000]),
    ],
)
def test_a_lost_database(opened: Opened, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """It is made again from the folders; one that is damaged is put aside, not away."""
    store = opened()
    tickets = [added(store, name) for name in ("a", "b")]
    tickets[0] = store.change("a", state="done", ended=3.0, code=0)
    store.close()
    spoil(tmp_path / "jobs" / DATABASE)
    there = (tmp_path / "jobs" / DATABASE).exists()
    store = opened()
    assert [store.find("a"), store.find("b")] == tickets
    assert len(list((tmp_path / "jobs").glob("*.damaged-*"))) == there


def test_a_database_of_another_kind(opened: Opened, tmp_path: Path) -> None:
    """One with another table of that name is put aside, too."""
    added(opened(), "a")
    opened().close()
    (tmp_path / "jobs" / DATABASE).unlink()
    with sqlite3.connect(tmp_path / "jobs" / DATABASE) as database:
        database.execute("CREATE TABLE jobs (id TEXT)")
    database.close()
    assert opened().find("a") is not None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": "other"}', '{"id": 1, "x": 2}'])
def test_folders_of_no_job(opened: Opened, tmp_path: Path, text: str) -> None:
    """What lies beside jobs, or was begun and not taken, is no job."""
    opened()
    folder = tmp_path / "jobs" / "x"
    folder.mkdir()
    (folder / TICKET).write_text(text)
    (tmp_path / "jobs" / "y").mkdir()
    assert opened().unended() == []


def test_one_service(opened: Opened, tmp_path: Path) -> None:
    """Two services on one folder would run each other's jobs: the second one is refused."""
    opened()
    with pytest.raises(OutputError, match="another service"):
        JobStore(tmp_path / "jobs")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It is told at once, not when the first job comes."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        JobStore(tmp_path / "file" / "jobs")
