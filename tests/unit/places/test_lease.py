"""Leases: who holds a place in a bucket, and what becomes of those who died."""

from __future__ import annotations

import json
import threading
import time

import pytest

from zonalbatch.errors import OutputError
from zonalbatch.places import Place, lease


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds in place of a minute; the server tells time in whole seconds."""
    monkeypatch.setattr(lease, "RENEWED", 0.2)
    monkeypatch.setattr(lease, "EXPIRES", 2.0)


def leave_behind(place: Place) -> None:
    """The lease of a run that died."""
    (place / ".lock").write_text(json.dumps({"run": "another"}))


def test_a_run_that_died_is_followed(in_bucket: Place) -> None:
    """Not at once, but when its lease has grown old."""
    leave_behind(in_bucket)
    with pytest.raises(OutputError, match="another run is writing to"), in_bucket.held():
        pass
    time.sleep(3.5)
    with in_bucket.held() as check:
        check()
    assert not (in_bucket / ".lock").exists()


def test_one_that_lives_is_not(in_bucket: Place) -> None:
    """However long it takes."""
    with in_bucket.held() as check:
        time.sleep(4.0)
        check()
        with pytest.raises(OutputError, match="another run is writing to"), in_bucket.held():
            pass


def test_of_many_one_follows(in_bucket: Place) -> None:
    """Where several see that a lease has grown old, one of them gets it."""
    leave_behind(in_bucket)
    time.sleep(3.5)
    got, ended = [], threading.Event()

    def follow() -> None:
        try:
            with in_bucket.held():
                got.append(True)
                ended.wait(10)
        except OutputError:
            got.append(False)

    threads = [threading.Thread(target=follow) for _ in range(6)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 10
    while len(got) < len(threads) and time.monotonic() < end:
        time.sleep(0.05)
    ended.set()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 5 + [True]


def test_a_lease_that_was_lost_ends_a_run(in_bucket: Place) -> None:
    """The next look at it says so, and the other's lease stays."""
    with in_bucket.held() as check:
        leave_behind(in_bucket)
        time.sleep(1.0)
        with pytest.raises(OutputError, match="another run may have begun"):
            check()
    assert (in_bucket / ".lock").exists()


def test_a_change_of_another_is_not_written_over(in_bucket: Place) -> None:
    """A manifest that changed between reading and writing is refused."""
    manifest = in_bucket / "manifest.json"
    manifest.write_text("{}")

    def change(text: str | None) -> str:
        manifest.write_text('{"by": "another"}')
        return '{"by": "this"}'

    with pytest.raises(OutputError, match="another run has changed"):
        manifest.change(change)
    assert json.loads(manifest.read_text()) == {"by": "another"}
