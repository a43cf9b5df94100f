"""Parts without work: all are done, however many, and the client keeps nothing of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.empty import empty_run, two_workers
from zonalbatch.engine import window

if TYPE_CHECKING:
    from distributed import Client


def test_more_parts_than_the_scheduler_knows_of(
    cluster: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is done once; `empty_run` raises if one was left out."""
    monkeypatch.setattr(window, "WINDOW", 20)
    assert empty_run(150, cluster).parts == 150


@pytest.mark.long
@pytest.mark.alone
def test_the_client_does_not_grow() -> None:
    """20,000 parts: at most 50 MB more than before; `benchmarks/scale.py` does 100,000."""
    with two_workers() as client:
        empty_run(5_000, client)  # Dask's logs are full then
        told = empty_run(20_000, client)
    assert told.grown <= 50e6 / 2**20
