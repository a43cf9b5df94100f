"""Halving: the two parts that take the place of one."""

from __future__ import annotations

import datetime as dt

import pytest

from zonalbatch.layers import Layer, Scene
from zonalbatch.planning.files import Part
from zonalbatch.planning.halving import halves_of

LAYERS = [
    Layer(
        id=f"l{i}",
        datetime=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        scenes=tuple(Scene(items=(), assets={}, missing={}) for _ in range(i + 1)),
    )
    for i in range(4)
]
"""Layers of one scene, of two, of three and of four: numbers 0, 1 2, 3 4 5 and 6 7 8 9."""


def part(start: int, stop: int, layers: tuple[int, ...], scenes: tuple[int, ...]) -> Part:
    """A part that was made from an earlier one."""
    return Part("ab" * 16, "3.0.0", "2024", start, stop, layers, scenes, 1000, source="cd" * 16)


def test_zones_are_halved_first() -> None:
    """Halves hold all zones once, and all layers and scenes; their rows are computed."""
    whole = part(10, 15, (0, 1, 3), (0, 1, 2, 6))
    first, second = halves_of(whole, LAYERS)
    assert (first.start, first.stop, second.start, second.stop) == (10, 12, 12, 15)
    for half in (first, second):
        assert (half.layers, half.scenes) == (whole.layers, whole.scenes)
        assert (half.cell, half.bucket, half.source) == (whole.cell, whole.bucket, None)


def test_layers_of_one_zone_are_halved() -> None:
    """Halves hold all layers once, each with those of its scenes that the part has."""
    first, second = halves_of(part(10, 11, (0, 1, 3), (0, 2, 6, 9)), LAYERS)
    assert (first.layers, first.scenes) == ((0,), (0,))
    assert (second.layers, second.scenes) == ((1, 3), (2, 6, 9))
    assert (first.start, first.stop) == (second.start, second.stop) == (10, 11)


@pytest.mark.parametrize("stop", [11, 12])
def test_names_follow_from_the_whole(stop: int) -> None:
    """The same part is halved into the same two, whenever; no two halves have one name."""
    whole = part(10, stop, (0, 1), (0, 1))
    first, second = halves_of(whole, LAYERS)
    assert (first, second) == halves_of(whole, LAYERS)
    names = {whole.id, first.id, second.id}
    assert len(names) == 3
    assert {len(name) for name in names} == {32}
