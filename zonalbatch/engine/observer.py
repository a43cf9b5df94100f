"""Observer: who is told how a run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from zonalbatch.planning.files import Part
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt

__all__ = ["Listener", "Observer", "tell"]


class Observer(Protocol):
    """Who is told how a run goes on."""

    def began(self, plan: Plan, there: Sequence[Receipt], dashboard: str) -> None:
        """A run begins, with these parts already there."""
        ...

    def finished(self, part: Part, receipt: Receipt) -> None:
        """A part is written."""
        ...


@runtime_checkable
class Listener(Protocol):
    """An observer that wants to hear what does not go as it should, too."""

    def told(self, text: str, parts: int) -> None:
        """Something is waited for or has been changed; the plan has so many parts now."""
        ...


def tell(observer: Observer, text: str, parts: int) -> None:
    """Tell an observer, if it listens."""
    if isinstance(observer, Listener):
        observer.told(text, parts)
