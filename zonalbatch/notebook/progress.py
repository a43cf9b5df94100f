"""Progress in a notebook: one cell that is written anew."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from zonalbatch.notebook.markup import bar, card
from zonalbatch.planning.files import Part
from zonalbatch.planning.plan import Plan
from zonalbatch.progress import size_text
from zonalbatch.receipts import Receipt

__all__ = ["NotebookBar", "followed"]

T = TypeVar("T")

EVERY = 0.2
"""Seconds between two pictures of a bar, at least."""


class NotebookBar:
    """Tells how a run goes on: parts, rows, bytes, time left."""

    def __init__(self) -> None:
        self._cell = _Cell()
        self._parts = self._of = self._rows = self._decoded = self._new = 0
        self._title, self._link, self._said = "", "", ""
        self._began = time.monotonic()

    def began(self, plan: Plan, there: Sequence[Receipt], dashboard: str) -> None:
        """A run begins."""
        self._parts, self._of = len(there), len(plan.parts)
        self._rows, self._link = sum(r.rows for r in there), dashboard
        self._title = f"{plan.n_zones:,} zones × {len(plan.layers):,} layers"
        self._began = time.monotonic()
        self._show(last=True)

    def finished(self, part: Part, receipt: Receipt) -> None:
        """A part is written."""
        self._parts += not receipt.mismatched
        self._new += not receipt.mismatched
        self._rows += receipt.rows
        self._decoded += receipt.decoded
        self._show(last=self._parts >= self._of)

    def told(self, text: str, parts: int) -> None:
        """Something is waited for or has been changed."""
        self._of, self._said = parts, text
        self._show(last=True)

    def _show(self, *, last: bool) -> None:
        gone = time.monotonic() - self._began
        left = gone / self._new * (self._of - self._parts) if self._new else 0.0
        told = (
            f"{self._parts:,} of {self._of:,} parts · {self._rows:,} rows · "
            f"{size_text(self._decoded)} decoded · {gone:.0f} s"
            + (f" · about {left:.0f} s left" if self._parts < self._of and self._new else "")
        )
        text = [bar(self._parts / max(self._of, 1), told)]
        text += [_small(f"Dask dashboard: {self._link}")] if self._link else []
        text += [_small(self._said)] if self._said else []
        self._cell.show(lambda: card("Run", self._title, text), last=last)


def followed(found: Iterable[T], what: str, of: int | None) -> Iterator[T]:
    """The same, with a bar in the notebook while they come."""
    cell = _Cell()
    for count, one in enumerate(found, 1):
        yield one
        told = f"{what}: {count:,}" + (f" of {of:,}" if of else "")
        share = count / of if of else 1.0
        cell.show(lambda told=told, share=share: bar(share, told), last=count == of)  # type: ignore[misc]


class _Cell:
    """A place of a notebook's output, which is written anew, not too often."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = 0.0

    def show(self, markup: Any, *, last: bool) -> None:
        """Write it anew, if it is due, or if nothing comes after."""
        from IPython.display import HTML, display

        now = time.monotonic()
        if not last and now - self._shown < EVERY:
            return
        self._shown = now
        if self._handle is None:
            self._handle = display(HTML(markup()), display_id=True)
        else:
            self._handle.update(HTML(markup()))


def _small(text: str) -> str:
    from html import escape

    return f'<div style="opacity:.65">{escape(text)}</div>'
