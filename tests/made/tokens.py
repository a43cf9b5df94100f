"""A service of tokens as the Planetary Computer's, and a store that heeds them, on loopback."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.made.store import Asked, Store, serving

__all__ = ["SECRET", "Issuer", "blobs"]

SECRET = "s3cr3t"
"""In every signature, to be looked for where none may be."""
ACCOUNT = "http://account.blob.core.windows.net"
"""Where the files of the store lie, as their links have it."""


@dataclass
class Issuer:
    """Gives tokens for containers, and knows which of them are good."""

    life: float = 3600.0
    """Seconds that a token is good for."""
    says: float | None = None
    """Seconds that it is said to be good for; None tells the truth."""
    failure: int | None = None
    """The status to fail with."""
    asked: list[str] = field(default_factory=list)
    """The containers that tokens were asked for, in order."""
    forbidden: set[str] = field(default_factory=set)
    """Paths that no token opens."""
    ends: dict[str, float] = field(default_factory=dict)
    """Signature -> when it ends."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def page(self, asked: Asked) -> tuple[int, bytes]:
        """A new token."""
        with self.lock:
            self.asked.append(asked.path.removeprefix("/token/"))
            if self.failure is not None:
                return self.failure, f"no {SECRET}".encode()
            signature = f"{SECRET}{uuid.uuid4().hex}"  # GDAL keeps what it read by the whole link
            now = time.time()
            self.ends[signature] = now + self.life
        end = datetime.fromtimestamp(now + (self.says or self.life), UTC)
        token = f"st=2020-01-01T00%3A00%3A00Z&se=later&sp=rl&sig={signature}"
        return 200, json.dumps({"msft:expiry": end.isoformat(), "token": token}).encode()

    def refusal(self, asked: Asked) -> int | None:
        """403 without a good signature."""
        good = time.time() < self.ends.get(asked.query.get("sig", ""), 0.0)
        return None if good and asked.path not in self.forbidden else 403


@contextmanager
def blobs(folder: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store behind ``ACCOUNT``, this process (and those it starts) set to find it there."""
    from planetary_computer.settings import Settings

    from zonalbatch.sources.access import planetary

    store = Store(folder, issuer.refusal, pages={"/token/": issuer.page})
    with serving(store):
        monkeypatch.setenv("PC_SDK_SAS_URL", f"{store.url}/token")
        monkeypatch.setenv("GDAL_HTTP_PROXY", store.address)
        Settings.get.cache_clear()
        planetary._tokens.cache_clear()
        yield store
    Settings.get.cache_clear()
    planetary._tokens.cache_clear()
