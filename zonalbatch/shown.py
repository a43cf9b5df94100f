"""Shown: progress, in the way that suits where a program runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from zonalbatch.engine.observer import Observer
from zonalbatch.notebook.kernel import in_notebook
from zonalbatch.progress import Silent

__all__ = ["observer_here", "tracked"]

T = TypeVar("T")


def observer_here() -> Observer:
    """Of a run that says nothing of observers: a bar in a notebook, silence in a script."""
    if not in_notebook():
        return Silent()
    from zonalbatch.notebook.progress import NotebookBar

    return NotebookBar()


def tracked(found: Iterable[T], what: str, of: int | None = None) -> Iterable[T]:
    """The same, with a bar while they come: in a notebook, else on stderr.

    Args:
        found: what comes.
        what: its name, for those who watch.
        of: how many there will be.
    """
    if in_notebook():
        from zonalbatch.notebook.progress import followed

        return followed(found, what, of)
    from rich.console import Console
    from rich.progress import track

    return track(found, description=what, total=of, console=Console(stderr=True), transient=True)
