"""Trust: files that may have GDAL open other files and URLs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from zonalbatch.sources.access.grant import Access, Grant

__all__ = ["Trusting"]


@dataclass(frozen=True, slots=True)
class Trusting:
    """Files that the user trusts, read by the right that another access gives."""

    by: Access
    """How the right to read them is come by."""

    @property
    def document(self) -> dict[str, Any]:
        """That of the other access, and that it is trusted."""
        return {**self.by.document, "trusted": True}

    def bare(self, href: str) -> str:
        """As the other access has it."""
        return self.by.bare(href)

    def grant(self, href: str) -> Grant:
        """As the other access has it, and of any format."""
        return replace(self.by.grant(href), trusted=True)

    def refused(self, grant: Grant) -> None:
        """As the other access has it."""
        self.by.refused(grant)
