"""Waiting: what functions take is foreseen by coverage, and is what they take."""

from __future__ import annotations

import functools
import tracemalloc
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import covered as coverage_of
from tests.oracles import measured, placed, raster
from zonalbatch.cover.cells import Covered
from zonalbatch.lattice import TILE, Lattice
from zonalbatch.statistics.functions import FunctionError
from zonalbatch.statistics.waiting import CALLED, KEPT, Waiting
from zonalbatch.work import summarise
from zonalbatch.work.reading import read_ahead

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
"""Coordinates are cells, y upward."""
SIDES = st.lists(st.integers(0, 3 * TILE), min_size=4, max_size=4)


def box(sides: list[int]) -> shapely.Geometry:
    """A box of columns and rows."""
    a, b, c, d = sides
    return placed(shapely.box(min(a, b), min(c, d), max(a, b) + 3.5, max(c, d) + 2), CELLS, 0, 0)


@settings(max_examples=25)
@given(st.lists(SIDES, min_size=1, max_size=5), st.integers(1, 3))
def test_it_is_what_a_walk_over_the_tiles_finds(sides: list[list[int]], measurements: int) -> None:
    """Cells are kept from the tile in which they come to the one in which their zone ends."""
    found = Covered.of(coverage_of([box(one) for one in sides], CELLS))
    left, held, worst = found.pieces_of_zone.copy(), dict.fromkeys(range(len(sides)), 0), 0
    for layout in found.layouts:
        for zone, cells in zip(layout.zone.tolist(), np.diff(layout.offsets).tolist(), strict=True):
            held[zone] += cells
            left[zone] -= 1
            kept = sum(held.values())
            called = 0 if left[zone] else held.pop(zone)
            worst = max(worst, measurements * KEPT * kept + CALLED * called)
    assert Waiting.of(found, measurements).bytes == worst


def test_what_does_not_fit_is_refused() -> None:
    """With the zone that is too large, how large it is, and what to do."""
    found = Covered.of(coverage_of([box([0, 3, 0, 3]), box([0, 900, 0, 800])], CELLS))
    waiting = Waiting.of(found)
    waiting.check(waiting.bytes)
    with pytest.raises(FunctionError) as caught:
        waiting.check(waiting.bytes - 1)
    said = str(caught.value.named(["small", "large"]))
    assert "on zone 'large' 725,008 cells would be kept, in " in said
    assert "raise limits.memory, read overviews (resolution), or leave the functions out" in said
    assert Waiting.of(Covered.of(coverage_of([None], CELLS))).bytes == 0


def test_functions_take_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of zones over several tiles: the peak of all memory is little above what was foreseen.

    Tiles are read one at a time, so that no peak depends on how far reads are ahead.
    """
    one_by_one = functools.partial(read_ahead, bytes_ahead=0)
    monkeypatch.setattr(summarise, "read_ahead", lambda steps, pool, _: one_by_one(steps, pool))
    n = 2 * TILE + 200
    shapes = [box([3, n - 9, 0, n - 9]), *(box([i, i + 9, 500, 520]) for i in range(0, n - 9, 12))]

    def last(values: Any, fractions: Any) -> float:
        return float(values[-1])

    given_ = {"a": raster(np.ones((n, n)), CELLS, 0, 0)}
    measured(shapes[:1], given_, statistics=[last])
    peaks = {}
    for name, statistics in (("plain", ["mean"]), ("calls", [last])):
        tracemalloc.start()
        measured(shapes, given_, statistics=statistics)
        peaks[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    foreseen = Waiting.of(Covered.of(coverage_of(shapes, CELLS))).bytes
    assert peaks["calls"] - peaks["plain"] < 1.1 * foreseen
