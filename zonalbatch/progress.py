"""Progress: how a run tells what it does."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from zonalbatch.planning.files import Part
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt

__all__ = ["Bar", "Lines", "Silent", "observer_for", "size_text"]


class Silent:
    """Tells nothing."""

    def began(self, plan: Plan, there: Sequence[Receipt], dashboard: str) -> None:
        """A run begins."""

    def finished(self, part: Part, receipt: Receipt) -> None:
        """A part is written."""

    def told(self, text: str, parts: int) -> None:
        """Something is waited for or has been changed."""


class Lines:
    """Tells in plain lines, at most one every few seconds: for logs."""

    def __init__(self, every: float = 5.0) -> None:
        self._every = every
        self._parts = self._of = self._rows = self._decoded = 0
        self._began = self._told = 0.0

    def began(self, plan: Plan, there: Sequence[Receipt], dashboard: str) -> None:
        """A run begins."""
        self._parts, self._of = len(there), len(plan.parts)
        self._rows = sum(r.rows for r in there)
        self._began = self._told = time.monotonic()
        kept = f", {len(there)} of them there already" if there else ""
        _say(f"{plan.n_zones:,} zones × {len(plan.layers):,} layers in {self._of:,} parts{kept}")
        if dashboard:
            _say(f"Dask dashboard: {dashboard}")

    def finished(self, part: Part, receipt: Receipt) -> None:
        """A part is written."""
        self._parts += not receipt.mismatched
        self._rows += receipt.rows
        self._decoded += receipt.decoded
        now = time.monotonic()
        if now - self._told > self._every or self._parts == self._of:
            self._told = now
            _say(
                f"{self._parts:,}/{self._of:,} parts, {self._rows:,} rows, "
                f"{size_text(self._decoded)} decoded, {now - self._began:.0f} s"
            )

    def told(self, text: str, parts: int) -> None:
        """Something is waited for or has been changed."""
        self._of = parts
        _say(text)


class Bar:
    """Tells in a bar on a terminal: parts, rows, bytes, time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )  # fmt: skip

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("parts · {task.fields[rows]:,} rows · {task.fields[size]} decoded ·"),
            TimeElapsedColumn(),
            TextColumn("· left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._rows = self._decoded = 0

    def began(self, plan: Plan, there: Sequence[Receipt], dashboard: str) -> None:
        """A run begins."""
        self._rows = sum(r.rows for r in there)
        if dashboard:
            self._bar.console.print(f"Dask dashboard: [link={dashboard}]{dashboard}[/link]")
        for task in self._bar.task_ids:
            self._bar.remove_task(task)
        self._task = self._bar.add_task(
            f"{plan.n_zones:,} zones × {len(plan.layers):,} layers",
            total=len(plan.parts), completed=len(there), rows=self._rows, size="0 B",
        )  # fmt: skip
        self._bar.start()

    def finished(self, part: Part, receipt: Receipt) -> None:
        """A part is written."""
        self._rows += receipt.rows
        self._decoded += receipt.decoded
        self._bar.update(
            self._task, advance=not receipt.mismatched, rows=self._rows,
            size=size_text(self._decoded),
        )  # fmt: skip

    def told(self, text: str, parts: int) -> None:
        """Something is waited for or has been changed."""
        self._bar.update(self._task, total=parts)
        self._bar.console.print(text, markup=False)

    def stop(self) -> None:
        """Leave the terminal as it is."""
        self._bar.stop()


def observer_for(stream: object = None) -> Bar | Lines:
    """A bar on a terminal, plain lines elsewhere."""
    stream = stream or sys.stderr
    return Bar() if getattr(stream, "isatty", lambda: False)() else Lines()


def size_text(size: float) -> str:
    """A number of bytes for people: 1.5 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return ""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
