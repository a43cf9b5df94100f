"""Legend: what the raw values of a band are called, as STAC's classification extension says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["BitField", "Legend"]

Meaning = TypeVar("Meaning")


@dataclass(frozen=True, slots=True)
class BitField:
    """Some neighbouring bits of a raw value, read as a whole number."""

    offset: int
    """Number of its lowest bit, from 0."""
    length: int = 1
    """How many bits it has."""
    classes: Mapping[str, int] = field(default_factory=dict)
    """Name -> the number that is called so."""


@dataclass(frozen=True, slots=True)
class Legend:
    """What the raw values of a band are called."""

    classes: Mapping[str, tuple[int | float, ...]] = field(default_factory=dict)
    """Name -> the raw values that are called so."""
    fields: Mapping[str, BitField] = field(default_factory=dict)
    """Name -> the bits that are called so."""
    disputed: frozenset[str] = frozenset()
    """Names by which different items mean different values or bits."""

    @classmethod
    def merged(cls, legends: Iterable[Legend]) -> Legend:
        """What the items of a source say together; names that they disagree about are in none."""
        legends = list(legends)
        classes, torn = _agreed(one.classes for one in legends)
        fields, split = _agreed(one.fields for one in legends)
        told = frozenset().union(*(one.disputed for one in legends))
        return cls(classes, fields, told | torn | split)


def _agreed(several: Iterable[Mapping[str, Meaning]]) -> tuple[dict[str, Any], frozenset[str]]:
    """What names mean where all agree, and the names about which they do not."""
    found: dict[str, Meaning] = {}
    torn = set()
    for one in several:
        for name, meaning in one.items():
            if found.setdefault(name, meaning) != meaning:
                torn.add(name)
    return {name: told for name, told in found.items() if name not in torn}, frozenset(torn)
