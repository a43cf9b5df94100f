"""Observer: who is told how a run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zonalbatch.planning.files import Part
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt

__all__ = ["Observer"]


class Observer(Protocol):
    """Who is told how a run goes on."""

    def began(self, plan: Plan, there: Sequence[Receipt], dashboard: str) -> None:
        """A run begins, with these parts already there."""
        ...

    def finished(self, part: Part, receipt: Receipt) -> None:
        """A part is written."""
        ...

    def told(self, text: str, parts: int) -> None:
        """Something is waited for or has been changed; the plan has so many parts now."""
        ...
