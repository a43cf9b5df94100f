"""Tokens: when one is asked for, and by how many."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from zonalbatch.errors import PassingReadError
from zonalbatch.sources.access.tokens import Token, Tokens


@dataclass
class Service:
    """A service of tokens on a clock of its own."""

    life: float = 3600.0
    now: float = 1000.0
    fails: bool = False
    asked: list[str] = field(default_factory=list)

    def ask(self, key: str) -> Token:
        """The next token."""
        self.asked.append(key)
        if self.fails:
            raise PassingReadError(f"no token ({len(self.asked)})")
        return Token(f"{key}{len(self.asked)}", self.now, self.now + self.life)

    def tokens(self) -> Tokens[str]:
        """The tokens that it gives."""
        return Tokens(self.ask, lambda: self.now)


def test_a_token_serves_until_shortly_before_its_end() -> None:
    """Of an hour, the last five minutes are not used; of ten seconds, the last two."""
    for life, good in ((3600.0, 3300.0), (10.0, 8.0)):
        service = Service(life=life)
        tokens = service.tokens()
        assert tokens.get("a").text == "a1"
        service.now += good - 0.01
        assert tokens.get("a").text == "a1"
        service.now += 0.02
        assert tokens.get("a").text == "a2"


def test_each_container_has_its_own() -> None:
    """What is asked for one is given for no other."""
    service = Service()
    tokens = service.tokens()
    assert [tokens.get(key).text for key in "abab"] == ["a1", "b2", "a1", "b2"]


def test_one_asks_and_all_have_it() -> None:
    """Sixteen threads that want the same token at once cost one request."""
    asked = []
    begun = threading.Event()

    def ask(key: str) -> Token:
        asked.append(key)
        begun.wait(0.2)
        return Token("one", time.time(), time.time() + 60)

    tokens = Tokens(ask)
    with ThreadPoolExecutor(16) as pool:
        found = [token.text for token in pool.map(tokens.get, ["a"] * 16)]
    assert (found, asked) == (["one"] * 16, ["a"])


def test_a_refused_token_is_asked_for_anew() -> None:
    """Unless another thread has done so meanwhile, or it is new: then it is not to blame."""
    service = Service()
    tokens = service.tokens()
    tokens.get("a")
    tokens.refused("a", "a1")
    assert tokens.get("a").text == "a1"
    service.now += 5
    tokens.refused("a", "a1")
    assert tokens.get("a").text == "a2"
    service.now += 5
    tokens.refused("a", "a1")
    assert tokens.get("a").text == "a2"


def test_a_token_outlives_a_service_that_fails() -> None:
    """A renewal that fails before the end leaves the old one in use; after it, it is an error."""
    service = Service(life=100)
    tokens = service.tokens()
    tokens.get("a")
    service.now += 90
    service.fails = True
    assert tokens.get("a").text == "a1"
    service.now += 11
    with pytest.raises(PassingReadError, match="no token"):
        tokens.get("a")
    service.fails = False
    service.now += 2
    assert tokens.get("a").text == "a4"


def test_a_service_that_fails_is_left_alone_for_a_second() -> None:
    """Those who wait for the same token are told of the one failure."""
    service = Service(fails=True)
    tokens = service.tokens()
    for _ in range(5):
        with pytest.raises(PassingReadError, match=r"no token \(1\)"):
            tokens.get("a")
    assert len(service.asked) == 1


def test_a_token_that_has_ended_by_our_clock_is_used_for_a_second() -> None:
    """A clock that is ahead costs a request a second, not one for each read."""
    service = Service(life=-30)
    tokens = service.tokens()
    assert [tokens.get("a").text for _ in range(3)] == ["a1"] * 3
    service.now += 1.1
    assert tokens.get("a").text == "a2"
