"""Tokens: each asked for by one thread at a time, kept for all, renewed before it runs out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from zonalbatch.errors import ReadError

__all__ = ["Token", "Tokens"]

K = TypeVar("K", bound=Hashable)

MARGIN = 300.0
"""Seconds before its end that a token is renewed, at most: a read must not outlive it."""
SHARE = 0.2
"""The share of its life that is left to it then, of one that lives shortly."""
PAUSE = 1.0
"""Seconds that a service is left alone after an answer, whatever it was."""


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A text that lets read for a while."""

    text: str
    asked: float
    """When it was asked for, seconds since 1970, as are the others."""
    ends: float

    @property
    def due(self) -> float:
        """When it is to be renewed."""
        margin = min(MARGIN, SHARE * max(0.0, self.ends - self.asked))
        return max(self.ends - margin, self.asked + PAUSE)


GONE = Token("", 0.0, 0.0)
"""Stands where there is none: it ran out long ago."""


@dataclass(slots=True, eq=False)
class _Place:
    """The token for one thing."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: Token = GONE
    error: ReadError | None = None
    """Why the service gave none, the last time."""
    answered: float = 0.0
    """When the service gave its last answer."""


class Tokens(Generic[K]):
    """The tokens of a process, by what they are for.

    Args:
        ask: asks the service for a new one; raises ReadError.
        now: seconds since 1970.
    """

    def __init__(self, ask: Callable[[K], Token], now: Callable[[], float] = time.time) -> None:
        self._ask = ask
        self._now = now
        self._places: dict[K, _Place] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> Token:
        """A token that is good for a while; others who want the same wait for it meanwhile.

        Raises:
            ReadError: the service gives none, and the last one has run out.
        """
        place = self._place(key)
        with place.lock:
            now = self._now()
            if now >= place.token.due and not self._rests(place, now):
                self._renew(place, key)
            if place.error is not None and now >= place.token.ends:
                raise place.error
            return place.token

    def refused(self, key: K, sent: str) -> None:
        """Forget a token that a server refused, unless it is new: then it is not to blame.

        Args:
            key: what it is for.
            sent: what ended with it.
        """
        place = self._place(key)
        with place.lock:
            if sent.endswith(place.token.text) and self._now() >= place.token.asked + PAUSE:
                place.token = GONE

    def _place(self, key: K) -> _Place:
        with self._lock:
            return self._places.setdefault(key, _Place())

    def _rests(self, place: _Place, now: float) -> bool:
        """True if the service failed a moment ago."""
        return place.error is not None and now < place.answered + PAUSE

    def _renew(self, place: _Place, key: K) -> None:
        try:
            place.token, place.error = self._ask(key), None
        except ReadError as error:
            place.error = error
        place.answered = self._now()
