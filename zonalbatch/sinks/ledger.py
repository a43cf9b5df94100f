"""Ledger: receipts as they came in, in files that are only ever added.

It saves opening every result file. The files themselves carry their receipts, so that whatever is
lost of the ledger, or cannot be read, is found again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zonalbatch.places import Place
from zonalbatch.receipts import Receipt

__all__ = ["Ledger"]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The folder of receipts."""

    folder: Place

    def append(self, receipts: Sequence[Receipt]) -> None:
        """Write receipts to a new file, which comes after all others."""
        if receipts:
            lines = "".join(receipt.to_json() + "\n" for receipt in receipts)
            (self.folder / f"{time.time_ns():020d}-{uuid.uuid4()}.jsonl").write_text(lines)

    def receipts(self) -> Iterator[Receipt]:
        """All that can be read, the earliest first."""
        for name in sorted(self.folder.files()):
            try:
                text = (self.folder / name).read_text()
            except (OSError, UnicodeDecodeError):
                continue
            for line in text.splitlines():
                try:
                    yield Receipt.from_json(line)
                except (ValueError, TypeError, KeyError):
                    continue

    def close_up(self) -> None:
        """Put all files together into one, which comes where the last of them did."""
        names = sorted(self.folder.files())
        if len(names) < 2:
            return
        with (
            self.folder / f"{names[-1].partition('-')[0]}-{uuid.uuid4()}.jsonl"
        ).replacing() as file:
            for name in names:
                file.write((self.folder / name).read_bytes())
        for name in names:
            (self.folder / name).remove()
