"""Sealed: what the last seal of an output says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Sealed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A result whose files belong together: what is said of it, in its manifest."""

    fingerprint: str
    """Of the plan whose rows these are."""
    complete: bool
    """False if something could not be read that may be read another time."""
    version: str
    """Of the package that sealed it."""
    parts: int
    rows: int
    zones: int
    zones_without_layer: int
    alone: str
    """Name of the file of rows of zones that meet no layer, if there are any."""
    layers: int
    failures: int
    unplanned: str
    """Hash of the failures that came to light when it was planned."""
    bytes: int
    """Of all result files."""
    temporal: Mapping[str, Any] | None
    """What is told over time, and in how many rows."""
    picked: Mapping[str, Any] | None
    """Which rows are picked, and how many."""

    @property
    def document(self) -> dict[str, Any]:
        """In plain types."""
        return asdict(self)
