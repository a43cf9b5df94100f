"""Halving: the two parts that take the place of one which was too much for a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat

from zonalbatch.layers import Layer
from zonalbatch.planning.files import Part
from zonalbatch.planning.identity import digest

__all__ = ["halves_of"]


def halves_of(part: Part, layers: Sequence[Layer]) -> tuple[Part, Part]:
    """Two parts that hold what one does: half of its zones each, or of its layers if it has one.

    Fold tiles stay whole, so that no number changes. Their names follow from the part's, as where
    it is halved does.

    Args:
        part: of several zones or layers.
        layers: all of the plan.
    """
    middle, among = (part.start + part.stop) // 2, len(part.layers) // 2
    if part.stop - part.start > 1:
        first, second = replace(part, stop=middle), replace(part, start=middle)
    else:
        first = _only(part, part.layers[:among], layers)
        second = _only(part, part.layers[among:], layers)
    return _named(first, part, b"0"), _named(second, part, b"1")


def _only(part: Part, some: tuple[int, ...], layers: Sequence[Layer]) -> Part:
    """A part with some of its layers, and of their scenes those that it has."""
    owners = chain.from_iterable(repeat(i, len(layer.scenes)) for i, layer in enumerate(layers))
    of = dict(enumerate(owners))
    return replace(part, layers=some, scenes=tuple(n for n in part.scenes if of[n] in some))


def _named(half: Part, part: Part, which: bytes) -> Part:
    name = digest(bytes.fromhex(part.id), which).hex()
    return replace(half, id=name, decoded=part.decoded // 2, source=None, peak=part.peak)
