"""Pending: receipts on their way to the ledger."""

from __future__ import annotations

import time

from zonalbatch.errors import OutputError
from zonalbatch.receipts import Receipt
from zonalbatch.sinks.output import Output

__all__ = ["Pending"]

FLUSH = 10.0
"""Seconds between two files of the ledger."""


class Pending:
    """Receipts on their way to the ledger."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._pending: list[Receipt] = []
        self._flushed = time.monotonic()

    def add(self, receipt: Receipt) -> None:
        """Take in a receipt; write all pending ones from time to time."""
        self._pending.append(receipt)
        if time.monotonic() - self._flushed > FLUSH:
            self.flush()

    def flush(self) -> None:
        """Write all pending receipts."""
        pending, self._pending = self._pending, []
        self._flushed = time.monotonic()
        try:
            self._output.ledger.append(pending)
        except OutputError:
            self._pending = pending  # the files themselves carry their receipts
            raise
