"""Mask: which cells the user does not want, by the values of a band.

A mask is told by class values, by bits, or by a threshold; where several are given, any of them
masks. Names of classes and bits stand in it until the source has said what they mean.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zonalbatch.errors import SourceError
from zonalbatch.masks.legend import BitField, Legend

__all__ = ["Bits", "Mask", "mask_document", "mask_from"]


@dataclass(frozen=True, slots=True)
class Bits:
    """Some bits of the raw values of a band, and what they say of cells that are not wanted."""

    name: str
    """What they are called."""
    exclude: tuple[int | str, ...] = ()
    """Numbers, or their names, that mask a cell; none means 1 of a single bit."""
    offset: int | None = None
    """Number of the lowest bit, from 0; None: the item says it."""
    length: int = 1
    """How many bits, where ``offset`` is given."""

    def looked_up(self, band: str, legend: Legend) -> Bits:
        """The same in numbers.

        Raises:
            SourceError: the items do not say what a name means, or disagree about it.
        """
        known = self._field(band, legend)
        exclude = self.exclude
        if not exclude:
            if known.length > 1:
                names = ", ".join(known.classes) or f"0 to {2**known.length - 1}"
                raise SourceError(
                    f"{self.name!r} of mask band {band!r} has {known.length} bits; say which of "
                    f"its values mask: bits: {{{self.name}: [...]}} of {names}"
                )
            exclude = (1,)
        what = f"{self.name!r} of mask band {band!r}"
        numbers = (_meant(one, what, known.classes, legend.disputed) for one in exclude)
        return Bits(self.name, tuple(numbers), known.offset, known.length).checked()

    def checked(self) -> Bits:
        """The same, if they can be what is excluded; names are not looked at.

        Raises:
            SourceError: they cannot.
        """
        bits = f"{self.length} bits hold" if self.length > 1 else "1 bit holds"
        for one in self.exclude:
            if not isinstance(one, str) and one >= 2**self.length:
                raise SourceError(
                    f"mask bits.{self.name} excludes {one}, but {bits} 0 to {2**self.length - 1}; "
                    "correct it, or the length"
                )
        return self

    def _field(self, band: str, legend: Legend) -> BitField:
        if self.offset is None:
            known: BitField = _meant(
                self.name, f"mask band {band!r}", legend.fields, legend.disputed
            )
            return known
        said = legend.fields.get(self.name)
        same = said is not None and (said.offset, said.length) == (self.offset, self.length)
        return BitField(self.offset, self.length, said.classes if said and same else {})


@dataclass(frozen=True, slots=True)
class Mask:
    """Which cells the user does not want, by the values of a band."""

    band: str
    values: tuple[int | float | str, ...] = ()
    """Raw values of the band, or names of classes."""
    keep: bool = False
    """True: cells with other values are masked; False: cells with these values are masked."""
    bits: tuple[Bits, ...] = ()
    """Bits that mask a cell."""
    above: float | None = None
    """Physical value: cells with a larger one are masked."""
    below: float | None = None
    """Physical value: cells with a smaller one are masked."""
    nodata: bool = True
    """True if cells for which the band has no value are masked too."""
    dilate: float = 0.0
    """Cells whose centre lies within so many metres of that of a masked one are masked too."""

    def looked_up(self, legend: Legend) -> Mask:
        """The same with raw values and bits for names.

        Raises:
            SourceError: the items do not say what a name means, or disagree about it.
        """
        what = f"mask band {self.band!r}"
        values: list[int | float] = []
        for one in self.values:
            found = _meant(one, what, legend.classes, legend.disputed)
            values += found if isinstance(found, tuple) else [found]
        bits = tuple(one.looked_up(self.band, legend) for one in self.bits)
        return replace(self, values=tuple(values), bits=bits)


def _meant(
    name: int | float | str, what: str, known: Mapping[str, Any], disputed: Iterable[str]
) -> Any:
    """What a name stands for; a number stands for itself."""
    if not isinstance(name, str):
        return name
    if name in known:
        return known[name]
    if name in disputed:
        raise SourceError(
            f"{name!r} of {what} means other values in some items than in others; give numbers, "
            "and run the items that differ by themselves"
        )
    if not known:
        raise SourceError(f"no item says what {name!r} of {what} means; give numbers instead")
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    raise SourceError(f"{name!r} of {what} is unknown; {hint}")


def mask_document(masks: Sequence[Mask]) -> Any:
    """Masks in plain types: none, one, or a list; later keys only where they are set."""
    documents = [_document(mask) for mask in masks]
    return documents if len(documents) > 1 else documents[0] if documents else None


def _document(mask: Mask) -> dict[str, Any]:
    later: dict[str, tuple[Any, Any]] = {
        "bits": ([[b.name, b.offset, b.length, list(b.exclude)] for b in mask.bits], []),
        "above": (mask.above, None),
        "below": (mask.below, None),
        "nodata": (mask.nodata, True),
        "dilate": (mask.dilate, 0.0),
    }
    document = {"band": mask.band, "values": list(mask.values), "keep": mask.keep}
    return document | {name: value for name, (value, unset) in later.items() if value != unset}


def mask_from(document: Any) -> tuple[Mask, ...]:
    """The masks that `mask_document` wrote."""
    if document is None:
        return ()
    several = document if isinstance(document, list) else [document]
    return tuple(
        Mask(**{
            **one,
            "values": tuple(one["values"]),
            "bits": tuple(
                Bits(name, tuple(exclude), offset, length)
                for name, offset, length, exclude in one.get("bits", ())
            ),
        })
        for one in several
    )  # fmt: skip
