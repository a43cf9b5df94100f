"""Read by: files that a job wants to be read in a certain way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from zonalbatch.sources.access.grant import Access, Grant
from zonalbatch.sources.access.reader import Reader

__all__ = ["ReadBy"]


@dataclass(frozen=True, slots=True)
class ReadBy:
    """Files that are read as a job says, by the right that another access gives."""

    by: Access
    """How the right to read them is come by."""
    reader: Reader

    @property
    def document(self) -> dict[str, Any]:
        """That of the other access, and the reader."""
        return {**self.by.document, "reader": asdict(self.reader)}

    def bare(self, href: str) -> str:
        """As the other access has it."""
        return self.by.bare(href)

    def grant(self, href: str) -> Grant:
        """As the other access has it, and read so."""
        return replace(self.by.grant(href), reader=self.reader)

    def refused(self, grant: Grant) -> None:
        """As the other access has it."""
        self.by.refused(grant)
