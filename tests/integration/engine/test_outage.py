"""A host that fails for a while, and one that stays down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.mortal import Fates
from tests.made.rasters import noise, write_tif
from tests.made.runs import cut_small
from tests.made.scenes import asset, item
from tests.made.store import Store, serving
from tests.made.zones import squares
from zonalbatch import hosts
from zonalbatch.engine import course, outage
from zonalbatch.errors import PassingReadError

FILES = 12


def _hurry() -> None:
    """Have a worker try again at once."""
    from zonalbatch.sources.retries import RETRYING

    RETRYING.sleep = lambda seconds: None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A host of rasters."""
    for i in range(FILES):
        write_tif(tmp_path / f"a_{i:02d}.tif", noise(96, 96, seed=i))
    with serving(Store(tmp_path)) as found:
        yield found


@pytest.fixture
def quick(fates: Fates, monkeypatch: pytest.MonkeyPatch) -> Fates:
    """Workers and a run that do not wait; 5 reads tell whether a host is down."""
    fates.client.wait_for_workers(2, timeout=60)  # one that was struck before may be starting
    fates.client.run(_hurry)
    monkeypatch.setattr(course, "AGAIN", (0.0, 0.0))
    monkeypatch.setattr(outage, "FIRST", 0.1)
    monkeypatch.setattr(hosts, "ENOUGH", 5)
    cut_small(monkeypatch, rows=9)
    return fates


def job(folder: Path, start: str, out: str, **keys: Any) -> zb.Job:
    """A job over items, each a part of its own; no header is read to plan it."""
    names = [f"a_{i:02d}.tif" for i in range(FILES)]
    items = [item(name, red=asset(f"{start}/{name}", (96, 96))) for name in names]
    source = {"kind": "stac", "items": items}
    keys = {"bands": {"red": "red"}, "group_by": "item"} | keys
    return job_over(squares(3, side=320), [], folder / out, source=source, **keys)


@dataclass
class Mended:
    """An observer that has a host answer again once a run waits for it."""

    store: Store
    paused: bool = False

    def began(self, *_: object) -> None:
        """Not asked."""

    def finished(self, *_: object) -> None:
        """Not asked."""

    def told(self, text: str, parts: int) -> None:
        """Mend the host."""
        if text.startswith("paused: http://127.0.0.1"):
            self.paused, self.store.refusal = True, lambda asked: None


def test_an_outage_is_waited_for(tmp_path: Path, store: Store, quick: Fates) -> None:
    """A host that fails while a run goes on costs time, and no row."""
    store.refusal = lambda asked: 503
    observer = Mended(store)
    report = zb.run(job(tmp_path, store.url, "out"), quick.client, observer)
    assert observer.paused
    assert (report.exit_code, report.rows, report.failures) == (0, 9 * FILES, 0)
    zb.run(job(tmp_path, str(tmp_path), "local"), quick.client)
    digests = {zb.open_results(tmp_path / name).digest for name in ("out", "local")}
    assert len(digests) == 1


@pytest.mark.long
def test_an_outage_that_does_not_end(tmp_path: Path, store: Store, quick: Fates) -> None:
    """A run says which host it waited for in vain; the next one goes on."""
    store.refusal = lambda asked: 503
    limits = {"outage": 0}
    with pytest.raises(PassingReadError, match=rf"half of the reads of {store.url} fail"):
        zb.run(job(tmp_path, store.url, "out", limits=limits), quick.client)
    store.refusal = lambda asked: None
    report = zb.run(job(tmp_path, store.url, "out", limits=limits), quick.client)
    assert (report.exit_code, report.rows) == (0, 9 * FILES)


def test_a_file_that_fails_for_a_while(tmp_path: Path, store: Store, quick: Fates) -> None:
    """A part whose reads failed is done again when all others are done, in the same run."""
    refused: list[str] = []

    def shaky(asked: Any) -> int | None:
        if asked.path != "/a_03.tif" or len(refused) >= 12:
            return None
        refused.append(asked.path)
        return 503

    store.refusal = shaky
    report = zb.run(job(tmp_path, store.url, "out"), quick.client)
    assert (report.exit_code, report.rows) == (0, 9 * FILES)
    assert len(refused) == 12
